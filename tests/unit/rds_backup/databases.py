"""Databases and their snapshots in moto, as the unit tests and the proofs arrange them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from moto.rds.models import rds_backends

from automations import aws
from rds_backup.snapshot import TAG
from tests.unit.conftest import ACCOUNT, REGION

ABROAD = "ap-northeast-1"
BACKUP = [{"Key": "automations:backup", "Value": "true"}]
MIDNIGHT = datetime(2026, 11, 21, 15, tzinfo=UTC)  # in Seoul; that of the sample event
ORDERS = "automations-orders-20261121-1500"
LEDGER = "automations-ledger-20261121-1500"


def instance(name: str, tags: Any = BACKUP, engine: str = "mysql", **more: Any) -> None:
    aws.rds().create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t4g.micro",
        MasterUsername="admin",
        MasterUserPassword="not-a-secret",
        Tags=tags,
        Engine=engine,
        **more,
    )


def cluster(name: str, tags: Any = BACKUP, engine: str = "aurora-postgresql", **more: Any) -> None:
    aws.rds().create_db_cluster(
        DBClusterIdentifier=name,
        MasterUsername="admin",
        MasterUserPassword="not-a-secret",
        Tags=tags,
        Engine=engine,
        **more,
    )


def set_status(name: str, status: str) -> None:
    rds_backends[ACCOUNT][REGION].databases[name].status = status


def old_snapshot(name: str, days: int, database: str = "orders", tags: Any = (TAG,)) -> str:
    """A snapshot of so many days before the scheduled midnight."""
    snapshot = rds_backends[ACCOUNT][REGION].create_db_snapshot(database, name, tags=list(tags))
    snapshot.original_snapshot_create_time = MIDNIGHT - timedelta(days=days)
    return name


def snapshots(rds: Any) -> list[str]:
    """The manual ones; moto makes an automated one of each new database."""
    instances = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    clusters = rds.describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]
    return sorted(
        [item["DBSnapshotIdentifier"] for item in instances]
        + [item["DBClusterSnapshotIdentifier"] for item in clusters]
    )
