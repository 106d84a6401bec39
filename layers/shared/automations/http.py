"""HTTPS requests to receivers outside AWS, retried within the time that the invocation has left."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
from requests.exceptions import ChunkedEncodingError, ContentDecodingError
from urllib3.exceptions import MaxRetryError, NewConnectionError

from automations.errors import DeliveryError, Rejected
from automations.waiting import backoff

# It shows addresses, which may hold secrets: of each request at DEBUG, of an answer with a bad header at WARNING.
logging.getLogger("urllib3").setLevel(logging.ERROR)

CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 10.0
MOST_BYTES = 2**20
"""How much of an answer is read, unless the caller wants less or more."""

UNANSWERED = (requests.ConnectionError, requests.Timeout, ChunkedEncodingError, ContentDecodingError)
RETRIED_STATUSES = frozenset({408, 425, 429, *range(500, 600)})


def is_safe_url(url: str) -> bool:
    """Whether messages may be sent there: HTTPS, or plain HTTP to this very machine or the one with the local cloud.

    The local cloud's address is in `AWS_ENDPOINT_URL`, which is empty on AWS.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that hold no IPv6 address
        return False
    if parts.scheme == "http":
        return parts.hostname in {
            "127.0.0.1",
            "localhost",
            urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname or "localhost",
        }
    return parts.scheme == "https" and bool(parts.hostname)


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds asked for by a `Retry-After` header, a number or a date (RFC 9110, 10.2.3); None without a usable one."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(header) - now).total_seconds())
    except (ValueError, TypeError):
        return None


@dataclass(frozen=True)
class Answer:
    """What a receiver answered in the end.

    Attributes:
        headers: their names in any case.
        body: decoded, and no more of it than was wanted.
        cut: whether there was more.
        attempts: how many requests it took, the answered one included.
        seconds: from the start of the last request until its answer was read.
    """

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    cut: bool
    attempts: int
    seconds: float


class NoAnswer(DeliveryError):
    """There was no connection, or no whole answer.

    Attributes:
        sent: whether the receiver may have got the request all the same.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


def attempt(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    receiver: str,
    seconds_left: Callable[[], float],
    most_bytes: int = MOST_BYTES,
) -> Answer:
    """Ask once; see `request`.

    Raises:
        NoAnswer: another attempt may get one.
        DeliveryError: the URL is not usable.
    """
    left = seconds_left()
    began = time.monotonic()
    try:
        with requests.request(
            method,
            url,
            data=body,
            headers=dict(headers),
            timeout=(min(CONNECT_TIMEOUT, left), min(READ_TIMEOUT, max(0.5, left))),
            allow_redirects=False,
            stream=True,
        ) as answer:
            content = _read(answer, most_bytes, seconds_left)
    except UNANSWERED as error:
        raise NoAnswer(f"no answer ({type(error).__name__})", sent=not _unconnected(error)) from None
    except requests.RequestException as error:  # its text may show the URL
        raise DeliveryError(f"{receiver} cannot be reached: {type(error).__name__}") from None
    return Answer(
        status=answer.status_code,
        reason=answer.reason or "",
        headers=answer.headers,
        body=content[:most_bytes],
        cut=len(content) > most_bytes,
        attempts=1,
        seconds=time.monotonic() - began,
    )


def _unconnected(error: requests.RequestException) -> bool:
    """Whether there was no connection on which the request could have been sent."""
    cause = error.args[0] if error.args else None
    return isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError) or (
        isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
    )


def request(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    receiver: str,
    seconds_left: Callable[[], float],
    most_bytes: int = MOST_BYTES,
    sleep: Callable[[float], None] = time.sleep,
) -> Answer:
    """Ask until the receiver gives an answer that stands, whatever its status, or the time is up.

    Tried again: no connection, no whole answer, 408, 425, 429 and 5xx; not before `Retry-After` where the answer has one.
    A redirect is not followed, so that a message only goes where the configuration says.

    Args:
        receiver: what the receiver is called in errors. The URL never appears in them: Slack's is itself a secret.
        seconds_left: the time there is; a wait that does not fit into it is not begun.
        most_bytes: the body is read up to here, so that a large one does not fill the memory.

    Raises:
        DeliveryError: there was no such answer in the time there was, or the URL is not usable.
    """
    attempts = 0
    problem = "no time was left to try"
    while seconds_left() > 0:
        attempts += 1
        wait = backoff(attempts)
        try:
            answer = attempt(
                method, url, body, headers, receiver=receiver, seconds_left=seconds_left, most_bytes=most_bytes
            )
        except NoAnswer as error:
            problem = str(error)
        else:
            if answer.status not in RETRIED_STATUSES:
                return replace(answer, attempts=attempts)
            problem = f"{answer.status} {answer.reason}"
            wait = max(wait, retry_after(answer.headers.get("Retry-After"), datetime.now(UTC)) or 0.0)
        if wait >= seconds_left():
            break
        sleep(wait)
    raise DeliveryError(
        f"{receiver} did not take the message in {attempts} attempt{'s' * (attempts != 1)}; the last: {problem}"
    )


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    receiver: str,
    seconds_left: Callable[[], float],
    sleep: Callable[[float], None] = time.sleep,
) -> Answer:
    """POST until the receiver takes it, says never, or the time is up; see `request`.

    Raises:
        Rejected: the receiver will never take it.
        DeliveryError: it was not taken in the time there was, or the URL is not usable.
    """
    answer = request("POST", url, body, headers, receiver=receiver, seconds_left=seconds_left, sleep=sleep)
    if answer.status >= 300:
        raise refusal(answer, receiver)
    return answer


def refusal(answer: Answer, receiver: str) -> Rejected:
    """The error for an answer that will be the same the next time."""
    return Rejected(f"{receiver} refused the message: {answer.status} {_said(answer)}".strip())


def _read(answer: requests.Response, most_bytes: int, seconds_left: Callable[[], float]) -> bytes:
    """Read the body until one byte more than is wanted is there.

    Raises:
        requests.RequestException: it breaks off, or does not come to its end in the time there is.
    """
    content = bytearray()
    for chunk in answer.iter_content(2**14):
        content += chunk
        if len(content) > most_bytes:
            break
        if seconds_left() <= 0:
            raise requests.Timeout
    return bytes(content)


def _said(answer: Answer) -> str:
    """The receiver's reason when it is one code in small letters, such as Slack's `channel_is_archived`.

    Anything else may repeat the message, which has no place in an error.
    """
    text = answer.body.decode(errors="replace").strip()
    return text if re.fullmatch("[a-z_]{1,60}", text) else answer.reason
