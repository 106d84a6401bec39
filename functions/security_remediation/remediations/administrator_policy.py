"""A policy that makes administrators is attached to a user, group or role: detach it.

AdministratorAccess, IAMFullAccess, and any other policy, AWS's or one's own, that lets its holder give rights to users and to roles, all
of them: `*`, `iam:*`, and what comes to the same. PowerUserAccess does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.administrators import ADMINISTRATOR_ACCESS, HOW_SURE, makes_administrators
from security_remediation.permissions import ANY_GROUP, ANY_POLICY, ANY_ROLE, ANY_USER, READ_ROLE_TAGS, READ_USER_TAGS
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.principals import (
    ASK_IDENTITY_CENTER,
    PROTECTED,
    call_iam,
    pages,
    policy_version,
    tags,
    target,
)
from security_remediation.reading import name_of, unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "administrator_policy"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"iam.amazonaws.com": ("AttachUserPolicy", "AttachGroupPolicy", "AttachRolePolicy")}
READS: Permissions = (
    Allow(("iam:ListAttachedUserPolicies",), ANY_USER),
    Allow(("iam:ListAttachedGroupPolicies",), ANY_GROUP),
    Allow(("iam:ListAttachedRolePolicies",), ANY_ROLE),
    Allow(("iam:GetPolicy", "iam:GetPolicyVersion"), ANY_POLICY),
    READ_USER_TAGS,
    READ_ROLE_TAGS,
)
WRITES: Permissions = (
    Allow(("iam:DetachUserPolicy",), ANY_USER),
    Allow(("iam:DetachGroupPolicy",), ANY_GROUP),
    Allow(("iam:DetachRolePolicy",), ANY_ROLE),
)
SURE = HOW_SURE


@dataclass(frozen=True)
class Attached:
    """Attributes:
    policies: ARNs of the policies that the user, group or role has; None when that is gone.
    document: what the policy of the call says now.
    """

    policies: frozenset[str] | None
    document: Mapping[str, Any]


def read(record: CloudTrailRecord) -> State:
    (kind, name), policy = target(record), record.required("policyArn")
    attached = unless_absent(lambda: _attached(kind, name), "NoSuchEntity")
    says = {} if ADMINISTRATOR_ACCESS.match(policy) else policy_version(policy) or {}
    return State(Attached(attached, says), tags=tags(kind, name) if attached is not None else {})


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
    (kind, name), policy = target(record), record.required("policyArn")
    attached: Attached = state.current
    if not (ADMINISTRATOR_ACCESS.match(policy) or makes_administrators(attached.document, settings.own_role_arn)):
        return None
    resource, finding = f"IAM {kind.lower()} {name}", f"has the policy {name_of(policy)}"
    if policy not in (attached.policies or ()):
        return settled(resource, f"was given the policy {name_of(policy)}", State(attached.policies))
    if name.startswith(PROTECTED):
        return Plan(resource, finding, SEVERITY, remark=ASK_IDENTITY_CENTER)
    change = {"kind": kind, f"{kind}Name": name, "PolicyArn": policy}
    steps = (f"Detach {name_of(policy)} from it.",)
    return Plan(resource, finding, SEVERITY, steps=steps, change=change, before=change)


def apply(plan: Plan) -> None:
    unless_absent(lambda: call_iam("detach_{}_policy", **plan.change), "NoSuchEntity")


def restore(before: Mapping[str, Any]) -> None:
    call_iam("attach_{}_policy", **before)


def _attached(kind: str, name: str) -> frozenset[str]:
    lists = pages(f"list_attached_{kind.lower()}_policies")
    return frozenset(
        policy["PolicyArn"] for page in lists.paginate(**{f"{kind}Name": name}) for policy in page["AttachedPolicies"]
    )
