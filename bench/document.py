"""docs/performance.md, section by section: each is written by one measurement, between two markers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

DOCUMENT = Path(__file__).parent.parent / "docs" / "performance.md"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown; the first column is text, the others are numbers."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def replaced(document: str, section: str, text: str) -> str:
    """The document with what is between the markers of this section replaced.

    Raises:
        ValueError: the document has no such markers.
    """
    begin, end = f"<!-- bench: {section} -->", f"<!-- end of bench: {section} -->"
    if begin not in document or end not in document:
        raise ValueError(f"{DOCUMENT.name} has no section for {section}: add the lines {begin} and {end}.")
    return re.sub(
        re.escape(begin) + ".*?" + re.escape(end), lambda _: f"{begin}\n{text}\n{end}", document, flags=re.DOTALL
    )


def write(section: str, text: str) -> None:
    DOCUMENT.write_text(replaced(DOCUMENT.read_text(), section, text))
