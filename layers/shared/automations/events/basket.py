"""Events of the application's own basket service, which publishes them on the application bus; ordering reads them."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from automations.events import Detail, Event


def _exact(value: Any) -> Any:
    if isinstance(value, float | bool):
        raise ValueError("Input should be an exact decimal; in an event, a string")  # noqa: TRY004 # pydantic's way
    return value


def _plain(amount: Decimal) -> str:
    """Without an exponent, and zero without a sign."""
    return f"{amount.copy_abs():f}"


IN_JSON = PlainSerializer(_plain, when_used="json")

Price = Annotated[
    Decimal,
    BeforeValidator(_exact),
    Field(ge=0, max_digits=18, decimal_places=4),
    IN_JSON,
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,14}(\.[0-9]{1,4})?$"}),
]
"""An amount in a currency. JSON carries it as a string: Lambda reads the JSON numbers of an event as binary floats."""

Total = Annotated[
    Decimal,
    BeforeValidator(_exact),
    Field(ge=0),
    IN_JSON,
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}),
]
"""A sum of prices."""

CheckoutId = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]

Customer = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""The application's own id of a customer. It is part of addresses and logs: never an e-mail address."""

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""As ISO 4217 names it."""


class Line(Detail):
    product_id: str = Field(min_length=1, max_length=64)
    name: str = Field(default="", max_length=256)
    quantity: int = Field(ge=1, le=9999, strict=True)
    unit_price: Price


def total(lines: Iterable[Line]) -> Decimal:
    """What the lines cost together."""
    return sum((line.quantity * line.unit_price for line in lines), Decimal(0))


class Checkout(Detail):
    """A basket as it was checked out. A checkout that is repeated has the same `checkout_id`."""

    checkout_id: CheckoutId
    customer: Customer
    currency: Currency
    lines: tuple[Line, ...] = Field(min_length=1)
    total: Total

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.total != total(self.lines):
            raise ValueError("total should be the sum of the lines")
        return self


class CheckoutBasket(Event):
    """A customer checks a basket out."""

    source: str = Field(pattern=r"^com\.[a-z][a-z0-9-]*\.basket$")  # the form that all have; a rule demands the one
    detail_type: Literal["CheckoutBasket"] = Field(alias="detail-type")
    detail: Checkout
