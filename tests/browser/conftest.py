"""The console in headless Chromium, on the tests' own local cloud."""

import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest
from local.cloud import ROOT, Cloud, free_port, wait_for
from local.inbox import keep
from local.receiver import Receiver, receiver
from local.stack import Stack

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    """A headless browser; without one, or without the tests' own environment, the tests are skipped."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is only in .venv-browser: make browser")
    pytest.importorskip("nicegui", reason="nicegui is only in .venv-browser: make browser")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not program:
        pytest.skip(f"No browser is installed; one of {', '.join(BROWSERS)} is needed.")
    playwright.expect.set_options(timeout=60_000)
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("received")


@pytest.fixture(scope="session")
def world(inbox: Path, local_cloud: Cloud) -> Iterator[Receiver]:
    """What the functions post to, and the topics: it keeps each message in a file, as that of `make local` does."""

    def confirm(topic: str, token: str) -> None:
        local_cloud.client("sns").confirm_subscription(TopicArn=topic, Token=token)

    with receiver(keep=lambda request: keep(inbox, request, confirm)) as running:
        yield running


@contextmanager
def served(endpoint: str, inbox: Path) -> Iterator[str]:
    """Address of a console for the cloud at this endpoint."""
    port = free_port()
    with program(["tests.browser.serve", endpoint, str(port), str(inbox)], port) as address:
        yield address


@contextmanager
def program(arguments: list[str], port: int, environment: Mapping[str, str] = MappingProxyType({})) -> Iterator[str]:
    """Address of a console that this program serves at the port."""
    usual = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    variables = {**usual, "PYTHONPATH": str(ROOT), "AWS_EC2_METADATA_DISABLED": "true", **environment}
    with subprocess.Popen([sys.executable, "-m", *arguments], cwd=ROOT, env=variables) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            assert wait_for(lambda: process.poll() is None and answers(address), 60), "the console did not start"
            yield address
        finally:
            process.terminate()


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="session")
def console(chromium: object, stack: Stack, local_cloud: Cloud, inbox: Path) -> Iterator[str]:
    """Address of the console."""
    with served(local_cloud.endpoint, inbox) as address:
        yield address


@pytest.fixture
def page(chromium, console):
    """A page that fails the test when it loads something from elsewhere, or when a script in it fails."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    elsewhere, errors = [], []
    page.on(
        "request",
        lambda request: None if request.url.startswith((console, "data:", "blob:")) else elsewhere.append(request.url),
    )
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert (elsewhere, errors) == ([], [])


@pytest.fixture
def expect(chromium):
    from playwright.sync_api import expect  # it is not in every environment

    return expect
