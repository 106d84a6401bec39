"""When a picture is uploaded, make its derivatives; when it is deleted, delete them.

Never touches what was uploaded, nor an object of the derivatives bucket that was not made of that very source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.correlation_paths import EVENT_BRIDGE
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import event_parser
from pydantic import Field, ValidationInfo, field_validator

from automations.errors import Refused, log_failure
from automations.events.s3 import ObjectChanged
from automations.settings import COMMA_SEPARATED, EnvSettings
from image_resize.derivatives import Absent, Outcome, reconcile
from image_resize.picture import Format

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(use_rfc3339=True)  # Lambda reads the level of a line only beside such a time
metrics = Metrics(namespace="EventBridgeAutomations")
tracer = Tracer(patch_modules=("botocore",))

LONGEST_SIDE = 16383  # of a WebP; https://developers.google.com/speed/webp/faq


class Settings(EnvSettings):
    uploads_bucket: str
    derivatives_bucket: str
    image_sizes: Annotated[list[Annotated[int, Field(ge=1, le=LONGEST_SIDE)]], Field(min_length=1), COMMA_SEPARATED]
    image_formats: Annotated[list[Format], Field(min_length=1), COMMA_SEPARATED]
    max_image_pixels: int = Field(ge=1)
    max_image_bytes: int = Field(ge=1)
    aws_lambda_function_memory_size: int | None = None  # in MB; Lambda sets it

    @field_validator("derivatives_bucket")
    @classmethod
    def _differs(cls, bucket: str, others: ValidationInfo) -> str:
        if bucket == others.data.get("uploads_bucket"):
            raise ValueError("must not be UPLOADS_BUCKET, or each derivative would be resized again, for ever")
        return bucket


@logger.inject_lambda_context(correlation_id_path=EVENT_BRIDGE)
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@log_failure(logger)
@event_parser(model=ObjectChanged)
def lambda_handler(event: ObjectChanged, context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 # Lambda passes it
    settings = Settings.from_env()
    bucket, key = event.detail.bucket.name, event.detail.object.key
    if bucket != settings.uploads_bucket:
        raise Refused(f"The event is of the bucket {bucket}, not of UPLOADS_BUCKET. Correct the rule that sent it.")
    outcome = reconcile(key, settings)
    count(outcome)
    if isinstance(outcome.source, Absent) and not outcome.source.deleted and is_live_upload(event):
        raise Refused(f"s3://{bucket}/{key} does not exist. If it was deleted after its upload, nothing is to be done.")
    why = "Changed a picture's derivatives" if outcome.made or outcome.deleted else "Its derivatives are right already"
    logger.info(why, key=key, sequencer=event.detail.object.sequencer, made=outcome.made, deleted=outcome.deleted)
    return {"key": key, "made": outcome.made, "deleted": outcome.deleted}


def is_live_upload(event: ObjectChanged) -> bool:
    """Whether there should be an object now. One whose upload is replayed may have been deleted long ago."""
    return event.detail_type == "Object Created" and not event.replay_name


def count(outcome: Outcome) -> None:
    for name, keys in (("PicturesResized", outcome.made), ("DerivativesDeleted", outcome.deleted)):
        if keys:
            metrics.add_metric(name, MetricUnit.Count, len(keys))
