"""One remediation, from its judgement of a call to the message."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from automations.errors import AutomationError
from automations.events.cloudtrail import ApiCall
from automations.notify import notify
from security_remediation.message import Outcome, failure, message
from security_remediation.plan import Plan, Remediation

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from security_remediation.handler import Settings

metrics = Metrics(namespace="EventBridgeAutomations")

READ_BACK_AFTER = (0.0, 1.0, 3.0)
"""Seconds to wait before each reading back: IAM, EC2 and S3's bucket settings are eventually consistent."""


class StillOpen(AutomationError):
    """A change was made without an error, and reading back still shows the resource open."""


def remediate(remediation: Remediation, event: ApiCall, settings: Settings, context: LambdaContext) -> str:
    """Judge the call; do and tell what follows. A failure is told, too, and raised."""
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
        outcome = decide(todo, exempt=state.tags.get(settings.exemption_tag, "").lower() == "true", mode=settings.mode)
        if outcome == Outcome.CLOSED:
            close(remediation, todo, event, settings)
    except Exception as error:
        tell(failure(event, remediation.NAME, error), key=f"{key}/failed")
        raise
    tell(message(event, todo, outcome, exemption=f"{settings.exemption_tag}=true"), key=key)
    metrics.add_metric("IncidentsTold", MetricUnit.Count, 1)
    return outcome


def decide(todo: Plan, *, exempt: bool, mode: str) -> Outcome:
    """What becomes of a plan."""
    if not todo.steps:
        return Outcome.LEFT
    if exempt:
        return Outcome.EXEMPT
    return Outcome.CLOSED if mode == "enforce" else Outcome.TOLD


def close(remediation: Remediation, todo: Plan, event: ApiCall, settings: Settings) -> None:
    """Apply the plan and read back until nothing is left to do.

    Raises:
        StillOpen: something is.
    """
    remediation.apply(todo)
    for seconds in READ_BACK_AFTER:
        time.sleep(seconds)
        left = remediation.plan(event.detail, remediation.read(event.detail), settings)
        if left is None or not left.steps:
            metrics.add_metric("ResourcesClosed", MetricUnit.Count, 1)
            return
    raise StillOpen(
        f"{todo.resource} {todo.finding}, still, after its change was made without an error. Left to do: "
        + " ".join(left.steps if left else ())
    )
