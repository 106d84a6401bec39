"""What waits with a reason and is tried again, played."""

from __future__ import annotations

from uuid import uuid4

from local.commands.failed import Wanted, list_events, retry_events, take
from local.failed import FailedEvent
from local.hold import Hold
from local.receiver import Answer
from local.stage import SceneFailed, Stage


def failed_and_tried_again(stage: Stage) -> None:
    """Slack refuses a message, so it waits with the reason. Slack is mended, and the message is tried again."""
    function, project = "SlackSenderFunction", f"{stage.stack.parameters['CodebuildProjectPrefix']}shop"
    build = f"arn:aws:codebuild:{stage.cloud.region}:{stage.cloud.account}:build/{project}:{uuid4()}"
    event = stage.sample("codebuild_slack/failed", project_name=project, build_id=build)

    which = Wanted(queue="slack", function=function)

    def told() -> int:
        return len([request for request in stage.receiver.to("/slack") if project in request.json()["text"]])

    stage.receiver.always("/slack", Answer(404, body=b"no_service"))
    stage.say("event", f"{event['detail-type']} from {event['source']}; Slack answers 404")
    stage.send(event, expect="BuildFinished")
    stage.expect("Slack's refusal is in the queue of failed messages", lambda: waiting(stage, which, project), function)
    item = next(item for item in list_events(stage.stack, which) if project in item.event["payload"]["text"])
    stage.receiver.always("/slack", Answer())
    stage.say("Slack", f"is mended; it had said: {item.reason}")
    if not retry_events(stage.stack, Wanted(ids=[item.id]), yes=True):
        raise SceneFailed(f"The message failed again: {item}")
    stage.expect("Slack has got the message, once", lambda: told() == 2, function)
    stage.expect("it is no longer in the queue", lambda: not waiting(stage, which, project), function)


def waiting(stage: Stage, which: Wanted, words: str) -> list[FailedEvent]:
    """The failed messages whose titles have these words."""
    with Hold(stage.client("sqs")) as hold:
        return [item for item in take(hold, stage.stack, which) if words in str(item.event)]
