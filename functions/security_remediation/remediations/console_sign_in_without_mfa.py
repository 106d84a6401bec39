"""An IAM user signs in to the console without MFA: deny the user everything that is not done with MFA.

Whom it may stop: the user, whoever it is, until an administrator deletes the policy or the user signs in with an MFA device. A user
without one cannot add it, because an intruder with the password could as well. The user's access keys stop too: they work
again with a session token that was got with MFA. Sessions of IAM Identity Center and of other identity providers are not
judged: AWS does not see their MFA, and records none. Root is told of by `root_activity`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.inline_denial import PREFIX, denial, put_denial, read_policy, restore_policy
from security_remediation.permissions import ANY_USER, READ_USER_TAGS
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.principals import caller_name

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "console_sign_in_without_mfa"
KIND = Kind.CONTAINMENT
SEVERITY = Severity.WARNING
EVENTS: Events = {"signin.amazonaws.com": ("ConsoleLogin",)}
PATTERN: Mapping[str, Any] = {
    "userIdentity": {"type": ["IAMUser"]},
    "responseElements": {"ConsoleLogin": ["Success"]},
    "additionalEventData": {"MFAUsed": ["No"]},
}
READS: Permissions = (Allow(("iam:GetUserPolicy",), ANY_USER), READ_USER_TAGS)
WRITES: Permissions = (Allow(("iam:PutUserPolicy",), ANY_USER),)
SURE = "Certain that no MFA was used. Not that it was an intruder: a user who never had a device is found as well."

POLICY = f"{PREFIX}DenyWithoutMFA"
# The key is absent from requests with access keys, and "false" in a console session without MFA.
DENIAL = denial({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})


def read(record: CloudTrailRecord) -> State:
    return read_policy("User", caller_name(record), POLICY) if _without_mfa(record) else State(None)


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    if not _without_mfa(record):
        return None
    resource = f"IAM user {caller_name(record)}"
    if state.current is None or state.current == DENIAL:
        return settled(resource, "signed in to the console without MFA", state)
    target = {"kind": "User", "name": caller_name(record), "policy": POLICY}
    return Plan(
        resource,
        "signed in to the console without MFA",
        SEVERITY,
        steps=(f"Put the inline policy {POLICY}, which denies the user everything that is not done with MFA.",),
        change={**target, "document": DENIAL},
        before={**target, "document": state.current},
    )


def apply(plan: Plan) -> None:
    put_denial(plan.change)


def restore(before: Mapping[str, Any]) -> None:
    restore_policy(before)


def _without_mfa(record: CloudTrailRecord) -> bool:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html"""
    return (
        record.user_identity.type == "IAMUser"
        and bool(caller_name(record))
        and (record.additional_event_data or {}).get("MFAUsed") == "No"
    )
