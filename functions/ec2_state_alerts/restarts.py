"""How often each instance was started again lately, in DynamoDB."""

from datetime import datetime, timedelta

from automations import aws, delivery
from automations.events.ec2 import InstanceStateChanged


class Restarts:
    """One item for each stop that was answered with a start.

    Its key is the instance and the time of the stop, so that a second delivery of the same event counts once.
    """

    def __init__(self, table: str, window_minutes: int) -> None:
        self._table = table
        self._window = timedelta(minutes=window_minutes)

    def before(self, event: InstanceStateChanged) -> int:
        """Count the restarts in the window that ends just before this event."""
        pages = (
            aws.dynamodb()
            .get_paginator("query")
            .paginate(
                TableName=self._table,
                KeyConditionExpression="instance_id = :instance AND stopped_at BETWEEN :start AND :end",
                ExpressionAttributeValues={
                    ":instance": {"S": event.detail.instance_id},
                    ":start": {"S": _text(event.time - self._window)},
                    ":end": {"S": _text(event.time - timedelta(microseconds=1))},
                },
                ConsistentRead=True,
                Select="COUNT",
            )
        )
        return sum(page["Count"] for page in pages)

    def record(self, event: InstanceStateChanged) -> None:
        """Remember that this stop is answered with a start, for as long as a replay can ask about the time after it."""
        kept = max(delivery.remembered(), 2 * self._window)
        aws.dynamodb().put_item(
            TableName=self._table,
            Item={
                "instance_id": {"S": event.detail.instance_id},
                "stopped_at": {"S": _text(event.time)},
                "expires_at": {"N": str(int((event.time + kept).timestamp()))},
            },
        )


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")
