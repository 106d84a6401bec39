"""A web server on this machine that stands for Slack and for webhooks: it keeps what it gets and answers as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    at: float = field(default_factory=time.monotonic, compare=False)
    """Seconds, on the clock of this machine."""

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What to answer; `delay` in seconds comes before it."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    delay: float = 0.0


class Receiver:
    """Keeps the requests, and answers 200 unless told otherwise. Those that it did not refuse are in `taken`, too."""

    def __init__(self, url: str) -> None:
        self._requests: list[Request] = []
        self.taken: list[Request] = []
        self._answers: dict[str, deque[Answer]] = {}
        self._always: dict[str, Answer] = {}
        self._closing = threading.Event()
        self.url = url

    @property
    def requests(self) -> list[Request]:
        """What came in, in its order."""
        return self._requests

    def answer(self, path: str, *answers: Answer) -> None:
        """Give these answers to the next requests for the path, whatever the query, one each; 200 after them."""
        self._answers.setdefault(_bare(path), deque()).extend(answers)

    def always(self, path: str, answer: Answer) -> None:
        """Give this answer to every request for the path, after those of `answer`."""
        self._always[_bare(path)] = answer

    def to(self, path: str) -> list[Request]:
        """What came in for the path."""
        return [request for request in self.requests if request.path == path]

    def forget(self) -> None:
        """Forget what came and what was to be answered."""
        self._requests.clear()
        self.taken.clear()
        self._answers.clear()
        self._always.clear()

    def wait(self) -> None:
        """Wait until the receiver is closed, or the program is interrupted."""
        self._closing.wait()

    def _next(self, request: Request) -> Answer:
        self._requests.append(request)
        path = _bare(request.path)
        waiting = self._answers.get(path)
        answer = waiting.popleft() if waiting else self._always.get(path, Answer())
        if answer.status < 300:
            self.taken.append(request)
        return answer


def _bare(path: str) -> str:
    return path.partition("?")[0]


@contextmanager
def receiver(
    host: str = "127.0.0.1", port: int = 0, keep: Callable[[Request], None] | None = None
) -> Iterator[Receiver]:
    """Run a receiver on the port (0: a free one) for the length of a `with` block; `keep` sees each request."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(self.path, dict(self.headers), body, self.command)
            answer = running._next(request)
            if keep:
                keep(request)
            running._closing.wait(answer.delay)
            try:
                self.send_response(answer.status)
                for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the sender lost its patience, as it should with a slow answer

        do_GET = do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815 # the base class looks for these names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing: what came in is in `requests`."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server((host, port), Handler)
    running = Receiver(f"http://{host}:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running._closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
