"""GuardDuty stops watching member accounts, or an account leaves its administrator: tell people.

Not undone, because a member that left has to be invited, or added through the organisation, and because accounts leave on
purpose, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.plan import Events, Kind, Permissions, Plan, State
from security_remediation.reading import listed

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "guardduty_members"
KIND = Kind.TELL
SEVERITY = Severity.WARNING
MEMBERS = {
    "StopMonitoringMembers": ("watches {} no longer", "Start monitoring again (StartMonitoringMembers)"),
    "DisassociateMembers": ("does not administer {} any more", "Associate them again"),
    "DeleteMembers": ("has {} no longer as members", "Add them again"),
}
ADMINISTRATOR = ("DisassociateFromAdministratorAccount", "DisassociateFromMasterAccount")
EVENTS: Events = {"guardduty.amazonaws.com": (*MEMBERS, *ADMINISTRATOR)}
READS: Permissions = ()
WRITES: Permissions = ()
SURE = "Certain that it was called; whether somebody has put it right since then is not looked at."


def read(record: CloudTrailRecord) -> State:  # noqa: ARG001 # the same form for all
    return State(current=None)


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    resource = f"GuardDuty detector {record.required('detectorId')}"
    if record.event_name in ADMINISTRATOR:
        remark = (
            "Its administrator sees none of its findings now. Have it invited again, and accept, if this was not meant."
        )
        return Plan(resource, "is without its administrator account", SEVERITY, remark=remark)
    refused = {one.get("accountId") for one in listed((record.response_elements or {}).get("unprocessedAccounts"))}
    accounts = [str(one) for one in listed((record.request_parameters or {}).get("accountIds")) if one not in refused]
    if not accounts:
        return None
    finding, next_step = MEMBERS[record.event_name]
    named = f"account{'s' if len(accounts) > 1 else ''} {', '.join(accounts)}"
    return Plan(
        resource, finding.format(named), SEVERITY, remark=f"{next_step} in the detector, if this was not meant."
    )


def apply(plan: Plan) -> None:
    """Nothing is done about it."""


def restore(before: Mapping[str, Any]) -> None:
    """Nothing was done about it."""
