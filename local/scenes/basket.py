"""basket and ordering, played."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from local.stage import Stage


def basket(stage: Stage) -> None:
    """A customer fills a basket and checks it out, twice because the answer was lost: there is one order."""
    call, customer = caller(stage), f"customer-{uuid4().hex[:8]}"  # one without orders
    unsigned = requests.get(f"{address(stage, 'BasketApi')}/baskets/{customer}", timeout=30)
    stage.expect("a request that is not signed is refused", lambda: unsigned.status_code == 403, "BasketFunction")
    mug = {"product_id": "mug-white", "name": "머그컵", "quantity": 3, "unit_price": 0.1}
    tea = {"product_id": "tea-green-50", "quantity": 1, "unit_price": "8400.50"}
    put = call("PUT", "BasketApi", f"/baskets/{customer}", {"currency": "KRW", "lines": [mug, tea]})
    stage.expect("three at 0.1 and one at 8400.50 cost 8400.80", lambda: put["total"] == "8400.80", "BasketFunction")
    ours = {"If-Match": put["version"]}
    first = call("POST", "BasketApi", f"/baskets/{customer}/checkout", **ours)
    again = call("POST", "BasketApi", f"/baskets/{customer}/checkout", **ours)
    stage.expect(
        "the repeated checkout is the same one", lambda: first["checkout_id"] == again["checkout_id"], "BasketFunction"
    )
    orders = stage.expect(
        "the order was written",
        lambda: call("GET", "OrderingApi", f"/orders/{customer}")["orders"],
        "OrderingFunction",
    )
    stage.keep("OrderingFunction-order.json", json.dumps(orders[0], indent=2, ensure_ascii=False).encode())
    stage.say("order", f"{orders[0]['order_id']}: {orders[0]['total']} {orders[0]['currency']}")
    event = stage.sample("ordering/basket-checked-out")
    event["detail"] = {"customer": customer, **_detail(orders[0])}
    stage.send(event, expect="BasketCheckedOut")
    stage.expect(
        "there is one order, though its event came again",
        lambda: len(call("GET", "OrderingApi", f"/orders/{customer}")["orders"]) == 1,
        "OrderingFunction",
    )
    stage.expect(
        "the basket is empty",
        lambda: call("GET", "BasketApi", f"/baskets/{customer}")["lines"] == [],
        "BasketFunction",
    )


def address(stage: Stage, api: str) -> str:
    """URL of the API and its stage; the outputs have those of its resources."""
    output = {"BasketApi": "BasketUrl", "OrderingApi": "OrdersUrl"}[api]
    return stage.cloud.address(stage.stack.outputs[output].rsplit("/", 1)[0])


def caller(stage: Stage) -> Callable[..., Any]:
    """A function that sends a signed request to an API of the stack, shows it, and returns the JSON of the answer."""
    credentials = stage.stack.cloud.session.get_credentials()
    assert credentials  # noqa: S101

    def call(method: str, api: str, path: str, body: Any = None, **headers: str) -> Any:
        url = address(stage, api) + path
        request = AWSRequest(method, url, headers, json.dumps(body) if body else None)
        SigV4Auth(credentials, "execute-api", stage.cloud.region).add_auth(request)
        answer = requests.request(method, url, data=request.body, headers=dict(request.headers), timeout=30)
        if method != "GET":  # which is repeated until the effect is there
            stage.say("API", f"{method} {path}: {answer.status_code}")
        answer.raise_for_status()
        return answer.json()

    return call


def _detail(order: dict[str, Any]) -> dict[str, Any]:
    """What the event said from which the order was made."""
    return {
        "checkout_id": order["order_id"],
        **{name: order[name] for name in ("currency", "lines", "total")},
    }
