"""What the first invocation adds to a start: creating the clients that it needs, in several ways.

    python -m bench.clients [--rounds 9] [--build .aws-sam/build] [--write]

Needs the artifacts of `sam build`. Each client is created in a process of its own, in rounds, on the template's Python.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles

from tests.template_file import ROOT

from bench import document
from bench.runtime import Function, output
from bench.start_up import functions, ratio

ONE = "DynamoDB, as the functions create it"
WAYS: Mapping[str, Sequence[str]] = {
    ONE: ("one after the other", "dynamodb"),
    "DynamoDB, by boto3.client": ("client", "dynamodb"),
    "DynamoDB, by boto3.resource": ("resource", "dynamodb"),
    "EC2, whose model is the largest": ("one after the other", "ec2"),
    "DynamoDB, SNS and SQS": ("one after the other", "dynamodb", "sns", "sqs"),
    "DynamoDB, SNS and SQS, each in a thread": ("in threads", "dynamodb", "sns", "sqs"),
}


def measure(function: Function, rounds: int) -> dict[str, list[float]]:
    """CPU milliseconds, round by round, by what is created and how."""
    times: dict[str, list[float]] = {name: [] for name in WAYS}
    for number in range(rounds + 1):
        for name, arguments in WAYS.items():
            took = float(output(function, "create.py", *arguments))
            if number:
                times[name].append(took)
    return times


def rows(times: Mapping[str, Sequence[float]]) -> Iterable[list[str]]:
    """A row for each way: median, spread (the middle half), and the median of the ratios to one client as we create it."""
    for name, own in times.items():
        low, _, high = quantiles(own, n=4)
        yield [name, f"{median(own):.0f}", f"{low:.0f}-{high:.0f}", f"{ratio(own, times[ONE]):.1f}"]


def report(times: Mapping[str, Sequence[float]]) -> str:
    """The section of the document."""
    heads = ["what is created", "median CPU ms", "middle half", "times one client"]
    return f"{len(times[ONE])} rounds.\n\n" + document.table(heads, rows(times))


def main(arguments: Sequence[str]) -> None:
    options = argparse.ArgumentParser(prog="python -m bench.clients")
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--build", type=Path, default=ROOT / ".aws-sam" / "build")
    options.add_argument("--write", action="store_true", help="write docs/performance.md")
    given = options.parse_args(arguments)
    [function] = [each for each in functions(given.build.resolve()) if each.name == "ec2_state_alerts"]
    text = report(measure(replace(function, name="bench"), given.rounds))
    print(text)
    if given.write:
        document.write("clients", text)


if __name__ == "__main__":
    main(sys.argv[1:])
