"""Calling the command line, for the tests of each command."""

import sys

import pytest
from local import __main__ as command_line
from local import terminal


@pytest.fixture
def run(monkeypatch, capsys):
    """Call `python -m local` with arguments; returns the exit status and what it printed."""

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["local", *arguments])
        monkeypatch.setattr(terminal.console, "file", sys.stdout)
        status = command_line.main()
        return status, capsys.readouterr().out

    return call
