"""A database or cluster is deleted without a final snapshot: tell people what is left to restore it from.

Not told are deletions after which the data is still there: with a final snapshot, of a read replica, and of an instance of a
cluster, whose data is the cluster's. Amazon Neptune and Amazon DocumentDB use the same calls and are judged with them. Without
`DeleteAutomatedBackups` set to false the automated backups go with the database, but for a cluster's that a plan of AWS Backup keeps.
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.plan import Events, Kind, Permissions, Plan, State

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "database_deleted"
KIND = Kind.TELL
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"rds.amazonaws.com": ("DeleteDBInstance", "DeleteDBCluster")}
READS: Permissions = ()
WRITES: Permissions = ()
SURE = "Certain that it was asked for. Which snapshots and backups are left is not looked up: the message says how."

# Fields of the response that say whose copy, or whose part, the database was.
DATA_ELSEWHERE = {
    "DeleteDBInstance": (
        "dBClusterIdentifier",
        "readReplicaSourceDBInstanceIdentifier",
        "readReplicaSourceDBClusterIdentifier",
    ),
    "DeleteDBCluster": ("replicationSourceIdentifier",),
}


def read(record: CloudTrailRecord) -> State:  # noqa: ARG001 # the same form for all
    return State(current=None)


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    answer = record.response_elements or {}
    if _said(record, "skipFinalSnapshot") != "true" or any(
        answer.get(one) for one in DATA_ELSEWHERE[record.event_name]
    ):
        return None
    cluster = record.event_name == "DeleteDBCluster"
    name = record.required("dBClusterIdentifier" if cluster else "dBInstanceIdentifier")
    resource = f"{'Database cluster' if cluster else 'Database'} {name}"
    kept = _said(record, "deleteAutomatedBackups") == "false"
    backups = (
        f"Its automated backups are kept until their retention ends: {_list(cluster, name, record, automated=True)}\n"
        if kept
        else f"Its automated backups went with it{', unless a plan of AWS Backup keeps them' if cluster else ''}.\n"
    )
    remark = (
        f"{backups}Snapshots that somebody took before: {_list(cluster, name, record, automated=False)}\n"
        "Recovery points of AWS Backup, if it was backed up there, are in its vaults. If nobody planned this, restore the newest of them, "
        "and set deletion protection."
    )
    return Plan(
        resource,
        "was deleted without a final snapshot",
        Severity.WARNING if kept else SEVERITY,
        remark=remark,
    )


def apply(plan: Plan) -> None:
    """What it is restored from, and where to, is for people."""


def restore(before: Mapping[str, Any]) -> None:
    """Nothing was done."""


def _said(record: CloudTrailRecord, parameter: str) -> str:
    return str(record.parameter(parameter)).lower()


def _list(cluster: bool, name: str, record: CloudTrailRecord, *, automated: bool) -> str:
    """The command that lists the snapshots that somebody took, or the automated backups, of the deleted database."""
    kind = "cluster" if cluster else "instance"
    what = f"db-{kind}-automated-backups" if automated else "db-cluster-snapshots" if cluster else "db-snapshots"
    manual = "" if automated else " --snapshot-type manual"
    return f"aws rds describe-{what} --db-{kind}-identifier {name}{manual} --region {record.aws_region}"
