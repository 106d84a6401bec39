"""Nights in which databases are backed up, and snapshots that are complete or failed."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from moto.rds.models import rds_backends

from automations import aws
from rds_backup.snapshot import TAG
from tests.proofs.calls import Fault
from tests.proofs.situations import ANOTHER_ID, E_MAIL_TWICE, Situation
from tests.proofs.world import World
from tests.samples import sample
from tests.unit.conftest import ACCOUNT, REGION
from tests.unit.rds_backup.databases import ABROAD, LEDGER, MIDNIGHT, ORDERS, cluster, instance, old_snapshot, snapshots

TOLD = "people are told at once what failed; the next try makes up for it"
FAILED = {
    f"rds:{operation}, {fault}": TOLD
    for operation in (
        *("CreateDBSnapshot", "DeleteDBSnapshot", "CopyDBSnapshot", "DescribeDBSnapshots"),
        *("CreateDBClusterSnapshot", "DeleteDBClusterSnapshot", "CopyDBClusterSnapshot", "DescribeDBClusterSnapshots"),
    )
    for fault in Fault
    if fault is not Fault.CRASH_AFTER
}


def _backend(region: str = REGION) -> Any:
    return rds_backends[ACCOUNT][region]


def old_cluster_snapshot(name: str, days: int) -> str:
    """A snapshot of so many days before the scheduled midnight; returns its ARN."""
    snapshot = _backend().create_db_cluster_snapshot("ledger", name, tags=[TAG])
    snapshot.created = MIDNIGHT - timedelta(days=days)
    return str(snapshot.db_cluster_snapshot_arn)


def _begin_only() -> None:
    """New snapshots and copies are not complete at once, as they are in moto: their own events tell when."""
    begun = {
        _backend(): ("create_db_snapshot", "create_db_cluster_snapshot"),
        _backend(ABROAD): ("copy_db_snapshot", "copy_db_cluster_snapshot"),
    }
    for backend, names in begun.items():
        for name in names:
            setattr(backend, name, partial(_begin, getattr(backend, name)))


def _begin(make: Callable[..., Any], *given: Any, **named: Any) -> Any:
    snapshot = make(*given, **named)
    snapshot.status = "creating"
    return snapshot


def _deployed(world: World) -> None:
    """An instance and a cluster; yesterday's snapshots have no copies yet, and those of long ago are expired."""
    world.set(backup_copy_region=ABROAD, backup_minimum_copies="1")
    instance("orders")
    cluster("ledger")
    for expired in ("automations-orders-20261001-1500", "automations-orders-20261002-1500"):
        old_snapshot(expired, 51)
        aws.rds(ABROAD).copy_db_snapshot(
            SourceDBSnapshotIdentifier=_backend().database_snapshots[expired].db_snapshot_arn,
            TargetDBSnapshotIdentifier=expired,
            Tags=[TAG],
            SourceRegion=REGION,
        )
    old_cluster_snapshot("automations-ledger-20261001-1500", 51)
    old_snapshot("automations-orders-20261120-1500", 1)
    old_cluster_snapshot("automations-ledger-20261120-1500", 1)
    _begin_only()


def _state() -> Any:
    return snapshots(aws.rds()), snapshots(aws.rds(ABROAD))


def rds_backup_night(world: World) -> Situation:
    """Databases are backed up, missing copies are made, and expired snapshots are deleted."""
    _deployed(world)
    event = sample("rds_backup/nightly")
    return Situation("rds_backup", event, _state, again=event | ANOTHER_ID, exceptions=FAILED)


def rds_backup_skipped(world: World) -> Situation:
    """A database cannot be backed up tonight, and people are told."""
    instance("orders")
    _backend().databases["orders"].status = "stopped"
    event = sample("rds_backup/nightly")
    return Situation(
        "rds_backup", event, lambda: snapshots(aws.rds()), again=event | ANOTHER_ID, exceptions=E_MAIL_TWICE
    )


def rds_backup_complete(world: World) -> Situation:
    """A snapshot is complete, and is copied."""
    world.set(backup_copy_region=ABROAD)
    instance("orders")
    old_snapshot(ORDERS, 0)
    event = sample("rds_backup/snapshot-created")
    return Situation("rds_backup", event, _state, again=event | ANOTHER_ID)


def rds_backup_cluster_complete(world: World) -> Situation:
    """A cluster's snapshot is complete, and is copied."""
    world.set(backup_copy_region=ABROAD)
    cluster("ledger")
    old_cluster_snapshot(LEDGER, 0)
    event = sample("rds_backup/cluster-snapshot-created")
    return Situation("rds_backup", event, _state, again=event | ANOTHER_ID)


SITUATIONS = (rds_backup_night, rds_backup_skipped, rds_backup_complete, rds_backup_cluster_complete)
