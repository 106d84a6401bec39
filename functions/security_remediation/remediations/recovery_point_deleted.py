"""A recovery point of AWS Backup is deleted: tell people what to do next.

Whoever encrypts or deletes data for ransom deletes its backups first. What AWS Backup deletes itself at the end of a recovery point's
life is no API call and not told. All deletions from one vault by one actor within 15 minutes are one message, which names the first.
https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DeleteRecoveryPoint.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.incidents import WINDOW
from security_remediation.plan import Events, Kind, Permissions, Plan, State

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "recovery_point_deleted"
KIND = Kind.TELL
SEVERITY = Severity.WARNING
EVENTS: Events = {"backup.amazonaws.com": ("DeleteRecoveryPoint",)}
READS: Permissions = ()
WRITES: Permissions = ()
SURE = (
    "Certain that AWS Backup accepted the call. Where a role lacks the rights, the recovery point stays, as expired: that is not looked "
    "up. Snapshots that are deleted past AWS Backup are not seen."
)


def read(record: CloudTrailRecord) -> State:  # noqa: ARG001 # the same form for all
    return State(current=None)


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    vault, point, region = record.required("backupVaultName"), record.required("recoveryPointArn"), record.aws_region
    remark = (
        f"Deleted: {point}.\n"
        "It cannot be had back. If nobody planned this, look for copies in other vaults, regions and accounts, and keep the others: "
        "deny backup:DeleteRecoveryPoint in the vault's access policy, or lock the vault (AWS Backup Vault Lock). What is left:\n"
        f"aws backup list-recovery-points-by-backup-vault --backup-vault-name {vault} --region {region}\n"
        f"More deletions from this vault by the same actor within {WINDOW.seconds // 60} minutes are counted and not told."
    )
    return Plan(f"Backup vault {vault}", "lost a recovery point", SEVERITY, remark=remark)


def apply(plan: Plan) -> None:
    """A recovery point that is gone stays gone."""


def restore(before: Mapping[str, Any]) -> None:
    """Nothing was done."""
