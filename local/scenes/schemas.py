"""The schemas of the application's events, played."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from local.scenes.basket import caller
from local.schemas import bindings, store
from local.stage import Stage

NAME = "com.example.basket@CheckoutBasket"


def schemas(stage: Stage) -> None:
    """A team that knows only the schema of a checkout makes models of it, and reads what basket publishes; a wrong event is refused."""
    for name, versions in store.versions().items():
        stage.say("schema", f"{name}, version {versions[-1].version}")
    newest = [schema for schema in store.newest(store.versions()) if schema.name == NAME]
    [file] = bindings.generate(bindings.from_files(newest), stage.folder / "bindings")
    stage.say("models", f"{file.name}, made of schemas/{newest[0].path}")
    model = load(file).AWSEvent
    call, customer = caller(stage), f"customer-{uuid4().hex[:8]}"
    with stage.listening(stage.stack.outputs["ApplicationBus"], "com.example.basket") as heard:
        line = {"product_id": "mug-white", "name": "머그컵", "quantity": 3, "unit_price": "0.10"}
        call("PUT", "BasketApi", f"/baskets/{customer}", {"currency": "KRW", "lines": [line]})
        call("POST", "BasketApi", f"/baskets/{customer}/checkout")
        event = stage.expect(
            "basket published the checkout",
            lambda: next((e for e in stage.take(heard) if e["detail"]["customer"] == customer), None),
            "BasketFunction",
        )
    read = model.model_validate(event)
    stage.say("read", f"{read.detail_type} of {read.detail.customer}: {read.detail.total} {read.detail.currency}")
    stage.expect(
        "the generated model read it, with exact prices",
        lambda: (read.detail.total, read.detail.lines[0].unit_price) == ("0.3", "0.1"),
        "BasketFunction",
    )
    wrong = {**event, "detail": {**event["detail"], "total": 0.3}}
    stage.expect(
        "the generated model refuses a total that is a number", lambda: refusal(model, wrong), "BasketFunction"
    )
    stage.say("refused", refusal(model, wrong))


def refusal(model: Any, event: Any) -> str:
    """Why the model refuses the event; "" when it takes it."""
    try:
        model.model_validate(event)
    except ValidationError as error:
        return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
    return ""


def load(file: Path) -> ModuleType:
    """The module in the file, as if its folder were on the path."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec  # noqa: S101
    assert spec.loader  # noqa: S101
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # Pydantic looks there for types
    spec.loader.exec_module(module)
    return module
