"""A request as a function URL hands it over, and what is answered.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from automations.errors import AutomationError

LARGEST_BODY = 900_000
"""Bytes. An entry of PutEvents must be smaller than 1 MB; this leaves room for what is put around the body."""


class Refusal(AutomationError):
    """The request is answered with this status. The message is for the log: it holds nothing of the request."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Request:
    """Attributes:
    headers: by their names in small letters.
    body: the very bytes that were sent.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def read_request(event: Mapping[str, Any]) -> Request:
    """Take the request out of the function's input.

    Raises:
        Refusal: the body is not what the input says, or too large.
    """
    return Request(
        method=event["requestContext"]["http"]["method"],
        path=event["rawPath"],
        headers={name.lower(): value for name, value in event.get("headers", {}).items()},
        body=_body(event.get("body") or "", bool(event.get("isBase64Encoded"))),
    )


def _body(text: str, is_base64: bool) -> bytes:
    try:
        body = base64.b64decode(text, validate=True) if is_base64 else text.encode()
    except ValueError:
        raise Refusal(HTTPStatus.BAD_REQUEST, "The body cannot be decoded.") from None
    if len(body) > LARGEST_BODY:
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body has {len(body)} bytes of at most {LARGEST_BODY}.")
    return body


def answer(status: HTTPStatus, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An answer that says no more than its status."""
    body = json.dumps({"message": status.phrase})
    return {"statusCode": int(status), "headers": {"Content-Type": "application/json", **(headers or {})}, "body": body}


def text_answer(text: str) -> dict[str, Any]:
    """200 with this text."""
    return {"statusCode": int(HTTPStatus.OK), "headers": {"Content-Type": "text/plain"}, "body": text}
