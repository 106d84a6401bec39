"""A snapshot of a database or cluster is shared with everyone, or with a foreign account: stop sharing it with these.

Only those that the call added, and that still may restore it. What somebody copied or restored meanwhile is theirs, and a share
that was there before and is added once more cannot be told from a new one. Amazon Neptune and Amazon DocumentDB use the same
calls for their clusters' snapshots.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import listed, own_region, tags_of, unless_absent
from security_remediation.sharing import ACCOUNT, EVERYONE, HOW_SURE, Grantee, foreign, named

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "rds_snapshot_shared"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"rds.amazonaws.com": ("ModifyDBSnapshotAttribute", "ModifyDBClusterSnapshotAttribute")}
ANY_SNAPSHOT = "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:snapshot:*"
ANY_CLUSTER_SNAPSHOT = "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:cluster-snapshot:*"
READS: Permissions = (
    Allow(("rds:DescribeDBSnapshots", "rds:DescribeDBSnapshotAttributes"), ANY_SNAPSHOT),
    Allow(("rds:DescribeDBClusterSnapshots", "rds:DescribeDBClusterSnapshotAttributes"), ANY_CLUSTER_SNAPSHOT),
)
WRITES: Permissions = (
    Allow(("rds:ModifyDBSnapshotAttribute",), ANY_SNAPSHOT),
    Allow(("rds:ModifyDBClusterSnapshotAttribute",), ANY_CLUSTER_SNAPSHOT),
)
SURE = HOW_SURE

RESTORE = "restore"
GONE = ("DBSnapshotNotFound", "DBClusterSnapshotNotFoundFault")


def read(record: CloudTrailRecord) -> State:
    client: Any = aws.rds()
    own_region(record, client, "snapshot")
    kind, name = _target(record)
    snapshot = {f"{kind}Identifier": name}
    clustered = "db_cluster" if "Cluster" in kind else "db"
    found = unless_absent(lambda: getattr(client, f"describe_{clustered}_snapshots")(**snapshot), *GONE)
    shared = unless_absent(
        lambda: getattr(client, f"describe_{clustered}_snapshot_attributes")(**snapshot) if found else None, *GONE
    )
    if not found or not shared:
        return State(current=None)
    attributes = shared[f"{kind}AttributesResult"][f"{kind}Attributes"]
    values = [value for one in attributes if one["AttributeName"] == RESTORE for value in one["AttributeValues"]]
    return State(frozenset(_grantees(values)), tags=tags_of(found[f"{kind}s"][0].get("TagList")))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
    added = record.parameter("valuesToAdd") if record.parameter("attributeName") in {RESTORE, None} else None
    opened = foreign(_grantees(listed(added)), settings.trusted)
    if not opened:
        return None
    kind, name = _target(record)
    resource = f"{'RDS cluster snapshot' if 'Cluster' in kind else 'RDS snapshot'} {name}"
    still = [one for one in opened if one in (state.current or ())]
    if not still:
        return settled(resource, f"was shared with {named(opened)}", state)
    snapshot, values = {f"{kind}Identifier": name, "AttributeName": RESTORE}, [one.name for one in still]
    return Plan(
        resource,
        f"is shared with {named(still)}",
        SEVERITY,
        steps=tuple(f"Stop sharing it with {one}." for one in still),
        change=snapshot | {"ValuesToRemove": values},
        before=snapshot | {"ValuesToAdd": values},
    )


def apply(plan: Plan) -> None:
    unless_absent(lambda: _modify(plan.change), *GONE)


def restore(before: Mapping[str, Any]) -> None:
    _modify(before)


def _modify(change: Mapping[str, Any]) -> None:
    client: Any = aws.rds()
    clustered = "DBClusterSnapshotIdentifier" in change
    call = client.modify_db_cluster_snapshot_attribute if clustered else client.modify_db_snapshot_attribute
    call(**change)


def _target(record: CloudTrailRecord) -> tuple[str, str]:
    """`DBSnapshot` or `DBClusterSnapshot`, and its name, which may have a colon; a record may have its ARN."""
    kind = record.event_name.removeprefix("Modify").removesuffix("Attribute")
    name = record.required(f"d{kind[1:]}Identifier")
    return kind, name.split(":", 6)[-1] if name.startswith("arn:") else name


def _grantees(values: list[Any]) -> list[Grantee]:
    return [Grantee(EVERYONE if value == "all" else ACCOUNT, str(value)) for value in values]
