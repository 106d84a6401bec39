"""An event as a webhook, signed after Standard Webhooks.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

from standardwebhooks import Webhook

from automations import http
from automations.errors import SecretError
from automations.events.partner import PartnerEvent
from automations.secrets import read_secret, standard_key
from partner_relay.routes import WebhookDestination

SHORTEST_KEY = 24
"""Bytes, as the specification demands."""


def body(event: PartnerEvent) -> bytes:
    """The whole event as EventBridge delivered it, as compact JSON."""
    whole = event.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return json.dumps(whole, separators=(",", ":")).encode()


def signer(reference: str) -> Webhook:
    """Make the signer with the key that the secret holds.

    Raises:
        SecretError: names the reference and says what the secret must look like, never what it holds.
    """
    key = standard_key(read_secret(reference))
    if len(key) < SHORTEST_KEY:
        raise SecretError(
            f"The secret {reference} holds no signing key: write whsec_ and the Base64 of at least {SHORTEST_KEY} random bytes."
        )
    return Webhook(key)


def headers(event_id: str, content: bytes, key: Webhook, now: datetime) -> dict[str, str]:
    """Sign the content. The event's id stays the same when it is sent again, so that a receiver can drop duplicates.

    Args:
        now: in UTC; the library takes the time of any other zone for UTC.
    """
    return {
        "Content-Type": "application/json",
        "User-Agent": "eventbridge-automations",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": key.sign(msg_id=event_id, timestamp=now, data=content.decode()),
    }


def post(event: PartnerEvent, destination: WebhookDestination, seconds_left: Callable[[], float]) -> None:
    """Send the event.

    The timestamp is that of the first attempt; all attempts of an invocation are within the five minutes receivers allow.

    Raises:
        SecretError: there is no usable key in the secret.
        DeliveryError: the receiver did not take the event; see `http.post`.
    """
    content = body(event)
    http.post(
        destination.webhook,
        content,
        headers(event.id, content, signer(destination.secret), datetime.now(UTC)),
        receiver=destination.name,
        seconds_left=seconds_left,
    )
