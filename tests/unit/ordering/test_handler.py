import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from automations.errors import InvalidEvent, SettingsError
from ordering import orders
from ordering.handler import lambda_handler
from tests.api import REQUEST_ID, call
from tests.samples import sample
from tests.template_file import create_table

CHECKOUT = "6a1f3c52-8d0e-4b7a-9c35-1e2f4d6a8b90"


@pytest.fixture
def table(cloud, monkeypatch):
    name = create_table("OrdersTable")
    monkeypatch.setenv("ORDERS_TABLE", name)
    return name


def written() -> Any:
    return boto3.client("dynamodb").scan(TableName="OrdersTable")["Items"]


def checked_out(**detail: Any) -> dict[str, Any]:
    event = sample("ordering/basket-checked-out")
    event["detail"] |= detail
    return event


def read(context: Any, customer: str = "customer-0042", **query: Any) -> tuple[int, Any]:
    return call(lambda_handler, context, "GET", f"/orders/{customer}", **query)


def test_a_checkout_becomes_an_order_with_decimal_numbers(table, context):
    lambda_handler(checked_out(), context)

    [order] = written()
    assert (order["customer"]["S"], order["order_id"]["S"]) == ("customer-0042", CHECKOUT)
    assert (order["total"], order["currency"]) == ({"N": "34200.5"}, {"S": "KRW"})
    assert order["lines"]["L"][1]["M"]["unit_price"] == {"N": "8400.5"}


def test_an_event_that_comes_twice_or_is_published_again_makes_one_order_which_does_not_change(table, context):
    first = lambda_handler(checked_out(), context)
    before = written()
    again = lambda_handler(
        checked_out() | {"id": "11111111-5e8f-4306-9a1b-7c3d2e4f5a60"} | {"time": "2026-11-23T00:00:00Z"}, context
    )

    assert (first["new"], again["new"]) == (True, False)
    assert written() == before


def test_two_checkouts_are_two_orders(table, context):
    lambda_handler(checked_out(), context)
    lambda_handler(checked_out(checkout_id=CHECKOUT.replace("6a1f", "7b2a")), context)

    assert len(written()) == 2


def test_the_orders_of_a_customer_are_read_back_and_nobody_elses(table, context):
    lambda_handler(checked_out(), context)
    lambda_handler(checked_out(customer="customer-7"), context)

    status, answer = read(context)

    [order] = answer["orders"]
    assert (status, answer["after"], order["order_id"], order["total"]) == (200, None, CHECKOUT, "34200.5")
    assert order["placed_at"] == "2026-11-22T03:15:09+00:00"
    assert [line["unit_price"] for line in order["lines"]] == ["12900", "8400.5"]


def test_a_customer_without_orders_has_none(table, context):
    assert read(context)[1]["orders"] == []


def test_many_orders_are_read_page_by_page(table, context, monkeypatch):
    monkeypatch.setattr(orders, "PAGE", 2)
    ids = [f"{number:08x}{CHECKOUT[8:]}" for number in range(5)]
    for checkout_id in ids:
        lambda_handler(checked_out(checkout_id=checkout_id), context)

    found: list[str] = []
    query: dict[str, Any] = {}
    for _ in range(3):
        _, answer = read(context, **query)
        found += [order["order_id"] for order in answer["orders"]]
        query = {"after": answer["after"]}

    assert found == ids
    assert answer["after"] is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"total": "1"}, "total should be the sum of the lines"),
        ({"total": 34200.5}, "detail.total: Value error, Input should be an exact decimal"),
        ({"lines": []}, "detail.lines"),
        ({"lines": [{"product_id": "x", "quantity": 1, "unit_price": 0.1}]}, "detail.lines.0.unit_price"),
        ({"checkout_id": "1"}, "detail.checkout_id"),
        ({"customer": "someone@example.com"}, "detail.customer"),
    ],
)
def test_a_checkout_that_is_not_valid_is_refused_and_writes_nothing(change, why, table, context):
    with pytest.raises(InvalidEvent, match="not a valid CheckoutBasket") as refused:
        lambda_handler(checked_out(**change), context)

    assert why in str(refused.value)
    assert "someone@example.com" not in str(refused.value)
    assert written() == []


def test_another_event_of_the_basket_is_refused(table, context):
    with pytest.raises(InvalidEvent, match="detail-type"):
        lambda_handler(sample("ordering/basket-put"), context)


def test_a_failure_of_aws_fails_the_event_so_that_it_is_tried_again(table, context, monkeypatch):
    monkeypatch.setenv("ORDERS_TABLE", "no-such-table")

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        lambda_handler(checked_out(), context)


def test_a_failure_of_aws_answers_a_request_with_500(table, context, monkeypatch):
    monkeypatch.setenv("ORDERS_TABLE", "no-such-table")

    assert read(context)[0] == 500


def test_a_bad_customer_or_page_is_refused(table, context):
    assert read(context, "someone@example.com")[0] == 422
    assert read(context, after="x")[0] == 422


def test_without_its_table_the_function_says_which_variable_is_missing(cloud, context):
    with pytest.raises(SettingsError, match="ORDERS_TABLE"):
        lambda_handler(checked_out(), context)


def test_log_lines_carry_the_id_of_the_event_or_the_request_and_no_lines_of_the_order(
    table, context, logs, monkeypatch
):
    event = checked_out()
    lambda_handler(event, context)
    monkeypatch.setenv("ORDERS_TABLE", "no-such-table")
    read(context)

    lines = [json.loads(line) for line in logs.getvalue().splitlines() if '"correlation_id"' in line]
    assert [line["correlation_id"] for line in lines] == [event["id"], REQUEST_ID]
    assert "머그컵" not in logs.getvalue()
