"""What the messages in the two queues tell, and what a retry would do, without any service."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from local.failed import FailedEvent, read
from local.retry import Invoke, Leave, Send, logical_id, name_of, plan, verdict

HOME = "ap-northeast-2:111122223333"
FUNCTION = f"arn:aws:lambda:{HOME}:function:stack-CodebuildSlackFunction-1A2B3C"
QUEUE = f"arn:aws:sqs:{HOME}:stack-IngestQueue-4D5E6F"
URL = "https://sqs.ap-northeast-2.amazonaws.com/111122223333/stack-UndeliveredEventsQueue-7A8B9C"
RESOURCES = {
    "CodebuildSlackFunction": "stack-CodebuildSlackFunction-1A2B3C",
    "IngestQueue": "https://sqs.ap-northeast-2.amazonaws.com/111122223333/stack-IngestQueue-4D5E6F",
    "AlertsTopic": f"arn:aws:sns:{HOME}:stack-AlertsTopic-0A0B0C",
}
EVENT = {"id": "1", "source": "aws.codebuild", "detail-type": "CodeBuild Build State Change", "detail": {"a": 1}}


def message(body: Any, **attributes: str) -> dict[str, Any]:
    """A message as SQS gives it, sent on 2026-11-20 at 09:30 UTC."""
    return {
        "MessageId": "5f0c1c9a-0000-4000-8000-000000000001",
        "ReceiptHandle": "receipt",
        "Body": body if isinstance(body, str) else json.dumps(body),
        "Attributes": {"SentTimestamp": "1795167000000"},
        "MessageAttributes": {name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()},
    }


def record(**fields: Any) -> dict[str, Any]:
    """Lambda's record of an asynchronous invocation that failed."""
    return {
        "version": "1.0",
        "timestamp": "2026-11-20T09:30:00.000Z",
        "requestContext": {
            "requestId": "0d9a8b7c-0000-4000-8000-000000000002",
            "functionArn": f"{FUNCTION}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": EVENT,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorType": "DeliveryError", "errorMessage": "Slack refused the message: 404"},
        **fields,
    }


SLACK_URL = "https://sqs.ap-northeast-2.amazonaws.com/111122223333/stack-SlackFailedMessages-1.fifo"
SLACK_MESSAGE = {
    "webhook": "secretsmanager:slack-webhook",
    "key": "k",
    "payload": {"text": "Build failed", "blocks": []},
}


RULE = {
    "RULE_ARN": f"arn:aws:events:{HOME}:rule/stack-CodebuildSlackFunctionBuildFinished-1",
    "TARGET_ARN": FUNCTION,
    "ERROR_CODE": "NO_PERMISSIONS",
    "ERROR_MESSAGE": "Not authorized to invoke the function",
    "RETRY_ATTEMPTS": "0",
}
SCHEDULE = {
    "SCHEDULE_ARN": f"arn:aws:scheduler:{HOME}:schedule/default/stack-evening-1",
    "TARGET_ARN": FUNCTION,
    "ERROR_CODE": "AWS.Lambda.ResourceNotFoundException",
    "ERROR_MESSAGE": "Function not found",
    "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
    "EXECUTION_ID": "3c4d5e6f-0000-4000-8000-000000000003",
    "IS_PAYLOAD_TRUNCATED": "false",
    "RETRY_ATTEMPTS": "185",
    "SCHEDULED_TIME": "2026-11-20T11:00:00Z",
}
PIPE = {
    "context": {
        "partnerResourceArn": f"arn:aws:pipes:{HOME}:pipe/stack-TableChangesPipe-1",
        "condition": "RetryAttemptsExhausted",
    },
    "version": "1.0",
    "timestamp": "2026-11-20T09:30:00.000Z",
    "DDBStreamBatchInfo": {
        "shardId": "shardId-00000001795100000000-0a1b2c3d",
        "startSequenceNumber": "100000000000000000001",
        "endSequenceNumber": "100000000000000000002",
        "batchSize": 2,
        "streamArn": f"arn:aws:dynamodb:{HOME}:table/orders/stream/2026-11-01T00:00:00.000",
    },
}


def test_lambda_tells_which_function_failed_how_often_and_why() -> None:
    item = read(message(record()), URL)

    assert (item.source, item.target, item.attempts) == ("function", f"{FUNCTION}:$LATEST", 3)
    assert (item.error, item.reason) == ("DeliveryError", "Slack refused the message: 404")
    assert item.event == EVENT
    assert item.since == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    assert item.details["requestId"].startswith("0d9a8b7c")


@pytest.mark.parametrize("response", [{"responsePayload": None}, {"responsePayload": "text"}, {"responsePayload": {}}])
def test_an_event_that_grew_too_old_has_its_condition_for_an_error(response: dict[str, Any]) -> None:
    context = {"functionArn": FUNCTION, "condition": "EventAgeExceeded", "approximateInvokeCount": 0}

    item = read(message(record(requestContext=context, **response)), URL)

    assert (item.error, item.reason, item.attempts, item.event) == ("EventAgeExceeded", "", 0, EVENT)


def test_a_rule_leaves_the_event_and_tells_why_in_the_attributes() -> None:
    item = read(message(EVENT, **RULE), URL)

    assert (item.source, item.target, item.event) == ("rule", FUNCTION, EVENT)
    assert (item.error, item.reason) == ("NO_PERMISSIONS", "Not authorized to invoke the function")
    assert item.attempts == 1
    assert item.details["RULE_ARN"] == RULE["RULE_ARN"]


@pytest.mark.parametrize(
    "body",
    [
        {"FunctionName": FUNCTION, "InvocationType": "Event", "Payload": json.dumps(EVENT)},
        {"FunctionName": FUNCTION, "InvocationType": "Event", "Payload": EVENT},
        EVENT,
    ],
    ids=["the request with the input as text", "the request with the input", "the input"],
)
def test_a_schedule_leaves_what_it_wanted_to_send(body: Any) -> None:
    item = read(message(body, **SCHEDULE), URL)

    assert (item.source, item.target, item.event) == ("schedule", FUNCTION, EVENT)
    assert item.attempts == 186
    assert item.details["SCHEDULED_TIME"] == "2026-11-20T11:00:00Z"


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ({"Payload": '{"id": '}, {}),
        (EVENT, {"IS_PAYLOAD_TRUNCATED": "true"}),
        ('{"Payload": "{', {"IS_PAYLOAD_TRUNCATED": "true"}),
    ],
)
def test_a_schedule_whose_input_was_cut_off_has_no_event(body: Any, changed: dict[str, str]) -> None:
    item = read(message(body, **{**SCHEDULE, **changed}), URL)

    assert (item.source, item.event) == ("schedule", None)
    assert plan(item, RESOURCES) == Leave("the message does not hold the whole event")


