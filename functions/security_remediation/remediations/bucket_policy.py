"""A bucket policy lets in everyone, or an account or organisation that is not trusted: take these out of it, and keep the rest.

A statement that lets in others besides loses only the strangers. A policy of which nothing is left is deleted. What may be one's own
is told and left: a VPC, a VPC endpoint, an address, a user ID, a resource whose ARN has no account, and, while the own organisation
is not known, any organisation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.permissions import ANY_BUCKET, READ_BUCKET_TAGS
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State
from security_remediation.policies import exposures, sure, without
from security_remediation.reading import bucket_tags, unless_absent
from security_remediation.strangers import doubts, named, nothing_sure, taken_out

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "bucket_policy"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"s3.amazonaws.com": ("PutBucketPolicy",)}
READS: Permissions = (Allow(("s3:GetBucketPolicy",), ANY_BUCKET), READ_BUCKET_TAGS)
WRITES: Permissions = (Allow(("s3:PutBucketPolicy", "s3:DeleteBucketPolicy"), ANY_BUCKET),)
SURE = (
    "Certain for accounts and, with TrustOrganization, for organisations. Whose a fixed VPC, endpoint, address or user ID is, "
    "a policy does not say. Deny statements are not weighed."
)


def read(record: CloudTrailRecord) -> State:
    bucket = record.required("bucketName")
    return State(unless_absent(lambda: _current(bucket), "NoSuchBucket"), tags=bucket_tags(bucket))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
    bucket, put = record.required("bucketName"), _policy(record)
    resource = f"S3 bucket {bucket}"
    exposed = exposures(state.current or {}, settings.trust)
    opened = exposures(put, settings.trust) if put is not None else exposed  # a record that does not say: look
    if not opened:
        return None
    if not (closed := sure(exposed)):
        return nothing_sure(resource, state, opened, exposed, remark=doubts(exposed))
    left = without(state.current, closed)
    return Plan(
        resource,
        f"has a policy that lets in {named(closed)}",
        SEVERITY,
        steps=taken_out(closed, "bucket policy")
        + (() if left else ("Delete the bucket policy, because nothing is left of it.",)),
        remark=doubts(exposed),
        change={"Bucket": bucket} | ({"Policy": json.dumps(left)} if left else {}),
        before={"Bucket": bucket, "Policy": json.dumps(state.current)},
    )


def apply(plan: Plan) -> None:
    call = aws.s3().put_bucket_policy if "Policy" in plan.change else aws.s3().delete_bucket_policy
    unless_absent(lambda: call(**plan.change), "NoSuchBucketPolicy", "NoSuchBucket")


def restore(before: Mapping[str, Any]) -> None:
    aws.s3().put_bucket_policy(**before)


def _current(bucket: str) -> dict[str, Any]:
    answer = unless_absent(lambda: aws.s3().get_bucket_policy(Bucket=bucket), "NoSuchBucketPolicy")
    return json.loads(answer["Policy"]) if answer else {}


def _policy(record: CloudTrailRecord) -> Mapping[str, Any] | None:
    """The policy that was put; None when the record does not show one. S3's records have it as an object.

    Nor does it show whom a canonical user ID stands for: S3 replaces it by the account in the policy that is in force.
    """
    policy = record.parameter("bucketPolicy")
    if not isinstance(policy, Mapping) or "Statement" not in policy or '"CanonicalUser"' in json.dumps(policy):
        return None
    return policy
