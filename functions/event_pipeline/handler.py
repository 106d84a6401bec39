"""Take events of several sources from the queue in batches, make each a flat record, and write it to every destination.

Never drops a message: it is delivered, or quarantined with the reason, or goes back to the queue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import event_parser
from botocore.exceptions import BotoCoreError, ClientError

from automations import aws
from automations.errors import DeliveryError, log_failure
from automations.events.sqs import MessageBatch
from automations.settings import EnvSettings
from event_pipeline.destinations import deliver, firehose, kinesis
from event_pipeline.plan import Plan, plan, quarantine, quarantine_key

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(use_rfc3339=True)  # Lambda reads the level of a line only beside such a time
metrics = Metrics(namespace="EventBridgeAutomations")
tracer = Tracer(patch_modules=("botocore",))

NAMED = 10
"""Of so many events the log names the ids, so that one can follow an event to here: a batch has up to a thousand."""


class Settings(EnvSettings):
    event_stream: str
    s3_delivery_stream: str
    redshift_delivery_stream: str = ""
    pipeline_bucket: str


@logger.inject_lambda_context
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@log_failure(logger)
@event_parser(model=MessageBatch)
def lambda_handler(event: MessageBatch, context: LambdaContext) -> dict[str, Any]:
    settings = Settings.from_env()
    now = datetime.now(UTC)
    todo = [plan(message, settings.pipeline_bucket, settings.event_stream, now) for message in event.records]
    failed = apply(todo, settings, context)
    report(todo, failed)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def apply(todo: Sequence[Plan], settings: Settings, context: LambdaContext) -> dict[str, str]:
    """Keep what is to be kept, then write the records; returns why, for each message that must come again."""
    failed = keep(todo, settings.pipeline_bucket)
    destinations = [kinesis(settings.event_stream), firehose(settings.s3_delivery_stream)]
    if settings.redshift_delivery_stream:
        destinations.append(firehose(settings.redshift_delivery_stream))
    records = {item.message_id: item.record for item in todo if item.record and item.message_id not in failed}
    return failed | deliver(records, destinations, lambda: context.get_remaining_time_in_millis() / 1000)


def keep(todo: Sequence[Plan], bucket: str) -> dict[str, str]:
    """Put each oversized event, and all quarantined messages together, into the bucket; returns why, for each message that S3
    did not take."""
    objects = [(item.kept, [item.message_id]) for item in todo if item.kept]
    if quarantined := [item for item in todo if item.quarantined]:
        objects.append((quarantine(quarantined), [item.message_id for item in quarantined]))
    failed: dict[str, str] = {}
    for kept, message_ids in objects:
        try:
            aws.s3().put_object(Bucket=bucket, Key=kept.key, Body=kept.body, ContentType="application/json")
        except (ClientError, BotoCoreError) as error:
            failed |= dict.fromkeys(message_ids, f"s3://{bucket}/{kept.key}: {error}")
    return failed


def report(todo: Sequence[Plan], failed: Mapping[str, str]) -> None:
    """Log and count what became of the messages.

    Raises:
        DeliveryError: all must come again. That is what Lambda makes of the error, too, and its metrics show it.
    """
    reasons = sorted(set(failed.values()))
    if len(failed) == len(todo):
        raise DeliveryError(f"None of {len(todo)} messages could be delivered; they return to the queue. {reasons[0]}")
    unusable = [item for item in todo if item.reason and item.message_id not in failed]
    quarantined = [item for item in unusable if item.quarantined]
    left_out = [item for item in unusable if not item.quarantined]
    if quarantined:
        key = quarantine_key(quarantined)
        logger.warning("Quarantined messages", count=len(quarantined), key=key, reasons=why(quarantined))
    if left_out:
        logger.warning("Left messages out", count=len(left_out), reasons=why(left_out))
    counts = {
        "EventsDelivered": len(todo) - len(unusable) - len(failed),
        "EventsQuarantined": len(unusable),
        "EventsReturned": len(failed),
    }
    for name, value in counts.items():
        metrics.add_metric(name, MetricUnit.Count, value)
    events = [item.record.id for item in todo if item.record][:NAMED]
    if failed:
        logger.error("Some messages return to the queue", counts=counts, reasons=reasons[:10], events=events)
    else:
        logger.info("Took in a batch of messages", counts=counts, events=events)


def why(unusable: Sequence[Plan]) -> list[str]:
    """The first reasons, each once: a batch of messages that are no events is not to fill the log."""
    return sorted({item.reason for item in unusable})[:10]
