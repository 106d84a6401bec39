"""The numbers of a month: the functions' own metrics, Lambda's and SNS's, summed up by day.

On AWS CloudWatch has them all. MiniStack makes no metrics of the lines in which functions report theirs, and counts only what is
invoked directly; there the same numbers come from the functions' logs.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from local.metrics import METRICS, NAMESPACE
from local.report.month import Month
from local.stack import Stack

DAY = 24 * 60 * 60
AT_ONCE = 500
"""Metrics in one call. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html"""
ATTEMPTS = 3
"""How often Lambda tries an event, the first time included, unless told otherwise."""

RUNS, FAILED, MILLISECONDS, GIVEN_UP = "Invocations", "Errors", "Duration", "AsyncEventsDropped"
"""https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"""
PUBLISHED, UNDELIVERED = "NumberOfMessagesPublished", "NumberOfNotificationsFailed"
"""https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html"""

Key = tuple[str, str]
"""Whose it is (the folder of a function, or the logical id of a topic), and the name of the metric."""
ByDay = Mapping[date, float]


@dataclass(frozen=True)
class Figures:
    """What happened, by day; a day on which nothing did may be missing."""

    values: Mapping[Key, ByDay]

    def by_day(self, of: str, name: str) -> ByDay:
        return self.values.get((of, name), {})

    def total(self, of: str, name: str) -> float:
        return sum(self.by_day(of, name).values())


@dataclass(frozen=True)
class Source:
    """A metric as CloudWatch knows it."""

    namespace: str
    name: str
    dimension: str
    value: str


def read(stack: Stack, functions: Mapping[str, str], month: Month) -> Figures:
    """The month's numbers.

    Args:
        functions: logical id by folder.
    """
    if stack.cloud.real:
        return from_cloudwatch(stack.cloud.client("cloudwatch"), sources(stack.resources, functions), month)
    logs = {folder: stack.dated_messages(name, month.start) for folder, name in functions.items()}
    return from_logs(logs, month)


# ---------------------------------------------------------------- CloudWatch


def sources(resources: Mapping[str, str], functions: Mapping[str, str]) -> dict[Key, Source]:
    """Where CloudWatch keeps each number.

    Args:
        resources: of the stack, physical id by logical id.
    """
    found: dict[Key, Source] = {}
    for folder, name in functions.items():
        for metric in METRICS.get(folder, ()):
            if metric.stat == "Sum":
                found[folder, metric.name] = Source(NAMESPACE, metric.name, "service", folder)
        for of_lambda in (RUNS, FAILED, MILLISECONDS, GIVEN_UP):
            found[folder, of_lambda] = Source("AWS/Lambda", of_lambda, "FunctionName", resources[name])
    for topic, arn in topics(resources).items():
        for of_sns in (PUBLISHED, UNDELIVERED):
            found[topic, of_sns] = Source("AWS/SNS", of_sns, "TopicName", arn.split(":")[-1])
    return found


def topics(resources: Mapping[str, str]) -> dict[str, str]:
    """ARN by logical id."""
    return {name: arn for name, arn in resources.items() if re.fullmatch(r"arn:[\w-]+:sns:[\w-]+:\d+:[^:]+", arn)}


def from_cloudwatch(cloudwatch: Any, wanted: Mapping[Key, Source], month: Month) -> Figures:
    """Ask for the sum of each day."""
    values: dict[Key, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    keys = list(wanted)
    for start in range(0, len(keys), AT_ONCE):
        some = {f"m{number}": key for number, key in enumerate(keys[start : start + AT_ONCE])}
        queries = [_query(name, wanted[key]) for name, key in some.items()]
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries, StartTime=month.start, EndTime=month.end
        )
        for result in (one for page in pages for one in page["MetricDataResults"]):
            for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                values[some[result["Id"]]][moment.astimezone(UTC).date()] += value
    return Figures(values)


def _query(name: str, source: Source) -> dict[str, Any]:
    metric = {
        "Namespace": source.namespace,
        "MetricName": source.name,
        "Dimensions": [{"Name": source.dimension, "Value": source.value}],
    }
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": DAY, "Stat": "Sum"}}


# ---------------------------------------------------------------- logs

REPORT = re.compile(r"REPORT RequestId: \S+\s+Duration: ([\d.]+) ms")

Lines = Iterable[tuple[datetime, str]]
"""Of a function's log, with the time of each, oldest first."""


def from_logs(logs: Mapping[str, Lines], month: Month) -> Figures:
    """The same numbers from what the functions logged, by folder."""
    values: dict[Key, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    for folder, lines in logs.items():
        for moment, name, value in counted([line for line in lines if month.holds(line[0])]):
            values[folder, name][moment.date()] += value
    return Figures(values)


def counted(lines: Lines) -> Iterator[tuple[datetime, str, float]]:
    """What a function's log counts: when, the name of the metric, and how much."""
    runs: dict[str, list[tuple[datetime, bool]]] = defaultdict(list)  # of each event
    event_of: dict[str, tuple[str, datetime]] = {}  # by the id of the run
    failed: set[str] = set()
    for moment, text in lines:
        if report := REPORT.match(text):
            yield moment, RUNS, 1
            yield moment, MILLISECONDS, float(report[1])
            continue
        line = _parsed(text)
        yield from ((moment, name, value) for name, value in _own(line))
        if run := line.get("function_request_id"):
            event_of.setdefault(run, (line.get("correlation_id") or run, moment))
            if line.get("level") == "ERROR" and "reason" in line:  # as automations.errors.log_failure writes
                failed.add(run)
    for run, (event, moment) in event_of.items():
        runs[event].append((moment, run in failed))
        if run in failed:
            yield moment, FAILED, 1
    for outcomes in runs.values():
        yield from ((moment, GIVEN_UP, 1) for moment in given_up(outcomes))


def given_up(outcomes: Sequence[tuple[datetime, bool]]) -> list[datetime]:
    """When Lambda gave an event up, from its runs in their order and whether each failed: after the last attempt, or
    when nothing came after a failure."""
    found, failures = [], 0
    for number, (moment, failed) in enumerate(outcomes, 1):
        failures = failures + 1 if failed else 0
        if failures == ATTEMPTS or (failed and number == len(outcomes)):
            found.append(moment)
            failures = 0
    return found


def _parsed(text: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return line if isinstance(line, dict) else {}


def _own(line: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The metrics that a line reports in the embedded metric format.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
        for metric in directive["Metrics"] if directive["Namespace"] == NAMESPACE else ():
            value = line[metric["Name"]]
            yield metric["Name"], sum(value) if isinstance(value, list) else value
