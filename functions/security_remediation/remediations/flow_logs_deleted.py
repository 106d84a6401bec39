"""VPC flow logs are deleted: create them again as they were noted within the hour before.

They get new ids. What watches a network, subnet or interface that is itself gone is left, because it goes with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.errors import AutomationError
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.baseline import Note, chosen, known, never_noted, note, own_tags, there_again
from security_remediation.networks import READ_NETWORKS, exists, kind_of
from security_remediation.permissions import ANY_ROLE, NO_RESOURCES, ec2
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State
from security_remediation.reading import own_region, tags_of, unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "flow_logs_deleted"
KIND = Kind.BASELINE
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"ec2.amazonaws.com": ("DeleteFlowLogs",)}
READS: Permissions = (Allow(("ec2:DescribeFlowLogs",), why=NO_RESOURCES), READ_NETWORKS)
WRITES: Permissions = (
    Allow(
        ("ec2:CreateFlowLogs",),
        tuple(
            ec2(kind)
            for kind in (
                "vpc-flow-log",
                "vpc",
                "subnet",
                "network-interface",
                "transit-gateway",
                "transit-gateway-attachment",
                "natgateway",
            )
        ),
    ),
    Allow(
        ("ec2:CreateTags",), ec2("vpc-flow-log"), conditions={"StringEquals": {"ec2:CreateAction": "CreateFlowLogs"}}
    ),
    Allow(
        ("iam:PassRole",),
        ANY_ROLE,
        "The roles are in the notes, which a template cannot know; only flow logs can be given them.",
        {"StringEquals": {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"}},
    ),
    # To a bucket or a stream that gets logs already, no more is needed.
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-S3.html
    Allow(("logs:CreateLogDelivery",), why=NO_RESOURCES),
)
SURE = (
    "Certain of the deletion; the flow logs are made as their notes say, which are up to an hour old. Their destination and "
    "role must be there still. Who takes a whole VPC down deletes its flow logs first: they come back until it is gone."
)

KEPT = (
    "DeliverLogsPermissionArn",
    "DeliverCrossAccountRole",
    "TrafficType",
    "LogDestinationType",
    "LogFormat",
    "MaxAggregationInterval",
    "DestinationOptions",
    "TagFieldSpecifications",
)
ALREADY_THERE = "FlowLogAlreadyExists"
BY_HAND = "Look which VPCs have no flow logs, and create them by hand."

FlowLog = Mapping[str, Any]


class NotCreated(AutomationError):
    """EC2 did not create a flow log."""


@dataclass(frozen=True)
class Logs:
    """Attributes:
    notes: of the deleted flow logs, by their ids; None for what was never noted.
    missing: ids of those that no flow log of now stands for, and whose resource is there.
    """

    notes: Mapping[str, Note | None]
    missing: tuple[str, ...]


def snapshot() -> dict[str, dict[str, Any]]:
    """All flow logs of this region."""
    return {
        _key(one["FlowLogId"]): {
            **chosen(one, (*KEPT, "FlowLogId", "ResourceId", "LogGroupName", "LogDestination")),
            "Tags": own_tags(one.get("Tags", [])),
        }
        for one in _flow_logs()
    }


def read(record: CloudTrailRecord) -> State:
    own_region(record, aws.ec2(), "flow log")
    notes = {one: known(_key(one)) for one in _deleted(record)}
    noted = {one: found.settings for one, found in notes.items() if found}
    watched = {_identity(one) for one in _flow_logs(noted.values()) if one["FlowLogId"] not in notes}
    missing = tuple(one for one, was in noted.items() if _identity(was) not in watched and exists(was["ResourceId"]))
    tags = [tags_of(was["Tags"]).items() for was in noted.values()]  # all of them must be exempt
    return State(Logs(notes, missing), tags=dict(set.intersection(*map(set, tags))) if tags else {})


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    logs: Logs = state.current
    if not logs.notes:
        return None
    resource, finding = _resource(logs), "was deleted"
    unknown = [one for one, noted in logs.notes.items() if not noted]
    if unknown:
        finding += "" if len(unknown) == len(logs.notes) else f", and {', '.join(unknown)} was never noted"
    if not logs.missing:
        return never_noted(resource, finding, SEVERITY, BY_HAND) if unknown else there_again(resource, finding)
    again = [(noted.settings, noted.taken_at) for one in logs.missing if (noted := logs.notes[one])]
    return Plan(
        resource,
        finding,
        SEVERITY,
        steps=tuple(
            f"Create the flow log of {one['ResourceId']} again as it was at {taken_at}, to {_destination(one)}."
            for one, taken_at in again
        ),
        change={"again": [one for one, _ in again]},
        before={"without": [_identity(one) for one, _ in again]},
    )


def apply(plan: Plan) -> None:
    for one in plan.change["again"]:
        for new in _create(one):  # it may be deleted before the next hour
            note(_key(new), {**one, "FlowLogId": new})


def restore(before: Mapping[str, Any]) -> None:
    unwanted = [tuple(one) for one in before["without"]]
    ids = [one["FlowLogId"] for one in _flow_logs() if _identity(one) in unwanted]
    if ids:
        aws.ec2().delete_flow_logs(FlowLogIds=ids)


def _key(flow_log: str) -> str:
    return f"flow-log/{flow_log}"


def _deleted(record: CloudTrailRecord) -> list[str]:
    """The flow logs that the call deleted.

    A record has `{"DeleteFlowLogsRequest": {"FlowLogId": {"tag": 1, "content": "fl-..."}}}`, or a list of these; those that
    EC2 did not delete are in its response.
    """
    asked = list(dict.fromkeys(_ids(record.request_parameters))) or [record.required("FlowLogId")]
    kept = set(_ids(record.response_elements))
    return [one for one in asked if one not in kept]


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("fl-"):
        yield value
    for part in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _ids(part)


def _flow_logs(noted: Any = None) -> Iterator[FlowLog]:
    """All flow logs, or those of the resources of the noted ones."""
    if noted is None:
        filters: list[Any] = []
    else:
        resources = sorted({one["ResourceId"] for one in noted})
        filters = [{"Name": "resource-id", "Values": resources}]
        if not resources:
            return
    for page in aws.ec2().get_paginator("describe_flow_logs").paginate(Filters=filters):
        yield from page["FlowLogs"]


def _resource(logs: Logs) -> str:
    """By what they watch and where they log to, which is so of those in their place, too; by their ids when that is unknown."""
    noted = {one: found.settings for one, found in logs.notes.items() if found}
    names = sorted(_name(noted[one]) for one in logs.missing or noted)
    return f"Flow log {', '.join(names or logs.notes)}"


def _name(one: FlowLog) -> str:
    traffic = f" ({one['TrafficType']} traffic)" if one.get("TrafficType") else ""
    return f"of {one['ResourceId']} to {_destination(one)}{traffic}"


def _destination(one: FlowLog) -> str:
    return str(one.get("LogGroupName") or one.get("LogDestination"))


def _identity(one: FlowLog) -> tuple[str, str, str]:
    """EC2 takes no two flow logs of one resource to one destination for the same traffic."""
    return one["ResourceId"], one.get("TrafficType") or "", _destination(one)


def _create(one: FlowLog) -> list[str]:
    """The ids of what was created; none where somebody was quicker.

    Raises:
        NotCreated: says why. EC2 answers with what it did not create, and no error.
    """
    answer = unless_absent(lambda: aws.ec2().create_flow_logs(**_creation(one)), ALREADY_THERE)
    if not answer:
        return []
    for item in answer.get("Unsuccessful", []):
        if item["Error"]["Code"] != ALREADY_THERE:
            raise NotCreated(f"The flow log of {one['ResourceId']} was not created: {item['Error']['Message']}")
    return answer["FlowLogIds"]


def _creation(one: FlowLog) -> dict[str, Any]:
    """The arguments of CreateFlowLogs. With its client token a second attempt makes no second flow log."""
    group = {} if one.get("LogDestination") else {"LogGroupName": one["LogGroupName"]}  # either, not both
    tags = {"TagSpecifications": [{"ResourceType": "vpc-flow-log", "Tags": one["Tags"]}]} if one["Tags"] else {}
    return {
        **chosen(one, (*KEPT, "LogDestination")),
        **group,
        **tags,
        "ResourceIds": [one["ResourceId"]],
        "ResourceType": kind_of(one["ResourceId"]).type,
        "ClientToken": one["FlowLogId"],
    }
