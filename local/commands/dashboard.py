"""Write the dashboard and the alarms into template.yaml."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from local import dashboard
from local.terminal import say_written

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add(commands: _SubParsersAction[ArgumentParser], target: ArgumentParser) -> None:  # noqa: ARG001 # it needs no stack
    does = commands.add_parser("dashboard", help=__doc__).add_subparsers(required=True, metavar="WHAT")
    does.add_parser("write", help=write.__doc__).set_defaults(run=lambda _: write())


def write() -> None:
    """Write what functions, schedules and queues ask for, and say which files changed."""
    say_written(dashboard.write())
