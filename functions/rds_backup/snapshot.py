"""Snapshots of this automation: their names and their tag, and the calls that list, create, copy and delete them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from rds_backup.database import Kind, Source

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_rds.type_defs import TagTypeDef

PREFIX = "automations-"
"""The function's role may create, tag and delete only snapshots whose identifier begins so."""
TAG: TagTypeDef = {"Key": "automations:created-by", "Value": "rds-backup"}

# That of a cluster's snapshot; an instance's may have 255.
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBClusterSnapshot.html
LONGEST_IDENTIFIER = 63


@dataclass(frozen=True)
class Snapshot:
    """A manual snapshot as RDS describes it, reduced to what the decision needs.

    Attributes:
        own: whether this automation made it. A person's copy of one may carry the tag, and hence must not have the name.
        created_at: when the original was taken; None while RDS is still about to.
    """

    id: str
    arn: str
    source: Source
    status: str
    own: bool
    encrypted: bool = False
    created_at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.source.kind} snapshot {self.id}"


def identifier(source: Source, at: datetime) -> str:
    """The name of the snapshot that is due at that time, the same for every attempt.

    Letters, digits and hyphens; begins with a letter, has no two hyphens together and ends with a digit, because the
    database's identifier keeps these rules. A long one is cut, with a hash of the whole so that no two become the same.
    """
    ending = f"-{at.astimezone(UTC):%Y%m%d-%H%M}"
    room = LONGEST_IDENTIFIER - len(PREFIX) - len(ending)
    name = source.id
    if len(name) > room:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = f"{name[: room - 9].rstrip('-')}-{digest}"
    return f"{PREFIX}{name}{ending}"


def snapshots(rds: RDSClient) -> list[Snapshot]:
    """All manual snapshots of the account in the client's region, with as many calls as there are pages."""
    instances = rds.get_paginator("describe_db_snapshots").paginate(SnapshotType="manual")
    clusters = rds.get_paginator("describe_db_cluster_snapshots").paginate(SnapshotType="manual")
    return [
        *(_of_instance(item) for page in instances for item in page["DBSnapshots"]),
        *(_of_cluster(item) for page in clusters for item in page["DBClusterSnapshots"]),
    ]


def find(rds: RDSClient, kind: Kind, snapshot_id: str) -> Snapshot | None:
    """Look one snapshot up; None when it is gone."""
    with _unless("DBSnapshotNotFound", "DBClusterSnapshotNotFoundFault"):
        if kind is Kind.INSTANCE:
            [item] = rds.describe_db_snapshots(DBSnapshotIdentifier=snapshot_id)["DBSnapshots"]
            return _of_instance(item)
        [cluster] = rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=snapshot_id)["DBClusterSnapshots"]
        return _of_cluster(cluster)
    return None


def create(rds: RDSClient, source: Source, snapshot_id: str) -> None:
    """Have RDS begin a snapshot; one that exists already is success."""
    with _unless("DBSnapshotAlreadyExists", "DBClusterSnapshotAlreadyExistsFault"):
        if source.kind is Kind.INSTANCE:
            rds.create_db_snapshot(DBSnapshotIdentifier=snapshot_id, DBInstanceIdentifier=source.id, Tags=[TAG])
        else:
            rds.create_db_cluster_snapshot(
                DBClusterSnapshotIdentifier=snapshot_id, DBClusterIdentifier=source.id, Tags=[TAG]
            )


def copy(target: RDSClient, snapshot: Snapshot, kms_key: str) -> None:
    """Have RDS begin a copy, under the same name, in the region of the client; one that exists already is success.

    `SourceRegion` makes botocore add the presigned URL that some partitions demand. RDS demands a key of the target
    region for what is encrypted; with a key, it would encrypt a copy whose original is not.
    """
    source_region = snapshot.arn.split(":")[3]
    key: Any = {"KmsKeyId": kms_key} if snapshot.encrypted else {}
    with _unless("DBSnapshotAlreadyExists", "DBClusterSnapshotAlreadyExistsFault"):
        if snapshot.source.kind is Kind.INSTANCE:
            target.copy_db_snapshot(
                SourceDBSnapshotIdentifier=snapshot.arn,
                TargetDBSnapshotIdentifier=snapshot.id,
                Tags=[TAG],
                SourceRegion=source_region,
                **key,
            )
        else:
            target.copy_db_cluster_snapshot(
                SourceDBClusterSnapshotIdentifier=snapshot.arn,
                TargetDBClusterSnapshotIdentifier=snapshot.id,
                Tags=[TAG],
                SourceRegion=source_region,
                **key,
            )


def delete(rds: RDSClient, snapshot: Snapshot) -> None:
    """Delete a snapshot; one that is gone already is success."""
    with _unless("DBSnapshotNotFound", "DBClusterSnapshotNotFoundFault"):
        if snapshot.source.kind is Kind.INSTANCE:
            rds.delete_db_snapshot(DBSnapshotIdentifier=snapshot.id)
        else:
            rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=snapshot.id)


@contextmanager
def _unless(*codes: str) -> Iterator[None]:
    """Let pass the errors whose codes say that there is nothing to do."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise


def _of_instance(item: Any) -> Snapshot:
    return Snapshot(
        id=item["DBSnapshotIdentifier"],
        arn=item["DBSnapshotArn"],
        source=Source(Kind.INSTANCE, item["DBInstanceIdentifier"]),
        status=item["Status"],
        own=_is_own(item["DBSnapshotIdentifier"], item),
        encrypted=item.get("Encrypted", False),
        created_at=item.get("OriginalSnapshotCreateTime") or item.get("SnapshotCreateTime"),
    )


def _of_cluster(item: Any) -> Snapshot:
    return Snapshot(
        id=item["DBClusterSnapshotIdentifier"],
        arn=item["DBClusterSnapshotArn"],
        source=Source(Kind.CLUSTER, item["DBClusterIdentifier"]),
        status=item["Status"],
        own=_is_own(item["DBClusterSnapshotIdentifier"], item),
        encrypted=item.get("StorageEncrypted", False),
        created_at=item.get("SnapshotCreateTime"),
    )


def _is_own(snapshot_id: str, item: Any) -> bool:
    return snapshot_id.startswith(PREFIX) and TAG in item.get("TagList", [])
