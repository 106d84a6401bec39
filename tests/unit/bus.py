"""The application bus in moto, read through a queue."""

import json
from collections.abc import Callable
from typing import Any

from automations import aws
from tests.unit.conftest import sqs_client

APPLICATION_BUS = "application"


def create_bus(source: Any) -> Callable[[], list[dict[str, Any]]]:
    """Create the bus; returns what says which events came to it since it was asked last.

    Args:
        source: what an event pattern has for the source, such as `{"prefix": "webhook."}`.
    """
    events, sqs = aws.events(), sqs_client()
    events.create_event_bus(Name=APPLICATION_BUS)
    queue = sqs.create_queue(QueueName="bus")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="all", EventBusName=APPLICATION_BUS, EventPattern=json.dumps({"source": [source]}))
    events.put_targets(Rule="all", EventBusName=APPLICATION_BUS, Targets=[{"Id": "bus", "Arn": arn}])

    def published() -> list[dict[str, Any]]:
        found = []
        while batch := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return found

    return published
