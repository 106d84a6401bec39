"""The schemas against the events: samples, what the models make, and what they refuse."""

import json
import re
from copy import deepcopy
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from local.schemas.openapi import NotWritable, convert, document
from local.schemas.published import PUBLISHED, Published
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from openapi_spec_validator import validate
from pydantic import BaseModel, Field, SecretStr, create_model

from automations.events.application import PaymentCompleted
from automations.events.basket import CheckoutBasket, Line, total
from automations.publish import entry
from tests.samples import sample

DOCUMENTS = {event.detail_type: document(event, 1) for event in PUBLISHED}
EACH = pytest.mark.parametrize("event", PUBLISHED, ids=lambda event: event.name)


def problems(detail_type: str, event: Any) -> list[str]:
    """Why the event is not what its schema says."""
    schema = {"$ref": "#/components/schemas/AWSEvent", **DOCUMENTS[detail_type]}
    validator = OAS30Validator(schema, format_checker=oas30_format_checker)
    return [f"{'.'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(event)]


@EACH
def test_a_schema_is_a_valid_openapi_document(event: Published) -> None:
    validate(document(event, 1))


@EACH
def test_a_schema_has_the_form_of_those_that_eventbridge_infers(event: Published) -> None:
    content = document(event, 3)
    envelope = content["components"]["schemas"]["AWSEvent"]

    assert (content["openapi"], content["paths"]) == ("3.0.0", {})
    assert content["info"]["version"] == "3.0.0"
    assert envelope["x-amazon-events-source"] == event.source
    assert envelope["x-amazon-events-detail-type"] == event.detail_type
    assert set(envelope["required"]) == {
        *("version", "id", "source", "account", "time", "region", "resources", "detail-type", "detail")
    }
    assert (
        envelope["properties"]["detail"]["$ref"].removeprefix("#/components/schemas/")
        in content["components"]["schemas"]
    )


@EACH
def test_the_model_demands_the_detail_type_and_takes_the_source_of_its_schema(event: Published) -> None:
    properties = document(event, 1)["components"]["schemas"]["AWSEvent"]["properties"]

    assert properties["detail-type"]["enum"] == [event.detail_type]
    assert re.search(properties["source"]["pattern"], event.source)


SAMPLES = [
    "ordering/basket-checked-out",
    "app_notifications/payment-completed",
    "app_notifications/large-payment",
    "app_notifications/account-created",
]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_event_is_as_its_schema_says(name: str) -> None:
    event = sample(name)

    assert problems(event["detail-type"], event) == []


@pytest.mark.parametrize("name", SAMPLES)
def test_no_field_of_the_envelope_and_no_field_that_the_detail_needs_may_be_missing(name: str) -> None:
    event = sample(name)
    optional = {"cardLastFour", "email"} if event["detail-type"] == "PaymentCompleted" else set()

    for field in event:
        assert problems(event["detail-type"], {key: value for key, value in event.items() if key != field})
    for field in set(event["detail"]) - optional:
        assert problems(
            event["detail-type"], {**event, "detail": {k: v for k, v in event["detail"].items() if k != field}}
        )


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("ordering/basket-checked-out", {"total": 34200.5}),
        ("ordering/basket-checked-out", {"lines": []}),
        ("ordering/basket-checked-out", {"lines": [{"product_id": "a", "quantity": 0, "unit_price": "1"}]}),
        ("ordering/basket-checked-out", {"lines": [{"product_id": "a", "quantity": 1, "unit_price": "1.00001"}]}),
        ("ordering/basket-checked-out", {"customer": "erika@example.org"}),
        ("app_notifications/payment-completed", {"amount": 98000}),
        ("app_notifications/payment-completed", {"method": "cash"}),
        ("app_notifications/payment-completed", {"completedAt": "yesterday"}),
        ("app_notifications/payment-completed", {"cardLastFour": "4242424242424242"}),
        ("app_notifications/account-created", {"email": "nobody"}),
        ("app_notifications/account-created", {"name": None}),
    ],
)
def test_what_the_model_refuses_is_not_as_the_schema_says_either(name: str, detail: dict[str, Any]) -> None:
    event = sample(name)
    event["detail"] |= detail
    [published] = [item for item in PUBLISHED if item.detail_type == event["detail-type"]]

    with pytest.raises(ValueError, match="detail"):
        published.model.model_validate(event)
    assert problems(event["detail-type"], event)


def test_the_event_of_another_source_is_not_as_the_schema_says() -> None:
    assert problems("CheckoutBasket", sample("ordering/other-source"))


def test_an_optional_field_may_be_null_as_for_the_model() -> None:
    event = sample("app_notifications/payment-completed", cardLastFour=None, email=None)

    PaymentCompleted.model_validate(event)
    assert problems("PaymentCompleted", event) == []


def test_a_replayed_event_is_as_its_schema_says() -> None:
    assert problems("CheckoutBasket", sample("ordering/basket-checked-out") | {"replay-name": "again"}) == []


IDS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
CODES = st.from_regex(r"[A-Z]{3}", fullmatch=True)
# In every form that Decimal reads: -0, 1E+3, 0.000.
PRICES = st.decimals(min_value=0, max_value=10**14 - 1, places=4) | st.sampled_from(
    [Decimal("-0"), Decimal("1E+13"), Decimal("0E+9"), Decimal("1E-4"), Decimal("0.000"), Decimal(7)]
)
LINES = st.lists(
    st.builds(
        Line,
        product_id=st.text(min_size=1, max_size=64),
        name=st.text(max_size=256),
        quantity=st.integers(1, 9999),
        unit_price=PRICES,
    ),
    min_size=1,
    max_size=4,
)


