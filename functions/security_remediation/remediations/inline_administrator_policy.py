"""An inline policy makes a user, a group or a role administrators: delete the inline policy.

It does when it lets them give rights to users and to roles, all of them: `*`, `iam:*`, and what comes to the same. The whole policy
is deleted, also what else it allows: to write what is left, this function would need the right to give itself any other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.administrators import HOW_SURE, makes_administrators
from security_remediation.permissions import ANY_GROUP, ANY_ROLE, ANY_USER, READ_ROLE_TAGS, READ_USER_TAGS
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.principals import ASK_IDENTITY_CENTER, PROTECTED, call_iam, tags, target
from security_remediation.reading import document, unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "inline_administrator_policy"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"iam.amazonaws.com": ("PutUserPolicy", "PutGroupPolicy", "PutRolePolicy")}
READS: Permissions = (
    Allow(("iam:GetUserPolicy",), ANY_USER),
    Allow(("iam:GetGroupPolicy",), ANY_GROUP),
    Allow(("iam:GetRolePolicy",), ANY_ROLE),
    READ_USER_TAGS,
    READ_ROLE_TAGS,
)
WRITES: Permissions = (
    Allow(("iam:DeleteUserPolicy",), ANY_USER),
    Allow(("iam:DeleteGroupPolicy",), ANY_GROUP),
    Allow(("iam:DeleteRolePolicy",), ANY_ROLE),
)
SURE = HOW_SURE


def read(record: CloudTrailRecord) -> State:
    kind, name = target(record)
    asked = {f"{kind}Name": name, "PolicyName": record.required("policyName")}
    found = unless_absent(lambda: call_iam("get_{}_policy", kind, **asked), "NoSuchEntity")
    return State(document(found["PolicyDocument"]), tags=tags(kind, name)) if found else State(current=None)


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
    (kind, name), policy = target(record), record.required("policyName")
    put = document(record.parameter("policyDocument"))
    resource = f"IAM {kind.lower()} {name}"
    now = makes_administrators(state.current or {}, settings.own_role_arn)
    if not (now if put is None else makes_administrators(put, settings.own_role_arn)):
        return None
    if not now:
        return settled(resource, f"was made an administrator by the inline policy {policy}", state)
    finding = f"is made an administrator by the inline policy {policy}"
    if name.startswith(PROTECTED):
        return Plan(resource, finding, SEVERITY, remark=ASK_IDENTITY_CENTER)
    change = {"kind": kind, f"{kind}Name": name, "PolicyName": policy}
    return Plan(
        resource,
        finding,
        SEVERITY,
        steps=(f"Delete its inline policy {policy}.",),
        change=change,
        before={**change, "PolicyDocument": json.dumps(state.current)},
    )


def apply(plan: Plan) -> None:
    unless_absent(lambda: call_iam("delete_{}_policy", **plan.change), "NoSuchEntity")


def restore(before: Mapping[str, Any]) -> None:
    call_iam("put_{}_policy", **before)
