"""A trail is stopped: start it again.

While no trail logs, EventBridge gets no API calls either, so nothing that happens after it is seen here. What was called while
the trail stood still is in CloudTrail's event history only, for 90 days.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.permissions import ANY_TRAIL
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import name_of, unless_absent
from security_remediation.watching import find_trail, trail_tags

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "trail_stopped"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"cloudtrail.amazonaws.com": ("StopLogging",)}
READS: Permissions = (Allow(("cloudtrail:GetTrail", "cloudtrail:GetTrailStatus", "cloudtrail:ListTags"), ANY_TRAIL),)
WRITES: Permissions = (Allow(("cloudtrail:StartLogging",), ANY_TRAIL),)
SURE = "Certain. The trail's home region must be the stack's; a trail of the organisation is refused outside its own account."


def read(record: CloudTrailRecord) -> State:
    trail = find_trail(record, "name")
    if trail is None:
        return State(current=None)
    arn = trail["TrailARN"]
    logging = aws.cloudtrail().get_trail_status(Name=arn)["IsLogging"]
    return State({"Name": arn, "logging": logging}, tags=trail_tags(arn))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    resource = f"Trail {name_of(record.required('name'))}"
    if state.current is None or state.current["logging"]:
        return settled(resource, "was stopped", state)
    arn = {"Name": state.current["Name"]}
    return Plan(resource, "is stopped", SEVERITY, steps=("Start it again.",), change=arn, before=arn)


def apply(plan: Plan) -> None:
    unless_absent(lambda: aws.cloudtrail().start_logging(**plan.change), "TrailNotFoundException")


def restore(before: Mapping[str, Any]) -> None:
    aws.cloudtrail().stop_logging(**before)
