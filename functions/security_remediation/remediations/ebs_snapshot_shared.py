"""An EBS snapshot is shared with everyone, or with a foreign account: stop sharing it with these.

Only those that the call added, and that still may create volumes from it. What somebody copied meanwhile is theirs, and a share
that was there before and is added once more cannot be told from a new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.permissions import ANY_ONE, NO_RESOURCES
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import name_of, own_region, tags_of, unless_absent
from security_remediation.sharing import ACCOUNT, EVERYONE, HOW_SURE, added, foreign, grantees, named

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "ebs_snapshot_shared"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"ec2.amazonaws.com": ("ModifySnapshotAttribute",)}
READS: Permissions = (
    Allow(("ec2:DescribeSnapshots",), why=NO_RESOURCES),
    Allow(("ec2:DescribeSnapshotAttribute",), why=ANY_ONE),
)
# The ARN of a snapshot has no account.
WRITES: Permissions = (Allow(("ec2:ModifySnapshotAttribute",), "arn:${AWS::Partition}:ec2:${AWS::Region}::snapshot/*"),)
SURE = HOW_SURE

PERMISSION: Final = "createVolumePermission"
GONE = "InvalidSnapshot.NotFound"


def read(record: CloudTrailRecord) -> State:
    client, snapshot = aws.ec2(), _snapshot(record)
    own_region(record, client, "snapshot")
    found = unless_absent(lambda: client.describe_snapshots(SnapshotIds=[snapshot]), GONE)
    shared = unless_absent(
        lambda: client.describe_snapshot_attribute(SnapshotId=snapshot, Attribute=PERMISSION) if found else None, GONE
    )
    if not found or not shared:
        return State(current=None)
    return State(
        frozenset(grantees(shared["CreateVolumePermissions"])), tags=tags_of(found["Snapshots"][0].get("Tags"))
    )


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
    opened = foreign(added(record, PERMISSION), settings.trusted)
    if not opened:
        return None
    resource = f"EBS snapshot {_snapshot(record)}"
    still = [one for one in opened if one in (state.current or ())]
    if not still:
        return settled(resource, f"was shared with {named(opened)}", state)
    # Either of these may be missing, not empty.
    lists = {
        parameter: names
        for parameter, kind in (("UserIds", ACCOUNT), ("GroupNames", EVERYONE))
        if (names := [one.name for one in still if one.kind == kind])
    }
    shared = {"SnapshotId": _snapshot(record), "Attribute": PERMISSION, **lists}
    return Plan(
        resource,
        f"is shared with {named(still)}",
        SEVERITY,
        steps=tuple(f"Stop sharing it with {one}." for one in still),
        change=shared | {"OperationType": "remove"},
        before=shared | {"OperationType": "add"},
    )


def apply(plan: Plan) -> None:
    unless_absent(lambda: aws.ec2().modify_snapshot_attribute(**plan.change), GONE)


def restore(before: Mapping[str, Any]) -> None:
    aws.ec2().modify_snapshot_attribute(**before)


def _snapshot(record: CloudTrailRecord) -> str:
    return name_of(record.required("snapshotId"))
