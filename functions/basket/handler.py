"""When a customer reads, puts, deletes or checks out a basket, do so; a checkout is told on the application bus.

Never makes an order: whoever hears of the checkout does. Never empties a basket before the bus has taken the event.
"""

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler.exceptions import ServiceError
from aws_lambda_powertools.event_handler.openapi.params import Path
from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_REST
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from automations import aws
from automations.errors import log_failure
from automations.publish import EntryTooLarge
from automations.rest import rest_api
from automations.settings import EnvSettings
from basket.basket import Basket, NewBasket, checkout_entry
from basket.baskets import Baskets, Changed, CheckingOut

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

logger = Logger(use_rfc3339=True)  # Lambda reads the level of a line only beside such a time
metrics = Metrics(namespace="EventBridgeAutomations")
tracer = Tracer(patch_modules=("botocore",))
app = rest_api(logger)

Customer = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Settings(EnvSettings):
    baskets_table: str
    application_bus: str
    event_source: str


@logger.inject_lambda_context(correlation_id_path=API_GATEWAY_REST)
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@log_failure(logger)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)


@app.get("/baskets/<customer>")
def read(customer: Customer) -> dict[str, Any]:
    return Baskets(Settings.from_env().baskets_table).get(customer).answer()


@app.put("/baskets/<customer>")
def put(customer: Customer, new: NewBasket) -> dict[str, Any]:
    settings = Settings.from_env()
    basket = Basket(customer, new.currency, new.lines, version=str(uuid4()))
    try:
        checkout_entry(basket, settings.application_bus, settings.event_source)  # better refused now than at the end
        Baskets(settings.baskets_table).put(basket)
    except EntryTooLarge as error:
        reason = f"The basket could not be checked out. {error} Split it, or shorten the names."
        raise ServiceError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, reason) from None
    except CheckingOut as error:
        raise ServiceError(HTTPStatus.CONFLICT, str(error)) from None
    logger.info("Put a basket", customer=customer, lines=len(basket.lines))
    return basket.answer()


@app.delete("/baskets/<customer>")
def delete(customer: Customer) -> tuple[None, int]:
    try:
        Baskets(Settings.from_env().baskets_table).delete(customer)
    except CheckingOut as error:
        raise ServiceError(HTTPStatus.CONFLICT, str(error)) from None
    logger.info("Deleted a basket", customer=customer)
    return None, HTTPStatus.NO_CONTENT


@app.post("/baskets/<customer>/checkout")
def checkout(customer: Customer) -> tuple[dict[str, Any], int]:
    settings = Settings.from_env()
    baskets = Baskets(settings.baskets_table)
    basket = baskets.get(customer)
    wanted = app.current_event.headers.get("if-match", "").strip('"') or basket.version
    if basket.last_checkout_id and wanted in {"", basket.last_checkout_id}:  # repeated: its answer was lost
        return {"customer": customer, "checkout_id": basket.last_checkout_id}, HTTPStatus.ACCEPTED
    if wanted != basket.version:
        raise ServiceError(HTTPStatus.PRECONDITION_FAILED, "The basket has another version now. Read it again.")
    if not basket.lines:
        raise ServiceError(HTTPStatus.CONFLICT, "The basket is empty: there is nothing to check out.")
    tell(baskets, basket, settings)
    logger.info("Checked a basket out", customer=customer, checkout_id=basket.version, lines=len(basket.lines))
    metrics.add_metric("BasketsCheckedOut", MetricUnit.Count, 1)
    return {"customer": customer, "checkout_id": basket.version}, HTTPStatus.ACCEPTED


def tell(baskets: Baskets, basket: Basket, settings: Settings) -> None:
    """Hold the basket, publish its checkout, and empty it once the bus has taken the event.

    What fails between two steps is mended by a checkout that is repeated: it publishes the same event again.
    """
    entry = checkout_entry(basket, settings.application_bus, settings.event_source)
    try:
        baskets.begin_checkout(basket)
    except Changed as error:
        raise ServiceError(HTTPStatus.CONFLICT, str(error)) from None
    publish(entry)
    baskets.finish_checkout(basket)


def publish(entry: "PutEventsRequestEntryTypeDef") -> None:
    """Put the event on the bus. PutEvents succeeds even when it did not take the entry, and says so in its answer."""
    answer = aws.events().put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        code = answer["Entries"][0].get("ErrorCode", "no reason given")
        logger.error("EventBridge did not take a checkout; the basket is kept", reason=code)
        raise ServiceError(
            HTTPStatus.SERVICE_UNAVAILABLE, "The checkout could not be passed on. The basket is kept; check out again."
        )
