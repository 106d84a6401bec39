"""When the configured event comes, ask a third party's API what the configuration says, and keep its answer.

Never sends an event where the configuration does not lead, and never follows a redirect.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.correlation_paths import EVENT_BRIDGE
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import event_parser
from pydantic import Field, model_validator

from api_caller import database
from api_caller.api import ask
from api_caller.record import Record, Records, record
from api_caller.request import Call, Request, plan, read_request
from automations import delivery, waiting
from automations.errors import Rejected, log_failure
from automations.events.any import AnyEvent
from automations.secrets import read_parameter
from automations.settings import EnvSettings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(use_rfc3339=True)  # Lambda reads the level of a line only beside such a time
metrics = Metrics(namespace="EventBridgeAutomations")
tracer = Tracer(patch_modules=("botocore",))


class Settings(EnvSettings):
    idempotency_table: str
    request_parameter: str
    responses_bucket: str
    calls_table: str
    retention_days: int = Field(default=90, ge=1)
    max_body_bytes: int = Field(default=262144, ge=0)
    database_cluster: str = ""
    database_secret: str = ""
    database_name: str = ""
    database_table: str = Field(default="api_responses", pattern=database.TABLE_NAME)

    @model_validator(mode="after")
    def _database_is_whole(self) -> Settings:
        if self.database_cluster and not (self.database_secret and self.database_name):
            raise ValueError("DATABASE_CLUSTER needs DATABASE_SECRET and DATABASE_NAME")
        return self


@logger.inject_lambda_context(correlation_id_path=EVENT_BRIDGE)
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@log_failure(logger)
@event_parser(model=AnyEvent)
def lambda_handler(event: AnyEvent, context: LambdaContext) -> dict[str, Any]:
    settings = Settings.from_env()
    request = read_request(read_parameter(settings.request_parameter), settings.request_parameter)
    call = plan(event, request)
    if not call:
        logger.info("The request's condition does not hold for this event", request=request.name)
        return {"request": request.name, "call": None}
    make = partial(apply, event, request, call, settings, context)
    delivery.deliver({request.name: make}, key=call.key, table=settings.idempotency_table, context=context)
    logger.info("The API has got this call", request=request.name, call=str(call.id))
    return {"request": request.name, "call": str(call.id)}


def apply(event: AnyEvent, request: Request, call: Call, settings: Settings, context: LambdaContext) -> None:
    """Make the call, unless its answer is kept already, and keep the answer.

    Raises:
        Rejected: the API refused. That answer is kept, too; when the event comes again, the API is asked again.
    """
    records = Records(settings.responses_bucket, settings.calls_table, settings.retention_days)
    now = datetime.now(UTC)
    found = records.find(call, now)
    if not found or not found.accepted:
        answer = ask(request, call, settings.max_body_bytes, waiting.time_left(context))
        found = record(event, request.name, call, answer, now)
        where = records.keep(call, found)
        tell(found, where)
    if settings.database_cluster:
        database.write(
            database.insert(found, settings.database_table),
            cluster=settings.database_cluster,
            secret=settings.database_secret,
            database=settings.database_name,
        )
    if not found.accepted:
        raise Rejected(f"{request.name} refused the request: {found.status}. Its answer is in {where}")


def tell(found: Record, where: str) -> None:
    """Count and log the answer; nothing of its content."""
    metrics.add_metric("ApiCalls" if found.accepted else "ApiRefusals", MetricUnit.Count, 1)
    metrics.add_metric("ApiLatency", MetricUnit.Milliseconds, found.latency_ms)
    logger.info(
        "The API answered",
        request=found.request,
        call=found.call_id,
        status=found.status,
        attempts=found.attempts,
        latency_ms=found.latency_ms,
        kept=where,
    )
