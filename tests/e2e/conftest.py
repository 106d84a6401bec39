"""What a person types, for the tests of the commands."""

import json
import sys

import pytest
from local import __main__ as command_line
from local import terminal
from local.cloud import Cloud
from local.stack import Stack


@pytest.fixture
def run(monkeypatch, capsys):
    """Call `python -m local` with arguments; returns the exit status and what it printed."""

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["local", *arguments])
        monkeypatch.setattr(terminal.console, "_file", sys.stdout)  # `file` would keep what stdout is now
        status = command_line.main()
        return status, capsys.readouterr().out

    return call


@pytest.fixture
def started(stack: Stack, local_cloud: Cloud, monkeypatch, tmp_path):
    """As if `make local` had left the tests' cloud running."""
    state = tmp_path / "cloud.json"
    state.write_text(json.dumps({"endpoint": local_cloud.endpoint, "log": str(tmp_path / "log")}))
    monkeypatch.setattr("local.cloud.STATE", state)
