"""`python -m local console`: when it starts and deploys, before it hands over to the page."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from local import __main__ as command_line
from local import cloud as local_cloud
from local.cloud import Cloud, LocalError

RUNNING = Cloud("http://127.0.0.1:4600", Path("log"))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What is started, and the program that takes this one's place; the local cloud runs, with the deployment `made of this`."""
    found: list[tuple[Any, ...]] = []
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.delenv("BIND_HOST", raising=False)
    monkeypatch.setattr(command_line, "CONSOLE_PYTHON", Path(sys.executable))
    monkeypatch.setattr(command_line, "digest", lambda: "made of this")
    monkeypatch.setattr(command_line, "start", lambda *place: found.append(("start", *place)))
    monkeypatch.setattr(os, "execv", lambda program, arguments: found.append(tuple(arguments[1:])))
    monkeypatch.setattr(local_cloud, "find", lambda: RUNNING)
    monkeypatch.setattr(local_cloud, "deployment", lambda: "made of this")
    return found


PAGE = ("-m", "local.console", "--port", "4568")


def test_what_is_deployed_already_is_not_deployed_again(calls: list[tuple[Any, ...]]) -> None:
    command_line.open_console(4568, browser=True)

    assert calls == [PAGE]


def test_what_has_changed_is_deployed_where_the_local_cloud_runs(calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_cloud, "deployment", lambda: "made of something else")

    command_line.open_console(4568, browser=False)

    assert calls == [("start", "127.0.0.1", 4600), (*PAGE, "--no-browser")]


def test_a_local_cloud_that_does_not_run_is_started(calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_cloud, "find", lambda: None)

    command_line.open_console(4568, browser=True)

    assert calls == [("start", "127.0.0.1", 4566), PAGE]


def test_without_its_environment_the_remedy_is_said(calls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command_line, "CONSOLE_PYTHON", tmp_path / "python")

    with pytest.raises(LocalError, match="make console"):
        command_line.open_console(4568, browser=True)

    assert calls == []


def test_a_deployment_is_remembered_as_long_as_its_cloud_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(local_cloud, "STATE", tmp_path / "cloud.json")
    assert local_cloud.deployment() == ""

    local_cloud.STATE.write_text('{"endpoint": "", "processes": [], "folder": "/nowhere"}')
    local_cloud.note_deployment("made of this")
    assert local_cloud.deployment() == "made of this"

    local_cloud.stop()
    assert local_cloud.deployment() == ""
