"""Who may talk to the console."""

import asyncio
from typing import Any

import pytest
from local.console.guard import HEADERS, Guard, hosts

ALLOWED = hosts(8080)


def ask(kind: str = "http", **headers: str) -> list[dict[str, Any]]:
    """What the guarded application answers to a request with these headers."""
    sent: list[dict[str, Any]] = []

    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"y")]})

    async def send(message) -> None:
        sent.append(message)

    async def receive():
        return {}

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    asyncio.run(Guard(app, ALLOWED)({"type": kind, "headers": raw}, receive, send))
    return sent


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "127.0.0.1:8080"},
        {"host": "localhost:8080", "origin": "http://localhost:8080"},
        {"host": "127.0.0.1:8080", "origin": "http://127.0.0.1:8080"},
    ],
)
def test_the_own_page_is_answered_and_told_to_load_nothing_from_elsewhere(headers: dict[str, str]) -> None:
    [start] = ask(**headers)

    assert start["status"] == 200
    assert dict(start["headers"]) == {b"x": b"y"} | {name.encode(): value.encode() for name, value in HEADERS.items()}


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"host": "evil.example:8080"}, "not to evil.example:8080"),
        ({"host": "127.0.0.1"}, "not to 127.0.0.1."),
        ({"host": "127.0.0.1.evil.example:8080"}, "not to 127.0.0.1.evil"),
        ({}, "not to no name"),
        ({"host": "127.0.0.1:8080", "origin": "https://evil.example"}, "pages of https://evil.example"),
        ({"host": "127.0.0.1:8080", "origin": "https://127.0.0.1:8080"}, "pages of https://127"),
        ({"host": "127.0.0.1:8080", "origin": "http://127.0.0.1:9090"}, "pages of http://127.0.0.1:9090"),
        ({"host": "127.0.0.1:8080", "origin": "null"}, "pages of null"),
        ({"host": "127.0.0.1:8080", "origin": ""}, "pages of ."),
    ],
)
def test_other_names_and_other_sites_are_refused(headers: dict[str, str], why: str) -> None:
    start, body = ask(**headers)

    assert start["status"] == 403
    assert why in body["body"].decode()
    assert ask("websocket", **headers)[0]["type"] == "websocket.close"


def test_what_is_no_request_goes_through() -> None:
    assert ask("lifespan")[0]["status"] == 200
