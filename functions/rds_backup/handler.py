"""Every night, take a snapshot of each database that is to be backed up, and delete own snapshots that are old.

When one is complete, copy it to another region, if there is one; when one failed, tell people.
Never deletes a snapshot that it did not make, nor the last ones of a database, and never changes a database.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.correlation_paths import EVENT_BRIDGE
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.parser import event_parser
from pydantic import Field

from automations import aws
from automations.errors import log_failure
from automations.events.rds import SnapshotEvent
from automations.events.scheduler import ScheduledRun
from automations.notify import NotifySettings, notifier
from rds_backup.database import Kind
from rds_backup.nightly import keep_copies, make_backups
from rds_backup.plan import is_older
from rds_backup.report import Report, snapshot_failed, summary
from rds_backup.snapshot import PREFIX, copy, find

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(use_rfc3339=True)  # Lambda reads the level of a line only beside such a time
metrics = Metrics(namespace="EventBridgeAutomations")
tracer = Tracer(patch_modules=("botocore",))

BackupEvent = Annotated[ScheduledRun | SnapshotEvent, Field(discriminator="source")]


class Settings(NotifySettings):
    backup_selection: Literal["tagged", "all"] = "tagged"
    backup_tag: str = "automations:backup"
    backup_retention_days: int = Field(default=14, ge=1)
    backup_minimum_copies: int = Field(default=3, ge=1)
    backup_copy_region: str = ""
    backup_copy_kms_key: str = "alias/aws/rds"
    backup_copy_retention_days: int = Field(default=14, ge=1)


@logger.inject_lambda_context(correlation_id_path=EVENT_BRIDGE)
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@log_failure(logger)
@event_parser(model=BackupEvent)
def lambda_handler(event: ScheduledRun | SnapshotEvent, context: LambdaContext) -> dict[str, Any]:
    settings = Settings.from_env()
    if isinstance(event, ScheduledRun):
        return back_up(event, settings, context)
    return follow(event, settings, context)


def back_up(run: ScheduledRun, settings: Settings, context: LambdaContext) -> dict[str, int]:
    """Make the night's snapshots, tell people about all that did not go well, and fail at the end when something failed."""
    report = Report()
    existing = make_backups(run, settings, report)
    if settings.backup_copy_region:
        keep_copies(run, existing, settings, report)
    counts = report.counts()
    reasons = report.skipped | report.broken | report.failed
    logger.info("Backed up the databases", counts=counts, snapshots=report.snapshots, reasons=reasons)
    for kind, number in counts.items():
        metrics.add_metric(f"Backups{kind.capitalize()}", MetricUnit.Count, number)
    if report.worth_telling:
        notifier(settings, context)(summary(report, run), key=f"rds-backup/{run.time.isoformat()}")
    report.raise_failures()
    return counts


def follow(event: SnapshotEvent, settings: Settings, context: LambdaContext) -> dict[str, str]:
    """Look at the snapshot that the event is about: alert, copy, or no more than a line in the log."""
    name = event.detail.source_identifier
    kind = Kind.CLUSTER if event.detail.source_type == "CLUSTER_SNAPSHOT" else Kind.INSTANCE
    snapshot = find(aws.rds(), kind, name)
    if not (snapshot.own if snapshot else name.startswith(PREFIX)):
        outcome = "not ours"
    elif event.is_failure or (snapshot and snapshot.status == "failed"):
        tell = notifier(settings, context)
        tell(snapshot_failed(event, kind, snapshot), key=f"{kind}/{name}/{event.detail.event_id}")
        outcome = "failed"
    elif not snapshot:
        outcome = "deleted already"
    elif event.replay_name and is_older(snapshot, datetime.now(UTC), settings.backup_copy_retention_days):
        outcome = "complete, and older than a copy is kept"
    elif settings.backup_copy_region:
        copy(aws.rds(settings.backup_copy_region), snapshot, settings.backup_copy_kms_key)
        outcome = f"complete, copied to {settings.backup_copy_region}"
    else:
        outcome = "complete"
    logger.info("Looked at a snapshot", snapshot=name, outcome=outcome)
    return {"snapshot": name, "outcome": outcome}
