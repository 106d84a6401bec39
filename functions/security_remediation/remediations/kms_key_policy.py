"""A KMS key policy lets in everyone, or an account or organisation that is not trusted: take these out of it, and keep the rest.

A statement that lets in others besides loses only the strangers. What is left must still let the account change the policy, or
else nobody could any more: when it does not, the account takes the strangers' place instead, and AWS's own check against locking
oneself out is never bypassed. Conditions on a service (`kms:ViaService`), an encryption context or grants do not limit who gets in;
those on the caller's account (`kms:CallerAccount`) do. What may be one's own is told and left: a VPC, a VPC endpoint, an address, a
user ID and, while the own organisation is not known, any organisation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.keys import ANY_KEY, GONE, READ_KEY_TAGS, key_id, key_tags, own_key
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State
from security_remediation.policies import Exposure, exposures, statements, sure, without
from security_remediation.reading import document, listed, unless_absent
from security_remediation.strangers import doubts, named, nothing_sure, taken_out

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "kms_key_policy"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"kms.amazonaws.com": ("PutKeyPolicy",)}
READS: Permissions = (Allow(("kms:GetKeyPolicy",), ANY_KEY), READ_KEY_TAGS)
WRITES: Permissions = (Allow(("kms:PutKeyPolicy",), ANY_KEY),)
SURE = (
    "Certain for accounts and, with TrustOrganization, for organisations. Whose a fixed VPC, endpoint, address or user ID is, "
    "a policy does not say. Deny statements are not weighed. Grants, and policies that keys are created with, are not seen. Keys whose policy does not let "
    "the account in cannot be read or changed: that is told as a failure."
)

POLICY = "default"  # the only name that a key policy can have


def read(record: CloudTrailRecord) -> State:
    key = own_key(record)
    answer = unless_absent(lambda: aws.kms().get_key_policy(KeyId=key, PolicyName=POLICY), GONE)
    return State(json.loads(answer["Policy"]), key_tags(key)) if answer else State(None)


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
    key, put = key_id(record), document(record.parameter("policy"))
    resource = f"KMS key {key}"
    exposed = exposures(state.current or {}, settings.trust)
    opened = exposures(put, settings.trust) if put is not None else exposed  # a record that does not say: look
    if not opened:
        return None
    if not (certain := sure(exposed)):
        return nothing_sure(resource, state, opened, exposed, remark=doubts(exposed))
    closed = closing(state.current, certain, settings.own_role_arn.partition(":role/")[0] + ":root")
    whose = {"KeyId": key, "PolicyName": POLICY}
    return Plan(
        resource,
        f"has a policy that lets in {named(certain)}",
        SEVERITY,
        steps=taken_out(closed, "key policy")
        + (
            ("Let the account itself in instead: nobody could change the policy otherwise.",)
            if closed != certain
            else ()
        ),
        remark=doubts(exposed),
        change=whose | {"Policy": json.dumps(without(state.current, closed))},
        before=whose | {"Policy": json.dumps(state.current)},
    )


def apply(plan: Plan) -> None:
    unless_absent(lambda: aws.kms().put_key_policy(**plan.change), GONE)


def restore(before: Mapping[str, Any]) -> None:
    aws.kms().put_key_policy(**before)


def closing(policy: Mapping[str, Any], exposed: list[Exposure], account: str) -> list[Exposure]:
    """The exposures as they are to be closed: so that the account can change the policy afterwards.

    Args:
        account: the ARN of the key's account, as a principal; IAM policies count only where it is let in.
    """
    left = without(policy, exposed) or {}
    if any(_lets_change(one, account) for one in statements(left)):
        return exposed
    all_of_them = statements(policy)
    return [replace(one, kept=_with(all_of_them[one.position], one.kept or {}, account)) for one in exposed]


def _with(statement: Mapping[str, Any], kept: Mapping[str, Any], account: str) -> dict[str, Any]:
    principal = kept.get("Principal", {})
    others = {key: value for key, value in statement.items() if key != "NotPrincipal"}
    return others | {"Principal": {**principal, "AWS": [*listed(principal.get("AWS")), account]}}


def _lets_change(statement: Mapping[str, Any], account: str) -> bool:
    """Whether the statement lets the account itself, so also the function's role, put a key policy."""
    principals = statement.get("Principal")
    names = listed(principals.get("AWS")) if isinstance(principals, Mapping) else []
    return (
        statement.get("Effect") == "Allow"
        and not statement.get("Condition")
        and bool({account, account.split(":")[4]} & {*names})
        and any(fnmatchcase("kms:putkeypolicy", str(action).lower()) for action in listed(statement.get("Action")))
    )
