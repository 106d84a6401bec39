import json
import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automations.errors import InvalidEvent
from automations.events.sqs import Message
from event_pipeline.plan import MAX_LINE, Plan, flat, plan, quarantine
from tests.unit.event_pipeline.messages import application_event, sample_batch

NOW = datetime(2026, 11, 22, 9, 0, 0, 250_000, tzinfo=UTC)


def planned(body: Any, message_id: str = "message-1") -> Plan:
    text = body if isinstance(body, str) else json.dumps(body)
    return plan(Message(message_id=message_id, body=text), "pipeline-bucket", "events", NOW)


def record(body: Any) -> dict[str, Any]:
    found = planned(body)
    assert found.record, found.reason
    fields: dict[str, Any] = json.loads(found.record.line)
    return fields


def from_batch(number: int) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(sample_batch()["Records"][number]["body"])
    return body


def test_an_event_becomes_one_line_of_flat_json():
    found = planned(from_batch(1))

    assert found.record
    assert found.record.line.endswith(b"}\n")
    assert found.record.line.count(b"\n") == 1
    assert json.loads(found.record.line) == {
        "event_id": "a3c4f7d2-6f8b-4be4-8a4f-2d7f0c9e1b35",
        "event_time": "2026-11-05T14:20:07.000Z",
        "event_date": "2026-11-05",
        "source": "com.example.shipping",
        "detail_type": "ParcelShipped",
        "account": "111122223333",
        "region": "ap-northeast-2",
        "ingested_at": "2026-11-22T09:00:00.250Z",
        "resources": [],
        "detail.parcel.id": "parcel-7731",
        "detail.parcel.weight.value": 2.35,
        "detail.parcel.weight.unit": "kg",
        "detail.carrier": "한국택배",
        "detail.stops": ["Seoul", "Daejeon", "Busan"],
        "detail.insured": True,
        "detail.note": None,
    }
    assert found.record.id == "a3c4f7d2-6f8b-4be4-8a4f-2d7f0c9e1b35"
    assert found.kept is None


def test_an_event_of_s3_keeps_its_hyphens():
    fields = record(from_batch(0))

    assert fields["source"] == "aws.s3"
    assert fields["detail.object.key"] == "reports/2026/주간 보고 (45).csv"
    assert fields["detail.source-ip-address"] == "192.0.2.41"
    assert fields["resources"] == ["arn:aws:s3:::amzn-s3-demo-source-bucket"]


def test_a_change_of_a_table_becomes_an_event_without_dynamodbs_types():
    fields = record(from_batch(2))

    assert {
        name: fields[name] for name in ("event_id", "event_time", "source", "detail_type", "account", "region")
    } == {
        "event_id": "b6e4c1a90d7f4f5d8a3b2c1e0f9d8c7b",
        "event_time": "2026-11-05T13:44:00.000Z",
        "source": "aws.dynamodb",
        "detail_type": "MODIFY",
        "account": "111122223333",
        "region": "ap-northeast-2",
    }
    assert {name: value for name, value in fields.items() if name.startswith("detail.")} == {
        "detail.Keys.order_id": "order-1009",
        "detail.NewImage.order_id": "order-1009",
        "detail.NewImage.total": "12345678901234567.89",  # more digits than a double holds
        "detail.NewImage.quantity": 3,
        "detail.NewImage.paid": True,
        "detail.NewImage.labels": ["express", "gift"],
        "detail.NewImage.address.city": "부산",
        "detail.NewImage.address.floor": None,
        "detail.OldImage.order_id": "order-1009",
        "detail.OldImage.quantity": 2,
    }


def test_a_change_that_does_not_say_when_it_was_made_counts_as_made_now():
    change = from_batch(2)
    del change["dynamodb"]["ApproximateCreationDateTime"]

    assert record(change)["event_time"] == "2026-11-22T09:00:00.250Z"


def test_a_table_may_hold_every_type_of_dynamodb():
    change = from_batch(2)
    change["dynamodb"] = {
        "Keys": {"id": {"N": "-17"}},
        "NewImage": {
            "binary": {"B": "aGVsbG8="},
            "numbers": {"NS": ["3", "1.5"]},
            "list": {"L": [{"N": "1.10"}, {"M": {"a": {"N": "2"}}}]},
            "large": {"N": "12345678901234567890123456789012345678"},
        },
    }

    fields = record(change)

    assert fields["detail.Keys.id"] == -17
    assert fields["detail.NewImage.binary"] == "aGVsbG8="
    assert fields["detail.NewImage.numbers"] == [1.5, 3]
    assert fields["detail.NewImage.list"] == [1.1, {"a": 2}]
    assert fields["detail.NewImage.large"] == "12345678901234567890123456789012345678"


