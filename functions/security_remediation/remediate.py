"""One remediation, from its judgement of a call to the message."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from automations.errors import AutomationError
from automations.events.cloudtrail import ApiCall
from automations.notify import notify
from automations.secrets import read_parameter
from security_remediation.audit import entry, keep, record_id
from security_remediation.exemptions import Exemption, judge, read_exemptions
from security_remediation.incidents import Incident, count, incident_key
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


class StillOpen(AutomationError):
    """A change was made without an error, and reading back still shows the resource open."""


def remediate(remediation: Remediation, event: ApiCall, settings: Settings, context: LambdaContext) -> str:
    """Judge the call; do and tell what follows. A failure is told, too, and raised."""
    mode = mode_of(remediation, settings.mode, settings.modes)
    if mode == Mode.OFF:
        return Mode.OFF
    key = f"{remediation.NAME}/{event.detail.event_id}"
    tell = partial(
        notify,
        topic=settings.alerts_topic,
        slack_webhook=settings.slack_webhook,
        table=settings.idempotency_table,
        context=context,
    )
    try:
        state = remediation.read(event.detail)
        todo = remediation.plan(event.detail, state, settings)
        if todo is None:
            return "harmless"
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
    except Exception as error:
        try:
            tell(failure(event, remediation.NAME, error), key=f"{key}/failed")
        except Exception as untold:  # the first error is the one to act on
            logger.error(str(untold), remediation=remediation.NAME)
        raise
    seen = _counted(remediation, event, todo, outcome, settings)
    if seen.told:
        undo = f"python -m local security undo {record_id(remediation.NAME, event)}" if todo.before else ""
        tell(message(event, todo, outcome, exemption=verdict.why, incident=seen, undo=undo), key=key)
        metrics.add_metric("IncidentsTold", MetricUnit.Count, 1)
    return outcome


def _counted(remediation: Remediation, event: ApiCall, todo: Plan, outcome: str, settings: Settings) -> Incident:
    """Count the event to its incident. When that fails, people are told rather than not."""
    try:
        return count(incident_key(remediation.NAME, event, todo, outcome), event, settings.idempotency_table)
    except Exception as error:
        logger.error(str(error), remediation=remediation.NAME)
        return Incident(told=True)


def decide(todo: Plan, *, exempt: bool, mode: Mode) -> Outcome:
    """What becomes of a plan."""
    if not todo.steps:
        return Outcome.LEFT
    if exempt:
        return Outcome.EXEMPT
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

    def audit(outcome: str, **after: Any) -> None:
        keep(settings.audit_bucket, entry(remediation, event, todo, outcome=outcome, after=after))

    audit("about to be changed")
    remediation.apply(todo)
    for seconds in READ_BACK_AFTER:
        time.sleep(seconds)
        left = _left(remediation, event, settings)
        if not left:
            metrics.add_metric("ResourcesClosed", MetricUnit.Count, 1)
            audit(Outcome.CLOSED, verified=True)
            return
    audit("still open after its change", verified=False, left=list(left))
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
