"""`failed list`, `show` and `retry`: the queues are moto's, Lambda's answers are given."""

import io
import json
from argparse import ArgumentTypeError
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber
from local import hold, terminal
from local.cloud import Aws, LocalError
from local.commands.failed import Wanted, age, duration, list_events, retry_events, show_event
from local.failed import FailedEvent
from local.stack import Stack

FUNCTION = "stack-CodebuildSlackFunction-1A2B3C"
ARN = f"arn:aws:lambda:ap-northeast-2:111122223333:function:{FUNCTION}"


@dataclass(frozen=True)
class Account(Aws):
    """An AWS account whose Lambda answers as it is told."""

    functions: Any = None
    configs: list[Config | None] = field(default_factory=list)

    def client(self, service: str, config: Config | None = None) -> Any:
        if service != "lambda":
            return boto3.client(service, config=config)  # type: ignore[call-overload]
        self.configs.append(config)
        return self.functions


@dataclass
class World:
    stack: Stack
    answers: Stubber
    configs: list[Config | None]

    def fails(self, *event_ids: str, function: str = ARN, reason: str = "Slack refused") -> None:
        """Put the record of a failed invocation into the queue for each id of an event."""
        for event_id in event_ids:
            record: dict[str, Any] = {
                "requestContext": {
                    "functionArn": f"{function}:$LATEST",
                    "condition": "RetriesExhausted",
                    "approximateInvokeCount": 3,
                },
                "requestPayload": {"id": event_id, "source": "aws.codebuild", "detail-type": "Build", "detail": {}},
                "responsePayload": {"errorType": "DeliveryError", "errorMessage": reason},
            }
            self.put("FailedEventsQueue", json.dumps(record))

    def put(self, queue: str, body: str, **attributes: str) -> None:
        boto3.client("sqs").send_message(
            QueueUrl=self.stack.outputs[queue],
            MessageBody=body,
            MessageAttributes={name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()},
        )

    def waiting(self) -> list[str]:
        """Ids of the events that are in the failed-events queue."""
        return sorted(event["requestPayload"]["id"] for event in self.stack.failed_events())

    def runs_for(self, seconds: int) -> None:
        self.answers.add_response("get_function_configuration", {"Timeout": seconds}, {"FunctionName": FUNCTION})

    def answers_with(self, result: Any, error: str = "", event_id: str | None = None) -> None:
        """Have the next invocation, synchronous and with the whole event, answer so."""
        text = json.dumps(result).encode()
        event: dict[str, Any] = {"id": event_id, "source": "aws.codebuild", "detail-type": "Build", "detail": {}}
        self.answers.add_response(
            "invoke",
            {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(text), len(text))}
            | ({"FunctionError": error} if error else {}),
            {
                "FunctionName": FUNCTION,
                "InvocationType": "RequestResponse",
                "Payload": json.dumps(event).encode() if event_id else ANY,
            },
        )


@pytest.fixture
def world(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(hold, "WAIT", 0)
    sqs, functions = boto3.client("sqs"), boto3.client("lambda")
    names = ("FailedEventsQueue", "UndeliveredEventsQueue", "IngestFailuresQueue")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in names}
    account = Account(functions=functions)
    stack = Stack(account)
    vars(stack).update(outputs=urls, resources={**urls, "CodebuildSlackFunction": FUNCTION})
    with Stubber(functions) as answers:
        yield World(stack, answers, account.configs)
        answers.assert_no_pending_responses()


def retry(world: World, **wanted: Any) -> bool:
    return retry_events(world.stack, Wanted(**wanted), yes=True)


def test_an_event_that_succeeds_is_deleted_and_one_that_fails_again_stays(world: World, capsys: Any) -> None:
    world.fails("1")
    world.fails("2")
    world.runs_for(60)
    world.answers_with({"told": 1}, event_id="1")
    world.answers_with({"errorType": "DeliveryError", "errorMessage": "still [no]"}, "Unhandled", event_id="2")

    fine = retry(world)

    assert (fine, world.waiting()) == (False, ["2"])
    output = capsys.readouterr().out
    assert "failed again: DeliveryError: still [no]" in output
    assert "1 succeeded, 1 failed again, 0 left." in output


