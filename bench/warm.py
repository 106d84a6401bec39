"""What the handlers' decorators cost for an event, once a function has started, against one JSON log line.

    python -m bench.warm [--rounds 9] [--build .aws-sam/build] [--write]

Needs the artifacts of `sam build`: bench/decorators.py runs with them on the template's Python.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from tests.template_file import ROOT

from bench import document
from bench.runtime import output
from bench.start_up import functions, ratio

MOST_LINES = 60.0
EVENT = ROOT / "events" / "ec2_state_alerts" / "stopped.json"
REASONS = {
    "event_parser": "The handler gets a checked model, and an event of another shape is an error with its reason.",
    "log_failure": "A failure is one line that explains it.",
    "capture_lambda_handler": "X-Ray shows the invocation and its calls of AWS.",
    "log_metrics, with one metric": "Metrics are written at the end, also after a failure.",
    "inject_lambda_context": "Every line has the event's and the request's id.",
}


def measure(build: Path, rounds: int) -> dict[str, list[float]]:
    """Microseconds of an invocation, round by round, by what decorates the handler."""
    [function] = [each for each in functions(build) if each.name == "ec2_state_alerts"]
    return json.loads(output(replace(function, name="bench"), "decorators.py", str(EVENT), str(rounds)))


def rows(times: Mapping[str, Sequence[float]]) -> Iterable[list[str]]:
    """A row for each decorator, which costs what it adds to those within it, and one for all."""
    line = times["log line"]
    decorated = {name: own for name, own in times.items() if name != "log line"}
    for (_, within), (name, own) in pairwise(decorated.items()):
        added = [one - other for one, other in zip(own, within, strict=True)]
        yield [name, f"{statistics.median(added):.0f}", f"{ratio(added, line):.2f}", REASONS[name]]
    whole = list(decorated.values())[-1]
    yield ["all", f"{statistics.median(whole):.0f}", f"{ratio(whole, line):.2f}", ""]
    yield ["one log line", f"{statistics.median(line):.0f}", "1.00", ""]


def report(times: Mapping[str, Sequence[float]], load: float) -> str:
    """The section of the document."""
    return (
        f"{len(times['log line'])} rounds; the machine's load was {load:.1f} when they began. Goal: at most {MOST_LINES:.0f} "
        "log lines.\n\n" + document.table(["decorator", "median µs", "log lines", "what for"], rows(times))
    )


def main(arguments: Sequence[str]) -> None:
    options = argparse.ArgumentParser(prog="python -m bench.warm")
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--build", type=Path, default=ROOT / ".aws-sam" / "build")
    options.add_argument("--write", action="store_true", help="write docs/performance.md")
    given = options.parse_args(arguments)
    load = os.getloadavg()[0]
    text = report(measure(given.build.resolve(), given.rounds), load)
    print(text)
    if given.write:
        document.write("decorators", text)


if __name__ == "__main__":
    main(sys.argv[1:])
