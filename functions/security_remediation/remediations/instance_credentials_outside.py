"""The credentials of an EC2 instance's role are used from an address that is not the instance's: revoke those of this instance.

Judged are calls that change something, that instances make rarely and intruders soon, and that did not come through a VPC
endpoint. Whom it may stop: this one instance, with the credentials it has now; it gets new ones within hours, or at once when
its instance profile is associated anew. The role's other instances go on. Where its routes lead to places whose addresses nobody
knows, or the instance was started or ended since, people are only told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.egress import Egress, egress, public_address
from security_remediation.inline_denial import PREFIX, put_denial, read_policy, restore_policy, revoked, revoking
from security_remediation.permissions import ANY_ROLE, NO_RESOURCES, READ_ROLE_TAGS
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "instance_credentials_outside"
KIND = Kind.CONTAINMENT
SEVERITY = Severity.CRITICAL
EVENTS: Events = {
    "ec2.amazonaws.com": ("RunInstances", "CreateKeyPair", "ImportKeyPair", "ModifySnapshotAttribute"),
    "iam.amazonaws.com": (
        "CreateUser",
        "CreateAccessKey",
        "CreateLoginProfile",
        "CreateRole",
        "AttachUserPolicy",
        "AttachRolePolicy",
        "PutUserPolicy",
        "PutRolePolicy",
        "UpdateAssumeRolePolicy",
    ),
    "lambda.amazonaws.com": ("CreateFunction20150331",),
    "ssm.amazonaws.com": ("StartSession", "SendCommand"),
}
PATTERN: Mapping[str, Any] = {
    "userIdentity": {"arn": [{"wildcard": "*:assumed-role/*/i-*"}]},
    "vpcEndpointId": [{"exists": False}],
}
READS: Permissions = (
    Allow(
        (
            "ec2:DescribeInstances",
            "ec2:DescribeNatGateways",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeRouteTables",
        ),
        why=NO_RESOURCES,
    ),
    Allow(("iam:GetRolePolicy",), ANY_ROLE),
    READ_ROLE_TAGS,
)
WRITES: Permissions = (Allow(("iam:PutRolePolicy",), ANY_ROLE),)
SURE = (
    "Sure where the instance's routes leave the VPC by internet and NAT gateways only, unless it uses a proxy elsewhere or an address "
    "was moved since. Calls through a VPC endpoint, an intruder's own too, other calls, and instances of other regions are not found."
)

SESSION = re.compile(r":assumed-role/(?P<role>[^/]+)/(?P<instance>i-[0-9a-f]+)$")


@dataclass(frozen=True)
class Now:
    """Attributes:
    egress: None when there is no such instance in the function's region.
    policy: of ours, on the role; None when the role is gone.
    """

    egress: Egress | None
    policy: Mapping[str, Any] | None


def read(record: CloudTrailRecord) -> State:
    if not (found := _stolen(record)):
        return State(None)
    role = read_policy("Role", found["role"], _policy(found["instance"]))
    return State(Now(egress(found["instance"], record.source_ip_address or ""), role.current), role.tags)


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    now: Now | None = state.current
    if not (found := _stolen(record)) or not now or (now.egress and now.egress.ours):
        return None
    resource, policy = f"IAM role {found['role']} of EC2 instance {found['instance']}", _policy(found["instance"])
    finding = f"was used from {record.source_ip_address}, outside the instance"
    conditions = {"StringEquals": {"aws:userid": record.user_identity.principal_id or ""}}
    if now.policy is None or revoked(now.policy, conditions, record.event_time):
        return settled(resource, finding, State(now.policy))
    if doubt := _doubt(record, now.egress):
        remark = f"{doubt} Ask whose address it is. If nobody knows it, revoke the role's sessions, and look at what was done with them."
        return Plan(resource, finding.replace("outside", "perhaps outside"), Severity.WARNING, remark=remark)
    target = {"kind": "Role", "name": found["role"], "policy": policy}
    return Plan(
        resource,
        finding,
        SEVERITY,
        steps=(f"Put the inline policy {policy}, which revokes the credentials that this instance has until now.",),
        change={**target, **revoking(conditions, record)},
        before={**target, "document": now.policy},
    )


def apply(plan: Plan) -> None:
    put_denial(plan.change)


def restore(before: Mapping[str, Any]) -> None:
    restore_policy(before)


def _stolen(record: CloudTrailRecord) -> re.Match[str] | None:
    """The role and the instance, when the instance's own credentials were used from the internet.

    Anybody who may assume a role can name a session like an instance: only those that the metadata service gave out count.
    """
    context = record.user_identity.session_context
    if (
        record.user_identity.type != "AssumedRole"
        or not (context and context.ec2_role_delivery)
        or not public_address(record.source_ip_address)
    ):
        return None
    return SESSION.search(record.user_identity.arn or "")


def _doubt(record: CloudTrailRecord, now: Egress | None) -> str:
    """Why the address may be the instance's all the same, or ""."""
    if now is None:
        return "There is no such instance in this region: it was ended, or runs in another one."
    if record.event_time is None or now.launched > record.event_time:
        return "The instance was started since: its address may have been another one."
    if not record.user_identity.principal_id:
        return "The record does not say which session it was."
    return f"Its routes lead to {', '.join(now.unknown)}, behind which addresses are not known." if now.unknown else ""


def _policy(instance: str) -> str:
    return f"{PREFIX}Revoke-{instance}"
