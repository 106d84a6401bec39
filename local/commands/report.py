"""Report what the application did in a month: hours and money saved, snapshots, remediations, messages, failures, its price."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from local import dashboard
from local.cloud import LocalError
from local.report import figures, remediations, savings
from local.report.month import Month, month
from local.report.page import is_number, page
from local.report.sections import Facts, Function, Section, empty, sections
from local.stack import Stack
from local.terminal import chosen_stack, console
from rds_backup.snapshot import snapshots

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add(commands: _SubParsersAction[ArgumentParser], target: ArgumentParser) -> None:
    parser = commands.add_parser("report", parents=[target], help=__doc__, description=__doc__)
    parser.add_argument("--month", default="", help="such as 2026-11, in UTC; the current one when not given")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write it also into this file, with charts")
    parser.add_argument(
        "--hourly-price",
        type=_price,
        metavar="DOLLARS",
        help="what an hour of a machine costs that keeps office hours; asked of AWS's price list when not given",
    )
    parser.set_defaults(run=run)


def run(chosen: Namespace) -> None:
    """Read the month's numbers and show them."""
    wanted = month(chosen.month, datetime.now(UTC))
    facts = read(chosen_stack(chosen), wanted, chosen.hourly_price)
    title, about, found = tell(facts)
    console.print(f"[bold]{escape(title)}[/]\n{escape(about)}")
    for section in found:
        show(section)
    if chosen.html:
        try:
            chosen.html.write_text(page(title, about, found))
        except OSError as error:
            raise LocalError(
                f"{chosen.html} cannot be written: {error.strerror}. Name another file: --html FILE"
            ) from None
        console.print(f"\nWritten to {escape(str(chosen.html))}.")


def read(stack: Stack, wanted: Month, hourly_price: float | None = None) -> Facts:
    """All that the report is about; of what is not deployed, nothing."""
    deployed = [one for one in dashboard.functions() if one.name in stack.resources]
    client = stack.cloud.client("lambda")
    functions = []
    for one in deployed:
        now = client.get_function_configuration(FunctionName=stack.resources[one.name])
        functions.append(Function(one.folder, one.events, now["MemorySize"], now["Architectures"][0]))
    has = {one.folder for one in deployed}
    return Facts(
        month=wanted,
        stack=stack.name,
        region=stack.cloud.region,
        functions=functions,
        figures=figures.read(stack, {one.folder: one.name for one in deployed}, wanted),
        hourly=savings.hourly(stack, hourly_price) if "office_hours" in has else None,
        kept=_kept(stack, wanted) if "rds_backup" in has else None,
        changed=_changed(stack, wanted) if "security_remediation" in has else None,
        topics=list(figures.topics(stack.resources)) if stack.cloud.real else [],
        real=stack.cloud.real,
    )


def tell(facts: Facts) -> tuple[str, str, list[Section]]:
    """The title, what it is about, and the sections; none for a month in which nothing happened."""
    title = f"{facts.stack} in {facts.region}, {facts.month}"
    about = f"Until now, {facts.month.end:%-d %B %H:%M} UTC; the month is not over. " if facts.month.under_way else ""
    if empty(facts):
        return title, f"{about}Nothing ran, and nothing was changed.", []
    about += "Days and months are those of UTC."
    if facts.real:
        about += (
            " What the functions count of their own work is counted together for all stacks of the account and region."
        )
    return title, about, sections(facts)


def show(section: Section) -> None:
    table = Table(title=f"\n{escape(section.title)}", title_justify="left", title_style="bold")
    for head, column in zip(section.heads, zip(*section.rows, strict=True), strict=True):
        table.add_column(head, justify="right" if is_number(column) else "left", overflow="fold")
    for row in section.rows:
        table.add_row(*map(escape, row))
    console.print(table)
    for note in section.notes:
        console.print(f"[dim]{escape(note)}[/]")


def _kept(stack: Stack, wanted: Month) -> int:
    found = snapshots(stack.cloud.client("rds"))
    return sum(one.own and one.created_at is not None and wanted.holds(one.created_at) for one in found)


def _changed(stack: Stack, wanted: Month) -> list[remediations.Remediation]:
    return remediations.read(stack.cloud.client("s3"), stack.resources["AuditBucket"], wanted)


def _price(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < 10_000:
        raise ArgumentTypeError(f"'{text}' is no price of an hour in US dollars, such as 0.05")
    return value
