"""Whether a request comes from who holds the secret: the schemes by which providers sign their webhooks.

What is signed is bytes, and secrets, signatures and what is wrong with them never appear in an error.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from automations.errors import AutomationError, SecretError
from automations.secrets import standard_key

TOLERANCE = timedelta(minutes=5)
"""How far a timestamp may be from now, before or after. Standard Webhooks, Stripe and Slack say five minutes; Zendesk says nothing."""

TOKEN_HEADER = "x-webhook-token"  # noqa: S105 # the name of the header
"""In which Datadog sends the shared token, because one configures it there."""


class BadSignature(AutomationError):
    """The request is not from who holds the secret, or not of now."""


@dataclass(frozen=True)
class Signed:
    """A request as its signature sees it.

    Attributes:
        headers: by their names in small letters.
        body: the very bytes that were sent.
    """

    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """The header.

        Raises:
            BadSignature: it is absent.
        """
        value = self.headers.get(name)
        if not value:
            raise BadSignature(f"The header {name} is absent.")
        return value


Verify = Callable[[Signed, Sequence[str], datetime], bytes]
"""Request, secrets of which one must fit, and the time in UTC; returns what the signature covers.

Raises `BadSignature`; and `SecretError` when a secret cannot be one of the scheme.
"""


def verify_standard(request: Signed, secrets: Sequence[str], now: datetime) -> bytes:
    """https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

    The header holds signatures with spaces between them, each with its version; `v1` alone is symmetric.
    """
    message, timestamp = request.header("webhook-id"), request.header("webhook-timestamp")
    if not re.fullmatch(r"[!-\-/-~]{1,256}", message):  # a full stop would make `id.timestamp.body` ambiguous
        raise BadSignature("The header webhook-id is not an id.")
    content = b".".join((_bytes(message), _bytes(timestamp), request.body))
    given = [
        entry.removeprefix("v1,") for entry in request.header("webhook-signature").split(" ") if entry[:3] == "v1,"
    ]
    _compare(given, [base64.b64encode(_hmac(_key(secret), content)) for secret in secrets])
    _check_time(_seconds(timestamp), now)
    return content


def verify_github(request: Signed, secrets: Sequence[str], now: datetime) -> bytes:  # noqa: ARG001 # it sends no time
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries

    The signature covers the body and nothing else: no time, neither `X-GitHub-Delivery` nor `X-GitHub-Event`.
    """
    scheme, _, signature = request.header("x-hub-signature-256").partition("=")
    _compare([signature] if scheme == "sha256" else [], [_hex(secret, request.body) for secret in secrets])
    return request.body


def verify_stripe(request: Signed, secrets: Sequence[str], now: datetime) -> bytes:
    """https://docs.stripe.com/webhooks#verify-manually

    The header is `t=...,v1=...`, with several `v1` while a secret is rolled. The whole secret is the key, `whsec_` included.
    """
    parts = [part.strip().partition("=") for part in request.header("stripe-signature").split(",")]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1:
        raise BadSignature("The header stripe-signature holds no timestamp, or two.")
    content = _bytes(times[0]) + b"." + request.body
    _compare([value for name, _, value in parts if name == "v1"], [_hex(secret, content) for secret in secrets])
    _check_time(_seconds(times[0]), now)
    return content


def verify_slack(request: Signed, secrets: Sequence[str], now: datetime) -> bytes:
    """https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    timestamp = request.header("x-slack-request-timestamp")
    version, _, signature = request.header("x-slack-signature").partition("=")
    content = b":".join((b"v0", _bytes(timestamp), request.body))
    _compare([signature] if version == "v0" else [], [_hex(secret, content) for secret in secrets])
    _check_time(_seconds(timestamp), now)
    return content


def verify_zendesk(request: Signed, secrets: Sequence[str], now: datetime) -> bytes:
    """https://developer.zendesk.com/documentation/webhooks/verifying/

    The signature covers timestamp and body, but not `X-Zendesk-Webhook-Invocation-Id`.
    """
    timestamp = request.header("x-zendesk-webhook-signature-timestamp")
    content = _bytes(timestamp) + request.body
    expected = [base64.b64encode(_hmac(secret.encode(), content)) for secret in secrets]
    _compare([request.header("x-zendesk-webhook-signature")], expected)
    _check_time(_iso(timestamp), now)
    return content


def verify_datadog(request: Signed, secrets: Sequence[str], now: datetime) -> bytes:  # noqa: ARG001 # it sends no time
    """Datadog signs nothing: https://docs.datadoghq.com/integrations/webhooks/. One has it send a token in a header."""
    given = hashlib.sha256(_bytes(request.header(TOKEN_HEADER))).hexdigest()  # all of one length
    _compare([given], [hashlib.sha256(secret.encode()).hexdigest().encode() for secret in secrets])
    return request.body


SCHEMES: Mapping[str, Verify] = {
    "standard": verify_standard,
    "github": verify_github,
    "stripe": verify_stripe,
    "slack": verify_slack,
    "zendesk": verify_zendesk,
    "datadog": verify_datadog,
}


def _compare(given: Sequence[str], expected: Sequence[bytes]) -> None:
    """A comparison takes the same time, however much of a signature is right.

    Raises:
        BadSignature: none of the given signatures is one of those that are expected.
    """
    if not any(hmac.compare_digest(_bytes(one), right) for one in given for right in expected):
        raise BadSignature("No signature is right.")


def _check_time(sent: datetime, now: datetime) -> None:
    if abs(now - sent) > TOLERANCE:
        raise BadSignature("The timestamp is too old or too new.")


def _seconds(text: str) -> datetime:
    if not re.fullmatch(r"[0-9]{1,11}", text, re.ASCII):
        raise BadSignature("The timestamp is not a number of seconds.")
    return datetime.fromtimestamp(int(text), UTC)


def _iso(text: str) -> datetime:
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text, re.ASCII):
        try:
            return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
        except ValueError:
            pass  # the 30th of February
    raise BadSignature("The timestamp is not a time in UTC.")


def _hmac(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, content, "sha256")


def _hex(secret: str, content: bytes) -> bytes:
    return _hmac(secret.encode(), content).hex().encode()


def _bytes(header: str) -> bytes:
    """JSON can hold half of a surrogate pair, which has no encoding, and no signature holds one."""
    return header.encode(errors="replace")


def _key(secret: str) -> bytes:
    """The key of Standard Webhooks: Base64 after `whsec_`.

    Raises:
        SecretError: it is not; says what it should look like.
    """
    key = standard_key(secret)
    if not key:
        raise SecretError("A secret of Standard Webhooks is whsec_ and Base64. Store it as the provider shows it.")
    return key
