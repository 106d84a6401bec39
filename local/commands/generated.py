"""Write what is made from the template and the code: the dashboard with its alarms, and the pages of the automations."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from local import dashboard, documents
from local.terminal import say_written

if TYPE_CHECKING:
    from argparse import _SubParsersAction

GENERATED = {
    "dashboard": (
        dashboard.write,
        "Write the dashboard and the alarms into template.yaml, and what docs/dashboard.md says of them",
    ),
    "documents": (documents.write, "Write the pages of the automations, docs/automations"),
}
"""By the name of the command: what writes and returns the files that changed, and what for."""


def add(commands: _SubParsersAction[ArgumentParser], target: ArgumentParser) -> None:  # noqa: ARG001 # they need no stack
    for name, (write, purpose) in GENERATED.items():
        does = commands.add_parser(name, help=purpose).add_subparsers(required=True, metavar="WHAT")
        writing = does.add_parser("write", help=f"{purpose}; say which files changed")
        writing.set_defaults(run=lambda _, write=write: say_written(write()))
