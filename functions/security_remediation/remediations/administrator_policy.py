"""AWS's policy AdministratorAccess is attached to a user, group or role: detach it.

Only that policy. IAMFullAccess, PowerUserAccess and policies of one's own can lead to the same rights, but not without
reading what they say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.permissions import ANY_GROUP, ANY_ROLE, ANY_USER, READ_ROLE_TAGS, READ_USER_TAGS
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import unless_absent

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
    READ_USER_TAGS,
    READ_ROLE_TAGS,
)
WRITES: Permissions = (
    Allow(("iam:DetachUserPolicy",), ANY_USER),
    Allow(("iam:DetachGroupPolicy",), ANY_GROUP),
    Allow(("iam:DetachRolePolicy",), ANY_ROLE),
)
SURE = "Certain for AWS's own policy. Other policies that lead to the same rights are not seen here."

ADMINISTRATOR_ACCESS = re.compile(r"^arn:[a-z-]+:iam::aws:policy/AdministratorAccess$")
# Roles of IAM Identity Center: IAM refuses every change by anyone but AWS (UnmodifiableEntity).
PROTECTED = "AWSReservedSSO_"


def read(record: CloudTrailRecord) -> State:
    kind, name = _target(record)
    attached = unless_absent(lambda: _attached(kind, name), "NoSuchEntity")
    return State(attached, tags=_tags(kind, name) if attached is not None else {})


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    (kind, name), policy = _target(record), record.required("policyArn")
    if not ADMINISTRATOR_ACCESS.match(policy):
        return None
    resource, finding = f"IAM {kind.lower()} {name}", "has the policy AdministratorAccess"
    if policy not in (state.current or ()):
        return settled(resource, "was given the policy AdministratorAccess", state)
    if name.startswith(PROTECTED):
        remark = "Only IAM Identity Center can change this role: look at its permission set, and who assigned it."
        return Plan(resource, finding, SEVERITY, remark=remark)
    change = {"kind": kind, f"{kind}Name": name, "PolicyArn": policy}
    return Plan(
        resource, finding, SEVERITY, steps=("Detach AdministratorAccess from it.",), change=change, before=change
    )


def apply(plan: Plan) -> None:
    arguments = dict(plan.change)
    detach: Any = getattr(aws.iam(), f"detach_{arguments.pop('kind').lower()}_policy")
    unless_absent(lambda: detach(**arguments), "NoSuchEntity")


def restore(before: Mapping[str, Any]) -> None:
    arguments = dict(before)
    attach: Any = getattr(aws.iam(), f"attach_{arguments.pop('kind').lower()}_policy")
    attach(**arguments)


def _target(record: CloudTrailRecord) -> tuple[str, str]:
    """`User`, `Group` or `Role`, and its name."""
    kind = record.event_name.removeprefix("Attach").removesuffix("Policy")
    return kind, record.required(f"{kind.lower()}Name")


def _attached(kind: str, name: str) -> frozenset[str]:
    lists = _pages(f"list_attached_{kind.lower()}_policies")
    return frozenset(
        policy["PolicyArn"] for page in lists.paginate(**{f"{kind}Name": name}) for policy in page["AttachedPolicies"]
    )


def _tags(kind: str, name: str) -> dict[str, str]:
    """Groups have no tags."""
    if kind == "Group":
        return {}
    lists = _pages(f"list_{kind.lower()}_tags")
    return {tag["Key"]: tag["Value"] for page in lists.paginate(**{f"{kind}Name": name}) for tag in page["Tags"]}


def _pages(operation: str) -> Any:
    return aws.iam().get_paginator(operation)  # type: ignore[call-overload]
