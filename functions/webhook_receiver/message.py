"""The message in a verified request, and the event that is made of it."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NoReturn

from automations import publish
from automations.events.webhook import WebhookReceived
from webhook_receiver.request import Refusal, Request
from webhook_receiver.webhooks import Webhook

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

DEEPEST = 100
"""Levels of nesting, of EventBridge's 1,000: more than any provider needs, and no danger to a reader."""
LARGEST_INTEGER = 2**63 - 1
"""EventBridge's own bound, in both directions."""
LONGEST_KIND = 128
LONGEST_ID = 256
NO_KIND = "Webhook"
"""The detail type of a message that does not say what it is."""


def read_payload(request: Request) -> dict[str, Any]:
    """Read the JSON object that the body is.

    Raises:
        Refusal: it is not one, or one that not every reader would read alike; says why without any of it.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body is not JSON: have the provider send application/json."
        )
    try:
        payload = json.loads(request.body.decode(), object_pairs_hook=_object, parse_constant=_no_number)
        _check(payload)
    except RecursionError:
        raise Refusal(HTTPStatus.BAD_REQUEST, "The body is nested too deeply.") from None
    except UnicodeError:
        raise Refusal(HTTPStatus.BAD_REQUEST, "The body, or a text in it, is not UTF-8.") from None
    except ValueError:
        raise Refusal(HTTPStatus.BAD_REQUEST, "The body is not JSON.") from None
    if not isinstance(payload, dict):
        raise Refusal(HTTPStatus.BAD_REQUEST, "The body is not a JSON object.")
    return payload


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refusal(HTTPStatus.BAD_REQUEST, "The body has a key twice in one object.")
    return found


def _no_number(_: str) -> NoReturn:
    raise Refusal(HTTPStatus.BAD_REQUEST, "The body has NaN or Infinity, which JSON does not know.")


def _check(value: Any, depth: int = 0) -> None:
    """Whether EventBridge can pass the value on.

    Raises:
        Refusal: a number is too large, or the nesting too deep.
        UnicodeError: a text holds half of a surrogate pair.
    """
    if depth > DEEPEST:
        raise Refusal(HTTPStatus.BAD_REQUEST, "The body is nested too deeply.")
    match value:
        case str():
            value.encode()
        case dict():
            for name, part in value.items():
                name.encode()
                _check(part, depth + 1)
        case list():
            for part in value:
                _check(part, depth + 1)
        case float() if not math.isfinite(value):
            raise Refusal(HTTPStatus.BAD_REQUEST, "The body has a number that is too large.")
        case int() if not -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER:
            raise Refusal(HTTPStatus.BAD_REQUEST, "The body has a number that is too large.")


def challenge(webhook: Webhook, payload: Mapping[str, Any]) -> str | None:
    """What Slack wants to see again before it sends events; None for any other message.

    https://docs.slack.dev/reference/events/url_verification
    """
    text = payload.get("challenge")
    asked = webhook.scheme == "slack" and payload.get("type") == "url_verification"
    return text if asked and isinstance(text, str) else None


def message_id(webhook: Webhook, request: Request, payload: Mapping[str, Any], covered: bytes) -> str:
    """What stays the same when the message comes again, and cannot be changed by who recorded it.

    So it is the provider's id only where the signature covers that: headers of GitHub and Zendesk are not covered.

    Args:
        covered: what the signature covers; its hash is the id where there is no other.
    """
    match webhook.scheme, payload:
        case "standard", _:
            given: Any = request.headers["webhook-id"]
        case "stripe" | "datadog", {"id": given}:
            pass
        case "slack", {"event_id": given}:
            pass
        # Other bodies of Zendesk are written by whoever made its trigger: an `id` in them may be the ticket's.
        case "zendesk", {"type": str(kind), "id": given} if kind.startswith("zen:event-type:"):
            pass
        case _:
            given = None
    if isinstance(given, str) and 0 < len(given) <= LONGEST_ID:
        return given
    return f"sha256:{hashlib.sha256(covered).hexdigest()}"


def kind(webhook: Webhook, request: Request, payload: Mapping[str, Any]) -> str:
    """The provider's own name for what happened, as a detail type."""
    match webhook.scheme, payload:
        case "github", _:
            given: Any = request.headers.get("x-github-event")
        case "slack", {"event": {"type": given}}:
            pass
        case "datadog", {"event_type": given}:
            pass
        case _:
            given = payload.get("type")
    text = re.sub(r"[^\x20-\x7e]", "?", given) if isinstance(given, str) else ""
    return text[:LONGEST_KIND].strip() or NO_KIND


def entry(
    webhook: Webhook, request: Request, payload: dict[str, Any], sender_id: str, bus: str
) -> PutEventsRequestEntryTypeDef:
    """The entry for PutEvents.

    Raises:
        Refusal: EventBridge would not take it.
    """
    detail = {"id": sender_id, "scheme": webhook.scheme, "payload": payload}
    source, detail_type = f"webhook.{webhook.provider}", kind(webhook, request, payload)
    try:
        return publish.entry(WebhookReceived, bus, source, detail_type, detail)
    except publish.EntryTooLarge:  # the body was not: 1E5 is written as 100000.0
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "EventBridge would take the event for too large.") from None