def test_a_pipe_says_where_in_the_stream_its_records_are() -> None:
    item = read(message(PIPE), URL)

    assert (item.source, item.error, item.event) == ("pipe", "RetryAttemptsExhausted", None)
    assert item.details["startSequenceNumber"] == "100000000000000000001"
    assert item.details["pipe"].endswith("pipe/stack-TableChangesPipe-1")


@pytest.mark.parametrize(
    "unknown",
    [
        message("not JSON"),
        message("not JSON", RULE_ARN="arn"),
        message("[1, 2]"),
        message('{"requestContext": {}}'),
        message(EVENT),
        message('"text"', OTHER="x"),
    ],
)
def test_what_has_no_known_form_is_kept_as_it_is(unknown: dict[str, Any]) -> None:
    item = read(unknown, URL)

    assert (item.source, item.body, item.event) == ("unknown", unknown["Body"], None)
    assert isinstance(plan(item, RESOURCES), Leave)


def item_for(target: str, source: str = "rule", event: Any = EVENT) -> FailedEvent:
    return FailedEvent("1", URL, datetime(2026, 11, 20, tzinfo=UTC), "{}", source=source, target=target, event=event)


INVOKE = Invoke("CodebuildSlackFunction", "stack-CodebuildSlackFunction-1A2B3C")


