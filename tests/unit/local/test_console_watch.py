"""What the console asks of a cloud: queues, buckets and buses are moto's, Lambda's answers are given."""

import io
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import NoCredentialsError
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber
from local import hold
from local.cloud import Aws, LocalError
from local.console.journeys import Attempt, Journey, Run, Told
from local.console.watch import Watch, kind_of
from local.inbox import keep
from local.receiver import Request
from local.stack import Rule, Schedule, Stack

PNG = b"\x89PNG\r\n\x1a\n and more"
NAME = "stack-CodebuildSlackFunction-1A2B3C"
ARN = f"arn:aws:lambda:ap-northeast-2:111122223333:function:{NAME}"
SCHEDULE = "arn:aws:scheduler:ap-northeast-2:111122223333:schedule/group/Nightly"
EVENT = {"id": "one", "source": "com.example.shop", "detail-type": "Order", "detail": {"state": "paid"}}


@dataclass(frozen=True)
class Account(Aws):
    functions: Any = None

    def client(self, service: str, config: Config | None = None) -> Any:
        return self.functions if service == "lambda" else boto3.client(service, config=config)  # type: ignore[call-overload]


@pytest.fixture
def answers() -> Stubber:
    return Stubber(boto3.client("lambda"))


@pytest.fixture
def watch(cloud: None, answers: Stubber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """A stack with a function, its queues, its buckets, and a rule for paid orders."""
    monkeypatch.setattr(hold, "WAIT", 0)
    sqs, s3 = boto3.client("sqs"), boto3.client("s3")
    outputs = {}
    for name in ("FailedEventsQueue", "UndeliveredEventsQueue"):
        outputs[name] = sqs.create_queue(QueueName=name)["QueueUrl"]
    for name in ("UploadsBucket", "DerivativesBucket"):
        outputs[name] = name.lower()
        place: Any = {"LocationConstraint": "ap-northeast-2"}
        s3.create_bucket(Bucket=name.lower(), CreateBucketConfiguration=place)
    stack = Stack(Account(functions=answers.client))
    pattern = json.dumps({"detail": {"state": ["paid"]}})
    stack.__dict__.update(
        outputs=outputs,
        resources={"CodebuildSlackFunction": NAME, **outputs},
        rules=[Rule("Paid", "CodebuildSlackFunction", "default", pattern, ARN)],
    )
    answers.activate()
    return Watch(stack, tmp_path / "received")


def fails(watch: Watch, event_id: str) -> None:
    record = {
        "requestContext": {
            "functionArn": f"{ARN}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"id": event_id, "source": "aws.codebuild", "detail-type": "Build", "detail": {}},
        "responsePayload": {"errorType": "DeliveryError", "errorMessage": "Slack refused"},
    }
    boto3.client("sqs").send_message(QueueUrl=watch.stack.outputs["FailedEventsQueue"], MessageBody=json.dumps(record))


def waiting(watch: Watch) -> list[str]:
    return sorted(item.event["id"] for item, _, _ in watch.failed())


def answer(answers: Stubber, error: str = "") -> None:
    text = json.dumps({"errorMessage": error} if error else {}).encode()
    answers.add_response(
        "invoke",
        {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(text), len(text))}
        | ({"FunctionError": "Unhandled"} if error else {}),
        {"FunctionName": NAME, "InvocationType": "RequestResponse", "Payload": ANY},
    )


def test_what_failed_says_why_and_what_a_retry_would_do(watch: Watch) -> None:
    fails(watch, "one")

    [(item, target, step)] = watch.failed()

    assert (item.error, item.reason, target) == ("DeliveryError", "Slack refused", "CodebuildSlackFunction")
    assert str(step) == "invoke CodebuildSlackFunction with the event"


def test_a_retry_deletes_what_succeeds_and_leaves_what_was_not_asked_for(watch: Watch, answers: Stubber) -> None:
    fails(watch, "one")
    fails(watch, "two")
    answers.add_response("get_function_configuration", {"Timeout": 30}, {"FunctionName": NAME})
    answer(answers)
    chosen = next(item.id for item, _, _ in watch.failed() if item.event["id"] == "one")

    assert watch.retry([chosen]) == (1, [])
    assert waiting(watch) == ["two"]


def test_a_retry_that_fails_again_leaves_the_event_and_says_why(watch: Watch, answers: Stubber) -> None:
    fails(watch, "one")
    answers.add_response("get_function_configuration", {"Timeout": 30}, {"FunctionName": NAME})
    answer(answers, error="Slack refused again")
    [(item, _, _)] = watch.failed()

    assert watch.retry([item.id]) == (0, [f"{item.id[:8]}: Slack refused again"])
    assert waiting(watch) == ["one"]


def test_a_retry_stops_when_lambda_takes_no_more(watch: Watch, answers: Stubber) -> None:
    fails(watch, "one")
    fails(watch, "two")
    answers.add_response("get_function_configuration", {"Timeout": 30}, {"FunctionName": NAME})
    answers.add_client_error("invoke", "TooManyRequestsException", "Rate Exceeded.")

    done, [problem] = watch.retry([item.id for item, _, _ in watch.failed()])

    assert done == 0
    assert "the rest was not tried: Lambda takes no more" in problem
    assert waiting(watch) == ["one", "two"]


def test_a_retry_says_what_is_not_in_its_queue_any_more(watch: Watch) -> None:
    assert watch.retry(["0123456789"]) == (0, ["01234567: it is not in its queue any more"])


@pytest.mark.parametrize("name", ["cat.jpg", "../cat.jpg", "C:\\pictures\\cat.jpg"])
def test_a_picture_is_uploaded_under_its_own_name(watch: Watch, name: str) -> None:
    assert watch.upload(name, PNG) == "cat.jpg"
    assert watch.picture("uploads", "cat.jpg") == (PNG, "image/png")


def test_only_pictures_of_the_two_buckets_are_shown(watch: Watch) -> None:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    s3 = boto3.client("s3")
    s3.put_object(Bucket="derivativesbucket", Key="a.webp", Body=b"RIFF\x00\x00\x00\x00WEBP", ContentType="image/webp")
    s3.put_object(Bucket="derivativesbucket", Key="a.svg", Body=svg, ContentType="image/svg+xml")

    assert watch.picture("derivatives", "a.webp") == (b"RIFF\x00\x00\x00\x00WEBP", "image/webp")
    assert watch.picture("derivatives", "a.svg") is None
    assert watch.picture("derivatives", "none") is None
    assert watch.picture("FailedEventsQueue", "a.webp") is None


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (PNG, "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBP", "image/webp"),
        (b"<html>", ""),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(start: bytes, kind: str) -> None:
    assert kind_of(start) == kind


def test_an_event_that_the_tap_catches_is_followed_with_the_rules_that_match_it(watch: Watch) -> None:
    watch.open_tap()
    boto3.client("sqs").send_message(QueueUrl=watch.tap, MessageBody=json.dumps(EVENT))

    [journey] = watch.look()

    assert (journey.event, journey.state) == (EVENT, "left alone")
    assert watch.look() == [journey]  # it is known, though the queue is empty now


def test_the_tap_hears_every_bus(watch: Watch) -> None:
    events = boto3.client("events")
    events.create_event_bus(Name="orders")

    watch.open_tap()

    for bus in ("default", "orders"):
        [name] = [rule["Name"] for rule in events.list_rules(EventBusName=bus)["Rules"]]
        [target] = events.list_targets_by_rule(Rule=name, EventBusName=bus)["Targets"]
        assert target["Arn"].endswith("-look-console")


def test_messages_of_the_last_hour_are_read(watch: Watch) -> None:
    watch.inbox.mkdir()
    for name, age in (("1-2-slack.json", 0), ("1-1-alerts.txt", 7200)):
        file = watch.inbox / name
        file.write_text('{"text": "event 5e1f7f0e-0000-4000-8000-000000000001"}')
        os.utime(file, (file.stat().st_mtime - age,) * 2)
    watch._events["5e1f7f0e-0000-4000-8000-000000000001"] = EVENT

    [journey] = watch.look()

    assert [told.to for told in journey.told] == ["slack"]


def test_the_stack_is_looked_at_anew_after_a_deployment(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    watch.state, before = tmp_path / "cloud.json", watch.stack
    watch.keep_up()
    assert watch.stack is before  # no local cloud was started

    watch.state.write_text("{}")
    monkeypatch.setattr("local.cloud.find", lambda: before.cloud)
    watch.keep_up()
    after = watch.stack
    watch.keep_up()

    assert after is not before
    assert watch.stack is after


def test_a_stopped_local_cloud_leaves_the_stack_as_it_was(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    watch.state, before = tmp_path / "cloud.json", watch.stack
    watch.state.write_text("{}")
    monkeypatch.setattr("local.cloud.find", lambda: None)

    watch.keep_up()

    assert watch.stack is before


def test_a_schedule_that_is_run_now_is_followed(watch: Watch, answers: Stubber) -> None:
    form = '{"id": "<aws.scheduler.execution-id>", "time": "<aws.scheduler.scheduled-time>"}'
    schedule = Schedule("Nightly", "CodebuildSlackFunction", form, ARN, "arn")
    answers.add_response(
        "invoke", {"StatusCode": 202}, {"FunctionName": ARN, "InvocationType": "Event", "Payload": ANY}
    )

    event_id = watch.fire(schedule)

    [journey] = watch.look()
    assert (journey.id, list(watch.rules_of(journey))) == (event_id, ["schedule Nightly"])
    assert (journey.state, journey.awaited) == ("running", ["CodebuildSlackFunction"])


def test_a_schedules_event_is_sent_to_its_function(watch: Watch, answers: Stubber) -> None:
    form = {"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}, "resources": [SCHEDULE]}
    text = json.dumps({"id": "<aws.scheduler.execution-id>", **form})
    schedule = Schedule("Nightly", "CodebuildSlackFunction", text, ARN, SCHEDULE)
    watch.stack.__dict__["schedules"] = [schedule]
    answers.add_response(
        "invoke", {"StatusCode": 202}, {"FunctionName": ARN, "InvocationType": "Event", "Payload": ANY}
    )

    by, event_id = watch.send(form)

    assert (by, watch.schedules_of(form), watch.schedules_of({**form, "resources": []})) == ([schedule], [schedule], [])
    assert [journey.id for journey in watch.look()] == [event_id]


def test_an_event_that_has_just_come_is_judged_so_that_one_sees_who_is_at_work(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stack, "matching", lambda stack, _: stack.rules)  # which moto does not do
    watch.open_tap()
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    boto3.client("sqs").send_message(QueueUrl=watch.tap, MessageBody=json.dumps({**EVENT, "time": now}))

    [journey] = watch.look()

    assert (journey.state, journey.awaited) == ("running", ["CodebuildSlackFunction"])
    assert list(watch.rules_of(journey)) == ["Paid"]


@pytest.mark.parametrize("on_aws", [False, True])
def test_what_a_function_touched_is_read_back(watch: Watch, on_aws: bool) -> None:
    watch.on_aws = on_aws
    boto3.client("s3").put_object(Bucket="uploadsbucket", Key="cat.png", Body=PNG)
    line = {"message": "Its derivatives are right already", "key": "cat.png"}
    run = Run("ImageResizeFunction", [Attempt("r", [line])])

    found = watch.touched(Journey("one", runs=[run]))

    assert [state.picture for state in found["ImageResizeFunction"]] == [("uploads", "cat.png")]


def test_a_request_to_an_api_is_read_with_its_call(watch: Watch) -> None:
    watch.inbox.mkdir()
    keep(watch.inbox, Request("/deployments", {"Idempotency-Key": "c-1"}, b"{}"), lambda *_: None)

    assert watch._told(datetime.now(UTC) - timedelta(hours=1)) == [Told("deployments", "{}", "c-1")]


def test_an_event_is_forgotten_after_the_hour_and_the_oldest_when_there_are_very_many(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.console.watch.MOST", 2)
    for number in range(4):
        watch._know({**EVENT, "id": str(number)}, [])
    assert {journey.id for journey in watch.look()} == {"2", "3"}

    watch._came["2"] -= timedelta(hours=2)

    assert {journey.id for journey in watch.look()} == {"3"}


def test_a_picture_that_is_larger_than_allowed_is_not_read(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    boto3.client("s3").put_object(Bucket="uploadsbucket", Key="cat.png", Body=PNG)
    monkeypatch.setattr("local.console.watch.LARGEST", len(PNG) - 1)

    assert watch.picture("uploads", "cat.png") is None


def test_without_an_uploads_bucket_an_upload_says_why(watch: Watch) -> None:
    watch.stack.outputs.pop("UploadsBucket")

    with pytest.raises(LocalError, match="EnableImageResize is not true"):
        watch.upload("cat.jpg", PNG)


def test_who_signs_in_to_another_account_meanwhile_changes_nothing_there(watch: Watch) -> None:
    """The session of the page has expired; a new one is another account's."""

    class Expired(Aws):
        account = property(lambda _: "111122223333")

        def client(self, service: str, config: Config | None = None) -> Any:
            raise NoCredentialsError

    class Elsewhere(Expired):
        account = property(lambda _: "444455556666")

    watch.on_aws, watch.stack = True, Stack(Expired())
    assert watch.account() == "111122223333"
    before = watch.stack

    with (
        patch("local.console.watch.replace", lambda _: Elsewhere()),
        pytest.raises(LocalError, match="looks at account 111122223333, and you are signed in to 444455556666 now"),
    ):
        watch.keep_up()

    assert watch.stack is before
