"""One message for one incident: who did the same to the same resource again within the window is counted, not told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from automations import aws

if TYPE_CHECKING:
    from automations.events.cloudtrail import ApiCall
    from security_remediation.plan import Plan

WINDOW = timedelta(minutes=15)
REMEMBERED = timedelta(days=7)


@dataclass(frozen=True)
class Incident:
    """Attributes:
    told: whether this event is the one to tell people of.
    more: how many alike were only counted since the last message.
    """

    told: bool
    more: int = 0


def incident_key(remediation: str, event: ApiCall, plan: Plan, outcome: str) -> str:
    """What makes two calls one incident: actor, resource, action, what is wrong with it, and what became of it."""
    identity = event.detail.user_identity
    actor = identity.arn or identity.principal_id or identity.account_id or ""
    return _key(remediation, actor, plan.resource, plan.finding, plan.severity, event.detail.event_name, outcome)


def failure_key(remediation: str, error: Exception) -> str:
    """What makes two failures one incident: the remediation, and the kind of the error, which AWS tells by a code."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    return _key("failed", remediation, type(error).__name__, code)


def _key(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()


def count(key: str, event: ApiCall, table: str) -> Incident:
    """Count the event to its incident, in an item of the idempotency table.

    The first event of a window is told, each time it is delivered; the others are counted once each, by their id.
    """
    dynamodb, now = aws.dynamodb(), event.time.astimezone(UTC)
    item = {"id": {"S": f"incident#{key}"}}
    absent = dynamodb.exceptions.ConditionalCheckFailedException
    try:
        dynamodb.update_item(
            TableName=table,
            Key=item,
            UpdateExpression="ADD repeats :this",
            ConditionExpression="told_at > :since AND told_event <> :event",
            ExpressionAttributeValues={
                ":this": {"SS": [event.detail.event_id]},
                ":event": {"S": event.detail.event_id},
                ":since": {"S": (now - WINDOW).isoformat()},
            },
        )
        return Incident(told=False)
    except absent:
        pass
    try:
        before = dynamodb.update_item(
            TableName=table,
            Key=item,
            UpdateExpression="SET told_at = :now, told_event = :event, expiration = :expires REMOVE repeats",
            ConditionExpression="attribute_not_exists(told_event) OR told_event <> :event",
            ExpressionAttributeValues={
                ":now": {"S": now.isoformat()},
                ":event": {"S": event.detail.event_id},
                ":expires": {"N": str(int((datetime.now(UTC) + REMEMBERED).timestamp()))},
            },
            ReturnValues="ALL_OLD",
        ).get("Attributes", {})
    except absent:  # the event that opened the window, again
        return Incident(told=True)
    return Incident(told=True, more=len(before.get("repeats", {}).get("SS", [])))
