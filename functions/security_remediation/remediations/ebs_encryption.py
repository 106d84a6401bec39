"""Encryption of new EBS volumes by default is switched off for a region: switch it on.

It is one setting of the account in the region. Volumes and snapshot copies that were made while it was off stay as they were made.
Which KMS key is the default is a setting of its own, and is not touched.
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

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "ebs_encryption"
KIND = Kind.UNDO
SEVERITY = Severity.WARNING
EVENTS: Events = {"ec2.amazonaws.com": ("DisableEbsEncryptionByDefault",)}
READS: Permissions = (Allow(("ec2:GetEbsEncryptionByDefault",), why=NO_RESOURCES),)
WRITES: Permissions = (Allow(("ec2:EnableEbsEncryptionByDefault",), why=NO_RESOURCES),)
SURE = "Certain that it is off now. A record does not say whether it was on before."


def read(record: CloudTrailRecord) -> State:
    client = aws.ec2()
    own_region(record, client, "setting")
    return State(client.get_ebs_encryption_by_default()["EbsEncryptionByDefault"])


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    resource = f"EBS encryption by default in {record.aws_region}"
    if state.current:
        return settled(resource, "was switched off", state)
    return Plan(
        resource,
        "is switched off",
        SEVERITY,
        steps=("Switch on encryption of new volumes.",),
        before={"EbsEncryptionByDefault": False},
    )


def apply(plan: Plan) -> None:  # noqa: ARG001 # the same form for all
    aws.ec2().enable_ebs_encryption_by_default()


def restore(before: Mapping[str, Any]) -> None:  # noqa: ARG001 # the same form for all
    aws.ec2().disable_ebs_encryption_by_default()
