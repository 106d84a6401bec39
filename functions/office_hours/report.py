"""What is told about a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from automations.events.scheduler import ScheduledRun
from automations.notify import Link, Message, Severity
from automations.partition import console_url
from office_hours.instance import Instance
from office_hours.switch import Outcome


def report(event: ScheduledRun, done: Outcome, skipped: Mapping[str, str]) -> Message:
    """What the run did, and which running instances it left alone."""
    changes = [("stopped", done.stopped), ("started", done.started)]
    counted = " and ".join(f"{_count(changed)} {verb}" for verb, changed in changes if changed)
    saved = {"Hours saved": f"{done.hours_saved:.1f}"} if done.hours_saved else {}
    return Message(
        severity=Severity.INFO,
        title=f"Office hours: {counted}",
        event=event,
        facts={verb.capitalize(): _names(changed) for verb, changed in changes if changed} | saved,
        text=_lines("Left running:", skipped),
        link=_link(event),
    )


def failures(event: ScheduledRun, done: Outcome) -> Message:
    """Which instances AWS refused to stop or to start, and why."""
    return Message(
        severity=Severity.WARNING,
        title=f"Office hours: {_count(done.failed)} could not be switched",
        event=event,
        text=_lines(
            "AWS refused these. They are tried again by Lambda's retries; after the last one the run is in the "
            "failed-events queue.",
            done.failed,
        ),
        link=_link(event),
    )


def _count(items: Mapping[str, str] | list[Instance]) -> str:
    return f"{len(items)} instance{'' if len(items) == 1 else 's'}"


def _names(instances: Iterable[Instance]) -> str:
    return ", ".join(sorted(instance.called for instance in instances))


def _lines(heading: str, reasons: Mapping[str, str]) -> str:
    return (
        "\n".join([heading, *(f"{instance}: {reason}" for instance, reason in sorted(reasons.items()))])
        if reasons
        else ""
    )


def _link(event: ScheduledRun) -> Link:
    return Link("Open the instances", console_url(event.region, "ec2", "Instances:"))
