"""Keeps other sites away from the console: whoever can name 127.0.0.1 in a page could use it otherwise.

A foreign name that leads to 127.0.0.1 (DNS rebinding) comes with its own Host header; a foreign page's requests and web sockets come
with its Origin. NiceGUI itself takes web sockets of every origin.
https://fetch.spec.whatwg.org/#origin-header
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from secrets import token_urlsafe
from typing import Any

from local.cloud import LOOPBACK

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADERS = {
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


OWN = frozenset({"same-origin", "none"})
"""What a browser says of requests of the own page and of a person. A picture in a foreign page comes without an Origin.

https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
"""


def policy(nonce: str) -> str:
    """The content security policy of an answer: nothing comes from elsewhere, and only scripts with the nonce stand in the page.

    So text of an event that became a script or an `onerror` by mistake would not run. Vue compiles NiceGUI's templates in the page,
    which needs 'unsafe-eval', and Quasar sets styles there.
    https://www.w3.org/TR/CSP3/#framework-directive-source-list
    """
    return (
        f"default-src 'self'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; "
        "frame-ancestors 'none'"
    )


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
    if headers.get("sec-fetch-site", "none") not in OWN and headers.get("sec-fetch-mode") != "navigate":
        return "The console gives nothing to the pages of others."
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

        nonce = token_urlsafe()
        is_page = False

        async def send_with_headers(message: Message) -> None:
            nonlocal is_page
            if message["type"] == "http.response.start":
                sent = {**HEADERS, "content-security-policy": policy(nonce)}
                headers = [
                    *message.get("headers", []),
                    *((name.encode(), text.encode()) for name, text in sent.items()),
                ]
                is_page = any(name == b"content-type" and text.startswith(b"text/html") for name, text in headers)
                # A page grows by its nonces; the server then sends it in chunks, without its length.
                message["headers"] = [one for one in headers if not (is_page and one[0] == b"content-length")]
            elif is_page and message["type"] == "http.response.body":
                # What an event contains is in no page: it comes by the web socket.
                message["body"] = message["body"].replace(b"<script", f'<script nonce="{nonce}"'.encode())
            await send(message)

        await self._app(scope, receive, send_with_headers)


async def _refuse(scope: Scope, send: Send, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why})  # before it is accepted: a 403
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": why.encode()})
