"""The account's GuardDuty detector is suspended or deleted: enable it again, or create a new one.

A suspended detector goes on as it was. A deleted one cannot be put back: its findings, filters, lists, members and where it
published to are gone. A new one has every protection plan but Runtime Monitoring, which is GuardDuty's default; it watches from
then on. It carries a tag with the ID of the CloudTrail event, by which `undo` knows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.permissions import NO_RESOURCES
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import own_region
from security_remediation.watching import ANY_DETECTOR, service_role

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "guardduty_detector"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"guardduty.amazonaws.com": ("UpdateDetector", "DeleteDetector")}
READS: Permissions = (
    Allow(("guardduty:ListDetectors",), why=NO_RESOURCES),
    Allow(("guardduty:GetDetector",), ANY_DETECTOR),
)
WRITES: Permissions = (
    Allow(("guardduty:UpdateDetector", "guardduty:TagResource"), ANY_DETECTOR),
    Allow(("guardduty:CreateDetector",), why=NO_RESOURCES),
    Allow(
        ("iam:CreateServiceLinkedRole",),
        (
            service_role("guardduty.amazonaws.com", "AWSServiceRoleForAmazonGuardDuty"),
            service_role(
                "malware-protection.guardduty.amazonaws.com", "AWSServiceRoleForAmazonGuardDutyMalwareProtection"
            ),
        ),
    ),
)
SURE = "Certain for the detector as a whole. Features of it that are switched off one by one are not judged."

CREATED_FOR = "automations:created-for"


def read(record: CloudTrailRecord) -> State:
    """There is one detector in a region, or none."""
    client = aws.guardduty()
    own_region(record, client, "detector")
    ids = client.list_detectors()["DetectorIds"]
    if not ids:
        return State(current=None)
    found = client.get_detector(DetectorId=ids[0])
    return State({"DetectorId": ids[0], "enabled": found["Status"] == "ENABLED"}, tags=found.get("Tags", {}))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    detector, deleted = record.required("detectorId"), record.event_name == "DeleteDetector"
    resource = f"GuardDuty detector in {record.aws_region}"  # the only one, whatever its ID
    if not deleted and str(record.parameter("enable")).lower() != "false":
        return None
    finding = "deleted" if deleted else "suspended"
    if state.current is None and deleted:
        return Plan(
            resource,
            "is deleted",
            SEVERITY,
            steps=(f"Create a new one in the place of {detector}. What that one found and how it was set up is lost.",),
            change={"Enable": True, "Tags": {CREATED_FOR: record.event_id}},
            before={"Tags": {CREATED_FOR: record.event_id}},
        )
    if state.current is None or state.current["enabled"]:
        return settled(resource, f"was {finding}", state)
    there = {"DetectorId": state.current["DetectorId"]}
    return Plan(
        resource,
        f"is {finding}",
        SEVERITY,
        steps=(f"Enable the detector {there['DetectorId']} again.",),
        change=there | {"Enable": True},
        before=there | {"Enable": False},
    )


def apply(plan: Plan) -> None:
    client = aws.guardduty()
    if "DetectorId" in plan.change:
        client.update_detector(**plan.change)
    elif not client.list_detectors()["DetectorIds"]:
        client.create_detector(**plan.change)


def restore(before: Mapping[str, Any]) -> None:
    client = aws.guardduty()
    if "DetectorId" in before:
        client.update_detector(**before)
        return
    for detector in client.list_detectors()["DetectorIds"]:
        if before["Tags"].items() <= client.get_detector(DetectorId=detector).get("Tags", {}).items():
            client.delete_detector(DetectorId=detector)
