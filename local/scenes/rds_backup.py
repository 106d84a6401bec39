"""rds_backup, played."""

from datetime import UTC, datetime, timedelta

from local.stage import Stage


def rds_backup(stage: Stage) -> None:
    """Midnight: the databases with the tag get a snapshot, a stopped one is reported. A month later, old ones are deleted."""
    rds, function = stage.client("rds"), "RdsBackupFunction"
    tags = [{"Key": "automations:backup", "Value": "true"}]
    login = {"MasterUsername": "admin", "MasterUserPassword": "not-a-secret"}
    for name, tagged in {"orders": tags, "archive": tags, "scratch": []}.items():
        rds.create_db_instance(
            DBInstanceIdentifier=name, Engine="mysql", DBInstanceClass="db.t4g.micro", Tags=tagged, **login
        )
    rds.create_db_cluster(DBClusterIdentifier="ledger", Engine="aurora-postgresql", Tags=tags, **login)
    rds.stop_db_instance(DBInstanceIdentifier="archive")

    def instance_snapshots() -> list[str]:
        return [item["DBSnapshotIdentifier"] for item in rds.describe_db_snapshots()["DBSnapshots"]]

    def cluster_snapshots() -> list[str]:
        found = rds.describe_db_cluster_snapshots()["DBClusterSnapshots"]
        return [item["DBClusterSnapshotIdentifier"] for item in found]

    midnight = datetime.now(UTC).replace(hour=15, minute=0, second=0, microsecond=0)  # in Seoul
    nights = [midnight, midnight + timedelta(days=1), midnight + timedelta(days=31)]
    orders = [f"automations-orders-{night:%Y%m%d-%H%M}" for night in nights]
    ledger = [f"automations-ledger-{night:%Y%m%d-%H%M}" for night in nights]

    stage.fire("Nightly", nights[0])
    stage.expect(f"{orders[0]} is there, and no other", lambda: instance_snapshots() == orders[:1], function)
    stage.expect(f"{ledger[0]} of the cluster is there", lambda: cluster_snapshots() == ledger[:1], function)
    stage.alert("1 skipped", function)
    stage.fire("Nightly", nights[0])
    stage.expect("the same night again makes nothing new", lambda: instance_snapshots() == orders[:1], function)
    stage.send(stage.sample("rds_backup/snapshot-created", SourceIdentifier=orders[0]), expect="SnapshotFinished")
    stage.fire("Nightly", nights[1])
    stage.fire("Nightly", nights[2])
    stage.expect("the oldest is deleted, the rest kept", lambda: instance_snapshots() == orders[1:], function)
    stage.expect("and so is the cluster's", lambda: cluster_snapshots() == ledger[1:], function)
    stage.send(stage.sample("rds_backup/other-snapshot-created"), expect=None)
