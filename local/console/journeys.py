"""What became of each event, from what the functions logged and what was received. Nothing here asks the cloud.

The parts of a journey are tied together by the event's id: Powertools' logger writes it into each line as `correlation_id`, Lambda's
report carries the request that those lines name, and a message to people ends with the id of its event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

OWN_KEYS = frozenset(
    {
        *("level", "location", "message", "timestamp", "service", "cold_start", "correlation_id", "xray_trace_id"),
        *(
            "function_name",
            "function_memory_size",
            "function_arn",
            "function_request_id",
            "exception",
            "exception_name",
        ),
        *("stack_trace",),
    }
)
"""What Powertools writes into a line by itself.

https://docs.aws.amazon.com/powertools/python/latest/core/logger/#standard-structured-keys
"""
REPORT = re.compile(r"REPORT RequestId: (?P<request>\S+)\s+Duration: (?P<duration>[\d.]+) ms")
INIT = re.compile(r"Init Duration: ([\d.]+) ms")
EVENT_ID = re.compile(r"\bevent (?P<id>[0-9a-f]{8}-[0-9a-f-]{27})(?![0-9a-f-])")


@dataclass(frozen=True)
class Report:
    """What Lambda says of one invocation that has ended; times in milliseconds, `init` only of a cold start on AWS."""

    request: str
    duration: float
    init: float = 0.0


@dataclass(frozen=True)
class Run:
    """What one function did about one event.

    Attributes:
        lines: what it logged about the event, oldest first.
        reports: one for each of its attempts that has ended.
    """

    function: str
    lines: Sequence[Mapping[str, Any]]
    reports: Sequence[Report] = ()

    @property
    def attempts(self) -> int:
        """How often Lambda tried: it keeps a request's id when it tries again, and the local cloud gives a new one."""
        return max(len(self.reports), len({line.get("function_request_id") for line in self.lines}))

    @property
    def ended(self) -> bool:
        last = self.lines[-1].get("function_request_id")
        return any(report.request == last for report in self.reports)

    @property
    def failed(self) -> bool:
        """Whether its last attempt ended with an error."""
        return self.ended and self.lines[-1].get("level") == "ERROR"

    @property
    def cold(self) -> bool:
        """Whether its first attempt had to start the function."""
        return bool(self.lines[0].get("cold_start"))

    @property
    def began(self) -> datetime | None:
        return time_of(self.lines[0])

    @property
    def says(self) -> str:
        return str(self.lines[-1].get("message", ""))

    @property
    def facts(self) -> dict[str, Any]:
        """What its last line tells beside the message."""
        return {
            key: value
            for key, value in self.lines[-1].items()
            if key not in OWN_KEYS and value not in (None, "", [], {})
        }


@dataclass(frozen=True)
class Told:
    """A message that came to the receiver: what it stands for (`slack`, `alerts`, ...), and its text.

    `alerts` is what an e-mail to the topic's subscribers says.
    """

    to: str
    text: str

    @property
    def event_id(self) -> str:
        """The id of the event that it is about, or that it is; empty when it does not say."""
        for body in parsed([self.text]):
            if "detail-type" in body:  # a webhook gets the event itself
                return str(body.get("id", ""))
        found = EVENT_ID.findall(self.text)
        return str(found[-1]) if found else ""


@dataclass(frozen=True)
class Journey:
    """One event and what became of it.

    Attributes:
        event: None when it was seen nowhere, only its id in a function's log.
        rules: the names of those that matched, where that is known.
    """

    id: str
    event: Mapping[str, Any] | None = None
    rules: Sequence[str] = ()
    runs: Sequence[Run] = ()
    told: Sequence[Told] = field(default=())

    @property
    def title(self) -> str:
        if self.event is None:
            return f"An event that was seen on no bus ({self.id[:8]})"
        return f"{self.event.get('detail-type', '')} from {self.event.get('source', '')}"

    @property
    def at(self) -> datetime | None:
        """When it is first heard of, as a function's log says, else as the event itself says."""
        times = [run.began for run in self.runs if run.began]
        return min(times) if times else instant(str((self.event or {}).get("time", "")))

    @property
    def state(self) -> str:
        """In a word: `failed`, `running`, `done`, or `left alone` when no function worked on it."""
        if any(run.failed for run in self.runs):
            return "failed"
        if any(not run.ended for run in self.runs):
            return "running"
        return "done" if self.runs else "left alone"


