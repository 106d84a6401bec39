"""The world of one delivery: an empty AWS account, receivers of messages, and a clock that only moves when somebody waits."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from local.receiver import Receiver, receiver

from automations import aws, http
from tests.proofs.calls import Calls, Crash
from tests.slack_queue import SlackQueue, create_slack_queue
from tests.template_file import create_table
from tests.unit.conftest import ENVIRONMENT, Alerts, Context, create_alerts, empty_account

ALLOWED_SECONDS = 60.0
"""The functions' usual timeout."""


@dataclass
class World:
    """Attributes:
    alerts: the alerts topic, read through a queue.
    web: what stands for Slack and for every other receiver of HTTP; `web.url` is its address.
    slack_queue: where messages wait for Slack.
    calls: what the functions call.
    waited: seconds that were waited instead of slept.
    answer: what the last delivery was answered.
    """

    environment: pytest.MonkeyPatch
    alerts: Alerts
    web: Receiver
    slack_queue: SlackQueue
    calls: Calls = field(default_factory=Calls)
    waited: float = 0.0
    answer: Any = None

    def set(self, **environment: str) -> None:
        """Set the function's environment variables, given in lower case."""
        for name, value in environment.items():
            self.environment.setenv(name.upper(), value)

    def slack(self) -> None:
        """Configure Slack; what is posted comes to the path `/slack`."""
        aws.secretsmanager().create_secret(Name="slack-webhook", SecretString=f"{self.web.url}/slack")
        self.set(slack_webhook="secretsmanager:slack-webhook")

    def begin(self) -> None:
        """Forget what it took to arrange the situation: what is called and told from now on counts."""
        self.told()
        self.calls.forget()
        self.web.requests.clear()  # and not what it is told to answer
        self.web.taken.clear()

    def sleep(self, seconds: float) -> None:
        self.waited += seconds

    def context(self) -> Context:
        """A new invocation's: its time runs out while the function waits."""
        began = self.waited
        context = Context()
        context.get_remaining_time_in_millis = lambda: int(  # type: ignore[method-assign]
            (ALLOWED_SECONDS - (self.waited - began)) * 1000
        )
        return context

    def deliver(self, function: str, event: Mapping[str, Any]) -> str:
        """Invoke the function as Lambda does; returns "" or why the delivery failed, and must be made again.

        The messages of a batch that must come again are a failure, too, and so is an answer of 500 and above, after which the
        caller of an API repeats the request.
        """
        self.answer = None
        handler = importlib.import_module(f"{function}.handler").lambda_handler
        try:
            answer = handler(dict(event), self.context())
        except Crash:
            return "the process ended"
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        self.answer = answer
        told = answer if isinstance(answer, dict) else {}
        if left := told.get("batchItemFailures"):
            return f"{len(left)} messages of the batch are to come again"
        return f"answered {status}" if (status := told.get("statusCode", 200)) >= 500 else ""

    def left_of(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is delivered again of an event whose delivery failed: of a batch, the messages that are to come again."""
        if not isinstance(self.answer, dict) or "batchItemFailures" not in self.answer:
            return event
        left = {one["itemIdentifier"] for one in self.answer["batchItemFailures"]}
        return {**event, "Records": [one for one in event["Records"] if one["messageId"] in left]}

    def send_to_slack(self, batch: Mapping[str, Any]) -> Mapping[str, Any]:
        """Let slack_sender take a batch of what waits for Slack; returns its answer."""
        if failure := self.deliver("slack_sender", batch):
            assert self.answer, failure
        return self.answer

    def let_time_out(self) -> None:
        """As if an invocation that ended in the middle were long past: another one may take its place."""
        dynamodb = aws.dynamodb()
        for page in dynamodb.get_paginator("scan").paginate(TableName="IdempotencyTable"):
            for item in page["Items"]:
                if item.get("status") == {"S": "INPROGRESS"}:
                    dynamodb.update_item(
                        TableName="IdempotencyTable",
                        Key={"id": item["id"]},
                        UpdateExpression="SET in_progress_expiration = :past",
                        ExpressionAttributeValues={":past": {"N": "0"}},
                    )

    def forget_deliveries(self) -> None:
        """As if no delivery had come to be recorded."""
        dynamodb = aws.dynamodb()
        for item in dynamodb.scan(TableName="IdempotencyTable")["Items"]:
            dynamodb.delete_item(TableName="IdempotencyTable", Key={"id": item["id"]})

    def told(self) -> list[str]:
        """What people and receivers have got so far, one line for each message, in the order of the alphabet.

        E-mails are taken out of their queue, so this is to be asked once; what waits for Slack is posted before.
        """
        self.slack_queue.drain(self.send_to_slack)
        mails = [f"e-mail: {mail['Subject']}\n{mail['Message']}" for mail in self.alerts.received()]
        posts = [
            f"{one.method} {one.path.partition('?')[0]}: {one.body.decode(errors='replace')}" for one in self.web.taken
        ]
        return sorted([*mails, *posts])


@contextmanager
def new_world() -> Iterator[World]:
    """An empty account, with the tables and the topic that nearly all functions use."""
    with (
        pytest.MonkeyPatch.context() as environment,
        empty_account(),
        receiver() as web,
    ):
        for name, value in ENVIRONMENT.items():
            environment.setenv(name, value)
        world = World(environment, create_alerts(), web, create_slack_queue())
        world.set(
            alerts_topic=world.alerts.topic,
            idempotency_table=create_table("IdempotencyTable"),
            **world.slack_queue.variables,
        )
        # Waiting is counted, not done, so that a function that tries again comes to the end of its time at once.
        environment.setattr(time, "sleep", world.sleep)
        for function in (http.request, http.post):
            environment.setitem(function.__kwdefaults__ or {}, "sleep", world.sleep)
        with world.calls.watched():
            yield world
