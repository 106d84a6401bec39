"""A KMS key is scheduled for deletion: cancel that, and enable the key.

Nothing that a deleted key encrypted can be read again. After the cancellation a key is disabled, and whether it was so before is
nowhere to be read: it is enabled, because what it encrypts stays unreadable otherwise. Disable it again if it was. A key that stays
disabled is a failure that people are told of; one that is found disabled, because somebody else cancelled its deletion, is left so. Of a
multi-Region key only the one in the function's region is looked after; the others have records in theirs. A key without its imported key
material, or in a custom key store that is not connected, is kept, and cannot be used until it has that again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.keys import ANY_KEY, GONE, READ_KEY_TAGS, key_id, key_tags, own_key
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "kms_key_deletion"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"kms.amazonaws.com": ("ScheduleKeyDeletion",)}
READS: Permissions = (Allow(("kms:DescribeKey",), ANY_KEY), READ_KEY_TAGS)
WRITES: Permissions = (Allow(("kms:CancelKeyDeletion", "kms:EnableKey"), ANY_KEY),)
SURE = (
    "Certain that the key would be deleted; not whether it was enabled before. "
    "Keys whose policy does not let the account in cannot be read or changed: that is told as a failure."
)

INVALID = "KMSInvalidStateException"
# https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html; the second one waits for the replicas' deletion.
SCHEDULED = {"PendingDeletion", "PendingReplicaDeletion"}
LONGEST = 30  # days, and the default

CANCEL, ENABLE = "Cancel its deletion.", "Enable it; disable it again if it was disabled before."

# https://docs.aws.amazon.com/kms/latest/developerguide/programming-eventual-consistency.html: a few seconds, as a rule.
ENABLE_AGAIN_AFTER = (1.0, 2.0, 4.0)
"""Seconds to wait while AWS KMS does not know everywhere yet that the deletion is cancelled."""


def read(record: CloudTrailRecord) -> State:
    key = own_key(record)
    answer = unless_absent(lambda: aws.kms().describe_key(KeyId=key), GONE)
    return State(answer["KeyMetadata"]["KeyState"], key_tags(key)) if answer else State(None)


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    key = key_id(record)
    resource = f"KMS key {key}"
    if state.current == "Disabled":
        remark = "Its deletion was cancelled, and it is disabled: enable it, unless it was disabled before."
        return Plan(resource, "was scheduled for deletion", Severity.WARNING, remark=remark)
    if state.current not in SCHEDULED:
        return settled(resource, "was scheduled for deletion", state)
    return Plan(
        resource,
        "is scheduled for deletion",
        SEVERITY,
        steps=(CANCEL, ENABLE),
        change={"KeyId": key},
        before={"KeyId": key, "PendingWindowInDays": int(record.parameter("pendingWindowInDays") or LONGEST)},
    )


def apply(plan: Plan) -> None:
    # Somebody cancelled it, or it is gone; a key that is still scheduled is found by reading back.
    unless_absent(lambda: aws.kms().cancel_key_deletion(**plan.change), INVALID, GONE)
    unless_absent(lambda: _enable(plan.change), GONE)


def left(state: State) -> tuple[str, ...]:
    """A key that is disabled after its plan was carried out is not as it was to be."""
    return (CANCEL, ENABLE) if state.current in SCHEDULED else (ENABLE,) if state.current == "Disabled" else ()


def restore(before: Mapping[str, Any]) -> None:
    aws.kms().schedule_key_deletion(**before)


def _enable(key: Mapping[str, Any]) -> None:
    """Enable the key. That it cannot be is found by reading back, unless its key material is missing: then nobody can."""
    for seconds in (*ENABLE_AGAIN_AFTER, None):
        try:
            aws.kms().enable_key(**key)
            return
        except ClientError as error:
            if error.response["Error"]["Code"] != INVALID:
                raise
            if seconds is not None:
                time.sleep(seconds)
