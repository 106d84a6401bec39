"""What the proofs report: rows of tables, which are printed at the end of a run and written into docs/proofs.md."""

from __future__ import annotations

import importlib
import inspect
import os
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

DOCUMENT = Path(__file__).parents[2] / "docs" / "proofs.md"
TABLE = "table: "

Row = Callable[..., None]
"""`row("Deliveries", function="basket", effects=1)`: one row of the table of that title; the names are its columns."""


@pytest.fixture
def row(record_property: Callable[[str, object], None]) -> Row:
    def add(title: str, **cells: object) -> None:
        record_property(TABLE + title, {name.replace("_", " "): str(cell) for name, cell in cells.items()})

    return add


@pytest.fixture(autouse=True)
def pillows_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """It belongs to the process: of two deliveries at the same time, one leaves the other's limit behind."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)


# ---------------------------------------------------------------- the tables, where all workers report to

_tables: dict[str, dict[str, list[dict[str, str]]]] = defaultdict(lambda: defaultdict(list))
_failed: set[str] = set()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    proof = report.nodeid.split("::")[0]
    if report.failed:
        _failed.add(proof)
    if report.when == "call":
        for name, cells in report.user_properties:
            if name.startswith(TABLE):
                _tables[proof][name.removeprefix(TABLE)].append(cells)  # type: ignore[arg-type]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    for proof, tables in sorted(_tables.items()):
        text = section(proof, tables)
        terminalreporter.write_line("")
        terminalreporter.write_line(text)
        if os.environ.get("WRITE_PROOFS") and proof not in _failed:
            DOCUMENT.write_text(replaced(DOCUMENT.read_text(), proof, text))


def section(proof: str, tables: dict[str, list[dict[str, str]]]) -> str:
    """What a proof's module says about itself, and its tables, in Markdown."""
    module = importlib.import_module(proof.removesuffix(".py").replace("/", "."))
    said = inspect.getdoc(module) or ""
    return "\n\n".join([said, *(f"**{title}**\n\n{table(rows)}" for title, rows in sorted(tables.items()))])


def table(rows: list[dict[str, str]]) -> str:
    """A table of Markdown, in the order of its cells, because tests report in any order."""
    columns = list(rows[0])
    cells = sorted([row.get(column, "") for column in columns] for row in rows)
    lines = [columns, ["---"] * len(columns), *cells]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def replaced(document: str, proof: str, text: str) -> str:
    """The document with the section of this proof, which is between two markers, replaced.

    Raises:
        ValueError: the document has no such markers.
    """
    name = Path(proof).stem
    begin, end = f"<!-- proof: {name} -->", f"<!-- end of proof: {name} -->"
    if begin not in document or end not in document:
        raise ValueError(f"{DOCUMENT.name} has no section for {name}: add the lines {begin} and {end}.")
    return re.sub(
        re.escape(begin) + ".*?" + re.escape(end), lambda _: f"{begin}\n{text}\n{end}", document, flags=re.DOTALL
    )
