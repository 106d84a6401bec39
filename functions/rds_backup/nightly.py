"""The night's work: the calls to RDS that the plans ask for, each on its own, with what became of them in the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from automations import aws
from automations.events.scheduler import ScheduledRun
from rds_backup.database import databases
from rds_backup.plan import plan, plan_copies
from rds_backup.report import Report
from rds_backup.snapshot import Snapshot, copy, create, delete, snapshots

if TYPE_CHECKING:
    from rds_backup.handler import Settings


def make_backups(run: ScheduledRun, settings: Settings, report: Report) -> list[Snapshot]:
    """Begin the night's snapshots, and delete the expired ones. Returns the snapshots that there were before."""
    rds = aws.rds()
    existing = snapshots(rds)
    todo = plan(run.time, databases(rds), existing, settings)
    report.skipped.update(todo.skipped)
    report.broken.update(todo.broken)
    for source, name in todo.create.items():
        with report.attempt(f"snapshot of {source}", "created", name):
            create(rds, source, name)
    for snapshot in todo.delete:
        with report.attempt(f"deletion of {snapshot}", "deleted", snapshot.id):
            delete(rds, snapshot)
    return existing


def keep_copies(run: ScheduledRun, existing: list[Snapshot], settings: Settings, report: Report) -> None:
    """Make the copies that are missing in the other region, and delete the expired ones."""
    abroad = aws.rds(settings.backup_copy_region)
    with report.attempt(f"list of the copies in {settings.backup_copy_region}"):
        todo = plan_copies(run.time, existing, snapshots(abroad), settings)
        report.broken.update({f"copy of {what}": why for what, why in todo.broken.items()})
        for snapshot in todo.copy:
            with report.attempt(f"copy of {snapshot}", "copied", snapshot.id):
                copy(abroad, snapshot, settings.backup_copy_kms_key)
        for snapshot in todo.delete:
            with report.attempt(f"deletion of the copy of {snapshot}", "deleted", snapshot.id):
                delete(abroad, snapshot)
