"""When an EC2 instance stops or is terminated, tell people why, and start it again where its tag asks for that.

Never touches an instance that did not opt in, and never terminates or stops anything. An event that was forwarded from another
account or region is told from what it says alone: here an instance of that id would be looked for in vain.
"""

from __future__ import annotations

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
from automations.notify import NotifySettings, notifier
from ec2_state_alerts.instance import describe
from ec2_state_alerts.plan import Plan, plan, start_refused
from ec2_state_alerts.restarts import Restarts

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(use_rfc3339=True)  # Lambda reads the level of a line only beside such a time
metrics = Metrics(namespace="EventBridgeAutomations")
tracer = Tracer(patch_modules=("botocore",))

STILL_STOPPING = "IncorrectInstanceState"  # the event was quicker than the API; Lambda's retry finds it stopped
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (common client errors, server errors)
BUSY = frozenset({"RequestLimitExceeded", "InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable"})
PASSING = BUSY | {STILL_STOPPING}
"""What a later try mends without a person; when it does not, the event is in the failed-events queue, and people are told that."""


class Settings(NotifySettings):
    """Attributes:
    instances_arn: what the ARNs of this account's and region's instances begin with.
    """

    instances_arn: str = Field(pattern=r"^arn:[a-z-]+:ec2:[a-z0-9-]+:[0-9]{12}:instance/$")
    restarts_table: str
    auto_restart: bool = False
    auto_restart_tag: str = "automations:auto-restart"
    restart_after_user_stop: bool = False
    max_restarts: int = Field(default=3, ge=1)
    restart_window_minutes: int = Field(default=60, ge=1)

    def is_elsewhere(self, event: InstanceStateChanged) -> bool:
        """Whether the instance is one of another account or region."""
        _, _, _, region, account, _ = self.instances_arn.split(":")
        return (event.account, event.region) != (account, region)


@logger.inject_lambda_context(correlation_id_path=EVENT_BRIDGE)
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@log_failure(logger)
@event_parser(model=InstanceStateChanged)
def lambda_handler(event: InstanceStateChanged, context: LambdaContext) -> dict[str, Any]:
    settings = Settings.from_env()
    restarts = Restarts(settings.restarts_table, settings.restart_window_minutes)
    instance = None if settings.is_elsewhere(event) else describe(aws.ec2(), event.detail.instance_id)
    todo = plan(event, instance, restarts.before(event) if settings.auto_restart else 0, settings)
    told = apply(event, todo, restarts, settings, context)
    logger.info(
        "Looked at an instance", instance=event.detail.instance_id, told=told, restart=todo.restart, why=todo.why
    )
    return {"instance": event.detail.instance_id, "restarted": todo.restart, "why": todo.why}


def apply(
    event: InstanceStateChanged, todo: Plan, restarts: Restarts, settings: Settings, context: LambdaContext
) -> list[str]:
    """Tell people, then start the instance when that is planned; when AWS refuses the start, tell them that too.

    Returns the channels through which they are told now, for the first time.
    """
    if not todo.message:
        return []
    subject = f"{event.detail.instance_id}/{event.detail.state}/{event.time.isoformat()}"
    tell = notifier(settings, context)
    told = tell(todo.message, key=subject)
    metrics.add_metric("InstanceAlerts", MetricUnit.Count, 1)
    if not todo.restart:
        return told
    restarts.record(event)
    try:
        # The answer is the same for an instance that runs already, so a second delivery does no harm.
        aws.ec2().start_instances(InstanceIds=[event.detail.instance_id])
    except ClientError as error:
        if error.response["Error"]["Code"] not in PASSING:
            tell(start_refused(todo.message, error), key=f"{subject}/start-refused")
        raise
    metrics.add_metric("InstancesRestarted", MetricUnit.Count, 1)
    return told
