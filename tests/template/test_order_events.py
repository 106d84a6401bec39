"""The pipe from the orders' stream to the application bus: its filter, judged by `TestEventPattern`, and its properties."""

import json
import re
from copy import deepcopy
from typing import Any

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator
from local.pipe import lets_through, render
from local.stack import Stack

from tests.samples import sample
from tests.template_file import RESOURCES, TEMPLATE

PIPE: dict[str, Any] = RESOURCES["OrderEventsPipe"]["Properties"]
[FILTER] = (item["Pattern"] for item in PIPE["SourceParameters"]["FilterCriteria"]["Filters"])
INPUT_TEMPLATE = PIPE["TargetParameters"]["InputTemplate"]
CONDITIONS = TEMPLATE["Conditions"]

KEYS = {"customer": {"S": "customer-0042"}, "order_id": {"S": "6a1f3c52-8d0e-4b7a-9c35-1e2f4d6a8b90"}}
ORDER = {
    **KEYS,
    "placed_at": {"S": "2026-11-22T03:15:09+00:00"},
    "currency": {"S": "KRW"},
    "lines": {
        "L": [
            {
                "M": {
                    "product_id": {"S": "mug-white"},
                    "name": {"S": "머그컵, 흰색"},
                    "quantity": {"N": "2"},
                    "unit_price": {"N": "17100.25"},
                }
            }
        ]
    },
    "total": {"N": "34200.5"},
}


def record(name: str, new: Any = None, old: Any = None, **more: Any) -> dict[str, Any]:
    """A record of a DynamoDB stream as a pipe gets it.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-dynamodb.html
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html
    """
    images = {key: image for key, image in {"NewImage": new, "OldImage": old}.items() if image}
    return {
        "eventID": "3f8c0c3f0d4b4c0f9e6a1b2c3d4e5f60",
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "ap-northeast-2",
        "dynamodb": {
            "ApproximateCreationDateTime": 1795317309,
            "Keys": KEYS,
            **images,
            "SequenceNumber": "4421584500000000017450439092",
            "SizeBytes": 312,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": "arn:aws:dynamodb:ap-northeast-2:111122223333:table/orders/stream/2026-11-01T00:00:00.000",
        **more,
    }


INSERTED = record("INSERT", new=ORDER)


def without(attribute: str) -> dict[str, Any]:
    return {name: value for name, value in ORDER.items() if name != attribute}


def test_a_new_order_passes(stack: Stack) -> None:
    assert lets_through(stack.cloud.client("events"), FILTER, INSERTED)


def test_an_attribute_that_is_added_later_does_not_stop_an_order(stack: Stack) -> None:
    assert lets_through(
        stack.cloud.client("events"), FILTER, record("INSERT", new=ORDER | {"coupon": {"S": "WELCOME"}})
    )


@pytest.mark.parametrize(
    "other",
    {
        "an order that changed": record("MODIFY", new=ORDER, old=ORDER | {"total": {"N": "1"}}),
        "an order that was deleted": record("REMOVE", old=ORDER),
        "an order that DynamoDB let expire": record(
            "REMOVE", old=ORDER, userIdentity={"type": "Service", "principalId": "dynamodb.amazonaws.com"}
        ),
        "a stream of keys only": record("INSERT"),
        "an order without a total": record("INSERT", new=without("total")),
        "an order without a time": record("INSERT", new=without("placed_at")),
        "an order without a currency": record("INSERT", new=without("currency")),
        "a total that is text": record("INSERT", new=ORDER | {"total": {"S": "34200.5"}}),
        "a total that is null": record("INSERT", new=ORDER | {"total": {"NULL": True}}),
        "another item of the same table": record("INSERT", new={**KEYS, "note": {"S": "called back"}}),
        "a record of Kinesis": {
            "eventName": "aws:kinesis:record",
            "eventSource": "aws:kinesis",
            "partitionKey": "v-552",
            "data": {"dynamodb": {"NewImage": ORDER}},
        },
    }.items(),
    ids=lambda item: item[0],
)
def test_what_is_no_new_order_does_not_pass(other: tuple[str, dict[str, Any]], stack: Stack) -> None:
    assert not lets_through(stack.cloud.client("events"), FILTER, other[1])


def test_the_filter_demands_every_attribute_that_the_input_template_reads() -> None:
    """So that no path of the template is missing: AWS does not say what Pipes writes then."""
    demanded = json.loads(FILTER)["dynamodb"]["NewImage"]
    paths = [path.split(".") for path in re.findall(r"<\$\.([\w.]+)>", INPUT_TEMPLATE)]

    assert {(attribute, kind) for _, _, attribute, kind in paths} == {
        (attribute, kind) for attribute, types in demanded.items() for kind in types
    }
    for attribute in demanded:
        cut = deepcopy(INSERTED)
        del cut["dynamodb"]["NewImage"][attribute]
        with pytest.raises(KeyError):
            render(INPUT_TEMPLATE, cut)


def test_the_event_of_the_order_is_the_sample_event() -> None:
    event, bus = sample("ordering/order-placed"), PIPE["TargetParameters"]["EventBridgeEventBusParameters"]

    assert render(INPUT_TEMPLATE, INSERTED) == event["detail"]
    assert bus["Source"]["Fn::Sub"].replace("${ApplicationName}", "example") == event["source"]
    assert bus["DetailType"] == event["detail-type"]


def test_the_pipe_leads_from_the_orders_to_the_bus_tries_again_and_says_what_it_could_not_deliver() -> None:
    source = PIPE["SourceParameters"]["DynamoDBStreamParameters"]

    assert (PIPE["Source"], PIPE["Target"]) == (
        {"Fn::GetAtt": "OrdersTable.StreamArn"},
        {"Fn::GetAtt": "ApplicationBus.Arn"},
    )
    assert source["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": "UndeliveredEventsQueue.Arn"}}
    assert (source["MaximumRetryAttempts"], source["OnPartialBatchItemFailure"]) == (10, "AUTOMATIC_BISECT")
    assert source["BatchSize"] <= 10  # which is what PutEvents takes, and Pipes to a bus
    assert source["StartingPosition"] == "TRIM_HORIZON"


