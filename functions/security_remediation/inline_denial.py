"""An inline policy of a user or a role, under a name of our own, that denies everything under a condition.

It adds to what is there and changes nothing of it, so that taking it away puts back what was before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from automations.events.cloudtrail import CloudTrailRecord
from security_remediation.plan import State
from security_remediation.principals import call_iam, tags
from security_remediation.reading import unless_absent

PREFIX = "EventBridgeAutomations-"

Conditions = Mapping[str, Mapping[str, str]]


def denial(conditions: Conditions) -> dict[str, Any]:
    """The policy document."""
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": conditions}
    return {"Version": "2012-10-17", "Statement": [statement]}


def revocation(conditions: Conditions, until: datetime) -> dict[str, Any]:
    """Denies what uses temporary credentials that were issued before, as AWS's own revoking of a role's sessions does.

    Long-term access keys have no time of issue, and go on.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
    """
    return denial({**conditions, "DateLessThan": {"aws:TokenIssueTime": f"{until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}})


def revoked(document: Mapping[str, Any], conditions: Conditions, since: datetime | None) -> bool:
    """Whether the document revokes, under these conditions, what was issued until `since`."""
    try:
        [statement] = document["Statement"]
        until = datetime.fromisoformat(statement["Condition"]["DateLessThan"]["aws:TokenIssueTime"])
    except (KeyError, TypeError, ValueError):  # none, or not one of ours
        return False
    return document == revocation(conditions, until) and (since is None or since < until)


def read_policy(kind: str, name: str, policy: str) -> State:
    """The document, empty without such a policy; None when the user or the role is gone.

    Args:
        kind: `User` or `Role`.
    """
    tagged = unless_absent(lambda: tags(kind, name), "NoSuchEntity")
    if tagged is None:
        return State(None)
    asked = {f"{kind}Name": name, "PolicyName": policy}
    found = unless_absent(lambda: call_iam("get_{}_policy", kind, **asked), "NoSuchEntity")
    return State(found["PolicyDocument"] if found else {}, tagged)


def revoking(conditions: Conditions, record: CloudTrailRecord) -> dict[str, Any]:
    """The part of a change that makes `put_denial` revoke what was issued until then."""
    return {"conditions": conditions, "since": record.event_time.isoformat() if record.event_time else ""}


def put_denial(change: Mapping[str, Any]) -> None:
    """Put `change["document"]`, or revoke what was issued until now under `change["conditions"]`.

    That the user or the role is gone is success.
    """
    document = change.get("document") or revocation(change["conditions"], _moment_after(change["since"]))
    unless_absent(lambda: _put(change, document), "NoSuchEntity")


def _moment_after(since: str) -> datetime:
    """Now, and not before the call, whose own credentials must be caught: IAM compares whole seconds."""
    called = datetime.fromisoformat(since) if since else datetime.min.replace(tzinfo=UTC)
    return max(datetime.now(UTC), called) + timedelta(seconds=1)


def restore_policy(before: Mapping[str, Any]) -> None:
    """Put back the document that was there, or none."""
    if before["document"]:
        _put(before, before["document"])
        return
    unless_absent(lambda: call_iam("delete_{}_policy", before["kind"], **_named(before)), "NoSuchEntity")


def _put(change: Mapping[str, Any], document: Mapping[str, Any]) -> None:
    call_iam("put_{}_policy", change["kind"], **_named(change), PolicyDocument=json.dumps(document))


def _named(change: Mapping[str, Any]) -> dict[str, str]:
    return {f"{change['kind']}Name": change["name"], "PolicyName": change["policy"]}
