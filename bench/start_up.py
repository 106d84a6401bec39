"""How long each function takes to start, against an empty one and one as tutorials show it.

    python -m bench.start_up [--rounds 9] [--build .aws-sam/build] [--only NAME ...] [--write]

Needs the artifacts of `sam build`. In each round every function starts once, cold, one after the other, so that whatever else
the machine does meets all of them alike; only the ratios are comparable between machines.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from rich.console import Console
from rich.progress import track
from tests.template_file import RESOURCES, ROOT, TEMPLATE

from bench import document, plots
from bench.runtime import Function, start

MOST_OF_FLOOR = 8.0
MOST_OF_TUTORIAL = 0.35
REFERENCES = Path(__file__).parent / "references"
FLOOR, TUTORIAL = "empty handler", "tutorial handler"
SHARED = TEMPLATE["Globals"]["Function"]["Layers"]


def functions(build: Path) -> list[Function]:
    """The functions of the template, from their artifacts and the layers for this machine's architecture."""
    common = _literals(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"])
    found = []
    for name, item in RESOURCES.items():
        if item["Type"] == "AWS::Serverless::Function":
            properties = item["Properties"]
            own = _literals(properties.get("Environment", {}).get("Variables", {}))
            layers = [*SHARED, *properties.get("Layers", [])]
            code = [build / name, *(build / layer / "python" for layer in map(_layer, layers))]
            folder = properties["Handler"].partition(".")[0]
            found.append(Function(folder, properties["Handler"], code, {**common, **own}))
    return found


def _layer(choice: Mapping[str, Any]) -> str:
    """The logical id that `!If [Arm64, !Ref ..., !Ref ...]` chooses here."""
    _, arm, x86 = choice["Fn::If"]
    return str((x86 if platform.machine() == "x86_64" else arm)["Ref"])


def _literals(variables: Mapping[str, Any]) -> dict[str, str]:
    """What the template says itself; the rest, such as names of resources, no function reads while it starts."""
    return {name: str(value) for name, value in variables.items() if isinstance(value, str | int)}


def references(build: Path, folder: Path) -> list[Function]:
    """The empty handler and the tutorial's, which packs the layer's packages as pip leaves them on most machines: without bytecode."""
    packed = folder / "tutorial"
    shutil.copytree(
        build / _layer(SHARED[0]) / "python", packed, ignore=shutil.ignore_patterns("__pycache__", "automations")
    )
    shutil.copy(REFERENCES / "tutorial" / "handler.py", packed)
    return [
        Function(FLOOR, "handler.lambda_handler", [REFERENCES / "empty"]),
        Function(TUTORIAL, "handler.lambda_handler", [packed]),
    ]


def measure(every: Sequence[Function], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each start by the function's name, round by round. One round before them fills the machine's file cache."""
    times: dict[str, list[float]] = {function.name: [] for function in every}
    console = Console(stderr=True)
    for number in track(range(rounds + 1), "Starting every function", console=console, disable=not console.is_terminal):
        for function in every:
            took = start(function)
            if number:
                times[function.name].append(took)
    return times


def rows(times: Mapping[str, Sequence[float]]) -> Iterable[list[str]]:
    """A row for each function: median, spread (the middle half), and the median of the ratios within each round."""
    for name, own in times.items():
        low, middle, high = quantiles(own, n=4)
        floor, tutorial = ratio(own, times[FLOOR]), ratio(own, times[TUTORIAL])
        goal = "" if name in {FLOOR, TUTORIAL} else _goal(floor, tutorial)
        yield [name, f"{middle:.0f}", f"{low:.0f}-{high:.0f}", f"{floor:.1f}", f"{tutorial:.2f}", goal]


def ratio(own: Sequence[float], other: Sequence[float]) -> float:
    """The median of the ratios within each round."""
    return median(one / two for one, two in zip(own, other, strict=True))


def _goal(floor: float, tutorial: float) -> str:
    """Which of the two goals are met."""
    met = [name for name, one in (("floor", floor <= MOST_OF_FLOOR), ("tutorial", tutorial <= MOST_OF_TUTORIAL)) if one]
    return " and ".join(met) or "none"


def report(times: Mapping[str, Sequence[float]], load: float) -> str:
    """The section of the document."""
    heads = ["function", "median ms", "middle half", "times the floor", "of the tutorial", "goals met"]
    count = len(times[FLOOR])
    return (
        f"{count} rounds on {os.cpu_count()} cores; the machine's load was {load:.1f} when they began. Goals: at most "
        f"{MOST_OF_FLOOR:.0f} times the floor and {MOST_OF_TUTORIAL} of the tutorial handler.\n\n"
        + document.table(heads, rows(times))
    )


def main(arguments: Sequence[str]) -> None:
    options = argparse.ArgumentParser(prog="python -m bench.start_up")
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--build", type=Path, default=ROOT / ".aws-sam" / "build")
    options.add_argument("--only", nargs="*", default=[], help="folders of functions")
    options.add_argument("--write", action="store_true", help="write docs/performance.md")
    given = options.parse_args(arguments)
    build = given.build.resolve()
    chosen = [each for each in functions(build) if not given.only or each.name in given.only]
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        times = measure([*references(build, Path(folder)), *chosen], given.rounds)
    text = report(times, load)
    print(text)
    if given.write:
        goals = {f"{MOST_OF_FLOOR:.0f} floors": MOST_OF_FLOOR * median(times[FLOOR])}
        goals[f"{MOST_OF_TUTORIAL} of the tutorial"] = MOST_OF_TUTORIAL * median(times[TUTORIAL])
        picture = plots.bars("start-up", "A cold start", "milliseconds", times, {FLOOR, TUTORIAL}, goals)
        document.write("start-up", f"{text}\n\n{picture}")


if __name__ == "__main__":
    main(sys.argv[1:])
