"""The messages of a batch, told once each, in the order of their channels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from math import ceil
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from automations import aws, delivery, waiting
from automations.errors import DeliveryError, Rejected
from automations.events.sqs import FifoMessage
from slack_sender.channel import Later, NoTime, Unanswered, post
from slack_sender.plan import LONGEST_DELAY, Step, delay, payload

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from slack_sender.handler import Settings

OLDEST = timedelta(days=3)
"""A message that could not be posted for so long is kept, and so are those behind it: they would not come to their turn before SQS
deletes them, because a queue hands over a later one of a channel only when the first ones are gone."""
LONGEST_REASON = 1000
"""Characters. The reason and the message have room in SQS together; see `notify.slack.LARGEST_BODY`."""
MOST_SECONDS = 11 * 3600
"""A message can be hidden for 12 hours since it was received.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html"""


@dataclass
class Outcome:
    """What became of the messages.

    Attributes:
        posted, folded, known: how many were posted, counted in a post, and told before.
        refused: why, by the record; they are kept in the queue of failed messages.
        waiting: seconds after which a channel's messages come again, by the channel.
        back: those seconds by the record.
        reasons: why channels wait.
    """

    posted: int = 0
    folded: int = 0
    known: int = 0
    refused: dict[FifoMessage, str] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    back: dict[FifoMessage, int] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)


def send(steps: Sequence[Step], settings: Settings, context: LambdaContext) -> Outcome:
    """Take the steps. After a failure all that is left of its channel goes back, so that the order stays."""
    outcome = Outcome()
    for step in steps:
        if step.channel not in outcome.waiting:
            try:
                _take(step, settings, context, outcome)
                continue
            except Exception as error:
                _wait(step, error, outcome)
        _return(step, settings, outcome)
    return outcome


def clock() -> datetime:
    return datetime.now(UTC)


def _return(step: Step, settings: Settings, outcome: Outcome) -> None:
    """Let the messages come again, or keep them when they have come for too long; not when there was only no time for them."""
    if outcome.waiting[step.channel] and clock() - step.records[0].attributes.sent > OLDEST:
        why = f"Nothing could be posted to its channel for {OLDEST.days} days; the last reason: {outcome.reasons[-1]}"
        with suppress(ClientError, BotoCoreError):  # the next time, then
            keep(step.records, why, settings.slack_failed_messages)
            outcome.refused |= dict.fromkeys(step.records, why)
            return
    outcome.back |= dict.fromkeys(step.records, outcome.waiting[step.channel])


def _take(step: Step, settings: Settings, context: LambdaContext, outcome: Outcome) -> None:
    """Tell the messages of the step, or keep what will never be told.

    Raises:
        Exception: neither could be done.
    """
    why = step.why
    if not why:
        try:
            tell(step, settings.idempotency_table, context, outcome)
        except Rejected as error:
            why = str(error)
            if isinstance(error, Unanswered):
                _wait(step, error, outcome)
        else:
            return
    keep(step.records, why, settings.slack_failed_messages)
    outcome.refused |= dict.fromkeys(step.records, why)


def _wait(step: Step, error: Exception, outcome: Outcome) -> None:
    """Let the channel wait longer each time, and at least as long as Slack asks for. Without an answer it waits the longest: each
    message that is not answered is one that people must look at."""
    seconds = delay(step.records[0].attributes.receive_count)
    match error:
        case NoTime():
            seconds = 0
        case Later(seconds=asked):
            seconds = max(seconds, ceil(min(asked, MOST_SECONDS)))
        case Unanswered():
            seconds = LONGEST_DELAY
    outcome.waiting[step.channel] = seconds
    outcome.reasons.append(str(error))


def tell(step: Step, table: str, context: LambdaContext, outcome: Outcome) -> None:
    """Post the messages that were not told yet, as one. The first of them is posted, and all of them are recorded, one by one.

    Raises:
        DeliveryError: they could not be posted, or that could not be recorded.
    """
    left, posted = waiting.time_left(context), False

    def post_the_rest(index: int) -> None:
        nonlocal posted
        if not posted:
            post(payload(step.messages[index:]), step.messages[index].webhook, left)
            posted = True
            outcome.posted += 1
        else:
            outcome.folded += 1

    for index, message in enumerate(step.messages):
        sends = {"channel": partial(post_the_rest, index)}
        try:
            outcome.known += not delivery.deliver(sends, key=message.key, table=table, context=context)
        except DeliveryError as error:
            raise error.failures["channel"] from None


def keep(records: Iterable[FifoMessage], why: str, queue: str) -> None:
    """Put the messages, as they are, into the queue of failed messages, with the reason and the group that they had.

    Each is a group of its own there: whoever reads more than ten of a group must delete them first.
    """
    for record in records:
        aws.sqs().send_message(
            QueueUrl=queue,
            MessageBody=record.body,
            MessageAttributes={
                "ERROR_MESSAGE": {"DataType": "String", "StringValue": why[:LONGEST_REASON]},
                "CHANNEL": {"DataType": "String", "StringValue": record.attributes.message_group_id},
            },
            MessageGroupId=record.message_id,
            MessageDeduplicationId=record.message_id,
        )


def give_back(back: Mapping[FifoMessage, int], queue: str, logger: Logger) -> None:
    """Let the messages come again after their seconds. Where that fails, they come after the queue's visibility timeout."""
    entries = [
        {"Id": str(number), "ReceiptHandle": record.receipt_handle, "VisibilityTimeout": seconds}
        for number, (record, seconds) in enumerate(back.items())
    ]
    try:
        answer = aws.sqs().change_message_visibility_batch(QueueUrl=queue, Entries=entries)  # type: ignore[arg-type]
        problems = [f"{entry['Code']}: {entry.get('Message', '')}" for entry in answer.get("Failed", [])]
    except (ClientError, BotoCoreError) as error:
        problems = [str(error)]
    if problems:
        logger.warning("Some messages come again only after the queue's visibility timeout", reasons=problems)
