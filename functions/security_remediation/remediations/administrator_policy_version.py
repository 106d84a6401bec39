"""A new version of an attached policy makes administrators: set the newest version that does not as the default again.

Whoever may write versions of a policy that they have themselves may give themselves any right. The record does not say which version was
the default before; where more than two are kept, it may have been an older one than is set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.administrators import makes_administrators
from security_remediation.permissions import ANY_OWN_POLICY
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.principals import pages, policy_version
from security_remediation.reading import document, name_of, tags_of, unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "administrator_policy_version"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"iam.amazonaws.com": ("CreatePolicyVersion", "SetDefaultPolicyVersion")}
READS: Permissions = (Allow(("iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions"), ANY_OWN_POLICY),)
WRITES: Permissions = (Allow(("iam:SetDefaultPolicyVersion",), ANY_OWN_POLICY),)
SURE = (
    "Certain that the version makes administrators, though Deny statements and permissions boundaries are not weighed. Which version "
    "was the default before is a guess when more than two are kept."
)


@dataclass(frozen=True)
class Versions:
    """A policy as it is now.

    Attributes:
        default: id of the version that counts.
        documents: what its versions say, by their ids, newest first.
        attached: whether any user, group or role has it.
    """

    default: str
    documents: Mapping[str, Mapping[str, Any]]
    attached: bool


def read(record: CloudTrailRecord) -> State:
    arn = record.required("policyArn")
    found = unless_absent(lambda: aws.iam().get_policy(PolicyArn=arn), "NoSuchEntity")
    if not found:
        return State(current=None)
    ids = [
        one["VersionId"] for page in pages("list_policy_versions").paginate(PolicyArn=arn) for one in page["Versions"]
    ]
    newest_first = sorted(ids, key=lambda one: int(one[1:].partition(".")[0]), reverse=True)
    policy = found["Policy"]
    return State(
        Versions(
            policy["DefaultVersionId"],
            {one: says for one in newest_first if (says := policy_version(arn, one)) is not None},
            attached=policy["AttachmentCount"] > 0,
        ),
        tags=tags_of(policy.get("Tags")),
    )


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
    arn, version = record.required("policyArn"), _made_default(record)
    now: Versions = state.current or Versions("", {}, attached=False)
    says = document(record.parameter("policyDocument")) or now.documents.get(version, {})
    if not version or not makes_administrators(says, settings.own_role_arn):
        return None
    resource, finding = f"IAM policy {name_of(arn)}", f"makes administrators by its version {version}"
    if now.default != version:
        return settled(resource, f"was given a version that makes administrators ({version})", state)
    if not now.attached:  # that it is attached to somebody is judged by itself
        return None
    others = (one for one, said in now.documents.items() if not makes_administrators(said, settings.own_role_arn))
    if (lesser := next(others, None)) is None:
        remark = "Each of its versions does: detach it, or write one that does not."
        return Plan(resource, finding, SEVERITY, remark=remark)
    return Plan(
        resource,
        finding,
        SEVERITY,
        steps=(f"Set its version {lesser} as the default.",),
        change={"PolicyArn": arn, "VersionId": lesser},
        before={"PolicyArn": arn, "VersionId": version},
    )


def apply(plan: Plan) -> None:
    unless_absent(lambda: aws.iam().set_default_policy_version(**plan.change), "NoSuchEntity")


def restore(before: Mapping[str, Any]) -> None:
    aws.iam().set_default_policy_version(**before)


def _made_default(record: CloudTrailRecord) -> str:
    """The id of the version that the call made the default; "" when it made none."""
    if record.event_name == "SetDefaultPolicyVersion":
        return record.required("versionId")
    made = (record.response_elements or {}).get("policyVersion") or {}
    return str(made.get("versionId", "")) if str(record.parameter("setAsDefault")).lower() == "true" else ""
