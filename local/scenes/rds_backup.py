"""rds_backup, played."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from local.stage import Stage


def rds_backup(stage: Stage) -> None:
    """Midnight: the databases with the tag get a snapshot, a stopped one is reported. A month later, old ones are deleted."""
    rds, function, mark = stage.client("rds"), "RdsBackupFunction", stage.stack.name
    tags = [{"Key": "automations:backup", "Value": "true"}]
    login = {"MasterUsername": "admin1", "MasterUserPassword": f"not-a-secret-{uuid4().hex[:8]}"}
    for name, tagged in {"orders": tags, "archive": tags, "scratch": []}.items():
        rds.create_db_instance(
            **{"DBInstanceIdentifier": f"{mark}-{name}", "Engine": "mysql", "DBInstanceClass": "db.t4g.micro"},
            **{
                "AllocatedStorage": 20,
                "BackupRetentionPeriod": 0,
                "PubliclyAccessible": False,
                "Tags": tagged,
                **login,
            },
        )
    rds.create_db_cluster(DBClusterIdentifier=f"{mark}-ledger", Engine="aurora-postgresql", Tags=tags, **login)
    for name in ("orders", "archive", "scratch"):
        rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=f"{mark}-{name}")
    rds.get_waiter("db_cluster_available").wait(DBClusterIdentifier=f"{mark}-ledger")
    rds.stop_db_instance(DBInstanceIdentifier=f"{mark}-archive")

    def instance_snapshots() -> list[str]:
        found = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
        return ours({item["DBSnapshotIdentifier"]: item["Status"] for item in found})

    def cluster_snapshots() -> list[str]:
        found = rds.describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]
        return ours({item["DBClusterSnapshotIdentifier"]: item["Status"] for item in found})

    def ours(found: dict[str, str]) -> list[str]:
        """The demo's own that are complete."""
        wanted = f"automations-{mark}-"
        return sorted(name for name, status in found.items() if name.startswith(wanted) and status == "available")

    midnight = datetime.now(UTC).replace(hour=15, minute=0, second=0, microsecond=0)  # in Seoul
    nights = [midnight, midnight + timedelta(days=1), midnight + timedelta(days=31)]
    orders = [f"automations-{mark}-orders-{night:%Y%m%d-%H%M}" for night in nights]
    ledger = [f"automations-{mark}-ledger-{night:%Y%m%d-%H%M}" for night in nights]

    stage.fire("Nightly", nights[0])
    stage.expect(f"{orders[0]} is there, and no other", lambda: instance_snapshots() == orders[:1], function)
    stage.expect(f"{ledger[0]} of the cluster is there", lambda: cluster_snapshots() == ledger[:1], function)
    stage.alert("1 skipped", function)
    stage.fire("Nightly", nights[0])
    stage.expect("the same night again makes nothing new", lambda: instance_snapshots() == orders[:1], function)
    stage.send(stage.sample("rds_backup/snapshot-created", SourceIdentifier=orders[0]), expect="SnapshotFinished")
    stage.fire("Nightly", nights[1])
    stage.expect("the next night makes another one", lambda: instance_snapshots() == orders[:2], function)
    stage.expect("and one of the cluster", lambda: cluster_snapshots() == ledger[:2], function)
    stage.fire("Nightly", nights[2])
    stage.expect("the oldest is deleted, the rest kept", lambda: instance_snapshots() == orders[1:], function)
    stage.expect("and so is the cluster's", lambda: cluster_snapshots() == ledger[1:], function)
    stage.send(stage.sample("rds_backup/other-snapshot-created"), expect=None)
