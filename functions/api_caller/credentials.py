"""The headers that tell the API who is asking."""

from __future__ import annotations

import re
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote_plus, urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api_caller.request import ApiKey, Auth, Basic, OAuth
from automations import http
from automations.errors import DeliveryError, Rejected, SecretError, explain
from automations.secrets import read_secret

EARLY = 60
"""Seconds before its end from which a token is not used any more."""
UNKNOWN_LIFE = 300
"""Seconds for which a token is used that does not say how long it lives. https://www.rfc-editor.org/rfc/rfc6749#section-5.1"""

# https://www.rfc-editor.org/rfc/rfc6749#section-5.2
TOKEN_ERRORS = frozenset(
    {
        *("invalid_client", "invalid_grant", "invalid_request", "invalid_scope"),
        *("unauthorized_client", "unsupported_grant_type"),
    }
)


class _Secret(BaseModel):
    """JSON in a secret. Fields that are not known are ignored: Secrets Manager's own secrets have more of them."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class BasicSecret(_Secret):
    username: str = Field(pattern=r"^[^:]+$")  # RFC 7617: the first colon ends it
    password: str


class ClientSecret(_Secret):
    client_id: str = Field(min_length=1)
    client_secret: str = Field(min_length=1)


class TokenAnswer(_Secret):
    """https://www.rfc-editor.org/rfc/rfc6749#section-5.1"""

    access_token: str = Field(pattern=r"^[!-~]+$")
    token_type: str = Field(pattern=r"^(?i:bearer)$")
    expires_in: float = UNKNOWN_LIFE


class TokenError(_Secret):
    error: str = ""


S = TypeVar("S", bound=_Secret)


@dataclass(frozen=True)
class _Token:
    text: str
    used_until: float


_tokens: dict[OAuth, _Token] = {}


def headers(auth: Auth | None, receiver: str, seconds_left: Callable[[], float]) -> dict[str, str]:
    """The headers for the way in which the API knows its callers.

    Raises:
        SecretError: names the secret and what it must hold, never what it holds.
        DeliveryError: there is no token; see `_fetch`.
    """
    match auth:
        case None:
            return {}
        case ApiKey():
            return {auth.header: _header_value(auth.secret)}
        case Basic():
            secret = _read(auth.secret, BasicSecret)
            return {"Authorization": _basic(secret.username, secret.password)}
        case OAuth():
            return {"Authorization": f"Bearer {_token(auth, receiver, seconds_left)}"}


def forget(auth: Auth | None) -> bool:
    """Drop the token that the API did not accept; returns whether a new one can be had."""
    if not isinstance(auth, OAuth):
        return False
    _tokens.pop(auth, None)
    return True


def forget_tokens() -> None:
    """Drop all tokens. For tests."""
    _tokens.clear()


def _header_value(reference: str) -> str:
    text = read_secret(reference)
    if not re.fullmatch(r"[!-~](?:[ -~]*[!-~])?", text):
        raise SecretError(f"The secret {reference} cannot be a header's value. Store one line of printable ASCII.")
    return text


def _read(reference: str, model: type[S]) -> S:
    try:
        return model.model_validate_json(read_secret(reference))
    except ValidationError as error:
        names = " and ".join(model.model_fields)
        raise SecretError(
            f"The secret {reference} must hold JSON with {names}. {explain(error, whole='text')}"
        ) from None


def _basic(user: str, password: str) -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def _token(auth: OAuth, receiver: str, seconds_left: Callable[[], float]) -> str:
    kept = _tokens.get(auth)
    if kept is None or time.time() >= kept.used_until:
        kept = _tokens[auth] = _fetch(auth, receiver, seconds_left)
    return kept.text


def _fetch(auth: OAuth, receiver: str, seconds_left: Callable[[], float]) -> _Token:
    """Ask for a token.

    Raises:
        Rejected: the endpoint gives none to this client; says its error code when it is one of OAuth's own.
        DeliveryError: there was no usable answer in the time there was.
    """
    client = _read(auth.secret, ClientSecret)
    form = {"grant_type": "client_credentials", "scope": auth.scope, "audience": auth.audience}
    asking = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "User-Agent": "eventbridge-automations",
    }
    if auth.client_authentication == "body":
        form |= client.model_dump()
    else:  # encoded before they are joined: https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
        asking["Authorization"] = _basic(quote_plus(client.client_id), quote_plus(client.client_secret))
    endpoint = f"The token endpoint of {receiver}"
    asked_at = time.time()
    answer = http.request(
        "POST",
        auth.token_url,
        urlencode({name: value for name, value in form.items() if value}).encode(),
        asking,
        receiver=endpoint,
        seconds_left=seconds_left,
    )
    if answer.status != 200:
        raise Rejected(f"{endpoint} gives no token: {answer.status} {_reason(answer)}".strip())
    try:
        told = TokenAnswer.model_validate_json(answer.body)
    except ValidationError as error:
        raise DeliveryError(f"{endpoint} gives no usable token. {explain(error, whole='answer')}") from None
    return _Token(told.access_token, asked_at + told.expires_in - EARLY)


def _reason(answer: http.Answer) -> str:
    try:
        code = TokenError.model_validate_json(answer.body).error
    except ValidationError:
        code = ""
    return code if code in TOKEN_ERRORS else answer.reason
