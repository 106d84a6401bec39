"""Events of Amazon RDS.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-cloudwatch-events.sample.html shows their form,
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html lists their ids, categories and messages.
RDS delivers them on a best effort basis: an event may be missing.
"""

from typing import Literal

from pydantic import Field

from automations.events import Detail, Event


class SnapshotNews(Detail):
    event_id: str = Field(alias="EventID", pattern=r"^RDS-EVENT-[0-9]{4}$")
    event_categories: list[str] = Field(alias="EventCategories")
    source_type: Literal["SNAPSHOT", "CLUSTER_SNAPSHOT"] = Field(alias="SourceType")
    source_identifier: str = Field(alias="SourceIdentifier", min_length=1)
    """The snapshot's identifier; an automated snapshot's begins with `rds:`."""
    message: str = Field(alias="Message")


class SnapshotEvent(Event):
    """Something happened to a snapshot of a DB instance or of a DB cluster."""

    source: Literal["aws.rds"]
    detail_type: Literal["RDS DB Snapshot Event", "RDS DB Cluster Snapshot Event"] = Field(alias="detail-type")
    detail: SnapshotNews

    @property
    def is_failure(self) -> bool:
        return "failure" in self.detail.event_categories
