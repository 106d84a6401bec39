"""`python -m local console`: when it starts and deploys, before it hands over to the page."""

import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from local import __main__ as command_line
from local import cloud as local_cloud
from local.cloud import Cloud, LocalError
from local.terminal import check_free, target

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
    monkeypatch.setattr(local_cloud, "is_taken", lambda host, port: False)
    return found


HERE = target().parse_args([])
PAGE = ("-m", "local.console", "--port", "4568", "--stack", "eventbridge-automations")


def test_what_is_deployed_already_is_not_deployed_again(calls: list[tuple[Any, ...]]) -> None:
    command_line.open_console(4568, True, HERE)

    assert calls == [PAGE]


def test_what_has_changed_is_deployed_where_the_local_cloud_runs(calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_cloud, "deployment", lambda: "made of something else")

    command_line.open_console(4568, False, HERE)

    assert calls == [("start", "127.0.0.1", 4600), (*PAGE[:4], "--no-browser", *PAGE[4:])]


def test_a_local_cloud_that_does_not_run_is_started(calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_cloud, "find", lambda: None)

    command_line.open_console(4568, True, HERE)

    assert calls == [("start", "127.0.0.1", 4566), PAGE]


@pytest.mark.parametrize(
    "options", [["--aws"], ["--profile", "shop", "--stack", "shop-automations"], ["--region", "eu-west-1"]]
)
def test_for_aws_nothing_is_started_and_the_page_gets_the_options(calls, monkeypatch, options: list[str]) -> None:
    monkeypatch.setattr(local_cloud, "find", lambda: None)

    command_line.open_console(4568, True, target().parse_args(options))

    [arguments] = calls
    assert arguments[:4] == PAGE[:4]
    assert target().parse_args(arguments[4:]) == target().parse_args(options)


def test_without_its_environment_the_remedy_is_said(calls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command_line, "CONSOLE_PYTHON", tmp_path / "python")

    with pytest.raises(LocalError, match="make console"):
        command_line.open_console(4568, True, HERE)

    assert calls == []


@pytest.mark.parametrize("options", [[], ["--aws"]])
def test_a_port_that_is_taken_is_said_before_anything_is_deployed(calls, monkeypatch, options: list[str]) -> None:
    monkeypatch.setattr(local_cloud, "deployment", lambda: "made of something else")
    monkeypatch.setattr(local_cloud, "is_taken", lambda host, port: (host, port) == ("127.0.0.1", 4568))

    with pytest.raises(LocalError, match="Port 4568 is in use"):
        command_line.open_console(4568, True, target().parse_args(options))

    assert calls == []


def test_a_port_is_taken_as_long_as_a_program_listens_on_it() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LocalError, match=f"Port {port} is in use"):
            check_free(port)

    check_free(port)


def test_a_deployment_is_remembered_as_long_as_its_cloud_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(local_cloud, "STATE", tmp_path / "cloud.json")
    assert local_cloud.deployment() == ""

    local_cloud.STATE.write_text('{"endpoint": "", "processes": [], "folder": "/nowhere"}')
    local_cloud.note_deployment("made of this")
    assert local_cloud.deployment() == "made of this"

    local_cloud.stop()
    assert local_cloud.deployment() == ""
