"""A lifecycle rule expires a trail's logs within a year: take the expiry out of the rule, and keep the other rules.

A rule of which nothing is left is removed, and so is the configuration when no rule is left. A year, because PCI DSS (10.5.1) has
logs kept for twelve months, and those who look into an incident ask for no less. A record carries the whole configuration and
not what was there before, so a short expiry that was there already is found with it: exempt the bucket where it is meant.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.lifecycle import expires_logs, log_root, when, without_expiry
from security_remediation.permissions import ANY_BUCKET, NO_RESOURCES, READ_BUCKET_TAGS
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import bucket_tags, listed, unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "trail_log_lifecycle"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
# `PutBucketLifecycleConfiguration` of the API; CloudTrail has the older name for it.
EVENTS: Events = {"s3.amazonaws.com": ("PutBucketLifecycle",)}
READS: Permissions = (
    Allow(("s3:GetLifecycleConfiguration",), ANY_BUCKET),
    Allow(("cloudtrail:DescribeTrails",), why=NO_RESOURCES),
    READ_BUCKET_TAGS,
)
WRITES: Permissions = (Allow(("s3:PutLifecycleConfiguration",), ANY_BUCKET),)
SURE = (
    "Certain for the logs of trails that the account can list, the organisation's among them. Rules that choose objects by tags "
    "are not judged, because logs have none, nor are those for old versions of objects."
)


def read(record: CloudTrailRecord) -> State:
    bucket = record.required("bucketName")
    trails = aws.cloudtrail().describe_trails()["trailList"]
    roots = [log_root(trail.get("S3KeyPrefix")) for trail in trails if trail.get("S3BucketName") == bucket]
    if not roots:
        return State({"roots": []})
    configuration = unless_absent(lambda: _configuration(bucket), "NoSuchBucket")
    return State({"roots": roots, "configuration": configuration}, tags=bucket_tags(bucket))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    bucket = record.required("bucketName")
    roots, configuration = state.current["roots"], state.current.get("configuration")
    rules = configuration["LifecycleConfiguration"]["Rules"] if configuration else []
    still = [rule for rule in rules if expires_logs(rule, roots)]
    put = _put(record)
    opened = [rule for rule in put if expires_logs(rule, roots)] if put is not None else still
    resource = f"S3 bucket {bucket}"
    if not opened:
        return None
    if not still:
        return settled(resource, f"was made to expire a trail's logs {when(opened)}", State(configuration))
    left = [one for rule in rules if (one := without_expiry(rule) if rule in still else rule)]
    return Plan(
        resource,
        f"expires a trail's logs {when(still)}",
        SEVERITY,
        steps=tuple(f"Take the expiry {when([rule])} out of the lifecycle rule {rule.get('ID', '')}." for rule in still)
        + (() if left else ("Delete the lifecycle configuration, because nothing is left of it.",)),
        change={"Bucket": bucket} | (configuration | {"LifecycleConfiguration": {"Rules": left}} if left else {}),
        before={"Bucket": bucket, **configuration},
    )


def apply(plan: Plan) -> None:
    s3 = aws.s3()
    call: Any = (
        s3.put_bucket_lifecycle_configuration if "LifecycleConfiguration" in plan.change else s3.delete_bucket_lifecycle
    )
    unless_absent(lambda: call(**plan.change), "NoSuchBucket")


def restore(before: Mapping[str, Any]) -> None:
    aws.s3().put_bucket_lifecycle_configuration(**before)


def _configuration(bucket: str) -> dict[str, Any]:
    """As `PutBucketLifecycleConfiguration` takes it, with its dates as text."""
    answer: Any = unless_absent(
        lambda: aws.s3().get_bucket_lifecycle_configuration(Bucket=bucket), "NoSuchLifecycleConfiguration"
    )
    size = "TransitionDefaultMinimumObjectSize"
    rules = json.loads(json.dumps(answer["Rules"] if answer else [], default=datetime.isoformat))
    return {"LifecycleConfiguration": {"Rules": rules}} | ({size: answer[size]} if answer and size in answer else {})


def _put(record: CloudTrailRecord) -> list[Mapping[str, Any]] | None:
    """The rules that were put; None when the record does not show them."""
    configuration = record.parameter("LifecycleConfiguration")
    rules = listed(configuration.get("Rule")) if isinstance(configuration, Mapping) else []
    return [rule for rule in rules if isinstance(rule, Mapping)] or None
