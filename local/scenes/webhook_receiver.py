"""webhook_receiver, played."""

import hmac
import json
from typing import Any
from uuid import uuid4

import requests

from local.seed import WEBHOOK_SECRETS
from local.stage import Stage


def webhook_receiver(stage: Stage) -> None:
    """GitHub tells of a pull request: people read it in Slack, once. What is forged or comes again has no effect."""
    function = "WebhookReceiverFunction"
    url = f"{receiver_url(stage)}/github"
    payload: dict[str, Any] = stage.sample("partner_relay/webhook-github-pull-request")["detail"]["payload"]
    payload["pull_request"]["title"] = f"Round totals half to even ({uuid4().hex[:6]})"
    body = json.dumps(payload).encode()

    def post(what: str, secret: str, content: bytes = body, kind: str = "application/json") -> int:
        headers = {
            "Content-Type": kind,
            "X-GitHub-Event": "pull_request",
            "X-GitHub-Delivery": str(uuid4()),
            "X-Hub-Signature-256": f"sha256={hmac.digest(secret.encode(), content, 'sha256').hex()}",
        }
        status = requests.post(url, data=content, headers=headers, timeout=30).status_code
        stage.say("POST", f"{what}: {status}")
        return status

    forged = post("a pull request, signed with another secret", "guessed")
    stage.expect("the forged one is refused", lambda: forged == 401, function)
    answers = [post("the pull request", WEBHOOK_SECRETS["github"])]
    said = stage.expect("Slack's support channel got a message", lambda: messages(stage, payload), function)
    stage.say("Slack", said[0]["text"])
    stage.keep(f"{function}-slack.json", json.dumps(said[0], indent=2, ensure_ascii=False).encode())
    # With the media type that function URLs hand over in Base64, and another delivery id, as who recorded it would.
    answers.append(post("the same again", WEBHOOK_SECRETS["github"], kind="application/vnd.github+json"))
    stage.expect("both are answered alike", lambda: answers == [200, 200], function)
    after = json.dumps(payload | {"action": "closed"}).encode()
    post("the pull request is closed", WEBHOOK_SECRETS["github"], after)
    stage.expect("that was told, too", lambda: len(messages(stage, payload)) > 1, function)
    stage.expect("and the repeated one was not", lambda: len(messages(stage, payload)) == 2, function)


def receiver_url(stage: Stage) -> str:
    return stage.cloud.address(stage.stack.outputs["WebhookUrl"]).rstrip("/")


def messages(stage: Stage, payload: dict[str, Any]) -> list[dict[str, Any]]:
    """What Slack's support channel got about the pull request."""
    found = [request.json() for request in stage.receiver.to("/support")]
    return [message for message in found if payload["pull_request"]["title"] in message["text"]]
