"""Events of the application's own ordering service: a pipe publishes them on the application bus from the orders' stream.

OrderEventsPipe of the template writes them, without code, so they hold what its input template can take out of an order: no
lines. Whoever needs the lines reads the order from the API of `ordering`.
"""

from typing import Literal

from pydantic import AwareDatetime, Field

from automations.events import Detail, Event
from automations.events.basket import CheckoutId, Currency, Customer, Total


class Order(Detail):
    """An order as it was written. An event that comes again has the same `order_id`.

    Attributes:
        order_id: the id of the checkout that the order was made from.
        placed_at: when the basket was checked out, which is the time of `CheckoutBasket`.
    """

    order_id: CheckoutId
    customer: Customer
    currency: Currency
    total: Total
    placed_at: AwareDatetime


class OrderPlaced(Event):
    """An order was written. The envelope's `time` is when the event was published."""

    source: str = Field(pattern=r"^com\.[a-z][a-z0-9-]*\.ordering$")
    detail_type: Literal["OrderPlaced"] = Field(alias="detail-type")
    detail: Order