def follow(
    events: Mapping[str, Mapping[str, Any]],
    rules: Mapping[str, Sequence[str]],
    logs: Mapping[str, Sequence[str]],
    told: Iterable[Told],
) -> list[Journey]:
    """The journeys that these tell of, the newest first.

    Args:
        events: by id, those that are known.
        rules: by the event's id, the names of the rules that matched it.
        logs: by function, the lines of its log group, oldest first.
    """
    runs: dict[str, list[Run]] = {}
    for function, messages in logs.items():
        for event_id, run in runs_of(function, messages).items():
            runs.setdefault(event_id, []).append(run)
    about: dict[str, list[Told]] = {}
    for message in told:
        about.setdefault(message.event_id, []).append(message)
    found = [
        Journey(
            event_id, events.get(event_id), rules.get(event_id, ()), runs.get(event_id, ()), about.get(event_id, ())
        )
        for event_id in dict.fromkeys([*events, *runs])
    ]
    return sorted(found, key=lambda one: one.at or datetime.min.replace(tzinfo=UTC), reverse=True)


def record_ids(journey: Journey) -> list[str]:
    """The ids of the audit records that security_remediation may have written about the event.

    Day, remediation and CloudTrail event: functions/security_remediation/audit.py.
    """
    event = journey.event or {}
    call = event.get("detail", {}).get("eventID") if isinstance(event.get("detail"), Mapping) else None
    names = [
        name for run in journey.runs if isinstance(run.facts.get("outcomes"), Mapping) for name in run.facts["outcomes"]
    ]
    return [f"{str(event.get('time', ''))[:10]}/{name}/{call}" for name in names] if call else []


def runs_of(function: str, messages: Sequence[str]) -> dict[str, Run]:
    """By the event's id, what the function did about it."""
    lines: dict[str, list[dict[str, Any]]] = {}
    for line in parsed(messages):
        if line.get("correlation_id") and "message" in line:
            lines.setdefault(str(line["correlation_id"]), []).append(line)
    reported = list(reports(messages))
    found = {}
    for event_id, about in lines.items():
        requests = {line.get("function_request_id") for line in about}
        found[event_id] = Run(function, about, [report for report in reported if report.request in requests])
    return found


def parsed(messages: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The messages that are JSON objects."""
    for text in messages:
        if not text.startswith("{"):
            continue
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line


def reports(messages: Iterable[str]) -> Iterator[Report]:
    """Lambda's reports among the messages, which are text or, as the template asks of AWS, JSON.

    https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report
    """
    for text in messages:
        if match := REPORT.match(text):
            init = INIT.search(text)
            yield Report(match["request"], float(match["duration"]), float(init[1]) if init else 0.0)
        elif '"platform.report"' in text:
            for line in parsed([text]):
                match line:
                    case {"type": "platform.report", "record": {"requestId": str(request), "metrics": dict(metrics)}}:
                        duration, init_ms = metrics.get("durationMs", 0), metrics.get("initDurationMs", 0)
                        yield Report(request, float(duration), float(init_ms))


def time_of(line: Mapping[str, Any]) -> datetime | None:
    """When Powertools wrote the line."""
    return instant(str(line.get("timestamp", "")))


def instant(text: str) -> datetime | None:
    """A time as an event (`2026-11-09T06:31:14Z`) or Powertools' logger (`2026-11-09 06:31:14,123+0000`) carries it."""
    try:
        read = datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def received(name: str, text: str) -> Told:
    """What a file of `out/received/` holds: its name is a time, a number and the path to which the message came.

    >>> received("135829-243886-slack.json", "{...}").to  # "slack"
    """
    return Told(PurePath(name.split("-", 2)[-1]).stem, text)
