"""The local cloud: MiniStack in a process of its own, on 127.0.0.1, with a folder of its own that goes away with it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

import boto3
import psutil
from botocore.config import Config

ROOT = Path(__file__).parent.parent
PYTHON = ROOT / ".venv-local" / "bin" / "python"
PATIENT = ROOT / "local" / "patient_ministack.py"
STATE = ROOT / ".local" / "cloud.json"
ACCOUNT = "111122223333"
REGION = "ap-northeast-2"
LOOPBACK = "127.0.0.1"
ONE_AT_A_TIME = Lock()
"""Several threads may use a client, and not the session that makes it.
https://docs.aws.amazon.com/boto3/latest/guide/session.html#multithreading-or-multiprocessing-with-sessions"""

T = TypeVar("T")


class LocalError(Exception):
    """Something about the local cloud that a person can mend; the message says how."""


@dataclass(frozen=True)
class Cloud:
    """A running local cloud.

    Attributes:
        endpoint: address of every AWS API.
        log: what MiniStack itself writes.
        patience: how many seconds an effect may take to be seen before it counts as missing.
        poll: seconds between two looks.
        settling: seconds until a new rule hears events.
        real: whether what MiniStack only stands for happens: pipes run, an archive takes in events after a while.
    """

    endpoint: str
    log: Path
    account: ClassVar[str] = ACCOUNT
    region: ClassVar[str] = REGION
    patience: ClassVar[float] = float(os.environ.get("EFFECT_SECONDS", "90"))
    poll: ClassVar[float] = 0.1
    settling: ClassVar[float] = 0.0
    real: ClassVar[bool] = False

    @cached_property
    def session(self) -> boto3.Session:
        # MiniStack reads the account from the access key.
        return boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="local", region_name=REGION)  # noqa: S106

    def client(self, service: str, config: Config | None = None) -> Any:
        """A boto3 client of the service; what `config` says comes before what is usual here."""
        quick = Config(retries={"total_max_attempts": 2}, connect_timeout=5, read_timeout=60)
        with ONE_AT_A_TIME:
            return self.session.client(  # type: ignore[call-overload]
                service, endpoint_url=self.endpoint, config=quick.merge(config) if config else quick
            )

    def environment(self) -> dict[str, str]:
        """The environment for a program, such as SAM CLI, that is to use this cloud instead of AWS."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return kept | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAM_CLI_TELEMETRY": "0",
        }

    def address(self, url: str) -> str:
        """Where one reaches what has this URL on AWS: a function's, or that of an API of API Gateway."""
        return _local_address(self.endpoint, url)


@dataclass(frozen=True)
class Aws:
    """An AWS account, for what works the same there.

    Attributes:
        profile: of the caller's AWS configuration; without one, the credentials that boto3 finds by itself.
        region: of the stack; samconfig.toml's unless another is given.
        patience, poll: as for the local cloud. CloudWatch Logs shows a line late, Lambda tries a failed event again after one and
            two minutes, and Firehose writes after five.
        settling: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html says "a short period of time".
    """

    profile: str | None = None
    region: str = REGION
    patience: ClassVar[float] = float(os.environ.get("EFFECT_SECONDS", "600"))
    poll: ClassVar[float] = 1.0

    @cached_property
    def session(self) -> boto3.Session:
        return boto3.Session(profile_name=self.profile, region_name=self.region)

    def client(self, service: str, config: Config | None = None) -> Any:
        """A boto3 client of the service."""
        with ONE_AT_A_TIME:
            return self.session.client(service, config=config)  # type: ignore[call-overload]

    def environment(self) -> dict[str, str]:
        """The environment for SAM CLI, which takes the profile and the region as options."""
        return {**os.environ, "SAM_CLI_TELEMETRY": "0"}

    @cached_property
    def account(self) -> str:
        """The account's number, which is asked for once."""
        return str(self.client("sts").get_caller_identity()["Account"])

    @property
    def stand_in(self) -> str:
        """The endpoint of a local cloud that stands in for AWS, in a trial of what is meant for AWS; empty on AWS.

        Two variables of the environment say so: AWS_ENDPOINT_URL, as to any AWS tool, and STAND_IN_FOR_AWS=ministack.
        """
        return os.environ["AWS_ENDPOINT_URL"] if os.environ.get("STAND_IN_FOR_AWS") == "ministack" else ""

    @property
    def real(self) -> bool:
        return not self.stand_in

    @property
    def settling(self) -> float:
        return 60.0 if self.real else 0.0

    def address(self, url: str) -> str:
        """Where one reaches what has this URL: there, unless a local cloud stands in."""
        return _local_address(self.stand_in, url) if self.stand_in else url


def _local_address(endpoint: str, url: str) -> str:
    """Where MiniStack answers for the URL of a function or an API, whose id is the first part of its host."""
    parts = urlsplit(url)
    item, service, *_ = (parts.hostname or "").split(".")
    return f"{endpoint}/_aws/{service}/{item}{parts.path}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(probe: Callable[[], T | None], seconds: float = 30.0, every: float = 0.1) -> T | None:
    """Ask until the answer is true, or the time is up; returns the last answer."""
    end = time.monotonic() + seconds
    while not (answer := probe()) and time.monotonic() < end:
        time.sleep(every)
    return answer


