"""The plots of docs/performance.md, drawn by bench/draw.py where matplotlib is."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from statistics import quantiles
from typing import Any

ROOT = Path(__file__).parent.parent
PYTHON = ROOT / ".venv-bench" / "bin" / "python"
IMAGES = ROOT / "docs" / "images"


def bars(
    name: str,
    title: str,
    axis: str,
    values: Mapping[str, Sequence[float]],
    references: Collection[str] = (),
    goals: Mapping[str, float] | None = None,
) -> str:
    """Draw a bar for each row, with its spread, and return the line of Markdown that shows the picture.

    Args:
        values: all that was measured of each.
        references: those that ours are measured against.
    """
    spreads = {key: quantiles(each, n=4) for key, each in values.items()}
    given = {"kind": "bars", "axis": axis, "values": spreads, "references": list(references), "goals": goals or {}}
    return _draw(name, title, given)


def lines(
    name: str, title: str, axis: str, other_axis: str, values: Mapping[str, Sequence[tuple[float, float]]]
) -> str:
    """Draw a line through each one's points, both axes in powers of ten, and return the line of Markdown that shows the picture."""
    return _draw(name, title, {"kind": "lines", "axis": axis, "other axis": other_axis, "values": values})


def _draw(name: str, title: str, given: Mapping[str, Any]) -> str:
    IMAGES.mkdir(exist_ok=True)
    path = IMAGES / f"bench-{name}.svg"
    drawing = json.dumps({"title": title, **given})
    subprocess.run([PYTHON, Path(__file__).with_name("draw.py"), path], input=drawing, text=True, check=True)
    return f"![{title}](images/{path.name})"
