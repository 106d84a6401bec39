"""A burst of 500 events in one second: a third of them tell the same, the others something of their own, for two channels of
Slack. Each goes through `automations.notify` onto the queue (moto's, with FIFO groups and visibility timeouts), and slack_sender
takes them off as Lambda lets it: in batches of ten, where what succeeded is deleted and the rest comes back when its delay is
over. The clock is a virtual one that goes on only while somebody waits or Slack answers. Slack answers in a different way in
each row. No message is lost: each was posted, or was counted in a post ("and 6 more like it"), or is kept with the reason in
the queue of failed messages, from which `failed retry` puts it back. Between two requests for a channel, those that Slack
refused included, there is at least a second.

A message is told twice where Slack took it and nobody knows: its answer did not come, or the process ended before it could be
recorded. That cannot be told from a loss, so it is repeated; without an answer for a second time it is kept instead, since
it could be posted for ever, and its channel waits for 900 seconds. While Slack answers 500, a channel is tried after 2, 4, 8 ... 900
seconds.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import moto.sqs.models
import pytest
import requests
from local.receiver import Answer
from moto.sqs.models import Queue, sqs_backends

from automations import aws, http
from automations.events import Event
from automations.notify import Message, Severity, notify
from slack_sender import sending
from tests.proofs.calls import Crash
from tests.proofs.conftest import Row
from tests.proofs.world import World, new_world
from tests.unit.conftest import ACCOUNT, REGION
from tests.unit.shared.messages import EVENT

EVENTS = 500
HOUR = 3600.0
START = 1_795_316_400.0  # 2026-11-22, for moto's clock
NO_COUNTS: dict[str, Any] = {f"approximate_number_of_messages{which}": 0 for which in ("", "_delayed", "_not_visible")}
"""Moto counts them at each call, which takes a third of the time, and nobody asks for them here."""
CHANNELS = {"/slack": "secretsmanager:slack-webhook", "/support": "secretsmanager:support-webhook"}


@dataclass(frozen=True)
class Reaction:
    """What Slack does with one request.

    Attributes:
        seconds: until the answer is there.
        lost: Slack takes the message, and the answer never comes.
        crash: the sender's process ends when the answer is there.
    """

    answer: Answer = field(default_factory=Answer)
    seconds: float = 0.1
    lost: bool = False
    crash: bool = False


Slack = Callable[[int, float], Reaction]
"""Reacts to a request, given its number from 1 and the seconds since the burst."""


def every(times: int, reaction: Reaction) -> Slack:
    return lambda number, now: reaction if number % times == 0 else Reaction()


def for_an_hour(reaction: Reaction) -> Slack:
    return lambda number, now: reaction if now < HOUR else Reaction()


def asks_to_wait(seconds: int) -> Reaction:
    return Reaction(Answer(429, {"Retry-After": str(seconds)}, b"rate_limited"))


SLACKS: dict[str, Slack] = {
    "takes everything": lambda number, now: Reaction(),
    "answers every 7th request with 429, Retry-After: 20": every(7, asks_to_wait(20)),
    "answers every 20th request with 429, Retry-After: 600": every(20, asks_to_wait(600)),
    "answers 500 for an hour": for_an_hour(Reaction(Answer(500))),
    "answers 500 for four days": lambda number, now: Reaction(Answer(500)) if now < 96 * HOUR else Reaction(),
    "takes 8 seconds for each answer": lambda number, now: Reaction(seconds=8),
    "takes every 10th message and does not answer": every(10, Reaction(lost=True)),
    "takes messages and does not answer for an hour": for_an_hour(Reaction(lost=True)),
    "refuses every 25th message with 400": every(25, Reaction(Answer(400, body=b"invalid_payload"))),
    "takes everything; the sender's process ends after every 25th post": every(25, Reaction(crash=True)),
}


@dataclass
class Burst:
    """What Slack saw.

    Attributes:
        began: seconds at which a request did, by the channel's path.
        taken: the messages that Slack took.
    """

    world: World
    slack: Slack
    began: dict[str, list[float]] = field(default_factory=lambda: {path: [] for path in CHANNELS})
    taken: list[bytes] = field(default_factory=list)

    def send(self, real: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
        """Stands in the way of requests: lets Slack react, and its time pass."""

        def send(adapter: Any, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            path = request.path_url
            self.began[path].append(self.world.waited)
            reaction = self.slack(sum(map(len, self.began.values())), self.world.waited)
            self.world.web.answer(path, reaction.answer)
            response = real(adapter, request, **options)
            if reaction.answer.status < 300:
                self.taken.append(self.world.web.taken[-1].body)
            self.world.sleep(http.READ_TIMEOUT if reaction.lost else reaction.seconds)
            if reaction.lost:
                raise requests.ReadTimeout
            if reaction.crash:
                raise Crash
            return response

        return send

    def deliver(self) -> None:
        """Let Lambda hand over batches until the queue is empty."""
        queue = sqs_backends[ACCOUNT][REGION].get_queue("SlackQueue.fifo")
        while queue._messages:
            batch = self.world.slack_queue.receive()
            if not batch["Records"]:
                hidden = [message.visible_at for message in queue._messages if not message.visible]
                self.world.waited = min(hidden) / 1000 - START + 0.001
            elif self.world.deliver("slack_sender", batch) == "the process ended":
                self.world.let_time_out()
            else:
                self.world.slack_queue.delete(batch, self.world.answer)


@dataclass(frozen=True)
class Told:
    """Attributes:
    events: how many there are, by the title under which they are told.
    queued: what `notify` put on the queue.
    """

    events: Counter[str]
    queued: list[dict[str, str]]

    def put(self, queue: str) -> None:
        """Put it on another queue."""
        for start in range(0, EVENTS, 10):
            batch: Any = [{"Id": str(number), **one} for number, one in enumerate(self.queued[start : start + 10])]
            aws.sqs().send_message_batch(QueueUrl=queue, Entries=batch)


@pytest.fixture(scope="module")
def told() -> Told:
    """The burst goes through `notify` once; the first fifty events come twice."""
    events: Counter[str] = Counter()
    with new_world() as world:
        for number in range(EVENTS):
            event = EVENT.model_dump(by_alias=True) | {"id": f"6a7e8feb-b491-4cf7-a9f1-{number:012}"}
            title = "A port is open to the world" if number % 3 == 0 else f"Build {number} failed"
            events[title] += 1
            for _ in range(1 + (number < 50)):
                notify(
                    Message(Severity.CRITICAL, title, Event.model_validate(event)),
                    key=f"event/{number}",
                    table="IdempotencyTable",
                    context=world.context(),
                    slack_webhook=CHANNELS["/support" if number % 5 == 0 else "/slack"],
                    slack_queue=world.slack_queue.queue,
                )
        messages = sqs_backends[ACCOUNT][REGION].get_queue("SlackQueue.fifo")._messages
        queued = [
            {
                "MessageBody": str(message.body),
                "MessageGroupId": str(message.group_id),
                "MessageDeduplicationId": str(message.deduplication_id),
            }
            for message in messages
        ]
    assert len(queued) == EVENTS
    return Told(events, queued)


def counted(payload: dict[str, Any]) -> Counter[str]:
    """How many events a post tells of, by their title."""
    title, more = re.fullmatch(r"(.*?)(?: \(and (\d+) more like it\))?", payload["text"]).groups()  # type: ignore[union-attr]
    return Counter({title: 1 + int(more or 0)})


@pytest.mark.parametrize("behaviour", SLACKS)
def test_a_burst_is_told_once_and_no_faster_than_slack_allows(behaviour: str, told: Told, row: Row) -> None:
    with (
        new_world() as world,
        patch.object(moto.sqs.models, "unix_time", lambda: START + world.waited),
        patch.object(moto.sqs.models, "unix_time_millis", lambda: (START + world.waited) * 1000),
        patch.multiple(Queue, **NO_COUNTS),
        patch.object(sending, "clock", lambda: datetime.fromtimestamp(START + world.waited, UTC)),
    ):
        for path, webhook in CHANNELS.items():
            name = webhook.partition(":")[2]
            aws.secretsmanager().create_secret(Name=name, SecretString=f"{world.web.url}{path}")
        burst = Burst(world, SLACKS[behaviour])
        told.put(world.slack_queue.queue)
        adapter = requests.adapters.HTTPAdapter
        with patch.object(adapter, "send", burst.send(adapter.send)):
            burst.deliver()

        posts = [json.loads(body) for body in burst.taken]
        posted: Counter[str] = sum(map(counted, posts), Counter())
        kept = Counter(json.loads(message["Body"])["payload"]["text"] for message in world.slack_queue.kept())
        lost = told.events - posted - kept
        gaps = [later - earlier for times in burst.began.values() for earlier, later in pairwise(times)]
        assert not lost
        assert min(gaps) >= 1
        row(
            "Messages",
            Slack=behaviour,
            events=EVENTS,
            requests=sum(map(len, burst.began.values())),
            posts=len(posts),
            counted_in_another_post=posted.total() - len(posts),
            told_twice=(posted + kept - told.events).total(),
            kept_with_the_reason=kept.total(),
            lost=lost.total(),
            seconds_between_two_requests_of_a_channel=f"at least {min(gaps):.1f}",
            minutes_until_all_is_told=round(world.waited / 60),
        )
