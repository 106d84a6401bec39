import json
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from automations import aws
from automations.events.basket import CheckoutBasket
from basket.handler import lambda_handler
from tests.api import REQUEST_ID, call
from tests.samples import sample
from tests.template_file import create_table
from tests.unit.bus import APPLICATION_BUS, create_bus

SOURCE = "com.example.basket"
BASKET = "/baskets/customer-1"
MUG = '{"currency": "KRW", "lines": [{"product_id": "mug", "name": "머그컵", "quantity": 3, "unit_price": 0.1}]}'
TEA = '{"currency": "EUR", "lines": [{"product_id": "tea", "quantity": 1, "unit_price": "4.50"}]}'


@pytest.fixture
def published(cloud, monkeypatch):
    """What is on the application bus so far, when it is called."""
    monkeypatch.setenv("BASKETS_TABLE", create_table("BasketsTable"))
    monkeypatch.setenv("APPLICATION_BUS", APPLICATION_BUS)
    monkeypatch.setenv("EVENT_SOURCE", SOURCE)
    return create_bus(SOURCE)


@pytest.fixture
def api(published, context):
    return lambda *request, **query: call(lambda_handler, context, *request, **query)


def item() -> Any:
    return (
        boto3.client("dynamodb").get_item(TableName="BasketsTable", Key={"customer": {"S": "customer-1"}}).get("Item")
    )


def refusal(code: str = "InternalFailure") -> Stubber:
    """PutEvents succeeds and has not taken the entry."""
    stubber = Stubber(aws.events())
    stubber.add_response("put_events", {"FailedEntryCount": 1, "Entries": [{"ErrorCode": code, "ErrorMessage": "no"}]})
    return stubber


def test_a_basket_that_was_put_is_read_back_with_exact_prices(api):
    status, put = api("PUT", BASKET, MUG)

    assert (status, put["total"]) == (200, "0.3")
    assert api("GET", BASKET) == (200, put)
    assert put["lines"] == [{"product_id": "mug", "name": "머그컵", "quantity": 3, "unit_price": "0.1"}]


def test_a_price_is_kept_as_a_decimal_number_with_every_digit_that_was_sent(api):
    api("PUT", BASKET, MUG.replace("0.1", "12345678901234.5678"))

    [line] = item()["lines"]["L"]
    assert line["M"]["unit_price"] == {"N": "12345678901234.5678"}


def test_a_customer_without_a_basket_has_an_empty_one(api):
    status, basket = api("GET", BASKET)

    assert (status, basket["lines"], basket["total"]) == (200, [], "0")


def test_a_basket_is_deleted_and_deleting_it_again_changes_nothing(api):
    api("PUT", BASKET, MUG)

    assert api("DELETE", BASKET) == (204, None)
    assert api("DELETE", BASKET) == (204, None)
    assert item() is None


def test_a_basket_that_nobody_changes_is_forgotten_after_a_while(api):
    api("PUT", BASKET, MUG)

    assert int(item()["expires_at"]["N"]) > 0


def test_a_checkout_is_told_on_the_bus_and_empties_the_basket(api, published):
    _, put = api("PUT", BASKET, MUG)

    status, checkout = api("POST", f"{BASKET}/checkout")

    [event] = published()
    assert (event["source"], event["detail-type"]) == (SOURCE, "CheckoutBasket")
    detail = CheckoutBasket.model_validate(
        sample("ordering/basket-checked-out") | event
    ).detail  # moto leaves fields out
    assert (detail.customer, detail.currency, detail.total) == ("customer-1", "KRW", Decimal("0.3"))
    assert (status, detail.checkout_id, checkout["checkout_id"]) == (202, put["version"], put["version"])
    assert api("GET", BASKET)[1]["lines"] == []


def test_the_event_carries_prices_as_strings_which_no_json_reader_rounds(api, published):
    api("PUT", BASKET, MUG)
    api("POST", f"{BASKET}/checkout")

    [event] = published()
    assert (event["detail"]["total"], event["detail"]["lines"][0]["unit_price"]) == ("0.3", "0.1")


