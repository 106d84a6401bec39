"""The documents of this repository, and the commands that they show."""

import re
from collections.abc import Iterator

from tests.template_file import ROOT

DOCUMENTS = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/*.md"),
    *ROOT.glob("docs/automations/*.md"),
    *ROOT.glob("functions/*/README.md"),
    ROOT / "events/README.md",
]
COMMAND = re.compile(r"(make|git|aws|sam|python|openssl|curl|export|unset|\.venv/bin/[\w-]+) |[A-Z]+=\$?\(?\w")
"""How a line begins that is a command. Other lines of code are events, settings, or what a command prints."""


def commands() -> dict[str, list[str]]:
    """Each command that stands in a block of code, without comments; and the documents that show it, by their path."""
    found: dict[str, list[str]] = {}
    for path in DOCUMENTS:
        for command in in_blocks(path.read_text()):
            found.setdefault(command, []).append(str(path.relative_to(ROOT)))
    return found


def in_blocks(text: str) -> Iterator[str]:
    """The commands in the indented and fenced blocks of a document; one that goes on in the next line, as one line."""
    for block in blocks(text):
        rest = ""
        for line in block:
            rest = f"{rest} {line.strip()}".strip()
            if rest.endswith("\\"):
                rest = rest.removesuffix("\\").strip()
            elif rest.count("'") % 2 and COMMAND.match(rest):  # a quoted text goes on
                continue
            else:
                if COMMAND.match(rest.removeprefix("$ ")):
                    yield re.sub(r"\s+# .*$", "", rest.removeprefix("$ "))
                rest = ""


def blocks(text: str) -> Iterator[list[str]]:
    """The lines of each block of code."""
    fenced = re.findall(r"^ *```\w*\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    indented = re.findall(r"(?:^ {4,}(?![-*|]).*\n)+", re.sub(r"^ *```.*?^ *```$", "", text, flags=re.M | re.S), re.M)
    for block in [*fenced, *indented]:
        yield block.splitlines()
