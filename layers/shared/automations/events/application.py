"""The application's own events, which its services put on the application bus: the contract between them and this stack.

An amount is a decimal in the currency's major unit, written as a JSON string ("1250.00" euros, "98000" won), because a JSON
number becomes a binary float in most languages on its way; it has no more decimals than the currency. Fields that these models
do not know are ignored, so a service may add some. Names, addresses and digits of cards are `SecretStr`: they show as asterisks
wherever a model is logged or printed by mistake.
"""

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic.alias_generators import to_camel

from automations.events import Detail, Event

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""Of a payment, an account or a customer; nothing that says who the customer is."""
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""ISO 4217. Only the form is checked: the list changes, and a service that sells in a currency knows it."""

# ISO 4217, minor units: https://www.six-group.com/en/products-services/financial-information/data-standards.html
_DECIMALS = {
    currency: count
    for count, currencies in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }.items()
    for currency in currencies.split()
}


def decimals(currency: str) -> int:
    """How many decimals an amount in the currency has."""
    return _DECIMALS.get(currency, 2)


_AMOUNT = r"[0-9]{1,15}(\.[0-9]{1,4})?"
_ADDRESS = r"[^@\s]+@[^@\s]+"
_LAST_FOUR = r"[0-9]{4}"


def _in_json(pattern: str, **more: str) -> WithJsonSchema:
    """What a schema says of a string that a function here checks."""
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", **more})


def _is_text(amount: object) -> object:
    if not isinstance(amount, str) or not re.fullmatch(_AMOUNT, amount):
        raise ValueError('must be a string of digits such as "1250.00", in the major unit of the currency')
    return amount


Amount = Annotated[Decimal, BeforeValidator(_is_text), Field(gt=0), _in_json(_AMOUNT)]


def _address(email: SecretStr) -> SecretStr:
    if not re.fullmatch(_ADDRESS, email.get_secret_value()):
        raise ValueError("must be an e-mail address")
    return email


def _last_four(digits: SecretStr) -> SecretStr:
    if not re.fullmatch(_LAST_FOUR, digits.get_secret_value()):
        raise ValueError("must be the last four digits of the card, and no more of its number")
    return digits


Address = Annotated[SecretStr, AfterValidator(_address), _in_json(_ADDRESS, format="password")]
LastFour = Annotated[SecretStr, AfterValidator(_last_four), _in_json(_LAST_FOUR, format="password")]


class ApplicationDetail(Detail):
    """Base of the details: `customer_id` is `customerId` in the event."""

    model_config = ConfigDict(alias_generator=to_camel)


class Payment(ApplicationDetail):
    payment_id: Id
    customer_id: Id
    currency: Currency
    amount: Amount
    method: Literal["card", "bank-transfer", "wallet"]
    country: Country
    """Where the customer paid from."""
    completed_at: AwareDatetime
    card_last_four: LastFour | None = None
    email: Address | None = None

    @field_validator("amount")
    @classmethod
    def _has_the_decimals_of_its_currency(cls, amount: Decimal, others: ValidationInfo) -> Decimal:
        currency = others.data.get("currency", "")
        if amount != round(amount, decimals(currency)):
            raise ValueError(f"must have at most {decimals(currency)} decimals, as its currency has")
        return amount


class Account(ApplicationDetail):
    account_id: Id
    customer_id: Id
    country: Country
    plan: Literal["personal", "business"]
    created_at: AwareDatetime
    name: SecretStr
    email: Address


class PaymentCompleted(Event):
    """A customer's payment has gone through. A payment completes once."""

    source: str = Field(pattern=r"^com\.[a-z][a-z0-9-]*\.payments$")
    detail_type: Literal["PaymentCompleted"] = Field(alias="detail-type")
    detail: Payment


class AccountCreated(Event):
    """Somebody has become a customer."""

    source: str = Field(pattern=r"^com\.[a-z][a-z0-9-]*\.accounts$")
    detail_type: Literal["AccountCreated"] = Field(alias="detail-type")
    detail: Account


class ApplicationEvent(RootModel[PaymentCompleted | AccountCreated]):
    """Either of them, told apart by its detail type."""

    model_config = ConfigDict(hide_input_in_errors=True)

    root: PaymentCompleted | AccountCreated = Field(discriminator="detail_type")
