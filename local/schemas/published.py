"""The events that have a schema: one line for each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from automations.events.application import AccountCreated, PaymentCompleted
from automations.events.basket import CheckoutBasket
from automations.events.ordering import OrderPlaced

if TYPE_CHECKING:
    from automations.events import Event


@dataclass(frozen=True)
class Published:
    """An event and its model. The source is that of an application by the name of the template's default, `example`."""

    model: type[Event]
    source: str
    detail_type: str

    @property
    def name(self) -> str:
        """Of the schema, formed as EventBridge forms those that it infers: `com.example.basket@CheckoutBasket`."""
        return f"{self.source}@{re.sub(r'[^0-9A-Za-z_.-]', '', self.detail_type)}"


PUBLISHED = (
    Published(CheckoutBasket, "com.example.basket", "CheckoutBasket"),
    Published(OrderPlaced, "com.example.ordering", "OrderPlaced"),
    Published(PaymentCompleted, "com.example.payments", "PaymentCompleted"),
    Published(AccountCreated, "com.example.accounts", "AccountCreated"),
)
