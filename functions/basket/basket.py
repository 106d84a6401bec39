"""A basket, and the event that tells that it was checked out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from automations.errors import AutomationError
from automations.events.basket import Checkout, Currency, Line, total

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

MAX_ENTRY_BYTES = 256 * 1024
"""An entry must be smaller. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html"""

DETAIL_TYPE = "CheckoutBasket"


class BasketTooLarge(AutomationError):
    """The event about the basket would be larger than EventBridge takes."""


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
        BasketTooLarge: EventBridge would refuse it.
    """
    detail = Checkout(
        checkout_id=basket.version,
        customer=basket.customer,
        currency=basket.currency,
        lines=basket.lines,
        total=total(basket.lines),
    )
    text = json.dumps(detail.model_dump(mode="json"), ensure_ascii=False)
    size = len((source + DETAIL_TYPE + text).encode())
    if size >= MAX_ENTRY_BYTES:
        raise BasketTooLarge(
            f"The basket is too large to be checked out: {size} bytes as an event, of less than {MAX_ENTRY_BYTES}. "
            "Split it, or shorten the names."
        )
    return {"EventBusName": bus, "Source": source, "DetailType": DETAIL_TYPE, "Detail": text}
