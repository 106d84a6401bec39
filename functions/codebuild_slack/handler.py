"""When a CodeBuild build ends, post its result to Slack.

Never shows the build's environment variables, and never starts, stops or changes a build.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.correlation_paths import EVENT_BRIDGE
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import event_parser

from automations.errors import log_failure
from automations.events.codebuild import BuildFinished
from automations.notify import notify
from automations.settings import EnvSettings
from codebuild_slack.builds import Builds
from codebuild_slack.plan import plan

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from automations.notify import Message

logger = Logger(use_rfc3339=True)  # Lambda reads the level of a line only beside such a time
metrics = Metrics(namespace="EventBridgeAutomations")
tracer = Tracer(patch_modules=("botocore",))


class Settings(EnvSettings):
    slack_webhook: str
    slack_queue: str
    idempotency_table: str
    builds_table: str
    report: Literal["all", "failures-and-recoveries"] = "all"


@logger.inject_lambda_context(correlation_id_path=EVENT_BRIDGE)
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@log_failure(logger)
@event_parser(model=BuildFinished)
def lambda_handler(event: BuildFinished, context: LambdaContext) -> dict[str, Any]:
    settings = Settings.from_env()
    builds = Builds(settings.builds_table)
    todo = plan(event, builds.status_before(event), settings)
    # Before the message: when that fails, a build that ends meanwhile must still see this one.
    builds.record(event)
    told = tell(event, todo.message, settings, context) if todo.message else []
    logger.info("Looked at a build", build=event.detail.build_id, told=told, why=todo.why)
    return {"build": event.detail.build_id, "told": told, "why": todo.why}


def tell(event: BuildFinished, message: Message, settings: Settings, context: LambdaContext) -> list[str]:
    """Tell Slack, once for a build and a status; returns where it was told now, for the first time."""
    told = notify(
        message,
        key=f"{event.detail.build_id}/{event.detail.build_status}",
        table=settings.idempotency_table,
        context=context,
        slack_webhook=settings.slack_webhook,
        slack_queue=settings.slack_queue,
    )
    metrics.add_metric("BuildMessages", MetricUnit.Count, len(told))
    return told
