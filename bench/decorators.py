"""The handlers' decorators, one after the other, around a handler that counts one event. Runs on the template's Python.

Prints, as JSON, the microseconds of an invocation in each round by what decorates it, and those of one log line as "log line".
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

INVOCATIONS = 500
"""In a round, of each."""

# What the X-Ray SDK sends goes to a port where nobody reads, as fast as to Lambda's daemon.
daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
daemon.bind(("127.0.0.1", 0))
os.environ["AWS_XRAY_DAEMON_ADDRESS"] = f"127.0.0.1:{daemon.getsockname()[1]}"
os.environ["_X_AMZN_TRACE_ID"] = "Root=1-6a0b1c2d-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=1"

from aws_lambda_powertools import Logger, Metrics, Tracer  # noqa: E402 # they read the environment
from aws_lambda_powertools.logging.correlation_paths import EVENT_BRIDGE  # noqa: E402
from aws_lambda_powertools.metrics import MetricUnit  # noqa: E402
from aws_lambda_powertools.utilities.parser import event_parser  # noqa: E402

from automations.errors import log_failure  # noqa: E402
from automations.events.ec2 import InstanceStateChanged  # noqa: E402

logger = Logger(use_rfc3339=True)
metrics = Metrics(namespace="EventBridgeAutomations")
tracer = Tracer(patch_modules=("botocore",))
CONTEXT = SimpleNamespace(
    function_name="bench",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:ap-northeast-2:111122223333:function:bench",
    aws_request_id="00000000-0000-4000-8000-000000000000",
)
DECORATORS: dict[str, Callable[[Any], Any]] = {  # from inside out
    "event_parser": event_parser(model=InstanceStateChanged),
    "log_failure": log_failure(logger),
    "capture_lambda_handler": tracer.capture_lambda_handler(capture_response=False, capture_error=False),
    "log_metrics, with one metric": metrics.log_metrics,
    "inject_lambda_context": logger.inject_lambda_context(correlation_id_path=EVENT_BRIDGE),
}


def handler(event: Any, context: Any) -> None:
    """Does nothing."""


def counting(event: Any, context: Any) -> None:
    metrics.add_metric("Events", MetricUnit.Count, 1)


def measured() -> dict[str, Callable[[Any, Any], Any]]:
    """What is called, by its name: each with one decorator more than the one before it."""
    found: dict[str, Callable[[Any, Any], Any]] = {
        "log line": lambda event, context: logger.info("Told of an instance", instance="i-0123456789abcdef0"),  # noqa: ARG005
        "no decorator": handler,
    }
    used: list[Callable[[Any], Any]] = []
    for name, decorator in DECORATORS.items():
        used.append(decorator)
        decorated: Any = counting if any(one == metrics.log_metrics for one in used) else handler
        for one in used:
            decorated = one(decorated)
        found[name] = decorated
    return found


def main(event_file: str, rounds: int) -> None:
    event = json.loads(Path(event_file).read_text())
    every = measured()
    took: dict[str, list[float]] = {name: [] for name in every}
    results, sys.stdout = sys.stdout, Path(os.devnull).open("w")  # noqa: SIM115 # for as long as the process
    logger.registered_handler.setStream(sys.stdout)  # type: ignore[attr-defined] # a StreamHandler
    for number in range(rounds + 1):
        for name, call in every.items():
            begin = time.perf_counter()
            for _ in range(INVOCATIONS):
                call(event, CONTEXT)
            if number:
                took[name].append((time.perf_counter() - begin) / INVOCATIONS * 1e6)
    if not daemon.recv(65536, socket.MSG_DONTWAIT):
        raise RuntimeError("The tracer sent nothing: what was measured is not what runs on Lambda.")
    json.dump(took, results)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
