"""When a basket is checked out, write the order; when someone asks for a customer's orders, read them back.

Never changes an order that is written, and never touches a basket.
"""

from typing import Annotated, Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_REST, EVENT_BRIDGE
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from automations.errors import log_failure
from automations.events.basket import CheckoutBasket
from automations.rest import rest_api
from automations.settings import EnvSettings
from ordering.orders import Orders

logger = Logger(use_rfc3339=True)  # Lambda reads the level of a line only beside such a time
metrics = Metrics(namespace="EventBridgeAutomations")
tracer = Tracer(patch_modules=("botocore",))
app = rest_api(logger)


class Settings(EnvSettings):
    orders_table: str


@logger.inject_lambda_context(correlation_id_path=f"{API_GATEWAY_REST} || {EVENT_BRIDGE}")
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@log_failure(logger)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if "requestContext" in event:  # of API Gateway; an event of EventBridge has no such field
        return app.resolve(event, context)
    return place(CheckoutBasket.model_validate(event))


def place(event: CheckoutBasket) -> dict[str, Any]:
    """Write the order that the checkout asks for, once."""
    checkout = event.detail
    new = Orders(Settings.from_env().orders_table).place(event)
    if new:
        metrics.add_metric("OrdersPlaced", MetricUnit.Count, 1)
    what = "Placed an order" if new else "The order is there already"
    logger.info(what, customer=checkout.customer, order_id=checkout.checkout_id, lines=len(checkout.lines))
    return {"order_id": checkout.checkout_id, "new": new}


@app.get("/orders/<customer>")
def read(
    customer: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")],
    after: Annotated[str, Query(pattern=r"^([0-9a-f-]{36})?$")] = "",
) -> dict[str, Any]:
    page = Orders(Settings.from_env().orders_table).of(customer, after)
    return {"customer": customer, "orders": page.orders, "after": page.after}
