"""The audit record of what a remediation did: kept in S3 before the change, and again after it.

The bucket keeps versions, so that both are there, and nothing is deleted by this function.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.notify import Severity
from security_remediation.message import who
from security_remediation.plan import Plan
from security_remediation.reading import unless_absent

if TYPE_CHECKING:
    from automations.events.cloudtrail import ApiCall
    from security_remediation.plan import Remediation

PREFIX = "audit/"


def record_id(remediation: str, event: ApiCall) -> str:
    """Day, remediation and CloudTrail event: `2026-11-05/bucket_policy/7bf386ca-...`; the same for each delivery."""
    return f"{event.time:%Y-%m-%d}/{remediation}/{event.detail.event_id}"


def key_of(record: str) -> str:
    """The object's key, by the id of the record."""
    return f"{PREFIX}{record}.json"


def entry(
    remediation: Remediation, event: ApiCall, plan: Plan, *, outcome: str, after: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The audit record.

    Args:
        outcome: what became of it.
        after: what was read back: `verified`, and what is left to do.
    """
    detail = event.detail
    return {
        "id": record_id(remediation.NAME, event),
        "remediation": remediation.NAME,
        "kind": remediation.KIND,
        "written_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "outcome": outcome,
        "account": event.account,
        "region": event.region,
        "event": {
            "id": detail.event_id,
            "name": detail.event_name,
            "source": detail.event_source,
            "time": f"{event.time:%Y-%m-%dT%H:%M:%SZ}",
        },
        "actor": {
            "who": who(detail.user_identity),
            "arn": detail.user_identity.arn,
            "source_ip_address": detail.source_ip_address,
            "user_agent": detail.user_agent,
        },
        "resource": plan.resource,
        "finding": plan.finding,
        "severity": plan.severity,
        "steps": list(plan.steps),
        "remark": plan.remark,
        "before": dict(plan.before),
        "after": dict(after or {}),
    }


def keep(bucket: str, entry: Mapping[str, Any]) -> None:
    """Write the record; a later one of the same id is a new version of the object."""
    aws.s3().put_object(
        Bucket=bucket,
        Key=key_of(entry["id"]),
        Body=json.dumps(entry, ensure_ascii=False, indent=1).encode(),
        ContentType="application/json",
    )


def recall(bucket: str, record: str) -> dict[str, Any] | None:
    """The record as it was written last; None when nothing was begun yet."""
    answer = unless_absent(lambda: aws.s3().get_object(Bucket=bucket, Key=key_of(record)), "NoSuchKey")
    return dict(json.loads(answer["Body"].read())) if answer else None


def plan_of(entry: Mapping[str, Any]) -> Plan:
    """The plan of the record, as far as people are told of it. Older records have no severity."""
    return Plan(
        entry["resource"],
        entry["finding"],
        Severity(entry.get("severity", Severity.WARNING)),
        steps=tuple(entry["steps"]),
        remark=entry["remark"],
        before=entry["before"],
    )
