"""What became of a night's backups, for the log, the metrics, the alert, and the failure of the run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from automations.errors import AutomationError
from automations.events.rds import SnapshotEvent
from automations.events.scheduler import ScheduledRun
from automations.notify import Link, Message, Severity
from automations.partition import console_url
from rds_backup.database import Kind
from rds_backup.snapshot import Snapshot

# The database or snapshot changed since it was listed, or there is no room: trying again at once does not help.
SKIPS = frozenset(
    {
        "SnapshotQuotaExceeded",
        "InvalidDBInstanceState",
        "InvalidDBClusterStateFault",
        "InvalidDBSnapshotState",
        "InvalidDBClusterSnapshotStateFault",
    }
)

KINDS = ("created", "copied", "deleted")


class BackupFailed(AutomationError):
    """Something of a night's backup failed; the message names each."""


@dataclass
class Report:
    """Attributes:
    done: identifiers of the snapshots that were created, copied and deleted.
    skipped: why something was not done, by what it was about.
    broken: why an earlier snapshot is of no use, by the snapshot.
    failed: AWS's error, by what it was about.
    """

    done: dict[str, list[str]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def attempt(self, what: str, kind: str = "listed", snapshot: str = "") -> Iterator[None]:
        """Note what is done here to the snapshot under its kind; an error of AWS goes into the report and stops nothing else."""
        try:
            yield
        except ClientError as error:
            code, said = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
            (self.skipped if code in SKIPS else self.failed)[what] = f"{code}: {said}"
        except BotoCoreError as error:  # no answer, say
            self.failed[what] = f"{type(error).__name__}: {error}"
        else:
            self.done.setdefault(kind, []).append(snapshot)

    def counts(self) -> dict[str, int]:
        made = {kind: len(self.done.get(kind, [])) for kind in KINDS}
        return made | {"skipped": len(self.skipped), "broken": len(self.broken), "failed": len(self.failed)}

    @property
    def snapshots(self) -> dict[str, list[str]]:
        """Identifiers by what was done to them, for the log."""
        return {kind: self.done[kind] for kind in KINDS if kind in self.done}

    @property
    def worth_telling(self) -> bool:
        return bool(self.skipped or self.broken or self.failed)

    def raise_failures(self) -> None:
        """Fail the run when something failed.

        Raises:
            BackupFailed: names each.
        """
        if self.failed:
            told = "; ".join(f"{what}: {why}" for what, why in self.failed.items())
            raise BackupFailed(
                f"{len(self.failed)} part{'s' * (len(self.failed) != 1)} of the backup failed, the rest is done. {told}"
            )


def summary(report: Report, run: ScheduledRun) -> Message:
    """One message about everything of the night that did not go well."""
    sections = {"Failed": report.failed, "Skipped": report.skipped, "Broken": report.broken}
    counts = ", ".join(f"{len(lines)} {name.lower()}" for name, lines in sections.items() if lines)
    text = "\n\n".join(
        f"{name}:\n" + "\n".join(f"- {what}: {why}" for what, why in lines.items())
        for name, lines in sections.items()
        if lines
    )
    return Message(
        severity=Severity.CRITICAL if report.failed or report.broken else Severity.WARNING,
        title=f"RDS backup of {run.time:%Y-%m-%d %H:%M} UTC: {counts}",
        event=run,
        facts={name.capitalize(): str(len(report.done.get(name, []))) for name in KINDS},
        text=text,
        link=_console(run.region),
    )


def snapshot_failed(event: SnapshotEvent, kind: Kind, snapshot: Snapshot | None) -> Message:
    """What to say when RDS reports a failure of one of our snapshots, which may be gone (None)."""
    name = event.detail.source_identifier
    return Message(
        severity=Severity.CRITICAL,
        title=f"RDS reports a failure of {kind} snapshot {name}",
        event=event,
        facts={
            "Snapshot": name,
            "Database": str(snapshot.source) if snapshot else "Unknown: the snapshot is not in the API any more.",
            "Status": snapshot.status if snapshot else "-",
            "Event": event.detail.event_id,
        },
        text=event.detail.message,
        link=_console(event.region),
    )


def _console(region: str) -> Link:
    return Link("Open the snapshots", console_url(region, "rds", "snapshots-list:"))
