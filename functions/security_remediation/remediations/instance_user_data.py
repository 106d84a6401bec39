"""The user data of an instance is changed: stop the instance, when it was started since.

User data can be changed only while an instance is stopped, and what it says can run as root at the next start. So the instance
came out of a stop just now, and stopping it again loses little beside its memory; starting it undoes that. An instance that
runs for more than an hour is left running, because its user data has done by then what it does, and so is one of an Auto Scaling
group, which would terminate it and with it the evidence. One that is stopped still is left, too: what it would be started with
is for a person to read. The tag automations:stopped-by says who stopped it, so that neither ec2_state_alerts nor office_hours
starts it again.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from automations.stopped_by import SECURITY_REMEDIATION, STOPPED_AT, STOPPED_BY
from security_remediation.permissions import NO_RESOURCES, ec2
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import own_region, tags_of, unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "instance_user_data"
KIND = Kind.CONTAINMENT
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"ec2.amazonaws.com": ("ModifyInstanceAttribute",)}
# The API takes it by its own parameter, or by the name of the attribute, as AWS's own examples for the CLI do.
PATTERN: Mapping[str, Any] = {
    "$or": [
        {"requestParameters": {"userData": [{"exists": True}]}},
        {"requestParameters": {"attribute": ["userData"]}},
    ]
}
READS: Permissions = (
    Allow(("ec2:DescribeInstances",), why=NO_RESOURCES),
    Allow(("ec2:DescribeInstanceAttribute",), ec2("instance")),
)
WRITES: Permissions = (
    Allow(("ec2:StopInstances",), ec2("instance")),
    Allow(
        ("ec2:CreateTags",),
        ec2("instance"),
        conditions={
            "ForAllValues:StringEquals": {"aws:TagKeys": [STOPPED_BY, STOPPED_AT]},
            "Null": {"aws:TagKeys": "false"},
        },
    ),
)
SURE = (
    "Certain that it was changed. CloudTrail leaves the data out of its records, so nobody but a person can tell good from bad; "
    "most scripts run only at an instance's first start, unless the data says otherwise."
)

FRESH = timedelta(hours=1)
RUNNING = {"pending", "running"}
GROUP_TAG = "aws:autoscaling:groupName"
LOOK = "Read the user data (`aws ec2 describe-instance-attribute --attribute userData`) and find out who changed it"


@dataclass(frozen=True)
class Instance:
    """An instance as it is now.

    Attributes:
        fresh: it was started less than an hour ago.
        has_user_data: whether there is any; what it says is not kept.
        group: the Auto Scaling group that looks after it, or "".
        stopped_by: the automation that stopped it and will start it, or "".
    """

    running: bool
    fresh: bool
    has_user_data: bool
    group: str = ""
    stopped_by: str = ""


def read(record: CloudTrailRecord) -> State:
    client, instance = aws.ec2(), record.required("instanceId")
    own_region(record, client, "instance")
    found = unless_absent(lambda: client.describe_instances(InstanceIds=[instance]), "InvalidInstanceID.NotFound")
    known = [one for some in found["Reservations"] for one in some["Instances"]] if found else []
    if not known or known[0]["State"]["Name"] in {"shutting-down", "terminated"}:
        return State(current=None)
    data = unless_absent(
        lambda: client.describe_instance_attribute(InstanceId=instance, Attribute="userData"),
        "InvalidInstanceID.NotFound",
    )
    tags = tags_of(known[0].get("Tags"))
    return State(
        Instance(
            running=known[0]["State"]["Name"] in RUNNING,
            fresh=datetime.now(UTC) - known[0]["LaunchTime"] < FRESH,
            has_user_data=bool(data and data.get("UserData", {}).get("Value")),
            group=tags.get(GROUP_TAG, ""),
            stopped_by=tags.get(STOPPED_BY, ""),
        ),
        tags,
    )


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    if "userData" not in (record.request_parameters or {}) and record.parameter("attribute") != "userData":
        return None
    now: Instance | None = state.current
    name = record.required("instanceId")
    resource, finding = f"Instance {name}", "had its user data changed"
    if now is None or not now.has_user_data:
        return settled(resource, finding, state)
    if remark := _why_not(now):
        return Plan(resource, finding, SEVERITY, remark=remark)
    return Plan(
        resource,
        f"{finding}, and was started with it",
        SEVERITY,
        steps=(
            f"Stop the instance, and say so in its tag {STOPPED_BY}. Its volumes are kept; what is in its memory is lost.",
        ),
        change={"InstanceIds": [name]},
        before={"InstanceIds": [name]},
    )


def apply(plan: Plan) -> None:
    """The mark comes first, so that whoever hears of the stop finds it; an instance that cannot be marked is stopped all the same."""
    ids, at = plan.change["InstanceIds"], datetime.now(UTC).isoformat(timespec="seconds")
    mark: Any = [{"Key": STOPPED_BY, "Value": SECURITY_REMEDIATION}, {"Key": STOPPED_AT, "Value": at}]
    try:
        unless_absent(
            lambda: aws.ec2().create_tags(Resources=ids, Tags=mark), "InvalidInstanceID.NotFound", "TagLimitExceeded"
        )
    finally:
        unless_absent(lambda: aws.ec2().stop_instances(InstanceIds=ids), "InvalidInstanceID.NotFound")


def restore(before: Mapping[str, Any]) -> None:
    aws.ec2().start_instances(**before)


def _why_not(now: Instance) -> str:
    """Why the instance is not to be stopped by a machine, and what to do; or ""."""
    if not now.running:
        starts = f" {now.stopped_by} will start it: set its tag {STOPPED_BY} to {SECURITY_REMEDIATION} first."
        return (
            f"It does not run now, so it did not start with this data yet.{starts if now.stopped_by else ''} {LOOK} "
            "before anybody starts it."
        )
    if now.group:
        return f"The Auto Scaling group {now.group} would replace it if it stopped. {LOOK}; detach it from the group to keep it."
    if not now.fresh:
        return f"It has been running for more than an hour, so what the data says was done. {LOOK}, and what it did."
    return ""