def test_the_pipe_is_there_when_orders_are_written_and_to_be_told_and_the_stream_whenever_orders_are_written() -> None:
    table = RESOURCES["OrdersTable"]

    assert {name for name, item in RESOURCES.items() if item.get("Condition") == "OrderEvents"} == {
        "OrderEventsPipe",
        "OrderEventsPipeRole",
        "OrderEventsPipeLogGroup",
    }
    assert CONDITIONS["OrderEvents"] == {
        "Fn::And": [{"Condition": "Ordering"}, {"Fn::Equals": [{"Ref": "PublishOrderEvents"}, "true"]}]
    }
    assert table["Condition"] == "Ordering"
    assert table["Properties"]["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_the_log_of_the_pipe_holds_errors_and_no_orders() -> None:
    assert PIPE["LogConfiguration"]["Level"] == "ERROR"
    assert "IncludeExecutionData" not in PIPE["LogConfiguration"]


def test_eventbridge_knows_every_property_of_the_pipe() -> None:
    """By the API's own model, and its limits that botocore does not check."""
    model = get_session().get_service_model("pipes")
    report = ParamValidator().validate({"Name": "orders", **resolved(PIPE)}, model.shape_for("CreatePipeRequest"))

    assert not report.has_errors(), report.generate_report()
    assert len(FILTER) <= model.shape_for("EventPattern").metadata["max"]
    assert len(INPUT_TEMPLATE) <= model.shape_for("InputTemplate").metadata["max"]


def resolved(value: Any) -> Any:
    """A part of the template as CloudFormation hands it on, with made-up values for what it refers to."""
    match value:
        case {"Fn::GetAtt": str(name)}:
            return f"arn:aws:service:ap-northeast-2:111122223333:{name}"
        case {"Fn::Sub": str(text)}:
            return text.replace("${ApplicationName}", "example")
        case dict():
            return {key: resolved(item) for key, item in value.items()}
        case list():
            return [resolved(item) for item in value]
        case _:
            return value
