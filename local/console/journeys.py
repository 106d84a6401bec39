"""What became of each event, from what the functions logged and what was received. Nothing here asks the cloud.

The parts of a journey are tied together by the event's id: Powertools' logger writes it into each line as `correlation_id`, Lambda's
report carries the request that those lines name, and a message to people ends with the id of its event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
EVENTS = "events"
"""In a line about a batch, the ids of its events."""
SUBJECT = "Subject: "
REPORT = re.compile(r"REPORT RequestId: (?P<request>\S+)\s+Duration: (?P<duration>[\d.]+) ms")
INIT = re.compile(r"Init Duration: ([\d.]+) ms")
EVENT_ID = re.compile(r"\bevent (?P<id>[0-9a-f]{8}-[0-9a-f-]{27})(?![0-9a-f-])")


PATIENCE = timedelta(minutes=2)
"""For so long a function that should have got the event counts as running, before it has logged anything."""


@dataclass(frozen=True)
class Report:
    """What Lambda says of one invocation that has ended; times in milliseconds, `init` only of a cold start on AWS.

    `status` is `success` or what went wrong, only where Lambda's own lines are JSON.
    """

    request: str
    duration: float
    init: float = 0.0
    status: str = "success"


@dataclass(frozen=True)
class Attempt:
    """One invocation that was about the event; without a report it has not ended. Without lines it ended before it could say anything."""

    request: str
    lines: Sequence[Mapping[str, Any]]
    report: Report | None = None

    @property
    def failed(self) -> bool:
        if not self.report:
            return False
        return not self.lines or self.lines[-1].get("level") == "ERROR" or self.report.status != "success"

    @property
    def why(self) -> str:
        """Why it failed, in the words of the function, else of Lambda; empty when it did not."""
        if not self.failed or not self.report:
            return ""
        errors = [str(line["message"]) for line in self.lines if line.get("level") == "ERROR"]
        return errors[-1] if errors else f"Lambda ended it: {self.report.status}"

    @property
    def began(self) -> datetime | None:
        return time_of(self.lines[0]) if self.lines else None


@dataclass(frozen=True)
class Run:
    """What one function did about one event, in one or several attempts, oldest first."""

    function: str
    attempts: Sequence[Attempt]

    @property
    def lines(self) -> list[Mapping[str, Any]]:
        """What it logged about the event."""
        return [line for attempt in self.attempts for line in attempt.lines]

    @property
    def ended(self) -> bool:
        return all(attempt.report for attempt in self.attempts)

    @property
    def failed(self) -> bool:
        """Whether its last attempt ended with an error."""
        return self.attempts[-1].failed

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
        return told_by(self.lines[-1])

    @property
    def known(self) -> dict[str, Any]:
        """What all its lines tell, the later ones last."""
        return {key: value for line in self.lines for key, value in told_by(line).items()}


@dataclass(frozen=True)
class Way:
    """How an event gets to a function, or to what else a rule sends it to: by the rule or the schedule of that name."""

    name: str
    function: str


@dataclass(frozen=True)
class Told:
    """A message that came to the receiver.

    Attributes:
        to: what the path to which it came stands for: `slack`, `support`, `alerts`, ...
        call: the `Idempotency-Key` that came with it.
    """

    to: str
    text: str
    call: str = ""

    @property
    def mail(self) -> tuple[str, str] | None:
        """Subject and text, when it is what an e-mail to a topic's subscribers says."""
        head, blank, body = self.text.partition("\n\n")
        return (head.removeprefix(SUBJECT), body) if head.startswith(SUBJECT) and blank else None

    @property
    def blocks(self) -> dict[str, Any] | None:
        """The message of Block Kit that it is, for Slack."""
        return next((body for body in parsed([self.text]) if isinstance(body.get("blocks"), list)), None)

    @property
    def channel(self) -> str:
        return "E-mail" if self.mail else "Slack" if self.blocks else "Webhook"

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
        ways: its rules and schedules, where they are known.
        awaited: the functions that should be at work on it and have logged nothing yet.
    """

    id: str
    event: Mapping[str, Any] | None = None
    ways: Sequence[Way] = ()
    runs: Sequence[Run] = ()
    told: Sequence[Told] = ()
    awaited: Sequence[str] = ()

    @property
    def title(self) -> str:
        if self.event is None:
            said = self.runs[0].says if self.runs else "An event of which only its id is known"
            return f"{said} ({self.id[:8]})"
        return f"{self.event.get('detail-type', '')} from {self.event.get('source', '')}"

    @property
    def subject(self) -> str:
        """What the event is about, as far as its usual fields say: an object's key, a call's name, the last part of a resource."""
        event = self.event or {}
        detail, resources = event.get("detail"), event.get("resources")
        match detail:
            case {"object": {"key": str(name)}} | {"eventName": str(name)} | {"project-name": str(name)}:
                return name
            case {"instance-id": str(name)} | {"SourceIdentifier": str(name)}:
                return name
        return re.split("[/:]", str(resources[0]))[-1] if isinstance(resources, list) and resources else ""

    @property
    def at(self) -> datetime | None:
        """When it happened, as the event itself says; else when a function first logged something about it."""
        times = [run.began for run in self.runs if run.began]
        return instant(str((self.event or {}).get("time", ""))) or min(times, default=None)

    @property
    def state(self) -> str:
        """In a word: `failed`, `running`, `done`, or `left alone` when no function worked on it."""
        if any(run.failed for run in self.runs):
            return "failed"
        if self.awaited or any(not run.ended for run in self.runs):
            return "running"
        return "done" if self.runs else "left alone"


def follow(
    events: Mapping[str, Mapping[str, Any]],
    ways: Mapping[str, Sequence[Way]],
    logs: Mapping[str, Sequence[str]],
    told: Iterable[Told],
    now: datetime,
) -> list[Journey]:
    """The journeys that these tell of, the newest first.

    Args:
        events: by id, those that are known.
        ways: by the event's id, what brings it to functions.
        logs: by function, the lines of its log group, oldest first.
    """
    runs: dict[str, list[Run]] = {}
    never = datetime.max.replace(tzinfo=UTC)
    every = [item for function, messages in logs.items() for item in runs_of(function, messages).items()]
    for event_id, run in sorted(every, key=lambda item: item[1].began or never):
        runs.setdefault(event_id, []).append(run)
    calls = {str(run.known["call"]): event_id for event_id, some in runs.items() for run in some if "call" in run.known}
    about: dict[str, list[Told]] = {}
    for message in told:
        about.setdefault(calls.get(message.call) or message.event_id, []).append(message)
    found = []
    for event_id in dict.fromkeys([*events, *runs]):
        event, own, at_work = events.get(event_id), ways.get(event_id, ()), runs.get(event_id, ())
        missing = awaited(own, at_work) if event and is_young(event, now) else ()
        found.append(Journey(event_id, event, own, at_work, about.get(event_id, ()), missing))
    return sorted(found, key=lambda one: one.at or datetime.min.replace(tzinfo=UTC), reverse=True)


def awaited(ways: Iterable[Way], runs: Iterable[Run]) -> list[str]:
    """The functions to which an event goes and that have logged nothing about it."""
    seen = {run.function for run in runs}
    return [
        name for name in dict.fromkeys(way.function for way in ways) if name.endswith("Function") and name not in seen
    ]


def is_young(event: Mapping[str, Any], now: datetime) -> bool:
    """Whether a function may still be about to log its first line about it."""
    at = instant(str(event.get("time", "")))
    return bool(at and now - at < PATIENCE)


def record_ids(journey: Journey) -> list[str]:
    """The ids of the audit records that security_remediation may have written about the event.

    Day, remediation and CloudTrail event: functions/security_remediation/audit.py.
    """
    event = journey.event or {}
    call = event.get("detail", {}).get("eventID") if isinstance(event.get("detail"), Mapping) else None
    judged = [run.known.get("outcomes") for run in journey.runs]
    names = [name for outcomes in judged if isinstance(outcomes, Mapping) for name in outcomes]
    return [f"{str(event.get('time', ''))[:10]}/{name}/{call}" for name in names] if call else []


def told_by(line: Mapping[str, Any]) -> dict[str, Any]:
    """What a line tells beside its message, the events that it is about, and what Powertools writes into it."""
    own = OWN_KEYS | {EVENTS}
    return {key: value for key, value in line.items() if key not in own and value not in (None, "", [], {})}


def runs_of(function: str, messages: Sequence[str]) -> dict[str, Run]:
    """By the event's id, what the function did about it.

    Lambda keeps a request's id when it tries again, and the local cloud gives a new one. Who takes batches names the `events`.
    """
    entries = list(_entries(messages))
    about: dict[str, dict[str, None]] = {}
    for entry in entries:
        if isinstance(entry, dict):
            named = entry.get(EVENTS)
            of_batch = named if isinstance(named, list) and not entry.get("correlation_id") else []
            ids = [entry["correlation_id"]] if entry.get("correlation_id") else of_batch
            about.setdefault(_request(entry), {}).update({str(one): None for one in ids})
    ended: dict[str, list[Attempt]] = {}
    begun: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for entry in entries:
        if isinstance(entry, Report):
            for event_id in about.get(entry.request, ()):
                lines = begun.pop((event_id, entry.request), [])
                ended.setdefault(event_id, []).append(Attempt(entry.request, lines, entry))
        else:
            own = entry.get("correlation_id")
            for event_id in [str(own)] if own else about[_request(entry)]:
                begun.setdefault((event_id, _request(entry)), []).append(entry)
    for (event_id, request), lines in begun.items():
        ended.setdefault(event_id, []).append(Attempt(request, lines))
    return {
        event_id: Run(function, attempts)
        for event_id, attempts in ended.items()
        if any(attempt.lines for attempt in attempts)
    }


def _request(line: Mapping[str, Any]) -> str:
    return str(line.get("function_request_id", ""))


def _entries(messages: Iterable[str]) -> Iterator[dict[str, Any] | Report]:
    """The functions' lines and Lambda's reports, in their order."""
    for text in messages:
        yield from reports([text])
        yield from (line for line in parsed([text]) if "message" in line)


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
                        yield Report(
                            request, float(duration), float(init_ms), str(line["record"].get("status", "success"))
                        )


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


def received(name: str, text: str, call: str = "") -> Told:
    """What a file of `out/received/` holds: its name is a time, a number and the path to which the message came.

    >>> received("135829-243886-slack.json", "{...}").to  # "slack"
    """
    return Told(PurePath(name.split("-", 2)[-1]).stem, text, call)
