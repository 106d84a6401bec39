"""A lifecycle rule expires a trail's logs within a year: take the expiry out of the rule, and keep the other rules.

A rule of which nothing is left is removed, and so is the configuration when no rule is left. A year, because PCI DSS (10.5.1) has
logs kept for twelve months, and those who look into an incident ask for no less. A record carries the whole configuration and
not what was there before, so a short expiry that was there already is found with it: exempt the bucket where it is meant.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.permissions import ANY_BUCKET, NO_RESOURCES, READ_BUCKET_TAGS
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State
from security_remediation.reading import bucket_tags, listed, unless_absent
from security_remediation.watching import on_again

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

KEPT_DAYS = 365
# What a rule has beside its actions.
NO_ACTIONS = {"ID", "Prefix", "Filter", "Status"}


def read(record: CloudTrailRecord) -> State:
    bucket = record.required("bucketName")
    trails = aws.cloudtrail().describe_trails()["trailList"]
    roots = [_root(trail.get("S3KeyPrefix")) for trail in trails if trail.get("S3BucketName") == bucket]
    if not roots:
        return State({"roots": []})
    configuration = unless_absent(lambda: _configuration(bucket), "NoSuchBucket")
    return State(
        None if configuration is None else {"roots": roots, "configuration": configuration}, tags=bucket_tags(bucket)
    )


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    bucket = record.required("bucketName")
    if state.current is None or not state.current["roots"]:
        return None  # gone with all its logs, which another call did; or no trail's bucket
    roots, configuration = state.current["roots"], state.current["configuration"]
    rules = configuration["LifecycleConfiguration"]["Rules"]
    still = [rule for rule in rules if _expires_logs(rule, roots)]
    put = _put(record)
    opened = [rule for rule in put if _expires_logs(rule, roots)] if put is not None else still
    resource = f"S3 bucket {bucket}"
    if not opened:
        return None
    if not still:
        return on_again(resource, f"was made to expire a trail's logs {_when(opened)}", state)
    left = [one for rule in rules if (one := _without_expiry(rule) if rule in still else rule)]
    return Plan(
        resource,
        f"expires a trail's logs {_when(still)}",
        SEVERITY,
        steps=tuple(
            f"Take the expiry {_when([rule])} out of the lifecycle rule {rule.get('ID', '')}." for rule in still
        )
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


def _root(prefix: str | None) -> str:
    """What the keys of a trail's logs begin with, before the account.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-find-log-files.html
    """
    return f"{prefix}/AWSLogs/" if prefix else "AWSLogs/"


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


def _expires_logs(rule: Mapping[str, Any], roots: Iterable[str]) -> bool:
    """Whether the rule expires logs within the year. From a date on, it expires them as soon as they are written."""
    expiration, chosen = _object(rule.get("Expiration")), _object(rule.get("Filter"))
    chosen = chosen | _object(chosen.get("And"))
    soon = "Date" in expiration or int(expiration.get("Days", KEPT_DAYS)) < KEPT_DAYS
    tagged = bool(chosen.keys() & {"Tag", "Tags"})
    prefix = chosen.get("Prefix") or rule.get("Prefix") or ""
    return rule.get("Status") == "Enabled" and soon and not tagged and any(_meets(prefix, root) for root in roots)


def _meets(prefix: str, root: str) -> bool:
    """Whether objects of the prefix may be a trail's: `<root>[<organisation>/]<account>/CloudTrail...`.

    S3 takes an asterisk as it stands. Who writes one means everything, and has it said once more.
    """
    prefix = prefix.split("*")[0]
    if not prefix.startswith(root):
        return root.startswith(prefix)
    parts = prefix.removeprefix(root).split("/")
    service = parts[2:3] if parts[0].startswith("o-") else parts[1:2]
    return all(one.startswith("CloudTrail") or "CloudTrail".startswith(one) for one in service)


def _without_expiry(rule: Mapping[str, Any]) -> dict[str, Any] | None:
    left = {name: value for name, value in rule.items() if name != "Expiration"}
    return left if left.keys() - NO_ACTIONS else None


def _when(rules: Iterable[Mapping[str, Any]]) -> str:
    expirations = [rule["Expiration"] for rule in rules]
    days = [int(one["Days"]) for one in expirations if "Days" in one]
    return (
        f"after {min(days)} day{'s' if min(days) > 1 else ''}"
        if days
        else f"from {str(expirations[0]['Date'])[:10]} on"
    )


def _object(value: object) -> dict[str, Any]:
    """Empty elements of S3's XML are recorded as empty text."""
    return dict(value) if isinstance(value, Mapping) else {}
