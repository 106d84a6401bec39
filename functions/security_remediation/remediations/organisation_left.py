"""An account leaves its organisation, or is removed from it: tell people what to do next.

The organisation's trail, service control policies, GuardDuty and Security Hub end for the account at once, and only an invitation
brings it back: that is for a person of the management account. The account's own call is recorded there, a removal in
the management account, both in us-east-1 alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.plan import Events, Kind, Permissions, Plan, State

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "organisation_left"
KIND = Kind.TELL
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"organizations.amazonaws.com": ("LeaveOrganization", "RemoveAccountFromOrganization")}
READS: Permissions = ()
WRITES: Permissions = ()
SURE = "Certain. That the account was invited back since is not looked up."


def read(record: CloudTrailRecord) -> State:
    return State(current=record.parameter("accountId"))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan:
    remark = (
        "Its organisation's trail, service control policies and security services no longer cover it. If nobody planned this: "
        "invite it back from the management account, accept there, move it to its organisational unit, and deny "
        "organizations:LeaveOrganization in a service control policy. Look at what was done in it until then."
    )
    if record.event_name == "LeaveOrganization":
        return Plan(f"Account {settings.account}", "has left its organisation", SEVERITY, remark=remark)
    return Plan(f"Account {state.current or '?'}", "was removed from the organisation", SEVERITY, remark=remark)


def apply(plan: Plan) -> None:
    """Only an invitation brings an account back."""


def restore(before: Mapping[str, Any]) -> None:
    """Nothing was done."""
