"""The account's public access block is removed or switched off: switch on again what the call switched off.

It covers every bucket of the account, in all regions, whatever the buckets' own settings are. A record does not say what was on
before, so a call that leaves one of the four settings off counts as having switched it off. The call may be made through the
endpoint of any region, and EventBridge has it in that region alone. What an organisation's policy sets, no account can change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.access_block import HOW_SURE, flags_of, plan_switching_on
from security_remediation.permissions import NO_RESOURCES
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State
from security_remediation.reading import unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "account_public_access_block"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
# The API's `PutPublicAccessBlock` and `DeletePublicAccessBlock` of S3 Control; CloudTrail has other names for them.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html#cloudtrail-account-level-tracking
EVENTS: Events = {"s3.amazonaws.com": ("DeleteAccountPublicAccessBlock", "PutAccountPublicAccessBlock")}
READS: Permissions = (Allow(("s3:GetAccountPublicAccessBlock",), why=NO_RESOURCES),)
WRITES: Permissions = (Allow(("s3:PutAccountPublicAccessBlock",), why=NO_RESOURCES),)
SURE = HOW_SURE


def read(record: CloudTrailRecord) -> State:
    account = _account(record)
    answer = unless_absent(
        lambda: aws.s3control().get_public_access_block(AccountId=account), "NoSuchPublicAccessBlockConfiguration"
    )
    return State(flags_of(answer))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    account = _account(record)
    return plan_switching_on(
        record,
        state,
        SEVERITY,
        resource=f"AWS account {account}",
        block="S3 public access block",
        named={"AccountId": account},
    )


def apply(plan: Plan) -> None:
    aws.s3control().put_public_access_block(**plan.change)


def restore(before: Mapping[str, Any]) -> None:
    aws.s3control().put_public_access_block(**before)


def _account(record: CloudTrailRecord) -> str:
    """S3 Control takes no other account than the caller's; the handler refuses events of other accounts."""
    return record.recipient_account_id or record.user_identity.account_id or record.required("accountId")
