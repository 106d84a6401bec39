"""Builds that end."""

from typing import Any

from automations import aws
from tests.proofs.situations import ANOTHER_ID, Situation
from tests.proofs.world import World
from tests.template_file import create_table
from tests.unit.codebuild_slack.builds import finished


def _deployed(world: World, report: str) -> None:
    world.slack()
    world.set(builds_table=create_table("BuildsTable"), report=report)


def _situation(event: dict[str, Any]) -> Situation:
    return Situation(
        "codebuild_slack",
        event,
        lambda: aws.dynamodb().scan(TableName="BuildsTable")["Items"],
        again=event | ANOTHER_ID,
    )


def codebuild_slack_failed(world: World) -> Situation:
    """A build fails."""
    _deployed(world, "all")
    return _situation(finished("FAILED"))


def codebuild_slack_recovered(world: World) -> Situation:
    """A build succeeds after one that failed."""
    _deployed(world, "failures-and-recoveries")
    world.deliver("codebuild_slack", finished("FAILED"))
    return _situation(finished("SUCCEEDED", minute=1))


SITUATIONS = (codebuild_slack_failed, codebuild_slack_recovered)
