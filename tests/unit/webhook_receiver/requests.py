"""Requests as a function URL hands them over (payload format 2.0), and as providers sign them.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads. Whether a body is Base64 depends on its content
type; JSON comes as text.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

REQUEST_ID = "2b9bdfd4-1f0c-4dd6-9cf4-3f0e5b1c7a11"
URL_ID = "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6"

KEY = "bWFya2VyLW9mLWEtc2lnbmluZy1rZXktMDE="
SECRETS = {
    "standard": f"whsec_{KEY}",
    "github": "marker-of-the-github-secret",
    "stripe": "whsec_marker0of0the0stripe0secret",
    "slack": "marker0of0the0slack0secret",
    "zendesk": "bWFya2VyLW9mLXRoZS16ZW5kZXNrLXNlY3JldA==",
    "datadog": "marker-of-the-datadog-token",
}
"""By scheme."""

PAYLOADS: dict[str, dict[str, Any]] = {
    "standard": {"type": "customer.created", "data": {"note": "marker-of-the-payload"}},
    "github": {"action": "opened", "issue": {"number": 1, "title": "marker-of-the-payload"}},
    "stripe": {"id": "evt_1", "object": "event", "type": "charge.failed", "note": "marker-of-the-payload"},
    "slack": {
        "type": "event_callback",
        "event_id": "Ev0001",
        "event": {"type": "app_mention", "text": "marker-of-the-payload"},
    },
    "zendesk": {
        "type": "zen:event-type:ticket.created",
        "id": "cbe4028c-7239-495d-b020-f22348516042",
        "detail": {"id": "35440", "subject": "marker-of-the-payload"},
    },
    "datadog": {"id": "7281010972796602999", "event_type": "query_alert_monitor", "title": "marker-of-the-payload"},
}
IDS = {
    "standard": "msg_1",
    "stripe": "evt_1",
    "slack": "Ev0001",
    "zendesk": "cbe4028c-7239-495d-b020-f22348516042",
    "datadog": "7281010972796602999",
}
"""What each message is known by; GitHub's by a hash of its body."""
KINDS = {
    "standard": "customer.created",
    "github": "issues",
    "stripe": "charge.failed",
    "slack": "app_mention",
    "zendesk": "zen:event-type:ticket.created",
    "datadog": "query_alert_monitor",
}


def url_request(
    path: str,
    body: bytes | None = b"",
    headers: dict[str, str] | None = None,
    method: str = "POST",
    encoded: bool = False,
) -> dict[str, Any]:
    """A request; `encoded` has the body come in Base64."""
    text = None if body is None else base64.b64encode(body).decode() if encoded else body.decode()
    domain = f"{URL_ID}.lambda-url.ap-northeast-2.on.aws"
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "content-type": "application/json",
            "host": domain,
            "user-agent": "provider/1.0",
            "x-amzn-tls-version": "TLSv1.3",
            "x-forwarded-for": "192.0.2.44",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            **{name.lower(): value for name, value in (headers or {}).items()},
        },
        "requestContext": {
            "accountId": "anonymous",
            "apiId": URL_ID,
            "domainName": domain,
            "domainPrefix": URL_ID,
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.44",
                "userAgent": "provider/1.0",
            },
            "requestId": REQUEST_ID,
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Nov/2026:04:05:15 +0000",
            "timeEpoch": 1794456315000,
        },
        "isBase64Encoded": encoded,
        **({} if text is None else {"body": text}),
    }


def _digest(secret: bytes, content: bytes) -> bytes:
    return hmac.new(secret, content, hashlib.sha256).digest()


def standard(body: bytes, secret: str, at: float, message: str = "msg_1") -> dict[str, str]:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(_digest(key, f"{message}.{int(at)}.".encode() + body)).decode()
    return {"webhook-id": message, "webhook-timestamp": str(int(at)), "webhook-signature": f"v1,{signature}"}


def github(body: bytes, secret: str, at: float) -> dict[str, str]:
    return {
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": f"sha256={_digest(secret.encode(), body).hex()}",
    }


def stripe(body: bytes, secret: str, at: float) -> dict[str, str]:
    signature = _digest(secret.encode(), b"%d." % at + body).hex()
    return {"Stripe-Signature": f"t={int(at)},v1={signature},v0={'0' * 64}"}


def slack(body: bytes, secret: str, at: float) -> dict[str, str]:
    signature = _digest(secret.encode(), b"v0:%d:" % at + body).hex()
    return {"X-Slack-Request-Timestamp": str(int(at)), "X-Slack-Signature": f"v0={signature}"}


def zendesk(body: bytes, secret: str, at: float) -> dict[str, str]:
    timestamp = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return {
        "X-Zendesk-Webhook-Signature": base64.b64encode(_digest(secret.encode(), timestamp.encode() + body)).decode(),
        "X-Zendesk-Webhook-Signature-Timestamp": timestamp,
        "X-Zendesk-Webhook-Invocation-Id": "01HK6E2W1T5G3X4Y5Z6A7B8C9D",
    }


def datadog(body: bytes, secret: str, at: float) -> dict[str, str]:
    return {"X-Webhook-Token": secret}


SIGNERS: dict[str, Callable[[bytes, str, float], dict[str, str]]] = {
    "standard": standard,
    "github": github,
    "stripe": stripe,
    "slack": slack,
    "zendesk": zendesk,
    "datadog": datadog,
}
"""Each makes the headers for body, secret and time."""


def signed(
    scheme: str,
    payload: dict[str, Any] | bytes | None = None,
    *,
    secret: str | None = None,
    late: float = 0,
    message: str = "msg_1",
    headers: dict[str, str] | None = None,
    encoded: bool = False,
) -> dict[str, Any]:
    """A right request of the scheme, to the path of the same name.

    Args:
        payload: JSON, or the body itself; the scheme's own one without it.
        late: the seconds since it was signed.
        message: the id of Standard Webhooks.
        headers: in place of those that there would be.
    """
    given = PAYLOADS[scheme] if payload is None else payload
    body = given if isinstance(given, bytes) else json.dumps(given).encode()
    sign = partial(standard, message=message) if scheme == "standard" else SIGNERS[scheme]
    made = sign(body, secret or SECRETS[scheme], time.time() - late)
    return url_request(f"/{scheme}", body, made | (headers or {}), encoded=encoded)
