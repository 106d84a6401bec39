"""One remediation, from its judgement of a call to the message."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from automations.errors import AutomationError
from automations.events.cloudtrail import ApiCall
from automations.notify import notifier
from automations.secrets import read_parameter
from security_remediation.audit import entry, keep, plan_of, recall, record_id
from security_remediation.exemptions import Exemption, judge, read_exemptions
from security_remediation.incidents import Incident, count, failure_key, incident_key
from security_remediation.message import Outcome, failure, message
from security_remediation.modes import Mode, mode_of
from security_remediation.plan import Plan, Remediation

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from security_remediation.handler import Settings

logger = Logger(use_rfc3339=True)
metrics = Metrics(namespace="EventBridgeAutomations")

READ_BACK_AFTER = (0.0, 1.0, 3.0)
"""Seconds to wait before each reading back: IAM, EC2 and S3's bucket settings are eventually consistent."""
INTERRUPTED = (
    "An earlier attempt of this function began with it and did not come to its end. Nothing is left to do now, be it that "
    "attempt's doing or somebody else's."
)


class StillOpen(AutomationError):
    """A change was made without an error, and reading back still shows the resource open."""


@dataclass(frozen=True)
class Judged:
    """Attributes:
    plan: with what was done, or would be.
    exemption: why the resource is exempt, or why an exemption does not count; "" for none.
    """

    plan: Plan
    outcome: Outcome
    exemption: str = ""


def remediate(remediation: Remediation, event: ApiCall, settings: Settings, context: LambdaContext) -> str:
    """Judge the call; do and tell what follows. A failure is told, too, and raised."""
    mode = mode_of(remediation, settings.mode, settings.modes)
    if mode == Mode.OFF:
        return Mode.OFF
    key, tell = f"{remediation.NAME}/{event.detail.event_id}", notifier(settings, context)
    try:
        judged = act(remediation, event, mode, settings)
    except Exception as error:
        try:
            seen = _counted(failure_key(remediation.NAME, error), event, settings)
            if seen.told:
                tell(failure(event, remediation.NAME, error, seen), key=f"{key}/failed")
        except Exception as untold:  # the first error is the one to act on
            logger.error(str(untold), remediation=remediation.NAME)
        raise
    if judged is None:
        return "harmless"
    todo, outcome = judged.plan, judged.outcome
    seen = _counted(incident_key(remediation.NAME, event, todo, outcome), event, settings)
    if seen.told:
        undo = f"python -m local security undo {record_id(remediation.NAME, event)}" if todo.before else ""
        tell(message(event, todo, outcome, exemption=judged.exemption, incident=seen, undo=undo), key=key)
        metrics.add_metric("IncidentsTold", MetricUnit.Count, 1)
    return outcome


def _counted(incident: str, event: ApiCall, settings: Settings) -> Incident:
    """Count the event to its incident. When that fails, people are told rather than not."""
    try:
        return count(incident, event, settings.idempotency_table)
    except Exception as error:
        logger.error(str(error))
        return Incident(told=True)


def act(remediation: Remediation, event: ApiCall, mode: Mode, settings: Settings) -> Judged | None:
    """Judge the call and, in enforce mode, close what it opened. None: it opened nothing."""
    state = remediation.read(event.detail)
    todo = remediation.plan(event.detail, state, settings)
    if mode == Mode.ENFORCE and not (todo and todo.steps) and (before := earlier(remediation, event, settings)):
        return before
    if todo is None:
        return None
    verdict = judge(
        remediation.NAME,
        todo.resource,
        state.tags,
        settings.exemption_tag,
        _exemptions(settings),
        _today(),
        todo.also,
    )
    outcome = decide(todo, exempt=verdict.exempt, mode=mode)
    if outcome == Outcome.CLOSED:
        close(remediation, todo, event, settings)
    return Judged(todo, outcome, verdict.why)


def earlier(remediation: Remediation, event: ApiCall, settings: Settings) -> Judged | None:
    """What an earlier attempt at this very event closed, now that nothing is left to do. None: there was no such attempt.

    It may have ended before people were told, and this one would find nothing but what is right by now.
    """
    record = recall(settings.audit_bucket, record_id(remediation.NAME, event))
    if record is None:
        return None
    todo = plan_of(record)
    if record["outcome"] != Outcome.CLOSED:
        todo = replace(todo, remark=f"{todo.remark}\n{INTERRUPTED}".strip())
        verify(remediation, todo, event, settings)
    return Judged(todo, Outcome.CLOSED)


def decide(todo: Plan, *, exempt: bool, mode: Mode) -> Outcome:
    """What becomes of a plan."""
    if exempt:
        return Outcome.EXEMPT
    if not todo.steps:
        return Outcome.LEFT
    return Outcome.CLOSED if mode == Mode.ENFORCE else Outcome.TOLD


def _exemptions(settings: Settings) -> tuple[Exemption, ...]:
    """Those of this moment: `undo` adds one, and what it puts back brings the next event within seconds."""
    name = settings.exemptions_parameter
    return read_exemptions(read_parameter(name, fresh=True), name) if name else ()


def _today() -> date:
    return datetime.now(UTC).date()


def close(remediation: Remediation, todo: Plan, event: ApiCall, settings: Settings) -> None:
    """Keep what is there, apply the plan, and read back until nothing is left to do. Each step is audited.

    Raises:
        StillOpen: something is.
    """
    audit(remediation, todo, event, settings, "about to be changed")
    remediation.apply(todo)
    verify(remediation, todo, event, settings)


def verify(remediation: Remediation, todo: Plan, event: ApiCall, settings: Settings) -> None:
    """Read back until nothing is left to do.

    Raises:
        StillOpen: something is.
    """
    left: tuple[str, ...] = ()
    for seconds in READ_BACK_AFTER:
        time.sleep(seconds)
        left = _left(remediation, event, settings)
        if not left:
            metrics.add_metric("ResourcesClosed", MetricUnit.Count, 1)
            audit(remediation, todo, event, settings, Outcome.CLOSED, verified=True)
            return
    audit(remediation, todo, event, settings, "still open after its change", verified=False, left=list(left))
    raise StillOpen(
        f"{todo.resource} {todo.finding}, still, after its change was made without an error. Left to do: "
        + " ".join(left)
    )


def _left(remediation: Remediation, event: ApiCall, settings: Settings) -> tuple[str, ...]:
    """What is left to do, as the resource is now: another plan says so, unless the remediation has a way of its own."""
    state = remediation.read(event.detail)
    if hasattr(remediation, "left"):
        found: tuple[str, ...] = remediation.left(state)
        return found
    again = remediation.plan(event.detail, state, settings)
    return again.steps if again else ()


def audit(remediation: Remediation, todo: Plan, event: ApiCall, settings: Settings, outcome: str, **after: Any) -> None:
    keep(settings.audit_bucket, entry(remediation, event, todo, outcome=outcome, after=after))
