"""Which request is made of an event: the configuration, and the decision for one event."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote, unquote, urlsplit
from uuid import UUID, uuid5

from pydantic import (
    AfterValidator,
    Field,
    PlainValidator,
    ValidationInfo,
    field_validator,
    model_validator,
)

from api_caller.template import Expression, Template, fill_json, parse_json
from automations import http
from automations.errors import Refused
from automations.events.any import AnyEvent
from automations.secrets import Reference
from automations.settings import Configured, read_configuration

NAMESPACE = UUID("5d3a1f0e-6c0f-5e0b-9a53-0f2f5f7c9b61")
LONGEST_KEY = 1024
"""Bytes of the key that says what a call is about; DynamoDB takes 2048."""

# Headers that the function or the HTTP client sets.
OWN_HEADERS = frozenset(
    {"connection", "content-length", "cookie", "host", "idempotency-key", "proxy-authorization", "transfer-encoding"}
)
# Of RFC 3986, without the number sign: a fragment is not sent.
_URL_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]*")
_HOST = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?/")
_HEADER_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")


def _text(value: Any) -> Template:
    if not isinstance(value, str):
        raise ValueError("write text")  # noqa: TRY004 # Pydantic collects ValueErrors
    return Template.parse(value)


def _expression(value: Any) -> Expression:
    if not isinstance(value, str):
        raise ValueError("write a JMESPath expression")  # noqa: TRY004
    return Expression(value)


def _safe_url(text: str) -> str:
    if not _HOST.match(text) or not http.is_safe_url(text) or not _URL_CHARACTERS.fullmatch(text):
        raise ValueError("write an address that begins with https://HOST/, without a user and a fragment")
    return text


def _fixed_host(url: Template) -> Template:
    """No event chooses where the request goes: the host must be spelled out."""
    _safe_url(url.literals[0])
    if not all(_URL_CHARACTERS.fullmatch(literal) for literal in url.literals):
        raise ValueError("percent-encode what an address cannot hold, such as spaces and letters that are not ASCII")
    return url


def _header_name(name: str) -> str:
    if name.lower() in OWN_HEADERS:
        raise ValueError(f"{name} cannot be set")
    return name


Text = Annotated[Template, PlainValidator(_text)]
Url = Annotated[str, AfterValidator(_safe_url)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"), AfterValidator(_header_name)]


class Basic(Configured):
    """The secret is JSON: `username` and `password`."""

    type: Literal["basic"]
    secret: Reference


class ApiKey(Configured):
    """The secret is the header's value."""

    type: Literal["api-key"]
    header: HeaderName = "X-Api-Key"
    secret: Reference


class OAuth(Configured):
    """Client credentials (RFC 6749, 4.4). The secret is JSON: `client_id` and `client_secret`.

    Attributes:
        client_authentication: where the token endpoint wants these: in the `Authorization` header, or in the form.
    """

    type: Literal["oauth-client-credentials"]
    token_url: Url
    scope: str | None = None
    audience: str | None = None
    client_authentication: Literal["basic", "body"] = "basic"
    secret: Reference


Auth = Annotated[Basic | ApiKey | OAuth, Field(discriminator="type")]


