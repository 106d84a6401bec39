"""Payments and accounts that departments are told of."""

from typing import Any

from tests.proofs.situations import ANOTHER_ID, E_MAIL_TWICE, Situation
from tests.proofs.world import World
from tests.samples import sample
from tests.unit.app_notifications.departments import SETTINGS, create_department


def _situation(world: World, event: dict[str, Any]) -> Situation:
    finance, care = create_department("finance"), create_department("customer-care")
    world.set(finance_topic=finance.topic, customer_care_topic=care.topic, **SETTINGS)
    again = ANOTHER_ID
    return Situation(
        "app_notifications",
        event,
        lambda: None,  # all there is are messages
        told=lambda: [f"{department.topic}: {one}" for department in (finance, care) for one in department.told()],
        again=event | again,
        exceptions=E_MAIL_TWICE,
    )


def app_notifications_payment(world: World) -> Situation:
    """A large payment is completed."""
    return _situation(world, sample("app_notifications/large-payment"))


def app_notifications_account(world: World) -> Situation:
    """An account is created."""
    return _situation(world, sample("app_notifications/account-created"))


SITUATIONS = (app_notifications_payment, app_notifications_account)
