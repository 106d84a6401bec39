"""A role's trust policy lets in everyone, or an account or organisation that is not trusted: take these out of it, and keep the rest.

A statement that lets in others besides loses only the strangers. IAM takes no empty trust policy: one of which nothing is left
gets a statement that denies everyone, which gives nobody a right that they did not have. Sessions that were begun before go
on until they end: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
While the own organisation is not known, an organisation may be the own one: it is told and left.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.permissions import ANY_ROLE
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State
from security_remediation.policies import sure, without
from security_remediation.principals import ASK_IDENTITY_CENTER, PROTECTED
from security_remediation.reading import document, tags_of, unless_absent
from security_remediation.strangers import doubts, named, nothing_sure, taken_out
from security_remediation.trust import names_unique_id, trusted_by, without_deleted

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "role_trust"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"iam.amazonaws.com": ("UpdateAssumeRolePolicy", "CreateRole")}
READS: Permissions = (Allow(("iam:GetRole",), ANY_ROLE),)
WRITES: Permissions = (Allow(("iam:UpdateAssumeRolePolicy",), ANY_ROLE),)
SURE = (
    "Certain for accounts and, with TrustOrganization, for organisations. Whose a fixed identity pool, or repository at a shared "
    "identity provider is, is not checked. Deny statements are not weighed."
)

NOBODY = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "NobodyIsLeft", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


@dataclass(frozen=True)
class Role:
    """A role as it is now.

    Attributes:
        trust: its trust policy, without principals that were deleted since.
        path: tells the roles that only AWS can change.
    """

    trust: Mapping[str, Any]
    path: str = "/"


def read(record: CloudTrailRecord) -> State:
    found = unless_absent(lambda: aws.iam().get_role(RoleName=record.required("roleName")), "NoSuchEntity")
    if not found:
        return State(current=None)
    role: Any = found["Role"]
    trust = without_deleted(document(role.get("AssumeRolePolicyDocument")) or {})
    return State(Role(trust, role["Path"]), tags=tags_of(role.get("Tags")))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
    name, put = record.required("roleName"), _put(record)
    role: Role = state.current or Role({})
    resource = f"IAM role {name}"
    exposed = trusted_by(role.trust, settings.trust)
    opened = trusted_by(put, settings.trust) if put is not None else exposed  # a record that does not say: look
    if not opened:
        return None
    if not (closed := sure(exposed)):
        return nothing_sure(resource, state, opened, exposed, remark=doubts(exposed), policy="trust policy")
    finding = f"has a trust policy that lets in {named(closed)}"
    if name.startswith(PROTECTED):
        return Plan(resource, finding, SEVERITY, remark=ASK_IDENTITY_CENTER)
    if role.path.startswith("/aws-service-role/"):
        return Plan(
            resource, finding, SEVERITY, remark="Only the AWS service that it is linked to can change this role."
        )
    left = without(role.trust, closed)
    return Plan(
        resource,
        finding,
        SEVERITY,
        steps=taken_out(closed, "trust policy")
        + (() if left else ("Let nobody assume the role, because nothing is left of the trust policy.",)),
        remark=doubts(exposed),
        change={"RoleName": name, "PolicyDocument": json.dumps(left or NOBODY)},
        before={"RoleName": name, "PolicyDocument": json.dumps(role.trust)},
    )


def apply(plan: Plan) -> None:
    unless_absent(lambda: aws.iam().update_assume_role_policy(**plan.change), "NoSuchEntity")


def restore(before: Mapping[str, Any]) -> None:
    aws.iam().update_assume_role_policy(**before)


def _put(record: CloudTrailRecord) -> Mapping[str, Any] | None:
    """The policy that was put; None when the record does not show whom it lets in."""
    policy = document(record.parameter("policyDocument") or record.parameter("assumeRolePolicyDocument"))
    return None if policy is None or names_unique_id(policy) else policy
