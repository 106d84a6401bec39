"""One function, invoked several times with one event. Runs on the template's Python, from the artifact.

Writes, as JSON, what bench.recorded.Measured has.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# What the X-Ray SDK sends goes to a port where nobody reads, as fast as to Lambda's daemon.
daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
daemon.bind(("127.0.0.1", 0))
os.environ["AWS_XRAY_DAEMON_ADDRESS"] = f"127.0.0.1:{daemon.getsockname()[1]}"
os.environ["_X_AMZN_TRACE_ID"] = "Root=1-6a0b1c2d-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=1"

CONTEXT = SimpleNamespace(
    function_name="bench",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:ap-northeast-2:111122223333:function:bench",
    aws_request_id="00000000-0000-4000-8000-000000000000",
    get_remaining_time_in_millis=lambda: 60_000,
)


class Watch:
    """What an invocation does beside computing."""

    def __init__(self) -> None:
        self.invocation = 0
        self.begin()

    def begin(self) -> None:
        self.invocation += 1
        self.waited = 0.0
        self.calls: Counter[str] = Counter()

    def sleep(self, seconds: float) -> None:
        self.waited += seconds

    def before_call(self, params: dict[str, Any], event_name: str, **_: Any) -> None:
        """Say in the request which call it is, for the endpoint that answers it."""
        call = event_name.partition(".")[2]
        self.calls[call] += 1
        params["headers"] |= {"Bench-Call": call, "Bench-Invocation": str(self.invocation)}

    def watch_http(self) -> None:
        """Count what `requests` sends, where a function has it."""
        adapters: Any = sys.modules.get("requests.adapters")
        if not adapters:
            return
        send = adapters.HTTPAdapter.send

        def counted(adapter: Any, request: Any, **options: Any) -> Any:
            self.calls[f"http.{request.method}"] += 1
            return send(adapter, request, **options)

        adapters.HTTPAdapter.send = counted


def peak() -> float:
    """MB that the process has had at most. Not what getrusage says, which begins with the parent's."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def main(asked: str, told: str) -> None:
    watch = Watch()
    time.sleep = watch.sleep  # type: ignore[assignment] # before anybody takes it as a default
    importlib.import_module("awslambdaric.bootstrap")
    given = json.loads(Path(asked).read_text())
    module, _, name = given["handler"].rpartition(".")
    handler = getattr(importlib.import_module(module), name)
    start, idle = time.process_time() * 1000, peak()
    importlib.import_module("automations.aws")._session().register("before-call", watch.before_call)
    watch.watch_http()
    invocations = []
    for _ in range(given["times"]):
        watch.begin()
        logged, began = os.fstat(1).st_size, time.process_time()
        answer = handler(given["event"], CONTEXT)
        cpu = (time.process_time() - began) * 1000
        sys.stdout.flush()
        logged = os.fstat(1).st_size - logged
        invocations.append({"cpu": cpu, "calls": watch.calls, "logged": logged, "waited": watch.waited})
        if isinstance(answer, dict) and (answer.get("batchItemFailures") or answer.get("statusCode", 200) >= 400):
            raise RuntimeError(f"The handler answered {answer}")
    if not daemon.recv(65536, socket.MSG_DONTWAIT):
        raise RuntimeError("The tracer sent nothing: what was measured is not what runs on Lambda.")
    Path(told).write_text(json.dumps({"start": start, "idle": idle, "peak": peak(), "invocations": invocations}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
