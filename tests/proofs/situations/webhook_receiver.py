"""Webhooks that providers send."""

import json
from typing import Any

from tests.proofs.situations import Situation, sent_twice
from tests.proofs.world import World
from tests.samples import sample
from tests.unit.bus import APPLICATION_BUS, create_bus
from tests.unit.webhook_receiver.configuration import PARAMETER, configure, store_secrets, webhook
from tests.unit.webhook_receiver.requests import SECRETS, signed

WRONG = "another-secret-0001"

PUT_TWICE = sent_twice("events:PutEvents", "partner_relay knows the second event by the message's own id")


def _situation(world: World, request: dict[str, Any], again: dict[str, Any] | None = None) -> Situation:
    published = create_bus({"prefix": "webhook."})
    store_secrets()
    configure(*map(webhook, SECRETS))
    world.set(application_bus=APPLICATION_BUS, webhooks_parameter=PARAMETER)

    def told() -> list[str]:
        return [f"{event['source']} {event['detail-type']} {event['detail']}" for event in published()]

    def answer() -> Any:
        return world.answer["statusCode"], world.answer.get("body")

    return Situation("webhook_receiver", request, answer, told=told, again=again, exceptions=PUT_TWICE)


def webhook_receiver_taken(world: World) -> Situation:
    """A provider sends a message; it sends it again with a new signature."""
    payload = sample("partner_relay/webhook-stripe-payment-failed")["detail"]["payload"]
    return _situation(world, signed("stripe", payload), again=signed("stripe", payload, late=-2))


def webhook_receiver_challenge(world: World) -> Situation:
    """A provider wants to see that the address is right."""
    payload = {"type": "url_verification", "challenge": "own-challenge-0001"}
    return _situation(world, signed("slack", json.dumps(payload).encode()))


def webhook_receiver_refused(world: World) -> Situation:
    """Somebody sends a message with a wrong signature."""
    return _situation(world, signed("github", secret=WRONG))


SITUATIONS = (webhook_receiver_taken, webhook_receiver_challenge, webhook_receiver_refused)
