"""Parts of files that are written by a program, each between two comments that say whose it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

Parts = Mapping[Path, Mapping[str, Callable[[], str]]]
"""By file and name of the part: what makes its text."""


def written(path: Path, owner: str, parts: Parts) -> str:
    """The file with its generated parts as they should be.

    Raises:
        ValueError: the file lacks the two comments of a part.
    """
    text = path.read_text()
    for name, make in parts[path].items():
        begin, end = (
            (f"# {owner}: {name}", f"# {owner}: end of {name}")
            if path.suffix in {".yaml", ".py"}
            else (f"<!-- {owner}: {name} -->", f"<!-- {owner}: end of {name} -->")
        )
        found = re.search(
            rf"^(?P<indent> *){re.escape(begin)}\n(?P<body>.*?)^ *{re.escape(end)}\n", text, re.MULTILINE | re.DOTALL
        )
        if not found:
            raise ValueError(f"{path.name} has no lines '{begin}' and '{end}' around the part that is written there.")
        body = "".join(f"{found['indent']}{line}\n" if line else "\n" for line in make().removesuffix("\n").split("\n"))
        text = text[: found.start("body")] + body + text[found.end("body") :]
    return text


def write(owner: str, parts: Parts) -> list[Path]:
    """Write the generated parts; returns the files that changed."""
    changed = []
    for path in parts:
        text = written(path, owner, parts)
        if text != path.read_text():
            path.write_text(text)
            changed.append(path)
    return changed
