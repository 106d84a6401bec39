import json
from collections import Counter
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automations import aws
from automations.errors import DeliveryError, InvalidEvent, SettingsError
from event_pipeline.handler import lambda_handler
from tests.unit.event_pipeline.conftest import BUCKET
from tests.unit.event_pipeline.messages import application_event, batch, failed, sample_batch
from tests.unit.hooks import hook


def ids(records: list[dict[str, Any]]) -> list[str]:
    return [record["event_id"] for record in records]


def test_events_of_four_sources_come_out_flat_in_the_stream_and_in_s3(pipeline, context):
    assert failed(lambda_handler(sample_batch(), context)) == []

    assert {record["source"] for record in pipeline.stream()} == {
        "aws.s3",
        "com.example.shipping",
        "aws.dynamodb",
        "aws.kinesis",
    }
    assert sorted(ids(pipeline.stream())) == sorted(ids(pipeline.archive()))
    assert pipeline.keys("quarantine/") == []
    assert pipeline.keys("oversized/") == []


def test_a_batch_is_written_with_one_call_for_each_destination(pipeline, context):
    lambda_handler(batch(*(application_event() for _ in range(500))), context)

    assert pipeline.calls == {"kinesis": 1, "firehose": 1}
    assert len(pipeline.stream()) == 500


def test_the_log_names_the_first_events_of_a_batch(pipeline, context, logs):
    events = [application_event() for _ in range(12)]

    lambda_handler(batch("no event", *events), context)

    [line] = [json.loads(text) for text in logs.getvalue().splitlines() if "Took in a batch" in text]
    assert line["events"] == [event["id"] for event in events[:10]]


def test_redshift_gets_the_records_when_it_is_configured(pipeline, context, monkeypatch):
    firehose: Any = boto3.client("firehose")
    destination = {"RoleARN": "arn:aws:iam::123456789012:role/firehose", "BucketARN": f"arn:aws:s3:::{BUCKET}"}
    firehose.create_delivery_stream(
        DeliveryStreamName="to-redshift", ExtendedS3DestinationConfiguration=destination | {"Prefix": "redshift/"}
    )
    monkeypatch.setenv("REDSHIFT_DELIVERY_STREAM", "to-redshift")

    lambda_handler(batch(event := application_event()), context)

    assert ids(pipeline.archive("redshift/")) == [event["id"]]


def test_a_poison_message_is_quarantined_and_the_others_are_delivered(pipeline, context, logs):
    event = application_event()

    assert failed(lambda_handler(batch("no event, secret-4711", event), context)) == []

    assert ids(pipeline.stream()) == [event["id"]]
    [found] = pipeline.quarantined().values()
    assert found["message_id"] == "message-0"
    assert found["body"] == "no event, secret-4711"
    assert "not JSON" in found["reason"]
    [key] = pipeline.keys("quarantine/")
    assert key in logs.getvalue()
    assert "secret-4711" not in logs.getvalue()


def test_what_the_pipeline_wrote_itself_is_left_out_and_nothing_of_it_is_kept(pipeline, context, logs):
    of_s3, _, _, of_kinesis = (message["body"] for message in sample_batch()["Records"])
    from_own_bucket = of_s3.replace("amzn-s3-demo-source-bucket", BUCKET)
    from_own_stream = of_kinesis.replace("stream/clicks", "stream/events")
    assert from_own_bucket != of_s3
    assert from_own_stream != of_kinesis
    own_application = application_event() | {"resources": [f"arn:aws:s3:::{BUCKET}"]}

    assert failed(lambda_handler(batch(from_own_bucket, from_own_stream, own_application), context)) == []

    assert ids(pipeline.stream()) == [own_application["id"]]
    assert pipeline.keys("") == [key for key in pipeline.keys("") if key.startswith("events/")]
    [line] = [json.loads(text) for text in logs.getvalue().splitlines() if "Left messages out" in text]
    assert line["count"] == 2


def test_a_poison_message_that_comes_twice_is_quarantined_once(pipeline, context):
    for _ in range(2):
        lambda_handler(batch("no event"), context)

    assert len(pipeline.keys("quarantine/")) == 1


