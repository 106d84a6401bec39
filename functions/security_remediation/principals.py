"""Users, groups and roles of IAM, as the remediations read them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from automations import aws
from security_remediation.reading import document, name_of, tags_of, unless_absent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from automations.events.cloudtrail import CloudTrailRecord

# Roles of IAM Identity Center: IAM refuses every change by anyone but AWS (UnmodifiableEntity).
PROTECTED = "AWSReservedSSO_"
ASK_IDENTITY_CENTER = "Only IAM Identity Center can change this role: look at its permission set, and who assigned it."

CLOCKS = timedelta(minutes=1)
"""How far the time of a call and the time of what it made may be apart."""


def target(record: CloudTrailRecord) -> tuple[str, str]:
    """`User`, `Group` or `Role`, as the call's name has it, and the name of that one."""
    [kind] = re.findall("User|Group|Role", record.event_name)
    return kind, record.required(f"{kind.lower()}Name")


def call_iam(operation: str, kind: str, **arguments: Any) -> Any:
    """Call one of the operations that IAM has for users, for groups and for roles, such as `put_{}_policy`.

    Args:
        kind: `User`, `Group` or `Role`.
    """
    method: Any = getattr(aws.iam(), operation.format(kind.lower()))
    return method(**arguments)


def tags(kind: str, name: str) -> dict[str, str]:
    """Groups have no tags."""
    if kind == "Group":
        return {}
    lists = pages(f"list_{kind.lower()}_tags")
    return tags_of(tag for page in lists.paginate(**{f"{kind}Name": name}) for tag in page["Tags"])


def user_tags(name: str) -> dict[str, str]:
    return unless_absent(lambda: tags("User", name), "NoSuchEntity") or {}


def policy_version(policy: str, version: str = "") -> Mapping[str, Any] | None:
    """What a managed policy says, by its ARN, in its default version or another; None when there is no such one."""
    iam = aws.iam()
    wanted = version or unless_absent(
        lambda: iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"], "NoSuchEntity"
    )
    if not wanted:
        return None
    answer = unless_absent(lambda: iam.get_policy_version(PolicyArn=policy, VersionId=wanted), "NoSuchEntity")
    return document(answer["PolicyVersion"].get("Document")) if answer else None


def pages(operation: str) -> Any:
    return aws.iam().get_paginator(operation)  # type: ignore[call-overload]


def caller_name(record: CloudTrailRecord) -> str:
    """The name of the user who made the call; "" when the record has none, as that of a failed sign-in may."""
    return record.user_identity.user_name or name_of(record.user_identity.arn or "")


def another_user(record: CloudTrailRecord) -> str | None:
    """The user whom the call is about, unless that is who made it.

    Without a name the call is about its maker: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html
    A role's session is never the user, whatever it calls itself.
    """
    caller, user = record.user_identity, record.parameter("userName")
    if not user:
        return None
    own = (
        caller.type == "IAMUser" and caller_name(record).casefold() == user.casefold()
    )  # names differ by more than their case
    return None if own else user


def made_later(created: datetime, record: CloudTrailRecord) -> bool:
    """Whether something was made after the call, so that the call was about another one of the same name."""
    return record.event_time is not None and created > record.event_time + CLOCKS
