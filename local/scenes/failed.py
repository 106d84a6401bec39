"""The failed-events queue, played."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from local.commands.failed import Wanted, list_events, retry_events
from local.receiver import Answer
from local.stage import SceneFailed, Stage


def failed_and_tried_again(stage: Stage) -> None:
    """Slack refuses a message, so the event waits with the reason. Slack is mended, and the event is tried again."""
    function, project = "CodebuildSlackFunction", f"{stage.stack.parameters['CodebuildProjectPrefix']}shop"
    build = f"arn:aws:codebuild:{stage.cloud.region}:{stage.cloud.account}:build/{project}:{uuid4()}"
    event = stage.sample("codebuild_slack/failed", project_name=project, build_id=build)

    def waiting() -> list[dict[str, Any]]:
        return [item for item in stage.stack.failed_events() if item["requestPayload"]["id"] == event["id"]]

    def told() -> int:
        return len([request for request in stage.receiver.to("/slack") if project in request.json()["text"]])

    stage.receiver.always("/slack", Answer(404, body=b"no_service"))
    stage.say("event", f"{event['detail-type']} from {event['source']}; Slack answers 404")
    stage.stack.send(event)
    stage.expect("the event is in the failed-events queue", waiting, function)
    item = next(item for item in list_events(stage.stack, Wanted(function=function)) if item.event == event)
    refused = told()
    stage.receiver.always("/slack", Answer())
    stage.say("Slack", f"is mended; it had refused the message {refused} times")
    if not retry_events(stage.stack, Wanted(ids=[item.id]), yes=True):
        raise SceneFailed(f"The event failed again: {item}")
    stage.expect("Slack has got the message, once", lambda: told() == refused + 1, function)
    stage.expect("the event is no longer in the queue", lambda: not waiting(), function)
