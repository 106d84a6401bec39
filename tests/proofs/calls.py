"""The calls that a function makes, AWS's and HTTP's: recorded, and each made to fail in the ways in which calls fail.

Calls are found by botocore's event hooks and by the adapter of `requests`, so that no list of them is written by hand.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import moto.core.models  # noqa: F401 # before a session is made, because a session takes moto's hook when it is created
import requests
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from automations import aws


class Fault(StrEnum):
    """How a call fails, after what the SDK itself repeats."""

    THROTTLED = "throttled"
    SERVER_ERROR = "500"
    ACCESS_DENIED = "access denied"
    TIMEOUT_BEFORE = "timeout before it took effect"
    TIMEOUT_AFTER = "timeout after it took effect"
    CRASH_AFTER = "the process ends right after it"


class Crash(BaseException):
    """The process ends here: nothing that catches `Exception` sees it."""


# By botocore's name of the service; the others say ThrottlingException and AccessDeniedException.
THROTTLING = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "ec2": "RequestLimitExceeded",
    "s3": "SlowDown",
    "iam": "Throttling",
    "sns": "Throttling",
    "rds": "Throttling",
}
DENIED = {"ec2": "UnauthorizedOperation", "s3": "AccessDenied", "iam": "AccessDenied", "sns": "AuthorizationError"}


@dataclass(frozen=True)
class Call:
    """One call.

    Attributes:
        service: botocore's name, or `http`.
        operation: the API's, or the method.
        arguments: of the operation; for HTTP the address without its query.
        nth: which of the calls of this operation it is, from 1.
        region: where AWS is called.
    """

    service: str
    operation: str
    nth: int
    arguments: dict[str, Any] = field(default_factory=dict, hash=False, compare=False)
    region: str = ""

    def __str__(self) -> str:
        return f"{self.service}:{self.operation}" + (f" #{self.nth}" if self.nth > 1 else "")


class Calls:
    """The calls made so far, and which one is to fail.

    Attributes:
        fail: the call that fails, as it was recorded in a run without fault, and how; None for no fault.
        failed: whether it came to that.
    """

    def __init__(self) -> None:
        self.made: list[Call] = []
        self.fail: tuple[Call, Fault] | None = None
        self.failed = False
        self._seen: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()  # a function may make calls at the same time

    def forget(self) -> None:
        """Begin anew, without a fault."""
        self.made.clear()
        self._seen.clear()
        self.fail, self.failed = None, False

    def _record(self, service: str, operation: str, arguments: dict[str, Any], region: str = "") -> Fault | None:
        with self._lock:
            self._seen[service, operation] += 1
            call = Call(service, operation, self._seen[service, operation], arguments, region)
            self.made.append(call)
        if not self.fail or self.fail[0] != call:
            return None
        self.failed = True
        return self.fail[1]

    # ---------------------------------------------------------------- AWS, by botocore's hooks

    def _begin(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        # Refused here and not at `before-call`, where a client that answers for moto would come first.
        service = model.service_model.service_name
        context["fault"] = fault = self._record(service, model.name, dict(params), context["client_region"])
        match fault:
            case Fault.TIMEOUT_BEFORE:
                raise ConnectTimeoutError(endpoint_url="https://aws.test")
            case Fault.THROTTLED:
                code = THROTTLING.get(service, "ThrottlingException")
                raise _refusal(429 if service != "s3" else 503, code, model.name)
            case Fault.SERVER_ERROR:
                raise _refusal(500, "InternalFailure", model.name)
            case Fault.ACCESS_DENIED:
                raise _refusal(403, DENIED.get(service, "AccessDeniedException"), model.name)

    def _after(self, context: dict[str, Any], **_: Any) -> None:
        match context.get("fault"):
            case Fault.TIMEOUT_AFTER:
                raise ReadTimeoutError(endpoint_url="https://aws.test")
            case Fault.CRASH_AFTER:
                raise Crash

    # ---------------------------------------------------------------- HTTP, by the adapter of requests

    def _send(self, real: Any) -> Any:
        def send(adapter: Any, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            address = urlsplit(request.url or "")
            place = {"url": f"{address.scheme}://{address.netloc}{address.path}"}
            fault = self._record("http", request.method or "", place)
            match fault:
                case Fault.TIMEOUT_BEFORE:
                    raise requests.ConnectTimeout
                case Fault.THROTTLED | Fault.SERVER_ERROR | Fault.ACCESS_DENIED:
                    return _answer({Fault.THROTTLED: 429, Fault.SERVER_ERROR: 500}.get(fault, 403), request)
            response: requests.Response = real(adapter, request, **options)
            match fault:
                case Fault.TIMEOUT_AFTER:
                    raise requests.ReadTimeout
                case Fault.CRASH_AFTER:
                    raise Crash
            return response

        return send

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Record, and let fail, what the functions' own clients do while this lasts."""
        with (
            patch.object(_Hooks, "calls", self),
            patch.object(requests.adapters.HTTPAdapter, "send", self._send(requests.adapters.HTTPAdapter.send)),
        ):
            yield


class _Hooks:
    """What the functions' clients tell, for good, because a client takes the hooks that there are when it is created."""

    calls: Calls | None = None

    @classmethod
    def register(cls) -> None:
        session: Any = aws._session()
        for event in ("before-parameter-build", "after-call"):
            session.register(event, partial(cls._tell, event))
        aws.forget_clients()

    @classmethod
    def _tell(cls, event: str, **told: Any) -> Any:
        if not cls.calls:
            return None
        hooks: dict[str, Any] = {
            "before-parameter-build": cls.calls._begin,
            "after-call": cls.calls._after,
        }
        return hooks[event](**told)


_Hooks.register()


def _refusal(status: int, code: str, operation: str) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": "The proof lets this call fail."},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 2},
    }
    return ClientError(answer, operation)


def _answer(status: int, request: requests.PreparedRequest) -> requests.Response:
    response = requests.Response()
    response.status_code, response.reason, response.url = status, HTTPStatus(status).phrase, request.url or ""
    response._content, response._content_consumed = b"", True  # type: ignore[attr-defined] # read, as a whole
    return response
