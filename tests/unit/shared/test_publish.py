import json
from typing import Any

import pytest
from pydantic import ValidationError

from automations.events import Detail, Event
from automations.events.basket import CheckoutBasket
from automations.publish import MAX_ENTRY_BYTES, EntryTooLarge, entry
from tests.samples import sample

SOURCE = "com.example.basket"
DETAIL: dict[str, Any] = sample("ordering/basket-checked-out")["detail"]


class Note(Detail):
    text: str
    payload: dict[str, Any] | None = None


class Noted(Event):
    detail: Note


def test_an_event_that_its_model_accepts_becomes_an_entry_of_what_the_model_knows() -> None:
    made = entry(CheckoutBasket, "bus", SOURCE, "CheckoutBasket", {**DETAIL, "internal": 1})

    assert {key: value for key, value in made.items() if key != "Detail"} == {
        "EventBusName": "bus",
        "Source": SOURCE,
        "DetailType": "CheckoutBasket",
    }
    assert json.loads(made["Detail"]) == DETAIL
    assert "머그컵" in made["Detail"]  # as itself, which is shorter than escaped


@pytest.mark.parametrize(
    ("source", "detail_type", "detail", "field"),
    [
        ("com.Example.basket", "CheckoutBasket", DETAIL, "source"),
        ("com.example.payments", "CheckoutBasket", DETAIL, "source"),
        (SOURCE, "BasketPut", DETAIL, "detail-type"),
        (SOURCE, "CheckoutBasket", {**DETAIL, "total": "1"}, "detail"),
        (SOURCE, "CheckoutBasket", {**DETAIL, "lines": []}, "detail.lines"),
        (SOURCE, "CheckoutBasket", {}, "detail.customer"),
    ],
)
def test_an_event_that_its_model_refuses_is_not_made_and_the_error_names_the_field(
    source, detail_type, detail, field
) -> None:
    with pytest.raises(ValidationError) as error:
        entry(CheckoutBasket, "bus", source, detail_type, detail)

    assert field in {".".join(map(str, problem["loc"])) for problem in error.value.errors()}


def test_a_payload_of_any_shape_is_published_as_it_is() -> None:
    payload = {"a": None, "b": [1, 1.5, {"c": "가"}], "d-e": True}

    made = entry(Noted, "bus", "webhook.example", "Anything", {"text": "t", "payload": payload})

    assert json.loads(made["Detail"]) == {"text": "t", "payload": payload}


@pytest.mark.parametrize(("characters", "fits"), [(-1, True), (0, False)])
def test_the_size_counts_source_detail_type_and_detail_in_bytes(characters: int, fits: bool) -> None:
    without = len(b'st{"text":"","payload":null}')
    text = "x" * (MAX_ENTRY_BYTES - without + characters)

    if fits:
        assert entry(Noted, "bus", "s", "t", {"text": text})
    else:
        with pytest.raises(EntryTooLarge, match=f"t is too large an event: {MAX_ENTRY_BYTES} bytes"):
            entry(Noted, "bus", "s", "t", {"text": text})
