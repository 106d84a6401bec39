"""A bucket's public access block is removed or switched off: switch on again what the call switched off.

A record does not say what was on before, so a call that leaves one of the four settings off counts as having switched it off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.access_block import HOW_SURE, flags_of, plan_switching_on
from security_remediation.permissions import ANY_BUCKET, READ_BUCKET_TAGS
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State
from security_remediation.reading import bucket_tags, unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "public_access_block"
KIND = Kind.UNDO
SEVERITY = Severity.WARNING
# `DeletePublicAccessBlock` and `PutPublicAccessBlock` of the API; CloudTrail has other names for them.
EVENTS: Events = {"s3.amazonaws.com": ("DeleteBucketPublicAccessBlock", "PutBucketPublicAccessBlock")}
READS: Permissions = (Allow(("s3:GetBucketPublicAccessBlock",), ANY_BUCKET), READ_BUCKET_TAGS)
WRITES: Permissions = (Allow(("s3:PutBucketPublicAccessBlock",), ANY_BUCKET),)
SURE = HOW_SURE


def read(record: CloudTrailRecord) -> State:
    bucket = record.required("bucketName")
    return State(unless_absent(lambda: _flags(bucket), "NoSuchBucket"), tags=bucket_tags(bucket))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    bucket = record.required("bucketName")
    return plan_switching_on(
        record, state, SEVERITY, resource=f"S3 bucket {bucket}", block="public access block", named={"Bucket": bucket}
    )


def apply(plan: Plan) -> None:
    unless_absent(lambda: aws.s3().put_public_access_block(**plan.change), "NoSuchBucket")


def restore(before: Mapping[str, Any]) -> None:
    aws.s3().put_public_access_block(**before)


def _flags(bucket: str) -> dict[str, bool]:
    answer = unless_absent(
        lambda: aws.s3().get_public_access_block(Bucket=bucket), "NoSuchPublicAccessBlockConfiguration"
    )
    return flags_of(answer)
