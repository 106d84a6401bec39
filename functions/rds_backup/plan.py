"""The decisions: which databases get a snapshot, and which snapshots are copied and deleted. Nothing here calls AWS."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rds_backup.database import OTHER_SERVICES, Database, Source
from rds_backup.snapshot import Snapshot, identifier

if TYPE_CHECKING:
    from rds_backup.handler import Settings


@dataclass(frozen=True)
class Plan:
    """Attributes:
    create: identifiers of the new snapshots.
    delete: snapshots that are not needed any more.
    skipped: why there will be no snapshot, by what it would be of.
    broken: why an earlier snapshot is of no use, by the snapshot.
    """

    create: Mapping[Source, str]
    delete: list[Snapshot]
    skipped: Mapping[str, str]
    broken: Mapping[str, str]


@dataclass(frozen=True)
class CopyPlan:
    """The same for the region of the copies."""

    copy: list[Snapshot]
    delete: list[Snapshot]
    broken: Mapping[str, str]


def plan(at: datetime, databases: Iterable[Database], snapshots: list[Snapshot], settings: Settings) -> Plan:
    """Decide for the run that was scheduled at that time, whenever and however often it comes."""
    taken = {(snapshot.source.kind, snapshot.id) for snapshot in snapshots}
    create: dict[Source, str] = {}
    skipped: dict[str, str] = {}
    for database in sorted(databases, key=lambda item: item.source):
        source, name = database.source, identifier(database.source, at)
        tagged = database.tags.get(settings.backup_tag, "").lower() == "true"
        if not tagged and settings.backup_selection != "all":
            continue
        if (source.kind, name) in taken:  # by an earlier attempt, which may be why the database is not ready now
            continue
        if service := OTHER_SERVICES.get(database.engine):
            if tagged:
                skipped[str(source)] = f"It belongs to {service}, which this automation does not back up."
        elif not database.ready:
            skipped[str(source)] = f"Its status is {database.status}."
        else:
            create[source] = name
    expired_ones = expired(snapshots, at, settings.backup_retention_days, settings.backup_minimum_copies)
    return Plan(create, expired_ones, skipped, _broken(snapshots))


def plan_copies(at: datetime, snapshots: list[Snapshot], copies: list[Snapshot], settings: Settings) -> CopyPlan:
    """Decide from the snapshots here and those in the region of the copies.

    The newest snapshot that is available is copied when its copy is missing: the event that should have led to it may not
    have come. Older ones are not, so that a new region does not get the whole past.
    """
    taken = {(copy.source.kind, copy.id) for copy in copies}
    newest = [group[0] for group in _available(snapshots).values()]
    return CopyPlan(
        copy=[snapshot for snapshot in newest if (snapshot.source.kind, snapshot.id) not in taken],
        delete=expired(copies, at, settings.backup_copy_retention_days, settings.backup_minimum_copies),
        broken=_broken(copies),
    )


def expired(snapshots: Iterable[Snapshot], at: datetime, days: int, minimum: int) -> list[Snapshot]:
    """Own snapshots older than so many days, but for the newest `minimum` (at least 1) of each database that are available.

    So nothing is deleted for which there is no newer one that can be restored. One that is not available is neither
    counted nor deleted; RDS would not delete it.
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBSnapshot.html
    """
    return [
        snapshot
        for group in _available(snapshots).values()
        for snapshot in group[minimum:]
        if is_older(snapshot, at, days)
    ]


def is_older(snapshot: Snapshot, at: datetime, days: int) -> bool:
    """Whether the snapshot was taken more than so many days before that time."""
    return bool(snapshot.created_at and snapshot.created_at < at - timedelta(days=days))


def _available(snapshots: Iterable[Snapshot]) -> dict[Source, list[Snapshot]]:
    """Own snapshots that can be restored, by database, newest first."""
    groups: dict[Source, list[tuple[datetime, str, Snapshot]]] = defaultdict(list)
    for snapshot in snapshots:
        if snapshot.own and snapshot.status == "available" and snapshot.created_at:
            groups[snapshot.source].append((snapshot.created_at, snapshot.id, snapshot))
    return {
        source: [snapshot for *_, snapshot in sorted(group, key=lambda item: item[:2], reverse=True)]
        for source, group in groups.items()
    }


def _broken(snapshots: Iterable[Snapshot]) -> dict[str, str]:
    """Own snapshots with the status `failed`, which RDS's documents leave out and botocore's waiters know."""
    return {
        str(snapshot): "RDS could not complete it. Look into the events of RDS, and delete it."
        for snapshot in snapshots
        if snapshot.own and snapshot.status == "failed"
    }
