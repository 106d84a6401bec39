"""Draws one plot as SVG. Runs where matplotlib is, in .venv-bench: reads what to draw as JSON from its input.

python bench/draw.py <file>.svg < {"kind": "bars" | "lines", "title": ..., "axis": ..., ...}
"""

from __future__ import annotations

import json
import sys
from typing import Any

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams.update({"svg.hashsalt": "bench", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False})
mpl.rcParams.update({"axes.spines.right": False, "figure.autolayout": True})

from matplotlib import pyplot  # noqa: E402 # as the parameters say
from matplotlib.axes import Axes  # noqa: E402

COLOURS = {"ours": "#1f6feb", "other": "#8b949e"}


def bars(axes: Axes, given: Any) -> None:
    """A bar for each name: its median, with the middle half as a line. What is measured against is grey; goals are dashed."""
    names = list(given["values"])
    for place, name in enumerate(names):
        low, middle, high = given["values"][name]
        colour = COLOURS["other" if name in given["references"] else "ours"]
        axes.barh(place, middle, color=colour, xerr=[[middle - low], [high - middle]], ecolor="#24292f")
    for label, value in given["goals"].items():
        axes.axvline(value, color="#cf222e", linestyle="--", linewidth=1)
        side = "right" if value == min(given["goals"].values()) else "left"
        axes.text(value, -0.9, f" {label} ", color="#cf222e", ha=side, va="bottom")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel(given["axis"])


def lines(axes: Axes, given: Any) -> None:
    """A line for each name, over numbers that grow by powers of ten."""
    for name, points in given["values"].items():
        axes.plot(*zip(*points, strict=True), marker="o", label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(given["axis"])
    axes.set_ylabel(given["other axis"])
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)


def main(path: str) -> None:
    given = json.load(sys.stdin)
    height = 1.4 + 0.24 * len(given["values"]) if given["kind"] == "bars" else 3.6
    figure, axes = pyplot.subplots(figsize=(7.5, height))
    {"bars": bars, "lines": lines}[given["kind"]](axes, given)
    axes.set_title(given["title"], loc="left", pad=14)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main(sys.argv[1])