class Request(Configured):
    """What is asked of the API for each event.

    Attributes:
        name: what the API is called in logs, errors and records.
        body: a JSON value; each text in it is a template.
        key: what a call is about. Two events with the same key make one call.
        when: the events for which the call is made; without it, all.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    method: Literal["DELETE", "GET", "PATCH", "POST", "PUT"]
    url: Annotated[Template, PlainValidator(_text), AfterValidator(_fixed_host)]
    headers: dict[HeaderName, Text] = Field(default_factory=dict)
    body: Any = None
    auth: Auth | None = None
    key: Text = Template.parse("{{id}}")
    when: Annotated[Expression, PlainValidator(_expression)] | None = None

    @field_validator("body")
    @classmethod
    def _templates(cls, body: Any, info: ValidationInfo) -> Any:
        if body is not None and info.data.get("method") == "GET":
            raise ValueError("a GET request has no body")
        return parse_json(body)

    @model_validator(mode="after")
    def _headers_differ(self) -> Request:
        names = [name.lower() for name in self.headers]
        taken = {"authorization"} | ({self.auth.header.lower()} if isinstance(self.auth, ApiKey) else set())
        bad = sorted({name for name in names if name in taken or names.count(name) > 1})
        if bad:
            raise ValueError(f"credentials belong under auth, and each header is named once; not so {', '.join(bad)}")
        return self


def read_request(text: str, parameter: str) -> Request:
    """Read the configuration from JSON.

    Raises:
        SettingsError: names the parameter, each bad field and why; it shows no value.
    """
    return read_configuration(Request, text, name="request", parameter=parameter)


@dataclass(frozen=True)
class Call:
    """One request, filled in.

    Attributes:
        key: what it is about, after the request's name.
        id: made of the key, so that the receiver knows a request that it got before.
        headers: without the credentials, which are not known yet.
    """

    key: str
    id: UUID
    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None


def plan(event: AnyEvent, request: Request) -> Call | None:
    """Fill the request in; None when its condition does not hold.

    Raises:
        Refused: names the field that cannot be filled in from this event, and why; it shows nothing of the event.
    """
    whole = event.whole()
    try:
        with _at("when"):
            if request.when and not _holds(request.when, whole):
                return None
        with _at("key"):
            key = f"{request.name}/{_key(request.key, whole)}"
        with _at("url"):
            url = _url(request.url, whole)
        headers = {}
        for name, value in request.headers.items():
            with _at(f"headers.{name}"):
                headers[name] = _header(value, whole)
        body = None if request.body is None else _body(request.body, whole)
    except ValueError as error:
        raise Refused(
            f"The request {request.name} cannot be made of this event. {error}. "
            "Correct the expression, give it a default (a || 'b'), or keep such events out with `when`."
        ) from None
    identity = uuid5(NAMESPACE, key)
    defaults = {"Idempotency-Key": str(identity), "User-Agent": "eventbridge-automations"}
    if body is not None:
        defaults["Content-Type"] = "application/json"
    given = {name.lower() for name in headers}
    headers |= {name: value for name, value in defaults.items() if name.lower() not in given}
    return Call(key, identity, request.method, url, headers, body)


@contextmanager
def _at(field: str) -> Iterator[None]:
    """Put the field's name before an error's text."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from None


def _body(body: Any, event: dict[str, Any]) -> bytes:
    return json.dumps(fill_json(body, event, "body"), ensure_ascii=False, separators=(",", ":")).encode()


def _holds(condition: Expression, event: dict[str, Any]) -> bool:
    result = condition.of(event)
    if not isinstance(result, bool):
        raise ValueError(f"{condition.text} gives neither true nor false")  # noqa: TRY004 # named with its field
    return result


def _key(key: Template, event: dict[str, Any]) -> str:
    text = key.text(event)
    if not 0 < len(text.encode()) <= LONGEST_KEY:
        raise ValueError(f"a key has 1 to {LONGEST_KEY} bytes")
    return text


def _header(value: Template, event: dict[str, Any]) -> str:
    text = value.text(event)
    if not _HEADER_VALUE.fullmatch(text):
        raise ValueError("a header's value is printable ASCII, and does not begin or end with a space")
    return text


def _url(url: Template, event: dict[str, Any]) -> str:
    """Fill it in, so that what comes from the event stays in its place: one segment of the path, one value of the query."""

    def encode(text: str) -> str:
        if not text:
            raise ValueError("a piece of the address would be empty")
        return quote(text, safe="")

    filled = url.text(event, encode)
    if {".", ".."} & {unquote(segment) for segment in urlsplit(filled).path.split("/")}:
        raise ValueError("a segment of the path would be . or .., which leads elsewhere")
    return filled
