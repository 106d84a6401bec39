"""When the office closes, stop the EC2 instances that keep its hours; when it opens, start those that were stopped.

Never touches an instance without the schedule tag, never starts one that somebody else stopped, and never terminates.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.correlation_paths import EVENT_BRIDGE
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import event_parser
from pydantic import BeforeValidator, model_validator

from automations import aws, waiting
from automations.errors import log_failure
from automations.events.scheduler import ScheduledRun
from automations.notify import Message, NotifySettings, notifier
from automations.settings import COMMA_SEPARATED
from office_hours import changes
from office_hours.hours import OfficeHours, read_days, read_zone
from office_hours.instance import describe
from office_hours.plan import Plan, plan
from office_hours.report import failures, report
from office_hours.switch import NotSwitched, Outcome, switch

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(use_rfc3339=True)  # Lambda reads the level of a line only beside such a time
metrics = Metrics(namespace="EventBridgeAutomations")
tracer = Tracer(patch_modules=("botocore",))

# 9:00 as in a cron expression; Pydantic reads 09:00.
Clock = Annotated[time, BeforeValidator(lambda text: text.rjust(5, "0"))]


class Settings(NotifySettings):
    time_zone: Annotated[ZoneInfo, BeforeValidator(read_zone)]
    schedule_tag: str = "automations:office-hours"
    opens: Clock
    closes: Clock
    days: Annotated[frozenset[str], BeforeValidator(read_days)]
    holidays: Annotated[frozenset[date], COMMA_SEPARATED] = frozenset()
    report: Literal["all", "failures"] = "all"

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("OPENS must be before CLOSES, on the same day")
        return self

    @property
    def hours(self) -> OfficeHours:
        return OfficeHours(self.time_zone, self.opens, self.closes, self.days, self.holidays)


@logger.inject_lambda_context(correlation_id_path=EVENT_BRIDGE)
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@log_failure(logger)
@event_parser(model=ScheduledRun)
def lambda_handler(event: ScheduledRun, context: LambdaContext) -> dict[str, Any]:
    settings = Settings.from_env()
    # Never before the scheduled time: a clock that is a little behind must not make 20:00 into 19:59.
    now = max(clock(), event.time)
    instances = describe(aws.ec2(), settings.schedule_tag)
    todo = plan(instances, settings.hours, now, settings.schedule_tag)
    tells_all = settings.report == "all"
    begun = (item.id for item in [*todo.stop, *todo.start])
    untold = changes.begin(event, begun, settings.idempotency_table, logger) if tells_all else set()
    done = switch(aws.ec2(), todo, now, waiting.time_left(context))
    result = summary(todo, done)
    logger.info("Kept office hours", skipped=todo.skipped, failed=done.failed, **result)
    count(done)
    tell(event, todo, changes.with_earlier(done, instances, untold, todo.is_open), settings, context)
    if tells_all:
        changes.end(event, settings.idempotency_table)
    if done.failed:
        raise NotSwitched(done.failed)
    return result


def clock() -> datetime:
    return datetime.now(UTC)


def summary(todo: Plan, done: Outcome) -> dict[str, Any]:
    return {
        "open": todo.is_open,
        "stopped": [instance.id for instance in done.stopped],
        "started": [instance.id for instance in done.started],
        "hours_saved": round(done.hours_saved, 2),
    }


def count(done: Outcome) -> None:
    metrics.add_metric("InstancesStopped", MetricUnit.Count, len(done.stopped))
    metrics.add_metric("InstancesStarted", MetricUnit.Count, len(done.started))
    metrics.add_metric("InstancesNotSwitched", MetricUnit.Count, len(done.failed))
    metrics.add_metric("HoursSaved", MetricUnit.Count, done.hours_saved)


def tell(event: ScheduledRun, todo: Plan, done: Outcome, settings: Settings, context: LambdaContext) -> None:
    """Tell what the run did, and apart from it what failed: a retry that fails in the same way tells nothing new."""
    messages: dict[str, Message] = {}
    changed = sorted(instance.id for instance in [*done.stopped, *done.started])
    if changed and settings.report == "all":
        messages[f"changed/{','.join(changed)}"] = report(event, done, todo.skipped)
    if done.failed:
        messages[f"failed/{','.join(sorted(done.failed))}"] = failures(event, done)
    for about, message in messages.items():
        notifier(settings, context)(message, key=f"office-hours/{event.time.isoformat()}/{about}")
