"""When a stage of an API is created in Amazon API Gateway, switch on its access and execution logs, in log groups that forget.

Never changes logs that a stage has, a retention that a log group has, or a role that the account has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.correlation_paths import EVENT_BRIDGE
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import event_parser
from botocore.exceptions import ClientError
from pydantic import Field

from apigateway_logging import message
from apigateway_logging.account import NoAccountRole, ensure_role
from apigateway_logging.log_groups import ensure_log_group
from apigateway_logging.plan import Plan, plan
from apigateway_logging.stage import Stage, describe, stage_name, update
from automations.errors import Refused, log_failure
from automations.events.cloudtrail import ApiCall
from automations.notify import NotifySettings, notifier

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(use_rfc3339=True)  # Lambda reads the level of a line only beside such a time
metrics = Metrics(namespace="EventBridgeAutomations")
tracer = Tracer(patch_modules=("botocore",))

# A person must do something about these. Conflicts and throttling pass, with botocore's retries or Lambda's.
REFUSALS = frozenset({"BadRequestException", "UnauthorizedException", "AccessDeniedException"})


class Settings(NotifySettings):
    """Attributes:
    log_groups_arn: what the ARNs of this account's log groups begin with.
    account_role: the role to set for API Gateway when the account has none.
    """

    log_groups_arn: str = Field(pattern=r"^arn:[a-z-]+:logs:[a-z0-9-]+:[0-9]{12}:log-group:$")
    retention_days: int = Field(default=30, ge=1)
    execution_log_level: Literal["ERROR", "INFO"] = "ERROR"
    data_trace: bool = False
    detailed_metrics: bool = False
    account_role: str = ""

    def log_group_arn(self, name: str) -> str:
        return f"{self.log_groups_arn}{name}"


@logger.inject_lambda_context(correlation_id_path=EVENT_BRIDGE)
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@log_failure(logger)
@event_parser(model=ApiCall)
def lambda_handler(event: ApiCall, context: LambdaContext) -> dict[str, Any]:
    settings = Settings.from_env()
    refuse_elsewhere(event, settings)
    name = stage_name(event.detail)
    stage = describe(name) if name else None
    todo = plan(name, stage, settings)
    if stage and todo.logs and not apply(event, stage, todo, settings, context):
        todo = plan(name, None, settings)
    done = "Switched on the logs of a stage" if todo.logs else "Left a stage as it is"
    logger.info(done, stage=str(name or ""), logs=todo.logs, log_groups=todo.log_groups, why=todo.why)
    return {"stage": str(name or ""), "logs": list(todo.logs), "why": todo.why}


def refuse_elsewhere(event: ApiCall, settings: Settings) -> None:
    """Refuse calls of another account or region, where this function would look for the stage in vain."""
    _, _, _, region, account, *_ = settings.log_groups_arn.split(":")
    if (event.account, event.region) != (account, region):
        raise Refused(
            f"The call was made in account {event.account}, {event.region}; this function looks after {account}, {region} "
            "only. Deploy the stack there as well."
        )


def apply(event: ApiCall, stage: Stage, todo: Plan, settings: Settings, context: LambdaContext) -> bool:
    """Make the log groups, then change the stage, which is what says that all is done; False when it is gone by now."""
    tell = notifier(settings, context)
    new_role = False
    try:
        new_role = todo.needs_role and ensure_role(settings.account_role)
        for group in todo.log_groups:
            ensure_log_group(group, settings.retention_days)
        changed = update(stage.name, todo.change)
    except NoAccountRole:
        tell(message.no_role(event, stage, todo), key=f"{event.detail.event_id}/no-role")
        raise
    except ClientError as error:
        if error.response["Error"]["Code"] in REFUSALS and not new_role:
            tell(message.refused(event, stage, todo, str(error)), key=f"{event.detail.event_id}/refused")
        raise
    if changed:
        metrics.add_metric("ApiStagesLogged", MetricUnit.Count, 1)
    return changed
