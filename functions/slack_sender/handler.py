"""When messages wait for Slack, post them, at most one a second for each channel.

Never drops a message: it is posted, or counted in one like it, or goes back to the queue, or is kept with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import event_parser

from automations.errors import log_failure
from automations.events.sqs import FifoBatch
from automations.settings import EnvSettings
from slack_sender.plan import plan
from slack_sender.sending import Outcome, give_back, send

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(use_rfc3339=True)  # Lambda reads the level of a line only beside such a time
metrics = Metrics(namespace="EventBridgeAutomations")
tracer = Tracer(patch_modules=("botocore",))


class Settings(EnvSettings):
    slack_queue: str
    slack_failed_messages: str
    idempotency_table: str


@logger.inject_lambda_context
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@log_failure(logger)
@event_parser(model=FifoBatch)
def lambda_handler(event: FifoBatch, context: LambdaContext) -> dict[str, Any]:
    settings = Settings.from_env()
    steps = plan(event.records)
    outcome = send(steps, settings, context)
    if outcome.back:
        give_back(outcome.back, settings.slack_queue, logger)
    report(outcome, sorted({message.event_id for step in steps for message in step.messages}))
    return {"batchItemFailures": [{"itemIdentifier": record.message_id} for record in outcome.back]}


def report(outcome: Outcome, events: Sequence[str]) -> None:
    """Log and count what became of the messages; `events` are the ids of those that they are about, so that one can follow an event to here."""
    counts = {
        "SlackMessagesPosted": outcome.posted,
        "SlackMessagesFolded": outcome.folded,
        "SlackMessagesKnown": outcome.known,
        "SlackMessagesRefused": len(outcome.refused),
        "SlackMessagesReturned": len(outcome.back),
    }
    for name, value in counts.items():
        metrics.add_metric(name, MetricUnit.Count, value)
    for record, why in outcome.refused.items():
        logger.error("A message for Slack is kept in SlackFailedMessages", message_id=record.message_id, why=why)
    if outcome.back:
        reasons = outcome.reasons
        logger.warning("Some messages for Slack return to the queue", counts=counts, reasons=reasons, events=events)
    else:
        logger.info("Took a batch of messages for Slack", counts=counts, events=events)
