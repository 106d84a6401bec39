"""What the deployed rules mail, written by the local cloud's EventBridge and compared with what AWS documents."""

import json

import pytest
from local.cloud import wait_for
from local.stage import Stage

from tests.input_transformer import render
from tests.template.test_account_alerts import EMAILS


@pytest.mark.parametrize(("rule", "situation"), EMAILS, ids=lambda value: str(value))
def test_the_deployed_rule_mails_the_text(rule: str, situation: str, stage: Stage) -> None:
    event = stage.sample(situation)
    [found] = [one for one in stage.stack.matching(event) if one.name == rule]
    assert found.transformer

    stage.stack.send_through_copy(found, event)

    sqs = stage.client("sqs")
    batch = wait_for(lambda: sqs.receive_message(QueueUrl=stage.alerts, MaxNumberOfMessages=10).get("Messages"))
    assert batch
    [mail] = [json.loads(message["Body"])["Message"] for message in batch]
    # The copy's event is another one. MiniStack knows no array indices in a path, and writes `, ` and `: ` in an object.
    described = event["detail"].get("eventDescription", [{"latestDescription": ""}])[0]["latestDescription"]
    expected = render(found.transformer, event).replace(described, "")
    lines = [line for line in expected.splitlines() if not line.startswith(('"Event: ', '"Time: ', '"Details: '))]
    assert [line for line in mail.splitlines() if line in lines] == lines
