"""A basket, and the event that tells that it was checked out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from automations.events.basket import CheckoutBasket, Currency, Line, total
from automations.publish import EntryTooLarge, entry

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

LARGEST_DETAIL = 256 * 1024
"""Bytes. The basket and the order that is made of it must fit into an item of DynamoDB, which has at most 400 KB."""


class NewBasket(BaseModel):
    """What a customer puts in place of the basket."""

    model_config = ConfigDict(hide_input_in_errors=True, extra="forbid")

    currency: Currency
    lines: tuple[Line, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Basket:
    """Attributes:
    version: an id that every change makes anew; a checkout of the basket has it as its id. "" for an empty basket.
    checking_out: a checkout has begun and is not known to be accepted; until it is, the basket does not change.
    last_checkout_id: of the checkout that emptied the basket last; "" for none.
    """

    customer: str
    currency: str = ""
    lines: tuple[Line, ...] = ()
    version: str = ""
    checking_out: bool = False
    last_checkout_id: str = ""

    def answer(self) -> dict[str, object]:
        """The basket as JSON, prices as strings."""
        return {
            "customer": self.customer,
            "version": self.version,
            "checking_out": self.checking_out,
            "currency": self.currency,
            "lines": [line.model_dump(mode="json") for line in self.lines],
            "total": f"{total(self.lines):f}",
        }


def checkout_entry(basket: Basket, bus: str, source: str) -> PutEventsRequestEntryTypeDef:
    """The entry for PutEvents that tells of the checkout: the same for the same basket, however often it is made.

    Raises:
        EntryTooLarge: EventBridge would refuse it, or DynamoDB the order.
    """
    detail = {
        "checkout_id": basket.version,
        "customer": basket.customer,
        "currency": basket.currency,
        "lines": basket.lines,
        "total": total(basket.lines),
    }
    made = entry(CheckoutBasket, bus, source, "CheckoutBasket", detail)
    if (size := len(made["Detail"].encode())) > LARGEST_DETAIL:
        raise EntryTooLarge(f"It is too large for an order: {size} bytes as an event, of at most {LARGEST_DETAIL}.")
    return made
