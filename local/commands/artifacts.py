"""Check what `sam build` made: that it fits Lambda's Python and processors, that nothing is too much, and what it weighs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from local import artifacts
from local.terminal import console

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add(commands: _SubParsersAction[ArgumentParser], target: ArgumentParser) -> None:  # noqa: ARG001 - as the siblings
    parser = commands.add_parser("artifacts", help=__doc__)
    parser.add_argument(
        "--built", type=Path, default=artifacts.BUILT, metavar="FILE", help="the template that SAM CLI built"
    )
    parser.set_defaults(run=check)


def check(chosen: Namespace) -> bool:
    """Show what each artifact weighs, and what is wrong with it."""
    built, budget = artifacts.artifacts(chosen.built), artifacts.budget()
    table = Table("Artifact", "Zipped, kB", "Allowed", "Bytecode")
    for artifact in built:
        allowed = budget.get(artifact.name, budget["function"])
        bytecode = "yes" if artifact.has_bytecode else "none"
        table.add_row(artifact.name, f"{artifact.kilobytes:,}", f"{allowed:,}", bytecode)
    console.print(table)
    version = built[0].python
    if not artifacts.runtime_python(version):
        console.print(f"What the functions import was not tried: no Python {version} for Linux on this machine.")
    if not all(artifact.has_bytecode for artifact in built):
        console.print(
            f"[yellow]Without bytecode:[/] it works and starts slower. With Python {version} on this machine, or where uv "
            "can fetch it, build again: .venv/bin/sam build --no-cached"
        )
    found = artifacts.all_problems(built)
    for problem in found:
        console.print(f"[bold red]Wrong.[/] {escape(problem)}")
    return not found
