"""When an EC2 instance stops or is terminated, tell people why, and start it again where its tag asks for that.

Never touches an instance that did not opt in, and never terminates or stops anything.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.correlation_paths import EVENT_BRIDGE
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import event_parser
from botocore.exceptions import ClientError
from pydantic import Field

from automations import aws
from automations.errors import log_failure
from automations.events.ec2 import InstanceStateChanged
from automations.notify import Message, notify
from automations.settings import EnvSettings
from ec2_state_alerts.instance import describe
from ec2_state_alerts.plan import Plan, plan, start_refused
from ec2_state_alerts.restarts import Restarts

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics(namespace="EventBridgeAutomations")
tracer = Tracer(patch_modules=("botocore",))


class Settings(EnvSettings):
    alerts_topic: str
    slack_webhook: str = ""
    idempotency_table: str
    restarts_table: str
    auto_restart: bool = False
    auto_restart_tag: str = "automations:auto-restart"
    restart_after_user_stop: bool = False
    max_restarts: int = Field(default=3, ge=1)
    restart_window_minutes: int = Field(default=60, ge=1)


@logger.inject_lambda_context(correlation_id_path=EVENT_BRIDGE)
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@log_failure(logger)
@event_parser(model=InstanceStateChanged)
def lambda_handler(event: InstanceStateChanged, context: LambdaContext) -> dict[str, Any]:
    settings = Settings.from_env()
    restarts = Restarts(settings.restarts_table, settings.restart_window_minutes)
    instance = describe(aws.ec2(), event.detail.instance_id)
    todo = plan(event, instance, restarts.before(event) if settings.auto_restart else 0, settings)
    result: dict[str, Any] = {"instance": event.detail.instance_id, "restarted": todo.restart, "why": todo.why}
    if not todo.message:
        logger.info("Left an instance alone", **result)
        return result
    apply(event, todo, todo.message, restarts, settings, context)
    logger.info("Told people about an instance", **result)
    return result


def apply(
    event: InstanceStateChanged,
    todo: Plan,
    message: Message,
    restarts: Restarts,
    settings: Settings,
    context: LambdaContext,
) -> None:
    """Tell people, then start the instance when that is planned; when AWS refuses the start, tell them that too."""
    subject = f"{event.detail.instance_id}/{event.detail.state}/{event.time.isoformat()}"
    tell = partial(
        notify,
        topic=settings.alerts_topic,
        slack_webhook=settings.slack_webhook,
        table=settings.idempotency_table,
        context=context,
    )
    tell(message, key=subject)
    metrics.add_metric("InstanceAlerts", MetricUnit.Count, 1)
    if not todo.restart:
        return
    restarts.record(event)
    try:
        # The answer is the same for an instance that runs already, so a second delivery does no harm.
        aws.ec2().start_instances(InstanceIds=[event.detail.instance_id])
    except ClientError as error:
        tell(start_refused(message, error), key=f"{subject}/start-refused")
        raise
    metrics.add_metric("InstancesRestarted", MetricUnit.Count, 1)
