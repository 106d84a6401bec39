"""What a run is about to change and has not told yet, so that a retry tells it when the run ends before it can."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from automations import aws
from office_hours.instance import Instance

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from automations.events.scheduler import ScheduledRun
    from office_hours.switch import Outcome

REMEMBERED = timedelta(days=7)
"""Longer than any retry."""


def begin(run: ScheduledRun, ids: Iterable[str], table: str, logger: Logger) -> set[str]:
    """Note, in an item of the idempotency table, which instances this attempt is about to change.

    Hours are kept also when nothing can be noted.

    Returns:
        The ids of those that an earlier attempt of the run was about to change, and did not tell.
    """
    noted = sorted(ids)
    try:
        before = aws.dynamodb().update_item(
            TableName=table,
            Key=_item(run),
            UpdateExpression="SET expiration = :end" + (" ADD changing :ids" if noted else ""),
            ExpressionAttributeValues={
                ":end": {"N": str(int((run.time + REMEMBERED).timestamp()))},
                **({":ids": {"SS": noted}} if noted else {}),
            },
            ReturnValues="ALL_OLD",
        )
    except (ClientError, BotoCoreError) as error:
        logger.warning("What changes cannot be noted, so a retry would not tell of it", reason=str(error))
        return set()
    return set(before.get("Attributes", {}).get("changing", {}).get("SS", []))


def end(run: ScheduledRun, table: str) -> None:
    """All is told."""
    aws.dynamodb().delete_item(TableName=table, Key=_item(run))


def with_earlier(done: Outcome, instances: Iterable[Instance], ids: set[str], is_open: bool) -> Outcome:
    """What this attempt did, and what an earlier one did to those of these ids that are as they should be."""
    changed = [item for item in instances if item.id in ids and (item.state in {"pending", "running"}) == is_open]
    if is_open:
        return replace(done, started=[*done.started, *changed])
    return replace(done, stopped=[*done.stopped, *changed])


def _item(run: ScheduledRun) -> dict[str, dict[str, str]]:
    return {"id": {"S": f"office-hours#{run.time.isoformat()}"}}
