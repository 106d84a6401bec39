"""The decision: which instances to stop and which to start, from what they are and from what time it is now.

Nothing here asks which schedule ran: a run that comes late, or again, finds the state that is right for now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from automations.stopped_by import OFFICE_HOURS, stopped_at, stopped_by
from office_hours.hours import OfficeHours
from office_hours.instance import Instance, is_marked

KEEP_UNTIL_TAG = "automations:keep-until"
STOP, STOP_ONLY, OPTED_OUT = "true", "stop-only", "false"
"""The values of the schedule tag, in any case."""


@dataclass
class Plan:
    """Attributes:
    stop: to be stopped, or hibernated where that is configured.
    start: this automation stopped them; to be started.
    unmark: somebody started them meanwhile, so their mark is out of date.
    skipped: why, by the id of each instance that carries the tag, runs, and is not stopped.
    """

    is_open: bool
    stop: list[Instance] = field(default_factory=list)
    start: list[Instance] = field(default_factory=list)
    unmark: list[Instance] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


def plan(instances: Iterable[Instance], hours: OfficeHours, now: datetime, schedule_tag: str) -> Plan:
    """Decide for the instances that carry the schedule tag."""
    todo = Plan(is_open=hours.is_open(now))
    for instance in instances:
        wish = instance.tags.get(schedule_tag, "").strip().lower()
        if todo.is_open:
            _opened(instance, wish, todo)
        else:
            _closed(instance, wish, schedule_tag, hours.today(now), todo)
    return todo


def _opened(instance: Instance, wish: str, todo: Plan) -> None:
    if not is_marked(instance, OFFICE_HOURS):
        return
    if instance.state in {"pending", "running"} or not stopped_by(instance.tags, instance.launched):
        todo.unmark.append(instance)
    elif wish == STOP:
        todo.start.append(instance)


def _closed(instance: Instance, wish: str, schedule_tag: str, today: date, todo: Plan) -> None:
    if instance.state not in {"pending", "running"} or wish == OPTED_OUT:
        return
    if obstacle := _obstacle(instance, wish, schedule_tag, today):
        todo.skipped[instance.id] = obstacle
    else:
        todo.stop.append(instance)


def _obstacle(instance: Instance, wish: str, schedule_tag: str, today: date) -> str:
    """What speaks against stopping a running instance; "" when nothing does."""
    if wish not in {STOP, STOP_ONLY}:
        return f"Its tag {schedule_tag} is none of {STOP}, {STOP_ONLY} and {OPTED_OUT}."
    if instance.auto_scaling_group:
        return f"Its Auto Scaling group {instance.auto_scaling_group} would replace it."
    if instance.spot:
        return "It is a Spot Instance."
    if instance.instance_store:
        return "Its root device is an instance store, so it cannot be stopped."
    if instance.managed_by:
        return f"It is managed by {instance.managed_by}."
    if instance.state == "pending":
        return "It is only just starting."
    return _kept(instance.tags, today)


def _kept(tags: Mapping[str, str], today: date) -> str:
    text = tags.get(KEEP_UNTIL_TAG, "").strip()
    if not text:
        return ""
    try:
        until = date.fromisoformat(text)
    except ValueError:
        return f"Its tag {KEEP_UNTIL_TAG} is no date such as 2026-12-01, so it is kept."
    return f"It is kept until {until}, that day included." if today <= until else ""


def hours_saved(instance: Instance, now: datetime) -> float:
    """Hours that the instance was stopped since it was marked: until somebody started it, or else until now."""
    marked = stopped_at(instance.tags)
    if not marked:
        return 0.0
    runs_on = instance.state in {"pending", "running"}
    end = instance.launched if runs_on or instance.launched > marked else now
    return max(end - marked, timedelta()) / timedelta(hours=1)
