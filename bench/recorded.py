"""AWS as it answered once: what the calls of a function got from moto, served again on this machine.

So what is measured is the function and botocore, and not moto.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from moto.core.models import botocore_stubber
from tests.proofs.situations import Arrange
from tests.proofs.world import new_world
from tests.template_file import RESOURCES, TEMPLATE

from automations import aws
from bench.runtime import PYTHON, Function, environment

NOT_SENT_AGAIN = frozenset({"transfer-encoding", "connection", "date", "server"})


@dataclass(frozen=True)
class Answer:
    """What AWS answered to a call."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Answers = Callable[[str, int, bytes], Answer]
"""The answer to a call, such as `s3.PutObject`, by which of its kind it is in an invocation, from 0, and by what was sent."""


class NotRecorded(Exception):
    """A function made a call that was not recorded, or its handler failed."""


# ---------------------------------------------------------------- recording

_recording: dict[str, list[Answer]] | None = None


def _ask_moto(request: Any, event_name: str, **_: Any) -> Any:
    """Let moto answer, and keep the answer."""
    if _recording is None:
        return None
    response: Any = botocore_stubber(event_name, request)
    content = response.content
    response.raw = type(response.raw)(content)  # which botocore reads where it streams
    _recording[event_name.partition(".")[2]].append(Answer(content, response.status_code, dict(response.headers)))
    return response


aws._session().get_component("event_emitter").register_first("before-send", _ask_moto)
aws.forget_clients()  # a client takes the hooks that there are when it is created


@contextmanager
def recording() -> Iterator[dict[str, list[Answer]]]:
    """The answers to the functions' calls while this lasts, by call."""
    global _recording  # a hook stays for good
    found: dict[str, list[Answer]] = defaultdict(list)
    _recording = found
    try:
        yield found
    finally:
        _recording = None


def again(recorded: Mapping[str, list[Answer]]) -> Answers:
    """The recorded answers in their order, anew for each invocation; the last one for further calls of a kind."""
    return lambda call, nth, _: recorded[call][min(nth, len(recorded[call]) - 1)]


# ---------------------------------------------------------------- serving


@contextmanager
def served(answers: Answers) -> Iterator[str]:
    """The URL of an endpoint that answers so."""
    seen: dict[tuple[str, str], int] = defaultdict(int)
    lock = Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept, as AWS keeps them
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            call, invocation = self.headers["Bench-Call"], self.headers["Bench-Invocation"]
            with lock:
                nth = seen[invocation, call]
                seen[invocation, call] += 1
            try:
                answer = answers(call, nth, body)
            except LookupError:
                answer = Answer(f"{call} was not recorded".encode(), 501)
            self.send_response_only(answer.status)
            headers = {name.lower(): value for name, value in answer.headers.items()}
            if self.command != "HEAD":  # whose answer tells the length of another one
                headers["content-length"] = str(len(answer.body))
            for name, value in headers.items():
                if name not in NOT_SENT_AGAIN:
                    self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_POST  # noqa: N815 # the base class looks for these names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# ---------------------------------------------------------------- running the artifact against it


@dataclass(frozen=True)
class Invocation:
    """Attributes:
    cpu: milliseconds of the process, all its threads included.
    calls: how many of each kind, such as `s3.PutObject`, and of `http.POST`.
    logged: bytes.
    waited: seconds that the function wanted to sleep, and did not here.
    """

    cpu: float
    calls: Mapping[str, int]
    logged: int
    waited: float


@dataclass(frozen=True)
class Measured:
    """Attributes:
    start: milliseconds of CPU until the handler is imported, Python's own included.
    idle: MB that the process had taken by then, at most; `peak`: in the end.
    invocations: the first of the environment, and those after it.
    """

    start: float
    idle: float
    peak: float
    invocations: list[Invocation]


def invoke(function: Function, event: Mapping[str, Any], times: int, answers: Answers) -> Measured:
    """Invoke the function from its artifact, in a process of its own on the template's Python, with this event so many times.

    Raises:
        NotRecorded: what went wrong there.
    """
    with served(answers) as endpoint, tempfile.TemporaryDirectory() as folder:
        asked, told = Path(folder, "asked.json"), Path(folder, "told.json")
        asked.write_text(json.dumps({"handler": function.handler, "event": event, "times": times}))
        here = replace(function, environment={**function.environment, "AWS_ENDPOINT_URL": endpoint})
        with Path(folder, "log").open("wb") as log:
            done = subprocess.run(
                [PYTHON, Path(__file__).with_name("events.py"), asked, told],
                env=environment(here),
                stdout=log,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        if done.returncode:
            raise NotRecorded(f"{function.name}: {done.stderr}\n{Path(folder, 'log').read_text()[-2000:]}")
        found = json.loads(told.read_text())
    return Measured(**{**found, "invocations": [Invocation(**one) for one in found["invocations"]]})


# ---------------------------------------------------------------- both, for a situation


def run(arrange: Arrange, build: Mapping[str, Function], times: int) -> tuple[str, Measured]:
    """Record AWS's answers in a new world, and invoke the artifact so many times against them; returns the function's name, too."""
    with new_world() as world:
        with quiet():
            situation = arrange(world)
            world.begin()
            with recording() as answers:
                failure = world.deliver(situation.function, situation.event)
        if failure:
            raise NotRecorded(f"{situation.function}: {failure}")
        function = build[situation.function]
        here = replace(function, environment={**function.environment, **deployed(situation.function)})
        return situation.function, invoke(here, situation.event, times, again(answers))


@contextmanager
def quiet() -> Iterator[None]:
    """What the functions log in this process is not shown."""
    logging.disable()
    try:
        with redirect_stdout(StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as the template has it
            yield
    finally:
        logging.disable(logging.NOTSET)


def deployed(function: str) -> dict[str, str]:
    """The function's environment variables, as the situation has set them."""
    own = properties(function).get("Environment", {}).get("Variables", {})
    names = {*TEMPLATE["Globals"]["Function"]["Environment"]["Variables"], *own}
    return {name: os.environ[name] for name in names if name in os.environ}


def properties(function: str) -> dict[str, Any]:
    """What the template says of the function with this folder."""
    [found] = [
        item["Properties"]
        for item in RESOURCES.values()
        if item["Type"] == "AWS::Serverless::Function" and item["Properties"]["Handler"].startswith(f"{function}.")
    ]
    return found


def memory(function: str) -> int:
    """MB that the template gives it."""
    return int(properties(function).get("MemorySize", TEMPLATE["Globals"]["Function"]["MemorySize"]))