def test_a_batch_of_poison_takes_one_call_and_one_line_of_the_log(pipeline, context, logs):
    hook(aws.s3(), "before-call.s3", lambda model, **_: pipeline.calls.update([model.name]))

    assert failed(lambda_handler(batch(*(f"no event {number}" for number in range(100))), context)) == []

    assert pipeline.calls == {"PutObject": 1}
    assert len(pipeline.quarantined()) == 100
    [line] = [json.loads(text) for text in logs.getvalue().splitlines() if "Quarantined messages" in text]
    assert line["count"] == 100


def test_an_oversized_event_is_in_s3_before_the_record_that_refers_to_it_goes_out(pipeline, context):
    event = application_event(fill="x" * 1_030_000)

    assert failed(lambda_handler(batch(event), context)) == []

    [record] = pipeline.stream()
    assert [record] == pipeline.archive()
    whole = json.loads(pipeline.body(record["oversized_location"].removeprefix(f"s3://{BUCKET}/")))
    assert whole["detail.fill"] == event["detail"]["fill"]
    assert whole["event_id"] == record["event_id"] == event["id"]


@pytest.mark.parametrize("destination", ["kinesis", "firehose"])
def test_only_the_refused_records_are_written_again(destination, pipeline, context):
    events = [application_event() for _ in range(10)]
    pipeline.refuse(events[3]["id"], destination, times=2)
    pipeline.refuse(events[7]["id"], destination, times=1)

    assert failed(lambda_handler(batch(*events), context)) == []

    assert pipeline.calls[destination] == 3
    assert sum(pipeline.calls.values()) == 4
    assert sorted(ids(pipeline.stream())) == sorted(ids(pipeline.archive())) == sorted(event["id"] for event in events)


def test_a_record_that_is_refused_until_the_time_is_up_returns_alone(pipeline, context, logs):
    events = [application_event() for _ in range(3)]
    pipeline.refuse(events[1]["id"])
    context.seconds_left = 10

    assert failed(lambda_handler(batch(*events), context)) == ["message-1"]

    assert sorted(ids(pipeline.stream())) == sorted([events[0]["id"], events[2]["id"]])
    assert "ProvisionedThroughputExceededException" in logs.getvalue()
    assert '"level":"ERROR"' in logs.getvalue()


def test_when_it_comes_again_it_is_delivered_and_the_destination_that_had_it_gets_it_twice(pipeline, context):
    events = [application_event() for _ in range(2)]
    pipeline.refuse(events[1]["id"], times=1)
    context.seconds_left = 10
    assert failed(lambda_handler(batch(*events), context)) == ["message-1"]

    assert failed(lambda_handler(batch(events[1]), context)) == []

    assert Counter(ids(pipeline.stream())) == {events[0]["id"]: 1, events[1]["id"]: 1}
    assert Counter(ids(pipeline.archive())) == {events[0]["id"]: 1, events[1]["id"]: 2}


def test_a_message_whose_object_s3_does_not_take_returns_and_no_record_refers_to_what_is_not_there(
    pipeline, context, monkeypatch
):
    put = aws.s3().put_object

    def not_oversized(Key, **rest):  # noqa: N803 # AWS's name
        return put(Key=Key, **(rest | {"Bucket": "absent"} if Key.startswith("oversized/") else rest))

    monkeypatch.setattr(aws.s3(), "put_object", not_oversized)
    event = application_event()

    result = lambda_handler(batch(application_event(fill="x" * 1_030_000), "no event", event), context)

    assert failed(result) == ["message-0"]
    assert ids(pipeline.stream()) == [event["id"]]
    assert list(pipeline.quarantined()) == ["message-1"]


def test_a_call_that_fails_as_a_whole_returns_its_messages_and_the_other_calls_are_made(pipeline, context, monkeypatch):
    put, calls = aws.kinesis().put_records, Counter[str]()

    def second_fails(**request):
        calls["put"] += 1
        if calls["put"] == 2:
            raise ReadTimeoutError(endpoint_url="https://kinesis.ap-northeast-2.amazonaws.com")
        return put(**request)

    monkeypatch.setattr(aws.kinesis(), "put_records", second_fails)

    result = lambda_handler(batch(*(application_event() for _ in range(1100))), context)

    assert failed(result) == [f"message-{number}" for number in range(500, 1000)]
    assert len(pipeline.stream()) == 600
    assert len(pipeline.archive()) == 1100


