"""Write the pages of the automations, docs/automations."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from local import documents
from local.terminal import say_written

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add(commands: _SubParsersAction[ArgumentParser], target: ArgumentParser) -> None:  # noqa: ARG001 # it needs no stack
    does = commands.add_parser("documents", help=__doc__).add_subparsers(required=True, metavar="WHAT")
    does.add_parser("write", help=write.__doc__).set_defaults(run=lambda _: write())


def write() -> None:
    """Write each page anew from its README, the template, the metrics and the samples, and say which files changed."""
    say_written(documents.write())
