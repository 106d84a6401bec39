"""The decision: whether a build is worth a message, and which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from automations.events.codebuild import BuildFinished
from automations.notify import Link, Message, Severity
from codebuild_slack import build

if TYPE_CHECKING:
    from codebuild_slack.handler import Settings

SEVERITIES = {"SUCCEEDED": Severity.INFO, "STOPPED": Severity.WARNING}
"""Any other status is a failure, which somebody must look at."""


@dataclass(frozen=True)
class Plan:
    """Attributes:
    message: None when there is nothing to tell.
    why: one sentence on why it is, or is not, told.
    """

    message: Message | None
    why: str


def plan(event: BuildFinished, before: str | None, settings: Settings) -> Plan:
    """Decide from the event and from the status of the project's build before it (None: unknown)."""
    status = event.detail.build_status
    recovered = status == "SUCCEEDED" and before not in {None, "SUCCEEDED"}
    message = _message(event, recovered)
    if settings.report == "all":
        return Plan(message, "Every finished build is reported.")
    if recovered:
        return Plan(message, "It is the first success after a failure.")
    if status in SEVERITIES:
        return Plan(None, f"It is neither a failure nor the first success after one: {status}.")
    return Plan(message, "It is a failure.")


def _message(event: BuildFinished, recovered: bool) -> Message:
    detail, information = event.detail, event.detail.additional_information
    number = f" {information.build_number}" if information.build_number else ""
    ended = "succeeded again" if recovered else detail.build_status.lower().replace("_", " ")
    phase = build.unsuccessful_phase(event)
    facts = {
        "Project": detail.project_name,
        "Status": detail.build_status,
        "Started by": build.initiator(event),
        "Duration": build.duration(event),
        "Source": build.source(event),
        "Source version": information.source_version or "",
        "Phase": f"{phase.phase_type} {phase.phase_status}" if phase else "",
    }
    return Message(
        severity=SEVERITIES.get(detail.build_status, Severity.CRITICAL),
        title=f"CodeBuild: build{number} of {detail.project_name} {ended}",
        event=event,
        facts={label: value for label, value in facts.items() if value},
        text=build.reason(phase) if phase else "",
        link=Link("Open the logs", build.logs_url(event)),
    )
