"""Baskets that customers read, put, delete and check out."""

import json
from collections.abc import Callable
from typing import Any

from automations import aws
from tests.api import api_request
from tests.proofs.situations import Situation
from tests.proofs.world import World
from tests.template_file import create_table
from tests.unit.bus import APPLICATION_BUS, create_bus

SOURCE = "com.example.basket"
BASKET = "/baskets/customer-1"
MUG = '{"currency": "KRW", "lines": [{"product_id": "mug", "quantity": 3, "unit_price": "0.1"}]}'
TEA = '{"currency": "EUR", "lines": [{"product_id": "tea", "quantity": 1, "unit_price": "4.50"}]}'


def _deployed(world: World) -> Callable[[], Any]:
    """The application with the customer's basket; returns what reads the baskets and the checkouts that were published.

    A checkout that is published twice is one: `ordering` knows it by its id.
    """
    published = create_bus(SOURCE)
    world.set(baskets_table=create_table("BasketsTable"), application_bus=APPLICATION_BUS, event_source=SOURCE)
    assert world.deliver("basket", api_request("PUT", BASKET, MUG)) == ""

    def state() -> Any:
        details = {json.dumps(event["detail"]) for event in published()}
        checkouts = [json.loads(detail) for detail in sorted(details)]
        ids = {checkout.pop("checkout_id") for checkout in checkouts}
        baskets = aws.dynamodb().scan(TableName="BasketsTable")["Items"]
        for basket in baskets:
            basket.pop("expires_at")
            basket.pop("version", None)
            if "last_checkout_id" in basket:
                ids.remove(basket.pop("last_checkout_id")["S"])
        return baskets, checkouts, ids

    return state


def basket_read(world: World) -> Situation:
    """A basket is read."""
    _deployed(world)

    def lines() -> Any:
        return json.loads(world.answer["body"])["lines"]

    return Situation("basket", api_request("GET", BASKET), lines)


def basket_put(world: World) -> Situation:
    """A basket is put in the place of another one."""
    return Situation("basket", state=_deployed(world), event=api_request("PUT", BASKET, TEA))


def basket_deleted(world: World) -> Situation:
    """A basket is deleted."""
    return Situation("basket", state=_deployed(world), event=api_request("DELETE", BASKET))


def basket_checked_out(world: World) -> Situation:
    """A basket is checked out; copies of its event, which have one id, count as one."""
    return Situation("basket", state=_deployed(world), event=api_request("POST", f"{BASKET}/checkout"))


SITUATIONS = (basket_read, basket_put, basket_deleted, basket_checked_out)
