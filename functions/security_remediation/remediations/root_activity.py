"""The root user signs in or calls an API: tell people, always, and never act.

Root cannot be limited, and its daily use is no one's habit: either a rare task that somebody planned, or an intruder.
https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.plan import EVERY_CALL, Kind, Permissions, Plan, State

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "root_activity"
KIND = Kind.TELL
SEVERITY = Severity.CRITICAL
EVENTS = EVERY_CALL
READS: Permissions = ()
WRITES: Permissions = ()
SURE = "Certain. Calls that only read are seen with RootReads alone."


def read(record: CloudTrailRecord) -> State:
    return State(current=record.user_identity)


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    if record.user_identity.type != "Root":
        return None
    did = "signed in to the console" if record.event_name == "ConsoleLogin" else f"called {record.event_name}"
    remark = "Nothing is ever done about root. If nobody planned this, change root's password, check its MFA devices and delete its access keys."
    return Plan("The root user", did, SEVERITY, remark=remark)


def apply(plan: Plan) -> None:
    """Nothing is ever done about root."""


def restore(before: Mapping[str, Any]) -> None:
    """Nothing was done."""
