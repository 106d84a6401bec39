"""The decision: which department is told of an event, what is unusual about it, and in which words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app_notifications.sms import one_sms
from automations.events.application import AccountCreated, PaymentCompleted, decimals
from automations.notify import Message, Severity

if TYPE_CHECKING:
    from decimal import Decimal

    from pydantic import SecretStr

    from app_notifications.handler import Settings

LARGE_PAYMENT = "large-payment"
NEW_REGION = "new-region"
CURRENCY_WITHOUT_THRESHOLD = "currency-without-threshold"


@dataclass(frozen=True)
class Notification:
    """Attributes:
    subject: what the event is about, such as `com.example.payments/PaymentCompleted/pay_1`; one message for each.
    labels: what is unusual about it; empty when nothing is.
    country: where it comes from; ISO 3166-1.
    sms: the short text, without anything personal.
    """

    subject: str
    topic: str
    labels: tuple[str, ...]
    country: str
    message: Message
    sms: str


def plan(event: PaymentCompleted | AccountCreated, settings: Settings) -> Notification:
    """Finance is told of payments, customer care of accounts."""
    if isinstance(event, PaymentCompleted):
        return _payment(event, settings)
    return _account(event, settings)


def _payment(event: PaymentCompleted, settings: Settings) -> Notification:
    payment = event.detail
    labels = (*_size(payment.amount, payment.currency, settings), *_region(payment.country, settings))
    title = f"Payment of {money(payment.amount, payment.currency)} by {payment.method} from {payment.country}"
    facts = {
        "Payment": payment.payment_id,
        "Customer": payment.customer_id,
        "Amount": money(payment.amount, payment.currency),
        "Method": payment.method,
        "Country": payment.country,
        "Completed": f"{payment.completed_at:%Y-%m-%d %H:%M:%S %Z}",
    }
    return _notification(event, payment.payment_id, settings.finance_topic, labels, payment.country, title, facts)


def _account(event: AccountCreated, settings: Settings) -> Notification:
    account = event.detail
    title = f"New {account.plan} account from {account.country}"
    facts = {
        "Account": account.account_id,
        "Customer": account.customer_id,
        "E-mail": masked(account.email),
        "Plan": account.plan,
        "Country": account.country,
        "Created": f"{account.created_at:%Y-%m-%d %H:%M:%S %Z}",
    }
    labels = _region(account.country, settings)
    topic = settings.customer_care_topic
    return _notification(event, account.account_id, topic, labels, account.country, title, facts)


def _notification(
    event: PaymentCompleted | AccountCreated,
    about: str,
    topic: str,
    labels: tuple[str, ...],
    country: str,
    title: str,
    facts: dict[str, str],
) -> Notification:
    remarks = f" ({', '.join(labels)})" if labels else ""
    return Notification(
        subject=f"{event.source}/{event.detail_type}/{about}",
        topic=topic,
        labels=labels,
        country=country,
        message=Message(
            severity=Severity.WARNING if labels else Severity.INFO,
            title=title + remarks,
            event=event,
            facts=facts | {"Unusual": ", ".join(labels) or "nothing"},
        ),
        sms=one_sms(f"{title}{remarks}: {about}"),
    )


def _size(amount: Decimal, currency: str, settings: Settings) -> tuple[str, ...]:
    """A currency without a threshold is unusual itself: nobody said what is much in it."""
    threshold = settings.large_payment_threshold.get(currency)
    if threshold is None:
        return (CURRENCY_WITHOUT_THRESHOLD,)
    return (LARGE_PAYMENT,) if amount >= threshold else ()


def _region(country: str, settings: Settings) -> tuple[str, ...]:
    """Without known countries, none is new."""
    return (NEW_REGION,) if settings.known_countries and country not in settings.known_countries else ()


def money(amount: Decimal, currency: str) -> str:
    """Such as `KRW 1,250,000` or `EUR 1,250.00`, with all decimals of the currency."""
    return f"{currency} {amount:,.{decimals(currency)}f}"


def masked(email: SecretStr) -> str:
    """Enough to recognise an address by, not enough to write to it: `h***@example.com`."""
    name, _, domain = email.get_secret_value().rpartition("@")
    return f"{name[:1]}***@{domain}"
