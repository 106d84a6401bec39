"""The databases of the account: DB instances, and the DB clusters of Aurora and of Multi-AZ deployments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient


class Kind(StrEnum):
    """What a snapshot is taken of; RDS has calls of its own for each."""

    INSTANCE = "instance"
    CLUSTER = "cluster"


# CreateDBSnapshot names these two. CreateDBClusterSnapshot names none; `available` is the one that is certain.
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSnapshot.html
READY = {
    Kind.INSTANCE: frozenset({"available", "storage-optimization"}),
    Kind.CLUSTER: frozenset({"available"}),
}

# The API of RDS shows the clusters of these services, too.
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBClusters.html
OTHER_SERVICES = {"neptune": "Amazon Neptune", "docdb": "Amazon DocumentDB"}


@dataclass(frozen=True, order=True)
class Source:
    """What a snapshot is of. An instance and a cluster may have the same identifier."""

    kind: Kind
    id: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


@dataclass(frozen=True)
class Database:
    """A database as RDS describes it, reduced to what the decision needs."""

    source: Source
    engine: str
    status: str
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether RDS takes a snapshot of it now."""
        return self.status in READY[self.source.kind]


def databases(rds: RDSClient) -> list[Database]:
    """All databases. An instance that belongs to a cluster is left out: its data is the cluster's."""
    instances = [
        Database(
            Source(Kind.INSTANCE, item["DBInstanceIdentifier"]),
            item["Engine"],
            item["DBInstanceStatus"],
            {tag["Key"]: tag["Value"] for tag in item.get("TagList", [])},
        )
        for page in rds.get_paginator("describe_db_instances").paginate()
        for item in page["DBInstances"]
        if not item.get("DBClusterIdentifier")
    ]
    clusters = [
        Database(
            Source(Kind.CLUSTER, item["DBClusterIdentifier"]),
            item["Engine"],
            item["Status"],
            {tag["Key"]: tag["Value"] for tag in item.get("TagList", [])},
        )
        for page in rds.get_paginator("describe_db_clusters").paginate()
        for item in page["DBClusters"]
    ]
    return instances + clusters
