"""What is posted: the messages of a batch, those that are alike in one post, and how long a channel waits after a failure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from automations.errors import explain
from automations.events.slack import SlackMessage
from automations.events.sqs import FifoMessage
from automations.notify.slack import context

LONGEST_DELAY = 900


@dataclass(frozen=True)
class Step:
    """Messages of a channel that are dealt with together.

    Attributes:
        channel: the group of the messages in the queue.
        messages: what is told, one for each record; they have the same title and severity.
        why: why the record cannot be told at all; there are no messages then.
    """

    channel: str
    records: tuple[FifoMessage, ...]
    messages: tuple[SlackMessage, ...] = ()
    why: str = ""


def plan(records: Iterable[FifoMessage]) -> Sequence[Step]:
    """A step for each message, in their order. Those of a channel that are alike are one step, in the place of the last of them.

    So what a channel shows last is what happened last: of "triggered, recovered, triggered" it is not the recovery.
    """
    steps: dict[object, Step] = {}
    for record in records:
        channel = record.attributes.message_group_id
        try:
            message = SlackMessage.model_validate(json.loads(record.body))
        except (ValueError, RecursionError) as error:
            why = explain(error, whole="message") if isinstance(error, ValidationError) else "it is not JSON"
            steps[record.message_id] = Step(channel, (record,), why=f"The message is not one of `notify`: {why}")
            continue
        alike = (channel, message.webhook, message.severity, message.payload.text)
        step = steps.pop(alike, Step(channel, ()))
        steps[alike] = Step(channel, (*step.records, record), (*step.messages, message))
    return tuple(steps.values())


def payload(messages: Sequence[SlackMessage]) -> dict[str, Any]:
    """The post that tells the first message, and how many more are like it."""
    first, last = messages[0], messages[-1]
    told: dict[str, Any] = first.payload.model_dump()
    if more := len(messages) - 1:
        title, *rest = told["blocks"]
        count = f"and {more} more like it, the last of {last.event_time:%Y-%m-%d %H:%M:%S} UTC · event {last.event_id}"
        told |= {"text": f"{told['text']} (and {more} more like it)", "blocks": [title, context(count), *rest]}
    return told


def delay(times: int) -> int:
    """Seconds for which a channel waits when its first message failed, having been received so many times."""
    return min(LONGEST_DELAY, 2 ** min(times, 10))
