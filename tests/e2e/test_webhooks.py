"""The deployed function URL, and the commands of docs/webhooks.md that send to it."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from local.scenes.webhook_receiver import receiver_url
from local.seed import WEBHOOK_SECRETS
from local.stack import Stack
from local.stage import Stage

COMMANDS = dict(
    re.findall(
        r"^([A-Z][\w ]+):\n\n```sh\n(.*?)```",
        (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(),
        re.DOTALL | re.MULTILINE,
    )
)
FUNCTION = "WebhookReceiverFunction"


def said(stage: Stage, provider: str) -> list[str]:
    return [line["message"] for line in stage.stack.log(FUNCTION) if line.get("provider") == provider]


def test_the_url_is_public_by_the_two_permissions_that_aws_asks_for(stack: Stack) -> None:
    """SAM adds them to a function URL without authorization; the local cloud does not ask for them."""
    policy = json.loads(stack.cloud.client("lambda").get_policy(FunctionName=stack.resources[FUNCTION])["Policy"])

    granted = {statement["Action"]: statement.get("Condition") for statement in policy["Statement"]}
    assert granted == {
        "lambda:InvokeFunctionUrl": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
        "lambda:InvokeFunction": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
    }


def test_there_is_a_command_for_each_scheme() -> None:
    assert [name.split()[0].lower() for name in COMMANDS] == [
        "github",
        "stripe",
        "slack",
        "zendesk",
        "datadog",
        "standard",
    ]


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="no curl or no openssl here")
@pytest.mark.parametrize("name", COMMANDS)
def test_the_documented_command_sends_a_message_that_is_put_once(name: str, stage: Stage) -> None:
    scheme = name.split()[0].lower()
    command = COMMANDS[name].replace("$URL/crm", "$URL/standard")
    known = len(said(stage, scheme))

    for _ in range(2):
        done = subprocess.run(
            ["sh", "-c", command],
            env={"PATH": "/usr/bin:/bin:/usr/local/bin", "URL": receiver_url(stage), "SECRET": WEBHOOK_SECRETS[scheme]},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert re.match(r"HTTP/\S+ 200", done.stdout), done.stdout
        assert done.stdout.endswith('{"message": "OK"}')

    assert said(stage, scheme)[known:] == ["Put an event on the bus", "Dropped a message that came before"]