def test_a_checkout_that_is_repeated_after_it_went_well_is_the_same_one(api, published):
    api("PUT", BASKET, MUG)

    first, again = api("POST", f"{BASKET}/checkout"), api("POST", f"{BASKET}/checkout")

    assert first == again
    assert len(published()) == 1


def test_a_repeated_checkout_that_names_its_version_leaves_the_next_basket_alone(api, published):
    _, put = api("PUT", BASKET, MUG)
    version = {"If-Match": put["version"]}
    first = api("POST", f"{BASKET}/checkout", None, version)
    api("PUT", BASKET, TEA)

    assert api("POST", f"{BASKET}/checkout", None, version) == first
    assert len(published()) == 1
    assert api("GET", BASKET)[1]["lines"][0]["product_id"] == "tea"


def test_a_checkout_of_a_version_that_was_replaced_is_refused(api, published):
    _, put = api("PUT", BASKET, MUG)
    api("PUT", BASKET, TEA)

    status, answer = api("POST", f"{BASKET}/checkout", None, {"If-Match": put["version"]})

    assert (status, answer["message"]) == (412, "The basket has another version now. Read it again.")
    assert published() == []


def test_two_checkouts_of_two_baskets_are_two(api, published):
    api("PUT", BASKET, MUG)
    api("POST", f"{BASKET}/checkout")
    api("PUT", BASKET, TEA)
    api("POST", f"{BASKET}/checkout")

    assert len({event["detail"]["checkout_id"] for event in published()}) == 2


def test_an_event_that_the_bus_did_not_take_is_an_error_and_the_basket_is_kept(api, published, logs):
    _, put = api("PUT", BASKET, MUG)

    with refusal():
        status, answer = api("POST", f"{BASKET}/checkout")

    assert status == 503
    assert "The basket is kept" in answer["message"]
    assert api("GET", BASKET)[1]["lines"] == put["lines"]
    [line] = [json.loads(line) for line in logs.getvalue().splitlines() if '"ERROR"' in line]
    assert line["reason"] == "InternalFailure"


def test_a_checkout_repeated_after_a_failure_publishes_the_same_checkout(api, published):
    _, put = api("PUT", BASKET, MUG)
    with refusal():
        api("POST", f"{BASKET}/checkout")

    assert api("POST", f"{BASKET}/checkout")[0] == 202
    [event] = published()
    assert event["detail"]["checkout_id"] == put["version"]


@pytest.mark.parametrize(("method", "body"), [("PUT", TEA), ("DELETE", None)])
def test_a_basket_whose_checkout_has_begun_is_not_changed(method, body, api, published):
    _, put = api("PUT", BASKET, MUG)
    with refusal():
        api("POST", f"{BASKET}/checkout")

    status, answer = api(method, BASKET, body)

    assert status == 409
    assert "Repeat the checkout first" in answer["message"]
    assert api("GET", BASKET)[1] == put | {"checking_out": True}


def test_when_emptying_fails_the_repeated_checkout_publishes_the_same_event_and_empties(api, published, monkeypatch):
    api("PUT", BASKET, MUG)
    with monkeypatch.context() as broken:
        broken.setattr("basket.handler.Baskets.finish_checkout", crash)
        assert api("POST", f"{BASKET}/checkout")[0] == 500
    assert api("GET", BASKET)[1]["lines"] != []

    assert api("POST", f"{BASKET}/checkout")[0] == 202

    first, second = published()
    assert first["detail"] == second["detail"]
    assert api("GET", BASKET)[1]["lines"] == []


def crash(*_: Any) -> None:
    raise ClientError({"Error": {"Code": "InternalServerError", "Message": "Internal server error"}}, "UpdateItem")


def test_a_basket_that_changes_between_reading_and_checkout_is_not_checked_out(api, published, monkeypatch):
    from basket.baskets import Baskets

    api("PUT", BASKET, MUG)
    begin = Baskets.begin_checkout

    def late(self, basket):
        api("PUT", BASKET, TEA)
        begin(self, basket)

    monkeypatch.setattr("basket.handler.Baskets.begin_checkout", late)

    assert api("POST", f"{BASKET}/checkout")[0] == 409
    assert published() == []
    assert api("GET", BASKET)[1]["lines"][0]["product_id"] == "tea"


