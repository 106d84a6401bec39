"""What the pipe of the template tells of an order that ordering itself wrote."""

import json
from typing import Any

import boto3
import pytest
from local.pipe import render
from pydantic import ValidationError

from automations.events.ordering import OrderPlaced
from ordering.handler import lambda_handler
from tests.samples import sample
from tests.template_file import RESOURCES

TABLE, PIPE = RESOURCES["OrdersTable"]["Properties"], RESOURCES["OrderEventsPipe"]["Properties"]


@pytest.fixture
def stream(cloud, monkeypatch) -> str:
    """The ARN of the orders' stream, switched on as the template says."""
    table = boto3.client("dynamodb").create_table(
        TableName="OrdersTable",
        **{key: TABLE[key] for key in ("BillingMode", "AttributeDefinitions", "KeySchema")},
        StreamSpecification={
            "StreamEnabled": True,
            "StreamViewType": TABLE["StreamSpecification"]["StreamViewType"],
        },
    )
    monkeypatch.setenv("ORDERS_TABLE", "OrdersTable")
    return table["TableDescription"]["LatestStreamArn"]


def records(stream: str) -> list[Any]:
    streams = boto3.client("dynamodbstreams")
    [shard] = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]
    start = streams.get_shard_iterator(StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    return streams.get_records(ShardIterator=start["ShardIterator"])["Records"]


def test_the_event_of_an_order_is_the_sample_event_and_a_valid_order_placed(stream, context):
    lambda_handler(sample("ordering/basket-checked-out"), context)

    [record] = records(stream)
    event = sample("ordering/order-placed")
    event["detail"] = render(PIPE["TargetParameters"]["InputTemplate"], record)

    assert record["eventName"] == "INSERT"
    assert event == sample("ordering/order-placed")
    order = OrderPlaced.model_validate(event).detail
    assert json.loads(order.model_dump_json()) | {"placed_at": event["detail"]["placed_at"]} == event["detail"]


def test_a_checkout_that_comes_again_leaves_no_second_record(stream, context):
    for _ in range(2):
        lambda_handler(sample("ordering/basket-checked-out"), context)

    assert len(records(stream)) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("order_id", "1"),
        ("total", 34200.5),
        ("total", "-1"),
        ("customer", "someone@example.com"),
        ("currency", "won"),
        ("placed_at", "2026-11-22T03:15:09"),
    ],
)
def test_an_event_with_a_field_of_another_form_is_no_order_placed(field, value):
    event = sample("ordering/order-placed")
    event["detail"][field] = value

    with pytest.raises(ValidationError, match=rf"detail\.{field}"):
        OrderPlaced.model_validate(event)


@pytest.mark.parametrize("source", ["com.example.basket", "com.example.ordering.archive", "ordering"])
def test_an_event_of_another_service_is_no_order_placed(source):
    with pytest.raises(ValidationError, match="source"):
        OrderPlaced.model_validate(sample("ordering/order-placed") | {"source": source})
