"""Keeps other sites away from the console: whoever can name 127.0.0.1 in a page could use it otherwise.

A foreign name that leads to 127.0.0.1 (DNS rebinding) comes with its own Host header; a foreign page's requests and web sockets come
with its Origin. NiceGUI itself takes web sockets of every origin.
https://fetch.spec.whatwg.org/#origin-header
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from local.cloud import LOOPBACK

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADERS = {
    # Vue compiles NiceGUI's templates in the page, which needs 'unsafe-eval'; nothing comes from elsewhere.
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def hosts(port: int) -> frozenset[str]:
    """What a browser on this machine puts into the Host header."""
    return frozenset({f"{LOOPBACK}:{port}", f"localhost:{port}"})


def refusal(headers: Mapping[str, str], allowed: frozenset[str]) -> str:
    """Why the request is refused; empty when it is not."""
    host, origin = headers.get("host", ""), headers.get("origin")
    if host not in allowed:
        return f"The console answers to {' and '.join(sorted(allowed))} only, not to {host or 'no name'}."
    if origin is not None and origin not in {f"http://{name}" for name in allowed}:
        return f"The console takes nothing from pages of {origin}."
    return ""


class Guard:
    """Refuses what is not of this machine's own page, and tells the browser to load nothing from elsewhere."""

    def __init__(self, app: App, allowed: frozenset[str]) -> None:
        self._app, self._allowed = app, allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        if why := refusal(
            {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}, self._allowed
        ):
            await _refuse(scope, send, why)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *added]
            await send(message)

        await self._app(scope, receive, send_with_headers)


async def _refuse(scope: Scope, send: Send, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why})  # before it is accepted: a 403
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": why.encode()})
