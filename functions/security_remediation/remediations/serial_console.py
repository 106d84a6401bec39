"""The EC2 serial console is switched on for a region: switch it off.

It is one setting for all instances of the account in the region, off until somebody needs it. A
record does not say whether it was on before.
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

NAME = "serial_console"
KIND = Kind.UNDO
SEVERITY = Severity.WARNING
EVENTS: Events = {"ec2.amazonaws.com": ("EnableSerialConsoleAccess",)}
READS: Permissions = (Allow(("ec2:GetSerialConsoleAccessStatus",), why=NO_RESOURCES),)
WRITES: Permissions = (Allow(("ec2:DisableSerialConsoleAccess",), why=NO_RESOURCES),)
SURE = "Certain that it is on now. Where it was on before, for a reason, an entry in the exemptions keeps it on."


def read(record: CloudTrailRecord) -> State:
    client = aws.ec2()
    own_region(record, client, "serial console")
    return State(client.get_serial_console_access_status()["SerialConsoleAccessEnabled"])


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    resource = f"EC2 serial console in {record.aws_region}"
    if not state.current:
        return settled(resource, "was switched on", state)
    return Plan(
        resource,
        "is switched on",
        SEVERITY,
        steps=("Switch off access to the serial console of all instances.",),
        before={"SerialConsoleAccessEnabled": True},
    )


def apply(plan: Plan) -> None:  # noqa: ARG001 # the same form for all
    aws.ec2().disable_serial_console_access()


def restore(before: Mapping[str, Any]) -> None:  # noqa: ARG001 # the same form for all
    aws.ec2().enable_serial_console_access()
