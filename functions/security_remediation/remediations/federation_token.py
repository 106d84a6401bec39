"""A user gets a federation token with all the user's rights: revoke the user's federation sessions.

Such a session outlives the access key that got it, for up to 36 hours, and opens the console. Whom it may stop: everyone who
uses a federation session of this user, those of a sign-in service of one's own too, until they get a new one. The user's own keys and
MFA sessions go on, and whoever has the keys can get another token: then this is told, and revoked, again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.administrators import ADMINISTRATOR_ACCESS
from security_remediation.inline_denial import PREFIX, put_denial, read_policy, restore_policy, revoked, revoking
from security_remediation.permissions import ANY_USER, READ_USER_TAGS
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.policies import statements
from security_remediation.principals import caller_name
from security_remediation.reading import document, listed

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "federation_token"
KIND = Kind.CONTAINMENT
SEVERITY = Severity.WARNING
# A change for EventBridge, in spite of its name, so that any rule gets it.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
EVENTS: Events = {"sts.amazonaws.com": ("GetFederationToken",)}
READS: Permissions = (Allow(("iam:GetUserPolicy",), ANY_USER), READ_USER_TAGS)
WRITES: Permissions = (Allow(("iam:PutUserPolicy",), ANY_USER),)
SURE = (
    "Certain for a session policy that allows everything, or AdministratorAccess; the session still has no more rights than the user. "
    "Conditions of the session policy are not weighed, and one that lists services one by one is not found."
)

POLICY = f"{PREFIX}RevokeFederation"
FINDING = "got a federation token with all its rights"


def read(record: CloudTrailRecord) -> State:
    return read_policy("User", caller_name(record), POLICY) if _all_rights(record) else State(None)


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
    if not _all_rights(record):
        return None
    resource = f"IAM user {caller_name(record)}"
    conditions = _federated(settings.account)
    if state.current is None or revoked(state.current, conditions, record.event_time):
        return settled(resource, FINDING, state)
    target = {"kind": "User", "name": caller_name(record), "policy": POLICY}
    return Plan(
        resource,
        FINDING,
        SEVERITY,
        steps=(f"Put the inline policy {POLICY}, which revokes the user's federation sessions of until now.",),
        change={**target, **revoking(conditions, record)},
        before={**target, "document": state.current},
    )


def apply(plan: Plan) -> None:
    put_denial(plan.change)


def restore(before: Mapping[str, Any]) -> None:
    restore_policy(before)


def _federated(account: str) -> dict[str, dict[str, str]]:
    """The federation sessions of a user: their user ID is `<account>:<name>`, that of the user itself begins with AIDA."""
    return {"StringLike": {"aws:userid": f"{account}:*"}}


def _all_rights(record: CloudTrailRecord) -> bool:
    """Without a session policy the token has no rights at all. Root's cannot be limited, and is told of as root's activity."""
    if record.user_identity.type == "Root" or not caller_name(record):
        return False
    arns = [one.get("arn") if isinstance(one, Mapping) else one for one in listed(record.parameter("policyArns"))]
    policy = document(record.parameter("policy")) or {}
    return any(ADMINISTRATOR_ACCESS.match(str(arn)) for arn in arns) or any(map(_allows_all, statements(policy)))


def _allows_all(statement: Mapping[str, Any]) -> bool:
    """Everything, or everything but a few things."""
    return (
        str(statement.get("Effect", "")).lower() == "allow"
        and ("NotAction" in statement or bool({"*", "*:*"} & {*map(str, listed(statement.get("Action")))}))
        and ("NotResource" in statement or "*" in listed(statement.get("Resource")))
    )