def test_a_record_of_a_kinesis_stream_becomes_an_event_with_the_json_that_it_holds():
    fields = record(from_batch(3))

    assert fields["event_id"].startswith("shardId-000000000002:4966")
    assert fields["event_time"] == "2026-11-05T13:45:01.412Z"
    assert fields["source"] == "aws.kinesis"
    assert fields["account"] == "111122223333"
    assert {name: value for name, value in fields.items() if name.startswith("detail.")} == {
        "detail.partitionKey": "v-552",
        "detail.sequenceNumber": "49667338271490256608559692538361571095921575989136588898",
        "detail.data.page": "/basket",
        "detail.data.visitor.id": "v-552",
        "detail.data.visitor.new": False,
    }


@pytest.mark.parametrize("data", ["SGVsbG8=", "/wD/", "bm90IGJhc2U2NA", ""])
def test_what_is_no_json_in_a_record_of_a_kinesis_stream_stays_as_it_came(data):
    assert record(from_batch(3) | {"data": data})["detail.data"] == data


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "not JSON: Expecting value at character 0"),
        ("week,total\n45,1009\n", "not JSON"),
        ('{"id": ', "not JSON"),
        ("[]", "no event. event: Input should be a valid dictionary"),
        ("null", "no event"),
        ('"text"', "no event"),
        ("{}", "no event. version: Field required; id: Field required"),
        (application_event() | {"detail": "text"}, "detail: Input should be a valid dictionary"),
        (application_event() | {"id": ""}, "id: String should match pattern"),
        (application_event() | {"id": "a/../b"}, "id: String should match pattern"),
        (application_event() | {"id": "i" * 257}, "id: String should match pattern"),
        (application_event() | {"source": "s" * 257}, "source: String should have at most 256 characters"),
        (application_event() | {"time": "2026-11-05T14:20:07"}, "time: Input should have timezone info"),
        (from_batch(2) | {"dynamodb": {}}, "dynamodb.Keys: Field required"),
        (from_batch(2) | {"dynamodb": {"Keys": {"id": {"X": "1"}}}}, "a value that cannot be read: TypeError"),
        (
            from_batch(2) | {"dynamodb": {"Keys": {"id": {"N": "secret"}}}},
            "a value that cannot be read: InvalidOperation",
        ),
        (from_batch(2) | {"dynamodb": {"Keys": {"id": {}}}}, "a value that cannot be read: IndexError"),
        (from_batch(3) | {"eventSourceARN": "clicks"}, "eventSourceARN: String should match pattern"),
        (json.dumps(application_event(note=math.nan)), "a value that cannot be read: ValueError"),
        (f'{{"id": {"9" * 5000}}}', "a value that cannot be read: ValueError"),
        ('{"version": ' * 200_000, "nested too deeply"),
        (application_event(note="half of a pair: \ud83d"), "not valid Unicode"),
        (application_event() | {"detail": {"a": {"b": 1}, "a.b": 2}}, "Two fields of the event have the same name"),
    ],
)
def test_what_is_no_event_is_quarantined_with_the_reason_and_whole(body, reason):
    text = body if isinstance(body, str) else json.dumps(body)

    found = planned(text, "message-7")

    assert found.record is None
    assert reason in found.reason
    assert "secret" not in found.reason
    assert json.loads(found.quarantined) == {
        "message_id": "message-7",
        "reason": found.reason,
        "quarantined_at": "2026-11-22T09:00:00.250Z",
        "body": text,
    }


@pytest.mark.parametrize(("depth", "delivered"), [(200, True), (1000, False)])
def test_an_event_that_is_nested_too_deeply_to_be_flattened_is_quarantined(depth, delivered):
    body = json.dumps(application_event(deep="here")).replace('"here"', '{"a":' * depth + "1" + "}" * depth)

    found = planned(body)

    assert bool(found.record) is delivered
    assert found.reason == ("" if delivered else "The message is nested too deeply.")


def test_an_event_whose_names_would_fill_the_memory_is_quarantined():
    fields = {f"field-{number}": number for number in range(1000)}

    assert planned(application_event() | {"detail": {"k" * 100: fields}}).record
    assert "grow too long" in planned(application_event() | {"detail": {"k" * 100_000: fields}}).reason


def test_a_batch_of_small_events_whose_names_grow_cannot_fill_the_memory_together():
    event = application_event() | {"detail": {"k" * 10_000: {f"f{number}": 1 for number in range(1000)}}}
    body = json.dumps(event)

    assert len(body) < 22_000  # SQS and Lambda hand over more than 200 of them at once, which would be 2 GB
    assert "grow too long" in planned(event).reason


def test_a_message_with_very_many_mistakes_is_quarantined_with_a_short_reason():
    found = planned(application_event() | {"resources": [7] * 100_000})

    assert found.reason == "The message is no event. resources.0: Input should be a valid string"


def of_size(size: int) -> dict[str, Any]:
    """An event whose line has so many bytes."""
    event = application_event(fill="")
    without = planned(event).record
    assert without
    event["detail"]["fill"] = "x" * (size - len(without.line))
    return event


def test_the_largest_record_that_firehose_takes_goes_out_whole():
    found = planned(of_size(MAX_LINE))

    assert found.record
    assert len(found.record.line) == MAX_LINE
    assert found.kept is None


