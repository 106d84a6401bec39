"""A trail is deleted: create it again as it was noted within the hour before, with its selectors, and start its logging.

Only a trail that logs is noted, so stopping it first does not spoil its note. One that was made again with the settings of
the note, and with other selectors or stopped, is completed. One that was made again with other settings, such as another
bucket, is told and left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation import trails
from security_remediation.baseline import Note, known, never_noted, there_again
from security_remediation.permissions import ANY_TRAIL
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State
from security_remediation.reading import name_of, own_region, tags_of, unless_absent
from security_remediation.trails import (
    READ_TRAILS,
    WRITE_AS_NOTED,
    key_of,
    logs,
    put_selectors,
    settings_of,
    without_tags,
)

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "trail_deleted"
KIND = Kind.BASELINE
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"cloudtrail.amazonaws.com": ("DeleteTrail",)}
READS: Permissions = READ_TRAILS
WRITES: Permissions = (
    Allow(
        (
            "cloudtrail:CreateTrail",
            "cloudtrail:AddTags",
            "cloudtrail:StartLogging",
            "cloudtrail:PutEventSelectors",
            "cloudtrail:PutInsightSelectors",
        ),
        ANY_TRAIL,
    ),
    *WRITE_AS_NOTED,
)
SURE = (
    "Certain of the deletion; the trail is made as its note says, which is up to an hour old. Its bucket, topic, key and "
    "role must be there still. Where it was the only trail, EventBridge gets no more calls until it logs again."
)

BY_HAND = "Create it again by hand, to a bucket that is yours, for all regions, and start its logging."


@dataclass(frozen=True)
class Trail:
    """Attributes:
    noted: what is known of it from before.
    now: the settings of the trail of that name; None when there is none.
    """

    noted: Note | None
    now: Mapping[str, Any] | None
    logging: bool = False


snapshot = trails.snapshot


def read(record: CloudTrailRecord) -> State:
    client, name = aws.cloudtrail(), name_of(record.required("name"))
    own_region(record, client, "trail")
    noted = known(key_of(name), record.event_time)
    trail = unless_absent(lambda: client.get_trail(Name=name)["Trail"], "TrailNotFoundException")
    return State(
        Trail(noted, settings_of(trail), logs(name)) if trail else Trail(noted, None),
        tags=tags_of(noted.settings["create"].get("TagsList") if noted else ()),
    )


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    trail: Trail = state.current
    name = name_of(record.required("name"))
    resource, finding = f"Trail {name}", "was deleted"
    if not trail.noted:
        if trail.now:
            return there_again(resource, finding)
        return never_noted(resource, finding, SEVERITY, BY_HAND)
    wanted = trail.noted.settings
    if trail.now and without_tags(trail.now) != without_tags(wanted):
        remark = (
            f"It was made again with other settings, to the bucket {trail.now['create']['S3BucketName']}. At "
            f"{trail.noted.taken_at} it was {wanted['create']}. Make sure that it logs what it should, to where it should."
        )
        return Plan(resource, f"{finding} and made again with other settings", SEVERITY, remark=remark)
    now = trail.now or {}
    change: dict[str, Any] = {"Name": name}
    steps = []
    if not trail.now:
        change["create"] = wanted["create"]
        steps.append(
            f"Create it again as it was at {trail.noted.taken_at}, to the bucket {wanted['create']['S3BucketName']}."
        )
    if not trail.logging:
        change["start"] = True
        steps.append("Start its logging.")
    for what, words in (("selectors", "event selectors"), ("insights", "Insights selectors")):
        if wanted[what] and wanted[what] != now.get(what):
            change[what] = wanted[what]
            steps.append(f"Put its {words} back.")
    if not steps:
        return there_again(resource, finding)
    before = {"Name": name, "trail": trail.now, "logs": trail.logging}
    return Plan(resource, finding, SEVERITY, steps=tuple(steps), change=change, before=before)


def apply(plan: Plan) -> None:
    client, change = aws.cloudtrail(), plan.change
    if "create" in change:
        unless_absent(lambda: client.create_trail(**change["create"]), "TrailAlreadyExistsException")
    if "start" in change:  # before the selectors: without them it logs all management events
        client.start_logging(Name=change["Name"])
    put_selectors(change)


def restore(before: Mapping[str, Any]) -> None:
    client = aws.cloudtrail()
    if not before["trail"]:
        unless_absent(lambda: client.delete_trail(Name=before["Name"]), "TrailNotFoundException")
        return
    put_selectors({"Name": before["Name"], **before["trail"]})
    if not before["logs"]:
        client.stop_logging(Name=before["Name"])
