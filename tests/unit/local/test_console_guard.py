"""Who may talk to the console."""

import asyncio
import re
from typing import Any

import pytest
from local.console.guard import HEADERS, Guard, hosts

ALLOWED = hosts(8080)


PAGE = b"<title>Page</title><script>one()</script><script src=two.js></script>"


def ask(kind: str = "http", of_type: str = "text/plain", **headers: str) -> list[dict[str, Any]]:
    """What the guarded application answers to a request with these headers."""
    sent: list[dict[str, Any]] = []
    answered = [(b"content-type", of_type.encode()), (b"content-length", str(len(PAGE)).encode())]

    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": answered})
        await send({"type": "http.response.body", "body": PAGE})

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
        {"host": "127.0.0.1:8080", "sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors"},
        {"host": "127.0.0.1:8080", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},  # a link
    ],
)
def test_the_own_page_is_answered_and_told_to_load_nothing_from_elsewhere(headers: dict[str, str]) -> None:
    start, body = ask(**headers)

    assert (start["status"], body["body"]) == (200, PAGE)
    answered = {name.decode(): text.decode() for name, text in start["headers"]}
    assert answered["content-length"] == str(len(PAGE))
    assert answered.items() >= HEADERS.items()
    assert answered["content-security-policy"].startswith("default-src 'self';")


def test_only_the_scripts_that_a_page_is_served_with_may_run_in_it() -> None:
    start, body = ask(of_type="text/html; charset=utf-8", host="127.0.0.1:8080")
    answered = {name.decode(): text.decode() for name, text in start["headers"]}
    [nonce] = re.findall("'nonce-([^']+)'", answered["content-security-policy"])

    assert "'unsafe-inline'" not in re.findall("script-src [^;]+", answered["content-security-policy"])[0]
    assert body["body"] == PAGE.replace(b"<script", f'<script nonce="{nonce}"'.encode())
    assert "content-length" not in answered
    assert nonce not in str(ask(of_type="text/html", host="127.0.0.1:8080"))  # each answer has its own


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
        ({"host": "127.0.0.1:8080", "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, "pages of others"),
        ({"host": "127.0.0.1:8080", "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}, "pages of others"),
    ],
)
def test_other_names_and_other_sites_are_refused(headers: dict[str, str], why: str) -> None:
    start, body = ask(**headers)

    assert start["status"] == 403
    assert why in body["body"].decode()
    assert ask("websocket", **headers)[0]["type"] == "websocket.close"


def test_what_is_no_request_goes_through() -> None:
    assert ask("lifespan")[0]["status"] == 200
