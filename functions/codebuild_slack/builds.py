"""How the builds of each project ended, in DynamoDB."""

from __future__ import annotations

from datetime import timedelta

from automations import aws
from automations.events.codebuild import BuildFinished
from codebuild_slack.build import finished_at

REMEMBERED = timedelta(days=90)


class Builds:
    """One item for each build that succeeded or failed; a stopped one says nothing about the project's health.

    The key is the project's ARN, and the build's end with the build's id after it. So a second delivery writes the same item,
    and what came before a build is the same whenever its event arrives.
    """

    def __init__(self, table: str) -> None:
        self._table = table

    def status_before(self, event: BuildFinished) -> str | None:
        """The status of the project's last build that ended before this one; None when none is remembered."""
        answer = aws.dynamodb().query(
            TableName=self._table,
            KeyConditionExpression="project_arn = :project AND finished_at < :end",
            ExpressionAttributeValues={":project": {"S": event.detail.project_arn}, ":end": {"S": _end(event)}},
            ConsistentRead=True,
            ScanIndexForward=False,
            Limit=1,
        )
        return next((item["status"]["S"] for item in answer["Items"]), None)

    def record(self, event: BuildFinished) -> None:
        """Remember how the build ended, for 90 days."""
        if event.detail.build_status == "STOPPED":
            return
        aws.dynamodb().put_item(
            TableName=self._table,
            Item={
                "project_arn": {"S": event.detail.project_arn},
                "finished_at": {"S": _end(event)},
                "status": {"S": event.detail.build_status},
                "expires_at": {"N": str(int((finished_at(event) + REMEMBERED).timestamp()))},
            },
        )


def _end(event: BuildFinished) -> str:
    return f"{finished_at(event).isoformat(timespec='seconds')}#{event.detail.build_id}"
