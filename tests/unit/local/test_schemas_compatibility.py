from copy import deepcopy
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from local.schemas.compatibility import incompatibilities
from local.schemas.openapi import document
from local.schemas.published import PUBLISHED

DOCUMENT = document(PUBLISHED[0], 1)


def changed(path: str, value: Any = None) -> dict[str, Any]:
    """The schema of CheckoutBasket with another value at the path below its components; without it when it is None."""
    copy = deepcopy(DOCUMENT)
    *above, last = path.split("/")
    place = copy["components"]["schemas"]
    for name in above:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return copy


LINE = {"type": "object", "properties": {"a": {"type": "string"}}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("Checkout/description", "Other words."),
        ("Checkout/description", None),
        ("Line/properties/name/example", "Tea"),
        ("Checkout/properties/coupon", {"type": "string"}),
        ("Line/properties/discount", {"type": "object", "required": ["of"], "properties": {"of": {"type": "string"}}}),
        ("Unused", LINE),
        ("AWSEvent/properties/detail", {"allOf": [{"$ref": "#/components/schemas/Checkout"}], "description": "It."}),
        ("AWSEvent/required", sorted(DOCUMENT["components"]["schemas"]["AWSEvent"]["required"])),
    ],
)
def test_words_and_further_fields_that_nobody_must_write_are_compatible(path: str, value: Any) -> None:
    assert incompatibilities(DOCUMENT, changed(path, value)) == []


def test_another_name_for_a_part_is_compatible_for_it_is_not_in_the_event() -> None:
    copy = changed("Checkout/properties/lines/items", {"$ref": "#/components/schemas/Item"})
    copy["components"]["schemas"]["Item"] = copy["components"]["schemas"].pop("Line")

    assert incompatibilities(DOCUMENT, copy) == []


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("Checkout/properties/currency", None, "event.detail.currency: was removed"),
        ("Line/properties/name", None, "event.detail.lines[].name: was removed"),
        (
            "Line/required",
            ["product_id", "quantity", "unit_price", "name"],
            "event.detail.lines[].name: must be there now",
        ),
        ("Line/required", ["product_id", "quantity"], "event.detail.lines[].unit_price: need not be there any more"),
        ("Line/required", None, "event.detail.lines[].quantity: need not be there any more"),
        (
            "Line/properties/quantity/type",
            "number",
            'event.detail.lines[].quantity: type was "integer" and is "number"',
        ),
        ("Line/properties/quantity/maximum", 99, "event.detail.lines[].quantity: maximum was 9999 and is 99"),
        ("Line/properties/quantity/maximum", 10**6, "event.detail.lines[].quantity: maximum was 9999 and is 1000000"),
        ("Line/properties/quantity/maximum", None, "event.detail.lines[].quantity: maximum was 9999 and is nothing"),
        ("Line/properties/quantity/exclusiveMinimum", True, "quantity: exclusiveMinimum was nothing and is true"),
        ("Line/properties/name/default", "?", 'event.detail.lines[].name: default was "" and is "?"'),
        ("Line/properties/name/nullable", True, "event.detail.lines[].name: nullable was nothing and is true"),
        ("Line/additionalProperties", False, "event.detail.lines[]: additionalProperties was nothing and is false"),
        ("Checkout/properties/customer/pattern", "^.+$", "event.detail.customer: pattern was"),
        ("Checkout/properties/currency/enum", ["KRW"], 'event.detail.currency: enum was nothing and is ["KRW"]'),
        ("Checkout/properties/lines/minItems", True, "event.detail.lines: minItems was 1 and is true"),
        ("Checkout/properties/lines/minItems", 2, "event.detail.lines: minItems was 1 and is 2"),
        ("Checkout/properties/lines/items", {"type": "string"}, "event.detail.lines[]: type was"),
        ("Checkout/properties/total/x-unknown", 1, "event.detail.total: x-unknown was nothing and is 1"),
        ("AWSEvent/x-amazon-events-source", "com.example.shop", "event: x-amazon-events-source was"),
        ("AWSEvent/properties/detail-type/enum", ["Paid"], "event.detail-type: enum was"),
    ],
)
def test_a_change_that_a_writer_or_a_reader_notices_is_named(path: str, value: Any, reason: str) -> None:
    found = incompatibilities(DOCUMENT, changed(path, value))

    assert any(reason in sentence for sentence in found), found


def test_each_change_is_named() -> None:
    copy = changed("Checkout/properties/currency")
    copy["components"]["schemas"]["Checkout"]["required"].remove("currency")
    del copy["components"]["schemas"]["Checkout"]["properties"]["total"]["pattern"]

    assert [sentence.split(" ")[0] for sentence in incompatibilities(DOCUMENT, copy)] == [
        *("event.detail.currency:", "event.detail.total:", "event.detail.currency:")
    ]


def test_a_further_field_is_not_compatible_where_the_old_schema_takes_no_other() -> None:
    old = changed("Line/additionalProperties", False)
    new = deepcopy(old)
    new["components"]["schemas"]["Line"]["properties"]["more"] = {"type": "string"}

    assert incompatibilities(old, new) == ["event.detail.lines[].more: is new, where the old takes no other"]


def test_alternatives_are_compared_one_by_one() -> None:
    old = changed("Checkout/properties/total", {"oneOf": [{"type": "string"}, {"type": "integer", "maximum": 5}]})
    new = changed("Checkout/properties/total", {"oneOf": [{"type": "string"}, {"type": "integer", "maximum": 6}]})
    longer = changed("Checkout/properties/total", {"oneOf": [{"type": "string"}]})

    assert incompatibilities(old, new) == ["event.detail.total(oneOf 1): maximum was 5 and is 6"]
    assert "event.detail.total: oneOf was" in incompatibilities(old, longer)[0]


ITSELF = {"$ref": "#/components/schemas/Line"}


@pytest.mark.parametrize("reference", [ITSELF, {"allOf": [ITSELF], "description": "A part."}])
def test_a_part_that_holds_itself_is_compared_once(reference: dict[str, Any]) -> None:
    old = changed("Line/properties/parts", {"type": "array", "items": reference})
    new = deepcopy(old)
    new["components"]["schemas"]["Line"]["properties"]["quantity"]["maximum"] = 1

    assert incompatibilities(old, old) == []
    assert len(incompatibilities(old, new)) == 1


def leaves(place: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where each value is that holds no other."""
    inner = place.items() if isinstance(place, dict) else enumerate(place) if isinstance(place, list) else ()
    return [leaf for key, value in inner for leaf in leaves(value, (*path, key))] or [path]


CONTRACT = [leaf for leaf in leaves(DOCUMENT["components"]["schemas"]) if leaf[-1] not in {"description", "example"}]


@given(leaf=st.sampled_from(CONTRACT), value=st.text() | st.integers(10**6) | st.booleans())
def test_no_other_value_of_the_contract_is_compatible(leaf: tuple[Any, ...], value: Any) -> None:
    copy = deepcopy(DOCUMENT)
    place = copy["components"]["schemas"]
    for key in leaf[:-1]:
        place = place[key]
    if leaf[-1] == "$ref":
        value = "#/components/schemas/AWSEvent"
    assume(value is not place[leaf[-1]])
    place[leaf[-1]] = value

    assert incompatibilities(DOCUMENT, copy)
