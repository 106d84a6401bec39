"""What security_remediation changed in a month, from its audit records."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.report.month import Month
from security_remediation.audit import PREFIX
from security_remediation.message import Outcome


@dataclass(frozen=True)
class Remediation:
    """An audit record, as far as it is counted.

    Attributes:
        name: of the remediation.
        kind: how it closes what was opened.
        actor: who had opened it.
        closed: whether it was closed, and verified.
    """

    day: str
    name: str
    kind: str
    actor: str
    closed: bool


def read(s3: Any, bucket: str, month: Month) -> list[Remediation]:
    """The month's records, each as it was written last."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{PREFIX}{month.start:%Y-%m}-")
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return [remediation(json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())) for key in keys]


def remediation(record: Mapping[str, Any]) -> Remediation:
    return Remediation(
        day=record["event"]["time"][:10],
        name=record["remediation"],
        kind=record.get("kind", ""),
        actor=record["actor"]["who"],
        closed=record["outcome"] == Outcome.CLOSED,
    )


@dataclass(frozen=True)
class Group:
    """Remediations of one name by one actor.

    Attributes:
        open: begun and not verified: the function failed on the way, or the resource stayed open.
    """

    name: str
    kind: str
    actor: str
    closed: int
    open: int


def grouped(found: Iterable[Remediation]) -> list[Group]:
    """By remediation and actor, the most frequent first."""
    counts = Counter((one.name, one.kind, one.actor, one.closed) for one in found)
    groups = dict.fromkeys((name, kind, actor) for name, kind, actor, _ in counts)
    made = [Group(*group, closed=counts[*group, True], open=counts[*group, False]) for group in groups]
    return sorted(made, key=lambda one: (-one.closed - one.open, one.name, one.actor))
