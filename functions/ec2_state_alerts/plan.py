"""The decision: what to say about an instance, and whether to start it again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from automations.events.ec2 import InstanceStateChanged
from automations.notify import Link, Message, Severity
from automations.partition import console_url
from automations.stopped_by import OFFICE_HOURS, STOPPED_BY
from ec2_state_alerts.instance import STOPPED_BY_USER, Instance

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

    from ec2_state_alerts.handler import Settings


@dataclass(frozen=True)
class Plan:
    """Attributes:
    restart: whether to start the instance.
    why: one sentence on why it is, or is not, started.
    message: None when there is nothing to tell.
    """

    restart: bool
    why: str
    message: Message | None


def plan(event: InstanceStateChanged, instance: Instance | None, restarts: int, settings: Settings) -> Plan:
    """Decide from the event, the instance as it is now (None: gone, or elsewhere), and its restarts in the window before."""
    if _kept_office_hours(event, instance):
        return Plan(restart=False, why="It was stopped because the office is closed.", message=None)
    obstacle, gave_up = _obstacle(event, instance, restarts, settings)
    why = obstacle or f"It is being started again (restart {restarts + 1} of {settings.max_restarts} in the window)."
    severity = Severity.CRITICAL if gave_up else Severity.WARNING
    return Plan(restart=not obstacle, why=why, message=_message(event, instance, why, severity, settings))


def _kept_office_hours(event: InstanceStateChanged, instance: Instance | None) -> bool:
    """Whether the automation office_hours stopped it, so that nobody needs to be told.

    Its tag alone does not explain a stop that came from inside, or from AWS.
    """
    return (
        event.detail.state in {"stopping", "stopped"}
        and instance is not None
        and instance.stopped_by == OFFICE_HOURS
        and instance.reason_code in STOPPED_BY_USER | {""}
    )


def _obstacle(
    event: InstanceStateChanged, instance: Instance | None, restarts: int, settings: Settings
) -> tuple[str, bool]:
    """What speaks against a restart ("" when nothing does), and whether a person is needed now."""
    if settings.is_elsewhere(event):
        return f"It is never started from here: it is in account {event.account}, {event.region}.", False
    if not settings.auto_restart:
        return "Automatic restart is off.", False
    if event.detail.state != "stopped":
        return f"An instance that is {event.detail.state} cannot be started again.", False
    if instance is None or instance.state == "terminated":
        return "It does not exist any more.", False
    if instance.state in {"pending", "running"}:
        return "It runs again already.", False
    if instance.launched and instance.launched > event.time:  # the event is late, or replayed
        return "It was started since. If it is stopped now, an event of its own says so.", False
    if instance.tags.get(settings.auto_restart_tag, "").lower() != "true":
        return f"It has no tag {settings.auto_restart_tag}=true.", False
    if instance.auto_scaling_group:
        return f"Its Auto Scaling group {instance.auto_scaling_group} takes care of it.", False
    if instance.spot:
        return "It is a Spot Instance, which Amazon EC2 starts by itself.", False
    if instance.stopped_by:
        return f"{instance.stopped_by} stopped it on purpose (tag {STOPPED_BY}).", False
    if instance.reason_code in STOPPED_BY_USER and not settings.restart_after_user_stop:
        return "Somebody stopped it on purpose.", False
    if restarts >= settings.max_restarts:
        window = f"{restarts} restarts in {settings.restart_window_minutes} minutes"
        return f"It does not stay up: {window}. It is left stopped; somebody must look at it.", True
    return "", False


def _message(
    event: InstanceStateChanged, instance: Instance | None, why: str, severity: Severity, settings: Settings
) -> Message:
    instance_id, state = event.detail.instance_id, event.detail.state
    called = f"{instance.name} ({instance_id})" if instance and instance.name else instance_id
    where = f" in account {event.account}, {event.region}," if settings.is_elsewhere(event) else ""
    facts = {"Instance": instance_id, "State": state}
    if instance:
        tags = ", ".join(f"{key}={value}" for key, value in sorted(instance.tags.items()) if key != "Name")
        facts |= {
            "Name": instance.name or "-",
            "Type": instance.type,
            "Zone": instance.zone,
            "Reason": instance.reason,
            "Transition": instance.transition,
            "Tags": tags,
        }
    elif where:
        facts["Reason"] = "Unknown here: the event does not say it. Look in that account and region."
    else:
        facts["Reason"] = "Unknown: the instance is not in the API any more."
    return Message(
        severity=severity,
        title=f"EC2 instance {called}{where} is {state}",
        event=event,
        facts={label: value for label, value in (facts | {"Restart": why}).items() if value},
        link=Link("Open the instance", console_url(event.region, "ec2", f"InstanceDetails:instanceId={instance_id}")),
    )


def start_refused(told: Message, error: ClientError) -> Message:
    """What to say when AWS refuses to start an instance that was to be started again."""
    code, said = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    return replace(
        told,
        severity=Severity.CRITICAL,
        title=f"AWS refuses to start {told.facts['Instance']} again: {code}",
        text=f"AWS says: {said}\nIt is tried again by Lambda's retries; after the last one the event is in the failed-events queue.",
    )