def test_all_that_succeeds_is_fine(world: World) -> None:
    world.fails("1", "2")
    world.runs_for(60)
    for event_id in ("1", "2"):
        world.answers_with(None, event_id=event_id)

    assert retry(world)
    assert world.waiting() == []


def test_records_that_a_function_could_not_process_keep_the_message(world: World) -> None:
    world.fails("1")
    world.runs_for(60)
    world.answers_with({"batchItemFailures": [{"itemIdentifier": "a"}]})

    assert not retry(world)
    assert world.waiting() == ["1"]


def test_lambda_is_asked_once_and_waited_for_longer_than_the_function_may_run(world: World) -> None:
    world.fails("1")
    world.runs_for(300)
    world.answers_with(None)

    retry(world)

    [_, config] = world.configs
    assert config
    assert config.read_timeout > 300  # type: ignore[attr-defined]
    assert config.retries == {"total_max_attempts": 1}  # type: ignore[attr-defined]


def test_messages_are_hidden_for_longer_than_the_function_may_run_before_it_is_invoked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fails("1")
    world.runs_for(300)
    world.answers_with(None)
    held = []
    monkeypatch.setattr(hold.Hold, "renew", lambda self: held.append(self.seconds))

    retry(world)

    assert held[0] - hold.RENEW_EVERY > 300


def test_throttling_stops_the_retry_and_the_rest_stays(world: World, capsys: Any) -> None:
    world.fails("1")
    world.fails("2")
    world.fails("3")
    world.runs_for(60)
    world.answers_with(None, event_id="1")
    world.answers.add_client_error("invoke", "TooManyRequestsException", "Rate Exceeded.")

    fine = retry(world)

    assert (fine, world.waiting()) == (False, ["2", "3"])
    assert "1 succeeded, 0 failed again, 2 left." in capsys.readouterr().out


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
def test_a_function_that_lambda_does_not_run_keeps_its_events(code: str, world: World, capsys: Any) -> None:
    world.fails("1")
    world.answers.add_client_error("get_function_configuration", "ResourceNotFoundException")
    world.answers.add_client_error("invoke", code, "Function not found: gone")

    assert not retry(world)
    assert world.waiting() == ["1"]
    assert "Function not found: gone" in capsys.readouterr().out