def test_an_aws_error_that_stops_all_messages_is_raised_with_its_reason(pipeline, context, monkeypatch, logs):
    monkeypatch.setenv("EVENT_STREAM", "absent")

    with pytest.raises(
        DeliveryError, match=r"None of 2 messages .* Kinesis stream absent: .*ResourceNotFoundException"
    ):
        lambda_handler(batch(application_event(), application_event()), context)

    assert "ResourceNotFoundException" in logs.getvalue()


def test_what_is_logged_and_counted_holds_no_payload(pipeline, context, logs, capsys):
    events = [application_event(note="secret-4711") for _ in range(3)]
    pipeline.refuse(events[2]["id"])
    context.seconds_left = 10

    lambda_handler(batch(*events, "no event, secret-4711"), context)

    [line] = [json.loads(text) for text in logs.getvalue().splitlines() if "Some messages" in text]
    assert line["counts"] == {"EventsDelivered": 2, "EventsQuarantined": 1, "EventsReturned": 1}
    emitted = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {name: emitted[name] for name in line["counts"]} == {
        "EventsDelivered": [2.0],
        "EventsQuarantined": [1.0],
        "EventsReturned": [1.0],
    }
    assert "secret-4711" not in logs.getvalue()


@pytest.mark.parametrize("event", [{}, {"Records": []}, {"Records": [{"body": "x"}]}, application_event()])
def test_what_is_no_batch_of_messages_is_refused(event, pipeline, context):
    with pytest.raises(InvalidEvent, match="Records"):
        lambda_handler(event, context)


def test_a_missing_setting_is_named(context, monkeypatch):
    monkeypatch.delenv("EVENT_STREAM", raising=False)

    with pytest.raises(SettingsError, match="EVENT_STREAM: Field required"):
        lambda_handler(sample_batch(), context)


FATES = ["delivered", "refused for a while", "refused by Kinesis", "refused by Firehose", "poison", "oversized"]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fates=st.lists(st.sampled_from(FATES), min_size=1, max_size=8))
def test_events_in_are_those_delivered_quarantined_and_returned(fates, pipeline, context, monkeypatch):
    monkeypatch.setattr("event_pipeline.plan.MAX_LINE", 2000)
    events = [application_event(fill="x" * (2000 if fate == "oversized" else 1)) for fate in fates]
    for event, fate in zip(events, fates, strict=True):
        match fate:
            case "refused for a while":
                pipeline.refuse(event["id"], "kinesis", times=1)
                pipeline.refuse(event["id"], "firehose", times=2)
            case "refused by Kinesis":
                pipeline.refuse(event["id"], "kinesis")
            case "refused by Firehose":
                pipeline.refuse(event["id"], "firehose")
    messages = batch(*("poison" if fate == "poison" else event for event, fate in zip(events, fates, strict=True)))
    for message, event in zip(messages["Records"], events, strict=True):
        message["messageId"] = event["id"]
    rounds = iter([60, 60, 60])
    context.get_remaining_time_in_millis = lambda: next(rounds, 0) * 1000
    try:
        returned = set(failed(lambda_handler(messages, context)))
    except DeliveryError:
        returned = {event["id"] for event in events}

    everywhere = set(ids(pipeline.stream())) & set(ids(pipeline.archive()))
    quarantined = set(pipeline.quarantined())
    mine = {event["id"] for event in events}
    assert mine == (everywhere | quarantined | returned) & mine
    assert not everywhere & quarantined
    assert not everywhere & returned
    assert not quarantined & returned
    assert returned == {e["id"] for e, fate in zip(events, fates, strict=True) if fate.startswith("refused by")}
    assert quarantined & mine == {e["id"] for e, fate in zip(events, fates, strict=True) if fate == "poison"}
