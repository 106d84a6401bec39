"""The models that are generated, on the sample events."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from local.cloud import LocalError
from local.schemas import bindings, store
from local.schemas.bindings import Schema
from pydantic import ValidationError

from tests.samples import sample

BASKET = "com_example_basket_checkoutbasket"


def load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # Pydantic looks there for types
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModuleType]:
    """The package that is made of schemas/, by module."""
    schemas = bindings.from_files(store.newest(store.versions()))
    return {file.stem: load(file) for file in bindings.generate(schemas, tmp_path_factory.mktemp("out") / "events")}


def test_there_is_a_module_for_each_schema_and_the_folder_is_a_package(generated: dict[str, ModuleType]) -> None:
    assert len(generated) == len(store.versions())
    assert Path(str(generated[BASKET].__file__)).with_name("__init__.py").exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (BASKET, "ordering/basket-checked-out"),
        ("com_example_payments_paymentcompleted", "app_notifications/payment-completed"),
        ("com_example_payments_paymentcompleted", "app_notifications/large-payment"),
        ("com_example_accounts_accountcreated", "app_notifications/account-created"),
    ],
)
def test_a_generated_model_reads_the_sample_events(module: str, name: str, generated: dict[str, ModuleType]) -> None:
    event = sample(name)

    read = generated[module].AWSEvent.model_validate(event)

    assert read.detail_type == event["detail-type"]
    assert set(event["detail"]) <= set(type(read.detail).model_fields)


def test_a_generated_model_has_the_lines_with_their_exact_prices(generated: dict[str, ModuleType]) -> None:
    read = generated[BASKET].AWSEvent.model_validate(sample("ordering/basket-checked-out"))

    assert [(line.name, line.quantity, line.unit_price) for line in read.detail.lines] == [
        ("머그컵, 흰색", 2, "12900"),
        ("Green tea, 50 g", 1, "8400.5"),
    ]


def test_a_generated_model_hides_what_is_personal(generated: dict[str, ModuleType]) -> None:
    event = generated["com_example_accounts_accountcreated"].AWSEvent.model_validate(
        sample("app_notifications/account-created")
    )

    assert "haneul" not in repr(event)
    assert event.detail.email.get_secret_value() == "haneul.kim@example.com"


@pytest.mark.parametrize(
    ("field", "value"),
    [("total", 34200.5), ("currency", "won"), ("lines", []), ("customer", None), ("checkout_id", "1")],
)
def test_a_generated_model_refuses_a_wrong_event(field: str, value: Any, generated: dict[str, ModuleType]) -> None:
    event = sample("ordering/basket-checked-out")
    event["detail"][field] = value

    with pytest.raises(ValidationError, match=rf"detail\.{field}"):
        generated[BASKET].AWSEvent.model_validate(event)


def test_a_generated_model_takes_null_only_where_the_schema_does(generated: dict[str, ModuleType]) -> None:
    payment = sample("app_notifications/payment-completed", email=None)
    checkout = sample("ordering/basket-checked-out")
    checkout["detail"]["lines"][0]["name"] = None

    assert generated["com_example_payments_paymentcompleted"].AWSEvent.model_validate(payment).detail.email is None
    with pytest.raises(ValidationError, match=r"detail\.lines\.0\.name"):
        generated[BASKET].AWSEvent.model_validate(checkout)


def test_what_was_in_the_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text("ours = 1\n")
    schemas = bindings.from_files(store.newest(store.versions()))

    bindings.generate(schemas[:1], tmp_path)

    assert (tmp_path / "__init__.py").read_text() == "ours = 1\n"


@pytest.fixture
def registry() -> Any:
    """A client of the schema registry and what it will be told; neither moto nor the local cloud has one."""
    client = boto3.client("schemas")
    with Stubber(client) as stubber:
        yield client, stubber


def test_a_registry_is_read_page_by_page_in_the_newest_versions(registry: Any, tmp_path: Path) -> None:
    client, stubber = registry
    name, content = "com.example.basket@CheckoutBasket", store.versions()["com.example.basket@CheckoutBasket"][-1].text
    draft4: dict[str, Any] = {"$schema": "http://json-schema.org/draft-04/schema#", "title": "Noted", "type": "object"}
    draft4 |= {"properties": {"n": {"type": "integer", "minimum": 0, "exclusiveMinimum": True}}, "required": ["n"]}
    stubber.add_response("describe_registry", {"RegistryName": "shop"}, {"RegistryName": "shop"})
    stubber.add_response(
        "list_schemas",
        {"Schemas": [{"SchemaName": name}], "NextToken": "more"},
        {"RegistryName": "shop", "SchemaNamePrefix": "com."},
    )
    stubber.add_response(
        "list_schemas",
        {"Schemas": [{"SchemaName": "com.example.notes@Noted"}]},
        {"RegistryName": "shop", "SchemaNamePrefix": "com.", "NextToken": "more"},
    )
    stubber.add_response(
        "describe_schema",
        {"SchemaName": name, "Type": "OpenApi3", "Content": content, "SchemaVersion": "7"},
        {"RegistryName": "shop", "SchemaName": name},
    )
    stubber.add_response(
        "describe_schema",
        {"SchemaName": "com.example.notes@Noted", "Type": "JSONSchemaDraft4", "Content": json.dumps(draft4)},
        {"RegistryName": "shop", "SchemaName": "com.example.notes@Noted"},
    )

    basket, noted = map(load, bindings.generate(bindings.from_registry(client, "shop", "com."), tmp_path))

    assert basket.AWSEvent.model_validate(sample("ordering/basket-checked-out")).detail.currency == "KRW"
    assert noted.Noted.model_validate({"n": 1}).n == 1
    with pytest.raises(ValidationError):
        noted.Noted.model_validate({"n": 0})


def test_a_registry_that_is_not_there_is_named_with_its_region(registry: Any) -> None:
    client, stubber = registry
    stubber.add_client_error("describe_registry", "NotFoundException")

    with pytest.raises(LocalError, match="There is no schema registry shop in ap-northeast-2"):
        list(bindings.from_registry(client, "shop"))


@pytest.mark.parametrize("content", ["no schema", "{}", '{"openapi": "3.0.0", "components": {"schemas": {}}}'])
def test_a_schema_of_which_no_model_can_be_made_is_named(content: str, tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="No model can be made of strange@Event"):
        bindings.generate([Schema("strange@Event", "OpenApi3", content)], tmp_path)


def test_a_schema_that_refers_to_an_address_is_not_followed_there(tmp_path: Path) -> None:
    remote = {"$ref": "http://127.0.0.1:9/schema.json#/Part"}
    content = {"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": {}}
    content["components"] = {"schemas": {"AWSEvent": {"type": "object", "properties": {"detail": remote}}}}

    with pytest.raises(LocalError, match=r"No model can be made of strange@Event.*[Rr]emote"):
        bindings.generate([Schema("strange@Event", "OpenApi3", json.dumps(content))], tmp_path)
