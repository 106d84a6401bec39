"""When a SaaS partner sends an event, relay it to the destinations that the routes give for it.

Never changes an event, and never sends one where no route leads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.correlation_paths import EVENT_BRIDGE
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import event_parser

from automations.errors import log_failure
from automations.events.partner import PartnerEvent
from automations.notify import NotifySettings
from automations.secrets import read_parameter
from partner_relay.relay import relay
from partner_relay.routes import plan, read_routes

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(use_rfc3339=True)  # Lambda reads the level of a line only beside such a time
metrics = Metrics(namespace="EventBridgeAutomations")
tracer = Tracer(patch_modules=("botocore",))


class Settings(NotifySettings):
    routes_parameter: str


@logger.inject_lambda_context(correlation_id_path=EVENT_BRIDGE)
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@log_failure(logger)
@event_parser(model=PartnerEvent)
def lambda_handler(event: PartnerEvent, context: LambdaContext) -> dict[str, Any]:
    settings = Settings.from_env()
    stops = plan(event, read_routes(read_parameter(settings.routes_parameter), settings.routes_parameter))
    names = [stop.destination.name for stop in stops]
    if not stops:
        logger.info("No route takes this event", source=event.source, detail_type=event.detail_type)
        return {"destinations": names}
    relay(event, stops, settings, context)
    metrics.add_metric("PartnerEventsRelayed", MetricUnit.Count, 1)
    logger.info("Relayed an event", source=event.source, detail_type=event.detail_type, destinations=names)
    return {"destinations": names}
