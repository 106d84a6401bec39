"""The receiver on AWS: the function in its template, and what is read back."""

import base64
import json
from typing import Any

import pytest
import yaml
from local.cloud import Aws
from local.far_receiver import TEMPLATE, FarReceiver
from local.receiver import Answer
from local.template import Loader

from tests.unit.conftest import REGION, Context

DECLARED = yaml.load(TEMPLATE.read_text(), Loader)["Resources"]
TOKEN = "a-token-of-at-least-thirty-two-letters"


@pytest.fixture
def handler(cloud: None, monkeypatch):
    """The function, with its table."""
    table = Aws(region=REGION).client("dynamodb").create_table(TableName="requests", **DECLARED["Table"]["Properties"])
    monkeypatch.setenv("TABLE", table["TableDescription"]["TableName"])
    monkeypatch.setenv("TOKEN", TOKEN)
    code: dict[str, Any] = {}
    exec(DECLARED["Function"]["Properties"]["Code"]["ZipFile"], code)
    return lambda event: code["handler"](event, Context())


@pytest.fixture
def web(handler) -> FarReceiver:
    return FarReceiver("https://receiver.example", Aws(region=REGION), "requests")


def post(path: str, body: bytes = b"{}", query: str = "", encoded: bool = False) -> dict[str, Any]:
    """A request as a function URL gives it: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html"""
    return {
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"content-type": "application/json", "x-api-key": "k"},
        "requestContext": {"http": {"method": "POST"}},
        "body": base64.b64encode(body).decode() if encoded else body.decode(),
        "isBase64Encoded": encoded,
    }


def test_a_request_below_the_token_is_kept_as_it_came(handler, web: FarReceiver) -> None:
    handler(post(f"/{TOKEN}/slack", '{"text": "안녕"}'.encode(), "region=a"))
    handler(post(f"/{TOKEN}/crm", b"\xff\x00", encoded=True))

    first, second = web.requests
    assert (first.path, first.method, first.json()) == ("/slack?region=a", "POST", {"text": "안녕"})
    assert first.headers["X-Api-Key"] == "k"
    assert (second.path, second.body) == ("/crm", b"\xff\x00")
    assert web.to("/crm")[0].body == b"\xff\x00"


@pytest.mark.parametrize("path", ["/", "/slack", f"/x{TOKEN}/slack", "/안녕/slack", f"/{TOKEN[:-1]}/slack"])
def test_a_request_without_the_token_is_neither_kept_nor_answered(path: str, handler, web: FarReceiver) -> None:
    assert handler(post(path)) == {"statusCode": 404}
    assert web.requests == []


def test_answers_are_given_in_their_order_and_then_always_the_same(handler, web: FarReceiver) -> None:
    web.answer("/slack", Answer(429, {"Retry-After": "0"}), Answer(503))
    web.answer("/slack", Answer(500))
    web.always("/slack", Answer(404, body=b"no_service"))

    given = [handler(post(f"/{TOKEN}/slack")) for _ in range(5)]

    assert [answer["statusCode"] for answer in given] == [429, 503, 500, 404, 404]
    assert given[0]["headers"] == {"Retry-After": "0"}
    assert base64.b64decode(given[-1]["body"]) == b"no_service"
    assert handler(post(f"/{TOKEN}/other"))["statusCode"] == 200


def test_what_is_forgotten_is_gone(handler, web: FarReceiver) -> None:
    web.always("/slack", Answer(404))
    handler(post(f"/{TOKEN}/slack"))

    web.forget()

    assert web.requests == []
    assert handler(post(f"/{TOKEN}/slack"))["statusCode"] == 200


def test_its_role_may_only_read_and_write_its_table() -> None:
    [policy] = DECLARED["Role"]["Properties"]["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]

    assert statement["Resource"] == {"Fn::GetAtt": "Table.Arn"}
    assert "Managed" not in json.dumps(DECLARED["Role"])