def _is_up(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=5) as answer:  # noqa: S310 # 127.0.0.1
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _launch(host: str, port: int, folder: Path, log: Path, enforces_iam: bool = False) -> subprocess.Popen[bytes]:
    """Start MiniStack with a clean environment: what it has, the functions that it runs would have, too."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "BIND_HOST": host,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": host,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "S3_DATA_DIR": str(folder / "s3"),
        "STATE_DIR": str(folder / "state"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2",
        "AUTH": str(enforces_iam).lower(),
        "POWERTOOLS_TRACE_DISABLED": "true",  # nobody collects traces here
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with log.open("wb") as output:
        return subprocess.Popen(
            [PYTHON, "-P", PATIENT],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that it and the functions' processes are ended together
        )


def _end(pid: int) -> None:
    """End MiniStack and the processes of its functions, which are in its group."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(pid, signal_number)
        except ProcessLookupError:
            return
        try:  # only a parent can and must collect it
            wait_for(lambda: os.waitpid(pid, os.WNOHANG)[0] == pid, 5)
        except ChildProcessError:
            wait_for(lambda: not psutil.pid_exists(pid), 5)


def _await_up(process: subprocess.Popen[bytes], endpoint: str, log: Path) -> None:
    wait_for(lambda: _is_up(endpoint) or process.poll() is not None, 60)
    if not _is_up(endpoint):
        last = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise LocalError(f"The local cloud did not start on {endpoint}. The end of its log:\n{last}")


@contextmanager
def running_cloud(log: Path, *, enforces_iam: bool = False) -> Iterator[Cloud]:
    """A cloud on a free port for the length of a `with` block; nothing of it is left afterwards but its log.

    Args:
        enforces_iam: whether it refuses what the caller's policies do not allow; the functions' callers are their roles.
    """
    folder = Path(tempfile.mkdtemp(prefix="local-cloud-"))
    log.parent.mkdir(parents=True, exist_ok=True)
    endpoint = f"http://{LOOPBACK}:{(port := free_port())}"
    process = _launch(LOOPBACK, port, folder, log, enforces_iam)
    try:
        _await_up(process, endpoint, log)
        yield Cloud(endpoint, log)
    finally:
        _end(process.pid)
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def start(host: str, port: int) -> Cloud:
    """Start a cloud that goes on running after this program, or return the one that runs already.

    Raises:
        LocalError: another one runs at another address, or the port is taken.
    """
    endpoint = f"http://{host}:{port}"
    if running := find():
        if running.endpoint != endpoint:
            raise LocalError(f"The local cloud runs on {running.endpoint} already. Stop it first: make stop")
        return running
    stop()  # what is left of one that died
    for needed in (port, port + 1):
        if is_taken(host, needed):
            raise LocalError(
                f"Port {needed} is in use by another program; the local cloud takes {port} and {port + 1}. "
                "Name another one: make local PORT=4600"
            )
    folder = Path(tempfile.mkdtemp(prefix="local-cloud-"))
    log = ROOT / ".local" / "ministack.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    process = _launch(host, port, folder, log)
    STATE.write_text(json.dumps({"endpoint": endpoint, "log": str(log), "folder": str(folder), "processes": []}))
    remember(process.pid)
    try:
        _await_up(process, endpoint, log)
    except LocalError:
        stop()
        raise
    return Cloud(endpoint, log)


def is_taken(host: str, port: int) -> bool:
    """Whether a program listens there."""
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def remember(pid: int) -> None:
    """Have `stop` end this process too. Its start is kept beside its id, which may later be another process's."""
    state = json.loads(STATE.read_text())
    state["processes"].append({"pid": pid, "started": psutil.Process(pid).create_time()})
    STATE.write_text(json.dumps(state))


def note_deployment(digest: str) -> None:
    """Keep of what the deployment was made (local/changed.py), for as long as this cloud runs."""
    STATE.write_text(json.dumps({**json.loads(STATE.read_text()), "deployed": digest}))


def deployment() -> str:
    """Of what the deployment on the running cloud was made; empty when there is none."""
    return str((_state() or {}).get("deployed", ""))


def find() -> Cloud | None:
    """The cloud that `start` left running, if it still runs."""
    state = _state()
    return Cloud(state["endpoint"], Path(state["log"])) if state and _is_up(state["endpoint"]) else None


def running() -> Cloud:
    """The cloud that `start` left running.

    Raises:
        LocalError: there is none.
    """
    if cloud := find():
        return cloud
    raise LocalError("The local cloud does not run. Start it: make local")


def stop() -> bool:
    """End the cloud that `start` left running, and what belongs to it; False when there was none."""
    state = _state()
    if not state:
        return False
    for process in state["processes"]:
        try:
            if abs(psutil.Process(process["pid"]).create_time() - process["started"]) < 1:
                _end(process["pid"])
        except psutil.NoSuchProcess:
            pass
    shutil.rmtree(state["folder"], ignore_errors=True)
    STATE.unlink()
    return True


def _state() -> dict[str, Any] | None:
    try:
        state: dict[str, Any] = json.loads(STATE.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return state