@pytest.mark.parametrize(
    ("item", "step"),
    [
        (item_for(f"{FUNCTION}:$LATEST", "function"), INVOKE),
        (item_for(FUNCTION), INVOKE),
        (item_for(FUNCTION, "schedule"), INVOKE),
        (item_for(FUNCTION, event=[]), INVOKE),
        (item_for(QUEUE), Send("IngestQueue", RESOURCES["IngestQueue"])),
    ],
)
def test_a_retry_goes_to_the_function_or_queue_that_was_to_get_the_event(item: FailedEvent, step: Any) -> None:
    assert plan(item, RESOURCES) == step


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (item_for(f"arn:aws:lambda:{HOME}:function:gone"), "the stack has no function gone (any more)"),
        (item_for(f"arn:aws:sqs:{HOME}:gone"), "the stack has no queue gone (any more)"),
        (item_for(QUEUE.replace("111122223333", "444455556666")), "the stack has no queue"),
        (item_for(RESOURCES["AlertsTopic"]), "replay it from the archive for this rule"),
        (item_for(f"arn:aws:events:{HOME}:event-bus/central"), "replay it from the archive for this rule"),
        (item_for(QUEUE, "schedule"), "EventBridge alone hands it over"),
        (item_for(""), "a target that the message does not name"),
        (item_for(FUNCTION, event=None), "does not hold the whole event"),
        (item_for(FUNCTION, "pipe"), "where in the stream the records are"),
    ],
)
def test_what_cannot_be_tried_again_is_left_with_the_reason(item: FailedEvent, why: str) -> None:
    step = plan(item, RESOURCES)

    assert isinstance(step, Leave)
    assert why in step.why


@pytest.mark.parametrize(
    ("arn", "name", "logical"),
    [
        (f"{FUNCTION}:$LATEST", "stack-CodebuildSlackFunction-1A2B3C", "CodebuildSlackFunction"),
        (QUEUE, "stack-IngestQueue-4D5E6F", "IngestQueue"),
        (f"arn:aws:pipes:{HOME}:pipe/changes", "pipe/changes", ""),
        ("nonsense", "nonsense", ""),
        ("", "", ""),
    ],
)
def test_a_target_is_known_by_its_logical_id(arn: str, name: str, logical: str) -> None:
    assert (name_of(arn), logical_id(arn, RESOURCES)) == (name, logical)


@pytest.mark.parametrize(
    ("function_error", "result", "why"),
    [
        ("", None, ""),
        ("", {"told": 1}, ""),
        ("", {"batchItemFailures": []}, ""),
        ("", {"batchItemFailures": [{"itemIdentifier": "a"}]}, "the function could not process 1 of its records"),
        ("Unhandled", {"errorType": "DeliveryError", "errorMessage": "no"}, "DeliveryError: no"),
        ("Unhandled", {"errorMessage": "Task timed out after 60.00 seconds"}, "Task timed out after 60.00 seconds"),
        ("Unhandled", None, "Unhandled"),
    ],
)
def test_an_invocation_succeeded_only_without_an_error_and_without_failed_records(
    function_error: str, result: Any, why: str
) -> None:
    assert verdict(function_error, result) == why


@pytest.mark.parametrize(
    ("event", "title"),
    [
        (EVENT, "CodeBuild Build State Change (aws.codebuild)"),
        ({"Records": []}, "a batch of records"),
        ({"detail-type": 5}, ""),
        (None, ""),
    ],
)
def test_the_title_of_an_event_shows_nothing_of_its_detail(event: Any, title: str) -> None:
    assert item_for(FUNCTION, event=event).title == title


def test_the_time_in_the_queue_counts_from_when_the_message_was_sent() -> None:
    assert read(message(EVENT), URL).since + timedelta(days=14) == datetime(2026, 12, 4, 9, 30, tzinfo=UTC)


def slack_message(group: str, **attributes: str) -> dict[str, Any]:
    found = message(SLACK_MESSAGE, **attributes)
    found["Attributes"]["MessageGroupId"] = group
    return found


def test_a_message_that_slack_refused_is_read_and_goes_back_to_its_channel() -> None:
    item = read(
        slack_message("one of its own", CHANNEL="group", ERROR_MESSAGE="Slack refused: 404 no_service"), SLACK_URL
    )

    assert (item.source, item.title, item.reason) == ("slack", "a message for Slack", "Slack refused: 404 no_service")
    assert item.event == SLACK_MESSAGE
    assert plan(item, {"SlackQueue": "url"}) == Send("SlackQueue", "url", "group")
    assert "has no SlackQueue any more" in str(plan(item, {}))


def test_a_message_that_sqs_moved_itself_goes_back_to_its_channel() -> None:
    item = read(slack_message("group"), SLACK_URL)

    assert item.reason == "Slack did not take it for days"
    assert plan(item, {"SlackQueue": "url"}) == Send("SlackQueue", "url", "group")


def test_what_is_no_message_of_ours_in_that_queue_is_left() -> None:
    item = read(message("nonsense", CHANNEL="group", ERROR_MESSAGE="it is not JSON"), SLACK_URL)

    assert item.details["ERROR_MESSAGE"] == "it is not JSON"
    assert isinstance(plan(item, {"SlackQueue": "url"}), Leave)
