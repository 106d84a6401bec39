"""The queue on which messages wait for Slack, and slack_sender behind it, driven as Lambda drives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from automations import aws
from slack_sender.handler import lambda_handler
from tests.template_file import RESOURCES

Invoke = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Hands an event to the function, and returns its answer."""


@dataclass(frozen=True)
class SlackQueue:
    """URLs of the queues."""

    queue: str
    failed: str

    @property
    def variables(self) -> dict[str, str]:
        """What the functions have in their environment, in lower case."""
        return {"slack_queue": self.queue, "slack_failed_messages": self.failed}

    def receive(self) -> dict[str, Any]:
        """The next batch, as Lambda hands it over; without records when there is none."""
        got = aws.sqs().receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
        )
        records = [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": {},
                "eventSource": "aws:sqs",
            }
            for message in got.get("Messages", [])
        ]
        return {"Records": records}

    def delete(self, batch: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Delete the messages of the batch that the function's answer does not give back."""
        back = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        for record in batch["Records"]:
            if record["messageId"] not in back:
                aws.sqs().delete_message(QueueUrl=self.queue, ReceiptHandle=record["receiptHandle"])

    def drain(self, invoke: Invoke) -> None:
        """Let the function take batches until no message is to be seen."""
        while (batch := self.receive())["Records"]:
            self.delete(batch, invoke(batch))

    def kept(self) -> list[dict[str, Any]]:
        """The failed messages; they are taken out."""
        messages: list[dict[str, Any]] = []
        while (
            batch := aws.sqs()
            .receive_message(
                QueueUrl=self.failed, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
            )
            .get("Messages")
        ):
            messages += batch  # type: ignore[arg-type]
            for message in batch:
                aws.sqs().delete_message(QueueUrl=self.failed, ReceiptHandle=message["ReceiptHandle"])
        return messages


def create_slack_queue() -> SlackQueue:
    """Create the template's queues in the test's account."""
    urls = [
        aws.sqs().create_queue(
            QueueName=f"{name}.fifo",
            Attributes={
                "FifoQueue": "true",
                "VisibilityTimeout": str(RESOURCES[name]["Properties"].get("VisibilityTimeout", 30)),
            },
        )["QueueUrl"]
        for name in ("SlackQueue", "SlackFailedMessages")
    ]
    return SlackQueue(*urls)


def invoked(context: LambdaContext) -> Invoke:
    """slack_sender, invoked with this context."""
    return lambda event: lambda_handler(event, context)
