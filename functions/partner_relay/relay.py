"""Hand one event to its destinations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from automations import delivery, waiting
from automations.errors import DeliveryError, Rejected, SettingsError
from automations.events.partner import PartnerEvent
from automations.notify import Message, Severity, notify, slack
from partner_relay import webhook
from partner_relay.rendering import render
from partner_relay.routes import STACKS_OWN, SlackDestination, Stop, WebhookDestination

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from partner_relay.handler import Settings


def relay(event: PartnerEvent, stops: Sequence[Stop], settings: Settings, context: LambdaContext) -> None:
    """Send the event to each destination that did not get it yet, and report those that refuse it.

    Raises:
        DeliveryError: names each destination that did not take the event; the others did.
    """
    left = waiting.time_left(context)
    try:
        delivery.deliver(
            {
                stop.destination.name: partial(send, event, stop, settings, left, len(stops) - index)
                for index, stop in enumerate(stops)
            },
            key=event.message,
            table=settings.idempotency_table,
            context=context,
        )
    except DeliveryError as error:
        for name, failure in error.failures.items():
            if isinstance(failure, Rejected):
                notify(
                    rejected(event, name, failure, settings.routes_parameter),
                    key=f"rejected/{name}/{event.message}",
                    table=settings.idempotency_table,
                    context=context,
                    topic=settings.alerts_topic,
                )
        raise


def send(event: PartnerEvent, stop: Stop, settings: Settings, left: Callable[[], float], waiting: int) -> None:
    """Send the event to one destination; `waiting` destinations, this one among them, share the time that is left."""
    seconds_left = fair_share(left, waiting)
    match stop.destination:
        case WebhookDestination() as destination:
            webhook.post(event, destination, seconds_left)
        case SlackDestination() as destination:
            key = f"{destination.name}/{event.message}"
            channel = slack_webhook(destination, settings)
            slack.put(render(event, stop.site), channel, queue=settings.slack_queue, key=key)


def slack_webhook(destination: SlackDestination, settings: Settings) -> str:
    """The reference to the webhook's URL: the destination's own, or the stack's.

    Raises:
        SettingsError: the stack has none.
    """
    if destination.slack != STACKS_OWN:
        return destination.slack
    if not settings.slack_webhook:
        raise SettingsError(
            f"The destination {destination.name} is to use the stack's Slack webhook, and there is none. "
            "Set the stack's SlackWebhookSecret or SlackWebhookParameter, or give the destination a reference."
        )
    return settings.slack_webhook


def fair_share(left: Callable[[], float], among: int) -> Callable[[], float]:
    """A clock of one part of the time that is left now, so that a receiver that is down leaves the rest for the others."""
    kept = left() * (among - 1) / among
    return lambda: left() - kept


def rejected(event: PartnerEvent, destination: str, failure: Rejected, parameter: str) -> Message:
    """What to say about a destination that will never take the event."""
    return Message(
        severity=Severity.WARNING,
        title=f"The destination {destination} refuses partner events",
        event=event,
        facts={
            "Destination": destination,
            "Answer": str(failure),
            "Source": event.source,
            "Detail type": event.detail_type,
        },
        text=(
            f"Correct the destination in the routes (SSM parameter {parameter}), or remove it when it is gone for good. "
            "After Lambda's retries the event is in the failed-events queue; sent again, it goes only where it is missing."
        ),
    )
