"""A user gets a password for the console, and somebody else makes it: delete the login profile.

A user that a program works with has no use for one, and an intruder who made it keeps a way in. It cannot be undone: nobody can
read the password. Administrators who give new users their first one belong to the principals that are allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation import logins
from security_remediation.plan import Events, Kind, Permissions, Plan, State

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "login_profile_created"
KIND = Kind.UNDO
SEVERITY = Severity.WARNING
EVENTS: Events = {"iam.amazonaws.com": ("CreateLoginProfile",)}
READS: Permissions = logins.READS
WRITES: Permissions = logins.WRITES
SURE = "Certain that somebody else made it. Whether the user was to have one, the record does not say."


def read(record: CloudTrailRecord) -> State:
    return logins.read_login(record)


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    return logins.plan_deletion(
        record,
        state,
        SEVERITY,
        finding="was given a password for the console by somebody else",
        step="Delete its login profile.",
    )


def apply(plan: Plan) -> None:
    logins.delete_login(plan.change["UserName"])


def restore(before: Mapping[str, Any]) -> None:
    """Nobody can: see `logins.GONE`."""