def test_an_empty_basket_cannot_be_checked_out(api, published):
    status, answer = api("POST", f"{BASKET}/checkout")

    assert (status, answer["message"]) == (409, "The basket is empty: there is nothing to check out.")
    assert published() == []


def test_nothing_is_published_from_a_source_that_the_events_model_refuses(api, published, monkeypatch):
    _, put = api("PUT", BASKET, MUG)
    monkeypatch.setenv("EVENT_SOURCE", "com.example.shop")

    assert api("POST", f"{BASKET}/checkout")[0] == 500
    assert published() == []
    assert api("GET", BASKET)[1] == put


def test_a_basket_that_would_be_too_large_an_event_is_refused_when_it_is_put(api):
    line = {"product_id": "x", "name": "가" * 256, "quantity": 1, "unit_price": 1}

    status, answer = api("PUT", BASKET, json.dumps({"currency": "KRW", "lines": [line] * 400}))

    assert status == 413
    assert "of at most 262144. Split it" in answer["message"]
    assert item() is None


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (MUG.replace("0.1", "-1"), "body.lines.0.unit_price: Input should be greater than or equal to 0"),
        (MUG.replace("0.1", "1.23456"), "no more than 4 decimal places"),
        (MUG.replace("0.1", "NaN"), "Input should be an exact decimal"),
        (MUG.replace("0.1", "true"), "Input should be an exact decimal"),
        (MUG.replace('"quantity": 3', '"quantity": 0'), "body.lines.0.quantity"),
        (MUG.replace('"quantity": 3', '"quantity": 1.5'), "body.lines.0.quantity"),
        (MUG.replace("KRW", "won"), "body.currency"),
        ('{"currency": "KRW", "lines": []}', "body.lines"),
        ('{"lines": [1]}', "body.currency: Field required"),
        ("{", "JSON decode error"),
        ("[]", "body"),
        (None, "body"),
    ],
)
def test_a_basket_that_is_not_valid_is_refused_with_the_reason(body, why, api):
    status, answer = api("PUT", BASKET, body)

    assert status == 422
    assert why in answer["message"]
    assert item() is None


def test_a_request_that_is_not_json_a_bad_customer_and_an_unknown_path_have_answers_of_their_own(api):
    assert api("PUT", BASKET, "a,b", {"Content-Type": "text/csv"})[0] == 415
    assert api("GET", "/baskets/someone@example.com")[0] == 422
    assert api("GET", "/carts/customer-1")[0] == 404


def test_a_failure_of_aws_is_answered_without_details_and_logged_in_one_line(api, logs, monkeypatch):
    monkeypatch.setenv("BASKETS_TABLE", "no-such-table")

    status, answer = api("GET", BASKET)

    assert (status, answer["message"]) == (500, "This did not work, and it is not your fault. Try again.")
    [line] = [json.loads(line) for line in logs.getvalue().splitlines() if '"ERROR"' in line]
    assert line["reason"] == "ResourceNotFoundException"
    assert line["correlation_id"] == REQUEST_ID


def test_neither_logs_nor_answers_hold_what_was_sent(api, logs):
    api("PUT", BASKET, MUG)
    _, answer = api("PUT", BASKET, MUG.replace("KRW", "hunter2"))

    assert "hunter2" not in json.dumps(answer) + logs.getvalue()
    assert "머그컵" not in logs.getvalue()
    assert "Traceback" not in logs.getvalue()


def test_the_sample_of_ordering_is_what_is_published(api, published):
    detail = sample("ordering/basket-checked-out")["detail"]
    api("PUT", BASKET, json.dumps({"currency": detail["currency"], "lines": detail["lines"]}))
    _, checkout = api("POST", f"{BASKET}/checkout")

    [event] = published()
    assert event["detail"] == detail | {"checkout_id": checkout["checkout_id"], "customer": "customer-1"}
