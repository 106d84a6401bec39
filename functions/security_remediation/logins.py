"""Passwords of users for the console: IAM calls one a login profile. Nobody can read it, so nobody can put it back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from automations import aws
from automations.notify import Severity
from security_remediation.permissions import ANY_USER, READ_USER_TAGS
from security_remediation.plan import Allow, Permissions, Plan, State, settled
from security_remediation.principals import another_user, made_later, user_tags
from security_remediation.reading import unless_absent

if TYPE_CHECKING:
    from automations.events.cloudtrail import CloudTrailRecord

READS: Permissions = (Allow(("iam:GetLoginProfile",), ANY_USER), READ_USER_TAGS)
WRITES: Permissions = (Allow(("iam:DeleteLoginProfile",), ANY_USER),)

GONE = "Nobody can read a password, so `undo` cannot put it back: an administrator gives the user a new one."

AGAIN_AFTER = (1.0, 3.0)
"""Seconds to wait while IAM still makes a user that was deleted before: EntityTemporarilyUnmodifiable."""


def read_login(record: CloudTrailRecord) -> State:
    """The login profile that the call was about; None when the user has none, or one that was made after the call."""
    user = another_user(record)
    if user is None:
        return State(current=None)
    found = unless_absent(lambda: aws.iam().get_login_profile(UserName=user), "NoSuchEntity")
    profile = found["LoginProfile"] if found else None
    return State(None if profile is None or made_later(profile["CreateDate"], record) else user, tags=user_tags(user))


def plan_deletion(
    record: CloudTrailRecord, state: State, severity: Severity, *, finding: str, step: str
) -> Plan | None:
    """Delete the login profile of a user whose password somebody else chose; None when it was the user."""
    user = another_user(record)
    if user is None:
        return None
    resource = f"IAM user {user}"
    if state.current is None:
        return settled(resource, finding, state)
    return Plan(resource, finding, severity, steps=(step,), remark=GONE, change={"UserName": user})


def delete_login(user: str) -> None:
    """Delete the user's login profile, so that no password works. AWS's sessions that were begun with it go on."""
    for seconds in (*AGAIN_AFTER, None):
        try:
            unless_absent(lambda: aws.iam().delete_login_profile(UserName=user), "NoSuchEntity")
            return
        except ClientError as error:
            if seconds is None or error.response["Error"]["Code"] != "EntityTemporarilyUnmodifiable":
                raise
            time.sleep(seconds)