@given(checkout_id=st.uuids().map(str), customer=IDS, currency=CODES, lines=LINES)
def test_whatever_checkout_is_published_is_as_the_schema_says_and_is_read_again(**detail: Any) -> None:
    detail["total"] = total(detail["lines"])

    published = entry(CheckoutBasket, "bus", "com.example.basket", "CheckoutBasket", detail)

    event = sample("ordering/basket-checked-out") | {"detail": json.loads(published["Detail"])}
    assert problems("CheckoutBasket", event) == []
    assert CheckoutBasket.model_validate(event).detail.total == detail["total"]


PAYMENTS = st.fixed_dictionaries(
    {
        "paymentId": IDS,
        "customerId": IDS,
        "currency": CODES,
        "amount": st.from_regex(r"[0-9]{1,15}(\.[0-9]{1,4})?", fullmatch=True),
        "method": st.sampled_from(["card", "bank-transfer", "wallet"]),
        "country": st.from_regex(r"[A-Z]{2}", fullmatch=True),
        "completedAt": st.datetimes(timezones=st.timezones()).map(lambda time: time.isoformat()),
    },
    optional={
        "cardLastFour": st.none() | st.from_regex(r"[0-9]{4}", fullmatch=True),
        "email": st.none() | st.emails(),
        "note": st.text(),
    },
)


@given(detail=PAYMENTS)
def test_whatever_payment_the_model_takes_is_as_the_schema_says(detail: dict[str, Any]) -> None:
    event = sample("app_notifications/payment-completed") | {"detail": detail}
    try:
        PaymentCompleted.model_validate(event)
    except ValueError:  # such as an amount with more decimals than its currency has, which a schema cannot say
        return

    assert problems("PaymentCompleted", event) == []


class Part(BaseModel):
    """A part."""

    title: str


KINDS: list[tuple[Any, list[Any], list[Any]]] = [
    (Literal["a"], ["a"], ["b", None]),
    (Literal["a", "b"] | None, ["a", None], ["c"]),
    (int | None, [1, None], ["1", 1.5]),
    (Annotated[int, Field(gt=0, lt=10)], [1, 9], [0, 10]),
    (Annotated[float, Field(ge=0, le=1)], [0, 1], [-0.1, 1.1]),
    (Annotated[int, Field(multiple_of=5)], [10], [11]),
    (int | str, [1, "a"], [None, []]),
    (tuple[int, str], [[1, "a"]], [[1], [1, "a", 2], [1, None]]),
    (dict[str, int], [{}, {"a": 1}], [{"a": "b"}]),
    (Part, [{"title": "a"}], [{}, {"title": 1}, None]),
    (list[Part], [[], [{"title": "a"}]], [[{}]]),
    (Annotated[Part, Field(description="The part that matters")], [{"title": "a"}], [{}]),
    (SecretStr, ["a"], [1]),
    (Annotated[str, Field(examples=["a"])], ["b"], [1]),
    (timedelta, ["PT1H"], [1]),
    (bool, [True], ["yes"]),
    (Any, [1, "a", {}, []], []),
]


@pytest.mark.parametrize(("kind", "fit", "misfit"), KINDS, ids=lambda value: str(value)[:40])
def test_a_kind_of_field_means_the_same_in_openapi(kind: Any, fit: list[Any], misfit: list[Any]) -> None:
    content = fields(kind)
    validate(content)
    validator = OAS30Validator({"$ref": "#/components/schemas/Whole", **content})

    for value in fit:
        assert validator.is_valid({"value": value}), value
    for value in misfit:
        assert not validator.is_valid({"value": value}), value


def fields(kind: Any) -> dict[str, Any]:
    """A document with a model that has one field of the kind."""
    whole: type[BaseModel] = create_model("Whole", value=(kind, ...))
    schema = whole.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    parts = {name: convert(part) for name, part in schema.pop("$defs", {}).items()}
    info = {"title": "fields", "version": "1"}
    return {
        "openapi": "3.0.0",
        "info": info,
        "paths": {},
        "components": {"schemas": {"Whole": convert(schema), **parts}},
    }


def test_a_field_may_be_called_like_a_keyword_that_is_dropped() -> None:
    assert fields(Part)["components"]["schemas"]["Part"]["properties"] == {"title": {"type": "string"}}


def test_a_description_beside_a_reference_is_kept() -> None:
    kind = Annotated[Part, Field(description="The part that matters")]

    assert fields(kind)["components"]["schemas"]["Whole"]["properties"]["value"] == {
        "allOf": [{"$ref": "#/components/schemas/Part"}],
        "description": "The part that matters",
    }


@pytest.mark.parametrize(
    "kind",
    [Part | None, int | str | None, dict[Annotated[str, Field(pattern="^a$")], int]],
)
def test_what_openapi_cannot_say_is_refused_and_not_left_out(kind: Any) -> None:
    with pytest.raises(NotWritable):
        fields(kind)


def test_a_schema_does_not_change_what_it_is_made_of() -> None:
    schema = {"anyOf": [{"enum": ["a"], "type": "string"}, {"type": "null"}], "examples": ["a"], "default": None}
    before = deepcopy(schema)

    assert convert(schema) == {"type": "string", "enum": ["a", None], "nullable": True, "example": "a"}
    assert schema == before
