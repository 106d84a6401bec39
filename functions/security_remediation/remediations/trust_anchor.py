"""A trust anchor of IAM Roles Anywhere is created or enabled: disable it.

Whoever has a certificate of its authority can then get credentials for the roles that trust Roles Anywhere, from outside of AWS and
without a key that could be deleted. It is disabled, not deleted: whether it was planned, a person decides. An anchor that gets another
authority is only told of, because a record does not say which one it had, and to disable it stops those who use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.permissions import NO_RESOURCES
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import name_of, own_region, tags_of, unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

ANY_ANCHOR = "arn:${AWS::Partition}:rolesanywhere:${AWS::Region}:${AWS::AccountId}:trust-anchor/*"

NAME = "trust_anchor"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"rolesanywhere.amazonaws.com": ("CreateTrustAnchor", "EnableTrustAnchor", "UpdateTrustAnchor")}
READS: Permissions = (
    Allow(("rolesanywhere:GetTrustAnchor",), ANY_ANCHOR),
    Allow(("rolesanywhere:ListTagsForResource",), why=NO_RESOURCES),
)
WRITES: Permissions = (Allow(("rolesanywhere:DisableTrustAnchor",), ANY_ANCHOR),)
SURE = "Certain that it is trusted; not whether a role trusts Roles Anywhere, nor whose the certificate authority is."

GONE = "ResourceNotFoundException"


def read(record: CloudTrailRecord) -> State:
    client = aws.rolesanywhere()
    own_region(record, client, "trust anchor")
    answer = unless_absent(lambda: client.get_trust_anchor(trustAnchorId=_id(record)), GONE)
    if not answer:
        return State(None)
    anchor = answer["trustAnchor"]
    tags = unless_absent(lambda: client.list_tags_for_resource(resourceArn=anchor["trustAnchorArn"]), GONE)
    return State(anchor, tags_of(tags["tags"] if tags else (), "key", "value"))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    updated = record.event_name == "UpdateTrustAnchor"
    if updated and not record.parameter("source"):
        return None  # a new name, say
    if not updated and _recorded(record).get("enabled") is False:
        return None  # that it is enabled later is a call of its own
    anchor = _id(record)
    resource = f"Trust anchor {anchor}"
    if not (state.current or {}).get("enabled"):
        return settled(resource, "was trusted by IAM Roles Anywhere", state)
    finding = "is trusted by IAM Roles Anywhere"
    if updated:
        remark = (
            "It has another certificate authority now, and the record does not say which one it had. If nobody planned this, "
            "disable the trust anchor, and look which roles trust rolesanywhere.amazonaws.com and what their sessions did."
        )
        return Plan(resource, f"{finding} with another certificate authority", SEVERITY, remark=remark)
    change = {"trustAnchorId": anchor}
    return Plan(resource, finding, SEVERITY, steps=("Disable it.",), change=change, before=change)


def apply(plan: Plan) -> None:
    unless_absent(lambda: aws.rolesanywhere().disable_trust_anchor(**plan.change), GONE)


def restore(before: Mapping[str, Any]) -> None:
    aws.rolesanywhere().enable_trust_anchor(**before)


def _recorded(record: CloudTrailRecord) -> Mapping[str, Any]:
    """The trust anchor as the call left it."""
    anchor = (record.response_elements or {}).get("trustAnchor")
    return anchor if isinstance(anchor, Mapping) else {}


def _id(record: CloudTrailRecord) -> str:
    """From the response; calls on an anchor that is there have it in the request, too."""
    anchor = _recorded(record)
    found = anchor.get("trustAnchorId") or anchor.get("trustAnchorArn") or record.parameter("trustAnchorId")
    if not found:
        raise record.unusable("does not name the trust anchor, so it cannot be judged")
    return name_of(str(found))
