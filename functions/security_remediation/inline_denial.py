"""An inline policy of a user or a role, under a name of our own, that denies everything under a condition.

It adds to what is there and changes nothing of it, so that taking it away puts back what was before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from automations import aws
from security_remediation.plan import State
from security_remediation.reading import tags_of, unless_absent

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
    who = {f"{kind}Name": name}
    tags = unless_absent(lambda: list(_tags(kind, who)), "NoSuchEntity")
    if tags is None:
        return State(None)
    get: Any = getattr(aws.iam(), f"get_{kind.lower()}_policy")
    found = unless_absent(lambda: get(**who, PolicyName=policy), "NoSuchEntity")
    return State(found["PolicyDocument"] if found else {}, tags_of(tags))


def _tags(kind: str, who: Mapping[str, str]) -> Iterator[Any]:
    pages = aws.iam().get_paginator(f"list_{kind.lower()}_tags")  # type: ignore[call-overload]
    for page in pages.paginate(**who):
        yield from page["Tags"]


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
    delete: Any = getattr(aws.iam(), f"delete_{before['kind'].lower()}_policy")
    unless_absent(lambda: delete(**_named(before)), "NoSuchEntity")


def _put(change: Mapping[str, Any], document: Mapping[str, Any]) -> None:
    put: Any = getattr(aws.iam(), f"put_{change['kind'].lower()}_policy")
    put(**_named(change), PolicyDocument=json.dumps(document))


def _named(change: Mapping[str, Any]) -> dict[str, str]:
    return {f"{change['kind']}Name": change["name"], "PolicyName": change["policy"]}
