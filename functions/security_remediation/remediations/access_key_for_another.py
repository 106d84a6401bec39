"""An access key is made for another user than who makes it: deactivate that key.

Whoever may make keys for others may act as any of them, and the key stays when its maker is gone. Those whose work it is belong
to the principals that are allowed, or an exemption names the users: `Access key * of IAM user ci-*`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.permissions import ANY_USER, READ_USER_TAGS
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.principals import another_user, pages, tags
from security_remediation.reading import unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "access_key_for_another"
KIND = Kind.UNDO
SEVERITY = Severity.WARNING
EVENTS: Events = {"iam.amazonaws.com": ("CreateAccessKey",)}
READS: Permissions = (Allow(("iam:ListAccessKeys",), ANY_USER), READ_USER_TAGS)
WRITES: Permissions = (Allow(("iam:UpdateAccessKey",), ANY_USER),)
SURE = "Certain that the key is another's. Whether somebody had asked for it, the record does not say."


def read(record: CloudTrailRecord) -> State:
    user = another_user(record)
    if user is None:
        return State(current=None)
    lists = pages("list_access_keys")
    keys = unless_absent(
        lambda: {
            key["AccessKeyId"]: key["Status"]
            for page in lists.paginate(UserName=user)
            for key in page["AccessKeyMetadata"]
        },
        "NoSuchEntity",
    )
    return State((keys or {}).get(_key(record)), tags=tags("User", user) if keys else {})


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    user = another_user(record)
    if user is None:
        return None
    key = _key(record)
    resource = f"Access key {key} of IAM user {user}"
    if state.current != "Active":
        return settled(resource, "was made by somebody else", state)
    change = {"UserName": user, "AccessKeyId": key}
    steps = (f"Deactivate the access key {key}.",)
    return Plan(resource, "was made by somebody else", SEVERITY, steps=steps, change=change, before=change)


def apply(plan: Plan) -> None:
    unless_absent(lambda: aws.iam().update_access_key(**plan.change, Status="Inactive"), "NoSuchEntity")


def restore(before: Mapping[str, Any]) -> None:
    aws.iam().update_access_key(**before, Status="Active")


def _key(record: CloudTrailRecord) -> str:
    """The key's id.

    Raises:
        InvalidEvent: the record does not have it, so nobody can tell which key it was.
    """
    made = (record.response_elements or {}).get("accessKey")
    key = made.get("accessKeyId") if isinstance(made, dict) else None
    if isinstance(key, str) and key:
        return key
    raise record.unusable("has no responseElements.accessKey.accessKeyId, so the key cannot be found")