def test_an_event_that_is_one_byte_too_large_is_kept_whole_and_referred_to():
    event = of_size(MAX_LINE + 1)

    found = planned(event)

    assert found.kept
    assert found.kept.key == f"oversized/2026-11-05/{event['id']}.json"
    assert len(found.kept.body) == MAX_LINE + 1
    assert json.loads(found.kept.body)["detail.fill"] == event["detail"]["fill"]
    assert found.record
    assert json.loads(found.record.line) == {
        "event_id": event["id"],
        "event_time": "2026-11-05T14:20:07.000Z",
        "event_date": "2026-11-05",
        "source": "com.example.shipping",
        "detail_type": "ParcelShipped",
        "account": "111122223333",
        "region": "ap-northeast-2",
        "ingested_at": "2026-11-22T09:00:00.250Z",
        "oversized_location": f"s3://pipeline-bucket/{found.kept.key}",
        "oversized_bytes": MAX_LINE + 1,
    }


def test_size_is_counted_in_bytes_and_not_in_characters():
    assert planned(application_event(fill="한" * 350_000)).kept is not None
    assert planned(application_event(fill="x" * 350_000)).kept is None


def test_the_partition_key_counts_as_kinesis_counts_it():
    found = planned(application_event()).record

    assert found
    assert found.size == len(found.line) + 36


def test_a_second_delivery_of_an_oversized_event_makes_the_same_key():
    event = of_size(MAX_LINE + 1)

    first, second = planned(event), planned(event)

    assert first.kept
    assert second.kept
    assert first.kept.key == second.kept.key


def test_the_same_quarantined_messages_make_the_same_key_in_any_order_and_others_another_one():
    first, second, third = (planned("no event", name) for name in ("first", "second", "third"))

    assert quarantine([first, second]).key == quarantine([second, first]).key
    assert quarantine([first, second]).key != quarantine([first, third]).key
    lines = quarantine([first, second]).body.splitlines()
    assert [json.loads(line)["message_id"] for line in lines] == ["first", "second"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1.0", 1),
        ("-0.5", -0.5),
        ("1.10", 1.1),
        ("0.1", 0.1),
        ("1e2", 100),
        ("9007199254740993.5", "9007199254740993.5"),
        ("1234567890123456.789", "1234567890123456.789"),
        ("1e400", "1E+400"),
        ("1e999999999", "1E+999999999"),
        ("1e-400", "1E-400"),
        ("123456789012345678901234567890", 123456789012345678901234567890),
    ],
)
def test_no_number_loses_a_digit(text, value):
    body = json.dumps(application_event(n="here")).replace('"here"', text)

    assert record(body)["detail.n"] == value


names = st.text("aZ_- 한", min_size=1, max_size=3)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text("aZ\n\u2028한", max_size=5)
    | st.lists(st.integers(), max_size=3)
)
details = st.dictionaries(
    names, st.recursive(leaves, lambda inner: st.dictionaries(names, inner, max_size=3), max_leaves=5)
)


def nested(fields: dict[str, Any]) -> dict[str, Any]:
    """The opposite of flattening."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        *path, last = name.removeprefix("detail.").split(".")
        place = found
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return found


@settings(max_examples=50)
@given(details.filter(bool))
def test_nothing_is_lost_by_flattening(detail):
    fields = flat(detail, MAX_LINE)

    assert nested(fields) == detail
    assert not [value for value in fields.values() if isinstance(value, dict) and value]
    assert {
        name: value for name, value in record(application_event() | {"detail": detail}).items() if name in fields
    } == fields


anything = st.recursive(
    leaves | st.floats() | st.sampled_from(["aws:dynamodb", "aws:kinesis", "2026-11-05T14:20:07Z", "order-1009"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["S", "N", "B", "M", "L", "NS", "a.b"]), inner),
    max_leaves=6,
)
fields = st.sampled_from(
    ["id", "time", "detail", "resources", "source", "eventSource", "eventID", "eventSourceARN", "data", "dynamodb"]
)


@given(
    st.sampled_from([from_batch(number) for number in range(4)]),
    st.dictionaries(fields, anything, max_size=2),
    st.dictionaries(st.sampled_from(["Keys", "NewImage", "ApproximateCreationDateTime"]), anything),
)
def test_whatever_is_in_a_message_it_is_planned(body, changed, changed_item):
    if "dynamodb" in body:
        body = body | {"dynamodb": body["dynamodb"] | changed_item}

    found = planned(body | changed)

    assert (found.record is None) is bool(found.reason)
    if found.record:
        assert json.loads(found.record.line)["event_id"] == found.record.id


@given(st.text())
def test_any_text_at_all_is_planned(text):
    assert planned(text).quarantined


def test_two_values_of_the_same_name_are_refused_rather_than_one_of_them_lost():
    with pytest.raises(InvalidEvent, match="the same name"):
        flat({"a.b": 1, "a": {"b": 2}}, MAX_LINE)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_reader_that_uses_doubles_sees_the_number_that_was_sent(number):
    value = record(json.dumps(application_event(n="here")).replace('"here"', str(number)))["detail.n"]

    assert Decimal(value) == number if isinstance(value, str) else Decimal(repr(value)) == number
