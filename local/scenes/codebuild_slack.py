"""codebuild_slack, played."""

from uuid import uuid4

from local.stage import Stage


def codebuild_slack(stage: Stage) -> None:
    """A build fails: Slack says which phase and why. The same event again says nothing more."""
    function, project = "CodebuildSlackFunction", f"{stage.stack.parameters['CodebuildProjectPrefix']}site"
    build = f"arn:aws:codebuild:{stage.cloud.region}:{stage.cloud.account}:build/{project}:{uuid4()}"
    event = stage.sample("codebuild_slack/failed", project_name=project, build_id=build)
    stage.send(event, expect="BuildFinished")
    stage.slack("/slack", project, function)
    stage.send(event, expect="BuildFinished")
    stage.expect(
        "the second delivery of the event posted nothing",
        lambda: len([r for r in stage.receiver.to("/slack") if project in r.json()["text"]]) == 1,
        function,
    )
