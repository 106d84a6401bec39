"""Messages that wait for Slack."""

import json
from typing import Any

from local.receiver import Answer

from automations import aws
from automations.notify import Message, Severity
from automations.notify.slack import put
from tests.proofs.calls import Fault
from tests.proofs.situations import Situation, sent_twice
from tests.proofs.world import World
from tests.unit.shared.messages import EVENT

REFUSED = {"http:POST, access denied": "what Slack refuses is kept, and told when it is tried again by hand"}
COUNTED = {
    f"dynamodb:{operation}, {fault}": "what was posted or counted is not recorded, and is posted again"
    for operation in ("PutItem", "UpdateItem")
    for fault in Fault
}


def _say(world: World, title: str, key: str) -> None:
    put(Message(Severity.WARNING, title, EVENT), "secretsmanager:slack-webhook", queue=world.slack_queue.queue, key=key)


def _batch(world: World) -> dict[str, Any]:
    """What Lambda hands over of what was said; nothing of it is left on the queue, where it would hold up its channel."""
    batch = world.slack_queue.receive()
    world.slack_queue.delete(batch, {"batchItemFailures": []})
    return batch


def _kept(world: World) -> list[str]:
    """What is in the queue of failed messages, after it was put on the queue again, as by hand."""
    told = []
    for kept in world.slack_queue.kept():
        aws.sqs().send_message(
            QueueUrl=world.slack_queue.queue,
            MessageBody=kept["Body"],
            MessageGroupId=kept["MessageAttributes"]["CHANNEL"]["StringValue"],
            MessageDeduplicationId=kept["MessageId"],
        )
        told.append(f"kept: {json.loads(kept['Body'])['payload']['text']}")
    return told


def _tried_again(world: World) -> list[str]:
    """What was kept, and what Slack got after it was mended."""
    kept = _kept(world)
    world.web.taken.clear()
    return [*kept, *world.told()] if kept else []


def slack_sender_posted(world: World) -> Situation:
    """Two messages are alike, and one is not."""
    world.slack()
    for title, key in (("Disk full", "1"), ("Build failed", "2"), ("Disk full", "3")):
        _say(world, title, key)
    return Situation(
        "slack_sender",
        _batch(world),
        lambda: None,
        told=lambda: _tried_again(world),
        exceptions=sent_twice("http:POST", "Slack takes a message twice") | COUNTED | REFUSED,
    )


def slack_sender_refused(world: World) -> Situation:
    """The channel is archived."""
    world.slack()
    world.web.always("/slack", Answer(410, body=b"channel_is_archived"))
    _say(world, "Disk full", "1")
    return Situation("slack_sender", _batch(world), lambda: None, told=lambda: _kept(world))


SITUATIONS = (slack_sender_posted, slack_sender_refused)
