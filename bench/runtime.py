"""One cold start on Lambda's own runtime: the runtime interface emulator that SAM CLI ships, with the client that Lambda uses."""

from __future__ import annotations

import platform
import re
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import samcli

EMULATORS = {"x86_64": "aws-lambda-rie-x86_64", "aarch64": "aws-lambda-rie-arm64", "arm64": "aws-lambda-rie-arm64"}
PYTHON = Path(__file__).parent.parent / ".venv-runtime" / "bin" / "python"
"""The template's Python with what Lambda's runtime brings (requirements/runtime.txt), compiled as it is there."""

LONGEST_START = 60.0
"""Seconds after which a start has failed."""


@dataclass(frozen=True)
class Function:
    """Attributes:
    name: as it is shown.
    handler: as in the template.
    code: its folders in the order in which they are found: on Lambda /var/task, then /opt/python.
    """

    name: str
    handler: str
    code: Sequence[Path]
    environment: Mapping[str, str] = field(default_factory=dict)


class NoStart(Exception):
    """The function did not start: what the runtime said."""


def start(function: Function) -> float:
    """Start the function once, cold, and return the milliseconds of its initialisation, as the emulator reports them.

    Raises:
        NoStart: the initialisation failed.
    """
    emulator = Path(samcli.__file__).parent / "local" / "rapid" / EMULATORS[platform.machine()]
    port, api = _free_ports(2)
    with tempfile.TemporaryFile("w+") as log:
        process = psutil.Popen(
            [
                emulator,
                *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
                *("--runtime-api-address", f"127.0.0.1:{api}"),
                *(PYTHON, "-m", "awslambdaric", function.handler),
            ],
            cwd=function.code[0],
            env=environment(function),
            stdout=log,
            stderr=log,
        )
        try:
            _invoke(port)
        finally:
            for each in [*process.children(recursive=True), process]:
                each.kill()
            process.wait()
        log.seek(0)
        said = log.read()
    found = re.search(r"INIT REPORT\(durationMs: ([0-9.]+)\)", said)
    if not found or "INIT RTDONE(status: success)" not in said:
        raise NoStart(f"{function.name} did not start.\n{said}")
    return float(found[1])


def output(function: Function, script: str, *arguments: str) -> str:
    """What a script of bench/ prints on the template's Python, where it has the function's code and environment.

    Raises:
        RuntimeError: it failed; what it said.
    """
    command = [str(PYTHON), str(Path(__file__).with_name(script)), *arguments]
    done = subprocess.run(
        command, env=environment(function), cwd=function.code[0], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"bench/{script} failed.\n{done.stderr}")
    return done.stdout


def environment(function: Function) -> dict[str, str]:
    """Only what Lambda sets: nothing of this machine's, and no bytecode is written, as on Lambda's read-only file system."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": ":".join(map(str, function.code)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LAMBDA_TASK_ROOT": str(function.code[0]),
        "AWS_REGION": "ap-northeast-2",
        "AWS_DEFAULT_REGION": "ap-northeast-2",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        **function.environment,
    }


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _invoke(port: int) -> None:
    """Invoke the function with an event that is none: the start is what is measured, and any answer ends it."""
    end = time.monotonic() + LONGEST_START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise NoStart("The runtime interface emulator does not listen.") from None
            time.sleep(0.01)
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    with urllib.request.urlopen(url, b"{}", timeout=LONGEST_START) as response:  # an address of this machine
        response.read()
