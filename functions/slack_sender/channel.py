"""One post to a channel of Slack, and its answer.

"Posting messages: 1 per second. Short bursts >1 allowed": https://docs.slack.dev/apis/web-api/rate-limits
Slack's refusals: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from automations import http
from automations.errors import DeliveryError, Rejected, SecretError
from automations.secrets import read_secret

PAUSE = 1.0
"""Seconds between two requests for a channel. They are waited out after a request, and not before the next one, so that a next
invocation need not know of it: a FIFO queue hands over nothing of a channel until this invocation ends."""
LONGEST = 2 * (http.CONNECT_TIMEOUT + http.READ_TIMEOUT + PAUSE)
"""Seconds that a message may take, which is asked for twice when the first request is not answered."""


class Later(DeliveryError):
    """Slack does not take the message now.

    Attributes:
        seconds: for which it asks to wait; 0 when it does not say.
    """

    def __init__(self, message: str, seconds: float = 0) -> None:
        super().__init__(message)
        self.seconds = seconds


class NoTime(DeliveryError):
    """The invocation has no time left for a post."""


class Unanswered(Rejected):
    """Slack may have taken the message, twice, and did not say so: to try again by itself could tell it for ever."""


def post(told: Mapping[str, Any], webhook: str, seconds_left: Callable[[], float]) -> None:
    """Post to the incoming webhook whose URL is in the secret that `webhook` refers to.

    Slack that asks to wait is waited for, if that fits into the time left. A request that may have arrived and was not
    answered is repeated once: nobody can know whether Slack took it.

    Raises:
        Later: Slack does not take it now.
        NoTime: the next invocation may.
        Unanswered: nobody knows whether Slack took it.
        Rejected: Slack will never take it.
        SecretError: there is no usable URL in the secret.
    """
    url = read_secret(webhook)
    if not http.is_safe_url(url):
        raise SecretError(f"The secret {webhook} does not hold the URL of a Slack webhook: https://hooks.slack.com/...")
    unanswered = False
    while True:
        if seconds_left() < LONGEST and not unanswered:
            raise NoTime("No time was left to post the message")
        try:
            answer = _ask(url, told, seconds_left)
        except http.NoAnswer as error:
            if not error.sent:
                raise Later(f"Slack cannot be reached: {error}") from None
            if unanswered:
                raise Unanswered(f"Slack may have the message, and did not say so twice: {error}") from None
            unanswered = True
            continue
        if answer.status < 300:
            return
        if answer.status not in http.RETRIED_STATUSES:
            raise http.refusal(answer, "Slack")
        wait = http.retry_after(answer.headers.get("Retry-After"), datetime.now(UTC))
        if wait is None or wait > seconds_left() - LONGEST:
            raise Later(f"Slack does not take messages now: {answer.status} {answer.reason}", wait or 0)
        time.sleep(wait)


def _ask(url: str, told: Mapping[str, Any], seconds_left: Callable[[], float]) -> http.Answer:
    try:
        return http.attempt(
            "POST",
            url,
            json.dumps(told).encode(),
            {"Content-Type": "application/json"},
            receiver="Slack",
            seconds_left=seconds_left,
        )
    finally:
        time.sleep(PAUSE)
