"""What the command send decides."""

import pytest
from local.commands.send import effects, left_out
from local.stack import Rule, ended

LAMBDA, SQS, SNS = (f"arn:aws:{service}:ap-northeast-2:111122223333:" for service in ("lambda", "sqs", "sns"))
FUNCTION = Rule("Stopped", "AlertsFunction", "default", "{}", f"{LAMBDA}function:alerts")
QUEUE = Rule("Ingest", "IngestQueue", "default", "{}", f"{SQS}ingest")
REWRITTEN = Rule("Short", "IngestQueue", "default", "{}", f"{SQS}ingest", {"InputTemplate": '"short"'})
TOPIC = Rule("Mail", "AlertsTopic", "default", "{}", f"{SNS}alerts", {"InputTemplate": '"mail"'})
OWN, SERVICES = {"source": "com.example.shop"}, {"source": "aws.ec2"}


@pytest.mark.parametrize("rule", [TOPIC, REWRITTEN])
def test_what_only_eventbridge_can_write_is_left_out_on_aws(rule: Rule) -> None:
    assert "only EventBridge can write" in left_out(rule, SERVICES, on_aws=True)
    assert left_out(rule, SERVICES, on_aws=False) == ""
    assert left_out(rule, OWN, on_aws=True) == ""


@pytest.mark.parametrize("rule", [FUNCTION, QUEUE])
def test_functions_and_queues_get_the_event_as_it_is(rule: Rule) -> None:
    assert left_out(rule, SERVICES, on_aws=True) == ""


def test_a_disabled_rule_is_left_out() -> None:
    disabled = Rule("Stopped", "AlertsFunction", "default", "{}", f"{LAMBDA}function:alerts", enabled=False)

    assert left_out(disabled, SERVICES, on_aws=False) == "the rule is disabled"
    assert left_out(disabled, OWN, on_aws=True) == "the rule is disabled"


def test_before_one_is_asked_every_effect_is_named() -> None:
    assert effects([FUNCTION, FUNCTION, QUEUE], SERVICES).startswith(
        "invokes AlertsFunction and sends a message to IngestQueue, "
    )
    assert effects([FUNCTION, QUEUE], OWN).startswith("puts the event on the bus default, ")


REQUEST = "7297df3c-332c-47d8-b1d1-14c848c6e1ec"


@pytest.mark.parametrize(
    ("line", "end"),
    [
        (f"REPORT RequestId: {REQUEST}\tDuration: 12 ms", True),
        (f'{{"time":"2026-11-22T15:13:04Z","type":"platform.report","record":{{"requestId":"{REQUEST}"}}}}', True),
        ('{"type":"platform.report","record":{"requestId":"another"}}', False),
        (f'{{"type":"platform.start","record":{{"requestId":"{REQUEST}"}}}}', False),
        (f'{{"message": "Looked", "function_request_id": "{REQUEST}"}}', False),
    ],
    ids=["text", "JSON", "another's", "start", "own line"],
)
def test_an_invocation_has_ended_when_lambda_reports_on_it(line: str, end: bool) -> None:
    assert ended(REQUEST, ["START", line]) is end
