"""Somebody changes the console password of another user: delete the login profile, so that neither the new nor the old one works.

The user cannot sign in to the console until an administrator gives a new password; access keys and sessions go on. A record does not
say what was changed: that a user must choose a new password at the next sign-in counts as well.
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

NAME = "password_of_another_changed"
KIND = Kind.CONTAINMENT
SEVERITY = Severity.WARNING
EVENTS: Events = {"iam.amazonaws.com": ("UpdateLoginProfile",)}
READS: Permissions = logins.READS
WRITES: Permissions = logins.WRITES
SURE = "Certain that somebody else did it. Whether the user had asked for it, as after forgetting a password, the record does not say."


def read(record: CloudTrailRecord) -> State:
    return logins.read_login(record)


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    return logins.plan_deletion(
        record,
        state,
        SEVERITY,
        finding="had its password for the console changed by somebody else",
        step="Delete its login profile, so that no password works.",
    )


def apply(plan: Plan) -> None:
    logins.delete_login(plan.change["UserName"])


def restore(before: Mapping[str, Any]) -> None:
    """Nobody can: see `logins.GONE`."""
