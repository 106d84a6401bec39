"""Ask the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from api_caller import credentials
from api_caller.request import Call, Request
from automations import http


def ask(request: Request, call: Call, most_bytes: int, seconds_left: Callable[[], float]) -> http.Answer:
    """Send the request; with a new token when the API does not accept the one that was kept, which it may have revoked.

    Raises:
        SecretError: there are no usable credentials.
        DeliveryError: there is no token, or no answer that stands in the time there is; see `http.request`.
    """

    def send() -> http.Answer:
        own = credentials.headers(request.auth, request.name, seconds_left)
        return http.request(
            call.method,
            call.url,
            call.body,
            call.headers | own,
            receiver=request.name,
            seconds_left=seconds_left,
            most_bytes=most_bytes,
        )

    answer = send()
    if answer.status == 401 and credentials.forget(request.auth):
        again = send()
        return replace(again, attempts=answer.attempts + again.attempts)
    return answer
