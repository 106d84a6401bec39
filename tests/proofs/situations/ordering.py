"""Baskets that are checked out, and customers who look at their orders."""

from typing import Any

from automations import aws
from tests.api import api_request
from tests.proofs.situations import ANOTHER_ID, Situation
from tests.proofs.world import World
from tests.samples import sample
from tests.template_file import create_table


def _deployed(world: World) -> None:
    world.set(orders_table=create_table("OrdersTable"))


def _orders() -> Any:
    return aws.dynamodb().scan(TableName="OrdersTable")["Items"]


def ordering_placed(world: World) -> Situation:
    """A basket is checked out."""
    _deployed(world)
    event = sample("ordering/basket-checked-out")
    again = ANOTHER_ID | {"time": "2026-11-23T00:00:00Z"}
    return Situation("ordering", event, _orders, again=event | again)


def ordering_read(world: World) -> Situation:
    """A customer reads the orders."""
    _deployed(world)
    world.deliver("ordering", sample("ordering/basket-checked-out"))
    return Situation("ordering", api_request("GET", "/orders/customer-0042"), lambda: world.answer)


SITUATIONS = (ordering_placed, ordering_read)