def test_an_answer_that_does_not_come_keeps_the_message(
    world: World, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://lambda")

    world.fails("1")
    world.runs_for(60)
    monkeypatch.setattr(world.stack.cloud.client("lambda"), "invoke", silent)

    assert not retry(world)
    assert world.waiting() == ["1"]
    assert "the function may have done its work" in capsys.readouterr().out


def test_what_was_being_tried_when_it_was_interrupted_stays_hidden_and_the_rest_is_back(
    world: World, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(**_: Any) -> None:
        raise KeyboardInterrupt

    world.fails("1")
    world.fails("2")
    world.runs_for(60)
    monkeypatch.setattr(world.stack.cloud.client("lambda"), "invoke", interrupted)

    with pytest.raises(KeyboardInterrupt):
        retry(world)

    assert len(world.waiting()) == 1
    attributes = boto3.client("sqs").get_queue_attributes(
        QueueUrl=world.stack.outputs["FailedEventsQueue"], AttributeNames=["All"]
    )["Attributes"]
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "1"
    assert "Interrupted. 0 succeeded, 0 failed again, 2 left." in capsys.readouterr().out


def test_an_undelivered_event_is_sent_to_its_queue_as_it_was(world: World) -> None:
    queue = boto3.client("sqs").create_queue(QueueName="ingest")["QueueUrl"]
    world.stack.resources["IngestQueue"] = queue
    arn = "arn:aws:sqs:ap-northeast-2:123456789012:ingest"
    world.put("UndeliveredEventsQueue", '{"id":  1.10}', RULE_ARN="rule", TARGET_ARN=arn, ERROR_CODE="NO_PERMISSIONS")

    assert retry(world)
    assert [message["Body"] for message in hold.look(boto3.client("sqs"), queue)] == ['{"id":  1.10}']
    assert hold.look(boto3.client("sqs"), world.stack.outputs["UndeliveredEventsQueue"]) == []


def test_nothing_happens_on_aws_before_somebody_agrees(
    world: World, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fails("1", "2")
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "n"

    monkeypatch.setattr(terminal.console, "input", answer)

    with pytest.raises(LocalError, match="Nothing was changed"):
        retry_events(world.stack, Wanted())

    assert asked == ["Try 2 events again on AWS, in ap-northeast-2 (CodebuildSlackFunction 2)? \\[y/N] "]
    assert world.waiting() == ["1", "2"]


def test_a_dry_run_says_what_would_happen_and_changes_nothing(world: World, capsys: Any) -> None:
    world.fails("1")
    world.put("UndeliveredEventsQueue", "nonsense")

    assert retry_events(world.stack, Wanted(), dry_run=True)

    output = capsys.readouterr().out
    assert "CodebuildSlackFunction: invoke CodebuildSlackFunction with the event" in output
    assert "nothing: the message has no form that is known here" in output
    assert "1 event would be tried again, 1 left." in output
    assert world.waiting() == ["1"]


def test_only_what_was_chosen_is_tried(world: World) -> None:
    world.fails("1", reason="Slack refused")
    world.fails("2", reason="no such bucket")
    world.runs_for(60)
    world.answers_with(None, event_id="2")

    assert retry(world, error="NO SUCH")
    assert world.waiting() == ["1"]


def test_an_event_whose_function_is_gone_is_named_and_stays(world: World, capsys: Any) -> None:
    world.fails("1", function=ARN.replace(FUNCTION, "gone"))
    [item] = list_events(world.stack, Wanted())
    capsys.readouterr()

    assert not retry(world, ids=[item.id])
    assert retry(world)
    assert "the stack has no function gone (any more)" in capsys.readouterr().out
    assert world.waiting() == ["1"]


def test_an_id_must_be_one_that_is_there_and_only_one(world: World) -> None:
    world.fails("1", "2")

    with pytest.raises(LocalError, match="More than one id begins with"):
        show_event(world.stack, "", Wanted())
    with pytest.raises(LocalError, match="No event has an id that begins with zz"):
        retry(world, ids=["zz"])
    assert world.waiting() == ["1", "2"]


def test_the_list_shows_both_queues_and_escapes_what_an_event_says(world: World, capsys: Any) -> None:
    world.fails("1", reason="[bold]Slack[/] refused")
    world.put("UndeliveredEventsQueue", "[red]nonsense", OTHER="x")

    list_events(world.stack, Wanted())

    output = " ".join(capsys.readouterr().out.split())
    assert "A function could not process" in output
    assert "EventBridge could not deliver" in output
    assert "[bold]Slack[/]" in output
    assert "2 events: 1 failed, 1 undelivered." in output


def test_the_list_says_when_a_queue_is_longer_than_what_was_read(world: World, capsys: Any) -> None:
    world.fails("1", "2", "3")

    assert len(list_events(world.stack, Wanted(limit=2))) == 2
    assert "Only 2 of about 3 failed events were read: --limit N" in capsys.readouterr().out


def test_the_list_says_what_somebody_else_holds(world: World, capsys: Any) -> None:
    world.fails("1", "2")
    with hold.Hold(boto3.client("sqs")) as theirs:
        theirs.take(world.stack.outputs["FailedEventsQueue"], 1)
        list_events(world.stack, Wanted())

    output = capsys.readouterr().out
    assert "1 event: 1 failed." in output
    assert "About 1 more failed events are held by another `failed` command" in output


def test_the_list_as_json_holds_the_events_and_nothing_else_is_printed(world: World, capsys: Any) -> None:
    world.fails("1")
    world.put("IngestFailuresQueue", "{}")

    list_events(world.stack, Wanted(), as_json=True)

    [told] = json.loads(capsys.readouterr().out)
    assert (told["for"], told["queue"], told["event"]["id"]) == ("CodebuildSlackFunction", "failed", "1")
    assert told["retry"] == "invoke CodebuildSlackFunction with the event"


@pytest.mark.parametrize("body", ["[red]nonsense", '{"id": "[red]1"}'])
def test_what_is_shown_is_the_message_itself(body: str, world: World, capsys: Any) -> None:
    world.put("UndeliveredEventsQueue", body, TARGET_ARN="arn", RULE_ARN="arn:aws:events:::rule/[red]x")

    show_event(world.stack, "", Wanted())

    output = capsys.readouterr().out
    assert "[red]" in output.split("a retry would")[1]
    assert "arn:aws:events:::rule/[red]x" in output


ITEM = FailedEvent(
    "5f0c1c9a", "url", datetime(2026, 11, 20, 9, 30, tzinfo=UTC), "{}", error="DeliveryError", reason="Slack: 404"
)


@pytest.mark.parametrize(
    ("which", "fits"),
    [
        (Wanted(), True),
        (Wanted(function="CodebuildSlackFunction"), True),
        (Wanted(function="codebuild_slack"), True),
        (Wanted(function="CodebuildSlack"), True),
        (Wanted(function="Codebuild"), False),
        (Wanted(error="deliveryerror: slack"), True),
        (Wanted(error="timeout"), False),
        (Wanted(older_than=timedelta(minutes=30)), True),
        (Wanted(older_than=timedelta(minutes=31)), False),
        (Wanted(ids=["5f0c"]), True),
        (Wanted(ids=["0c1c", "5f0c1c9a"]), True),
        (Wanted(ids=["0c1c"]), False),
    ],
)
def test_events_are_chosen_by_function_error_age_and_id(which: Wanted, fits: bool) -> None:
    assert which.fits(ITEM, "CodebuildSlackFunction", datetime(2026, 11, 20, 10, 0, tzinfo=UTC)) is fits


@pytest.mark.parametrize(("text", "hours"), [("30m", 0.5), ("2h", 2), ("3d", 72), ("0m", 0)])
def test_an_age_is_read_in_minutes_hours_and_days(text: str, hours: float) -> None:
    assert duration(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "2", "h", "2w", "-1h", "1.5h", "1h30m", "9999999d", "２h\n"])
def test_an_age_that_is_none_is_named(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is no age"):
        duration(text)


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(-1, "0 min"), (0.5, "0 min"), (119, "119 min"), (120, "2 h"), (2879, "47 h"), (2880, "2 d"), (20160, "14 d")],
)
def test_an_age_is_told_in_one_number(minutes: float, text: str) -> None:
    assert age(timedelta(minutes=minutes)) == text


def test_a_message_that_slack_refused_is_put_on_the_queue_again_and_deleted(world: World, capsys: Any) -> None:
    sqs = boto3.client("sqs")
    queues = {
        name: sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        for name in ("SlackFailedMessages", "SlackQueue")
    }
    world.stack.outputs.update(queues)
    world.stack.resources.update(queues)
    body = json.dumps({"webhook": "ssm:/slack", "key": "k", "payload": {"text": "Build failed", "blocks": []}})
    for number in range(12):  # more than SQS hands over of one group
        sqs.send_message(
            QueueUrl=queues["SlackFailedMessages"],
            MessageBody=body,
            MessageGroupId=str(number),
            MessageDeduplicationId=str(number),
            MessageAttributes={"CHANNEL": {"DataType": "String", "StringValue": "channel"}},
        )

    assert retry(world, function="slack_sender")

    assert "12 succeeded, 0 failed again, 0 left." in capsys.readouterr().out
    assert list_events(world.stack, Wanted(queue="slack")) == []
    [first, *_] = sqs.receive_message(QueueUrl=queues["SlackQueue"], AttributeNames=["All"])["Messages"]
    assert (first["Body"], first["Attributes"]["MessageGroupId"]) == (body, "channel")
