import json
import re
from pathlib import Path
from typing import Any

import pytest

import api_caller
from api_caller.request import Call, plan, read_request
from automations.errors import Refused, SettingsError
from automations.events.any import AnyEvent
from tests.samples import sample
from tests.unit.api_caller.conftest import PARAMETER

REQUEST = {"name": "deployments", "method": "POST", "url": "https://api.example.com/v1/runs"}
EVENT = "api_caller/pipeline-failed"


def planned(detail: dict[str, Any] | None = None, **changes: Any) -> Call | None:
    event = AnyEvent.model_validate(sample(EVENT, **(detail or {})))
    return plan(event, read_request(json.dumps(REQUEST | changes), PARAMETER))


def call(detail: dict[str, Any] | None = None, **changes: Any) -> Call:
    made = planned(detail, **changes)
    assert made
    return made


def test_the_request_is_filled_in():
    made = call(
        url='https://api.example.com/v1/{{detail.pipeline}}/{{detail."execution-id"}}?state={{detail.state}}&from=aws',
        headers={"X-Region": "{{region}}", "Accept": "application/json"},
        body={"state": "{{detail.state}}", "version": "{{detail.version}}", "title": "Run of {{detail.pipeline}}"},
    )

    assert made.method == "POST"
    assert made.url == (
        "https://api.example.com/v1/web-site-release/c1d7a9e4-63f0-4b28-8e15-f2a94c70b3d6?state=FAILED&from=aws"
    )
    assert made.headers["X-Region"] == "ap-northeast-2"
    assert made.headers["Accept"] == "application/json"
    assert made.headers["Content-Type"] == "application/json"
    assert json.loads(made.body or b"") == {"state": "FAILED", "version": 3.0, "title": "Run of web-site-release"}


def test_without_a_body_none_is_sent():
    made = call(method="DELETE")

    assert made.body is None
    assert "Content-Type" not in made.headers


def test_the_content_type_and_user_agent_may_be_given():
    made = call(headers={"content-type": "application/vnd.api+json", "USER-AGENT": "ours"}, body={})

    assert {"content-type", "USER-AGENT", "Idempotency-Key"} == set(made.headers)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("a/b", "a%2Fb"),
        ("../../admin", "..%2F..%2Fadmin"),
        ("x?admin=1&y#z", "x%3Fadmin%3D1%26y%23z"),
        ("@evil.example", "%40evil.example"),
        ("a b+c%20", "a%20b%2Bc%2520"),
        ("서울\r\nX: y", "%EC%84%9C%EC%9A%B8%0D%0AX%3A%20y"),
        ("...", "..."),
    ],
)
def test_what_comes_from_the_event_stays_in_its_place_of_the_address(value, encoded):
    made = call({"pipeline": value}, url="https://api.example.com/v1/{{detail.pipeline}}?q={{detail.pipeline}}")

    assert made.url == f"https://api.example.com/v1/{encoded}?q={encoded}"


@pytest.mark.parametrize("value", [".", "..", ""])
def test_a_value_that_would_lead_to_another_path_is_refused(value):
    with pytest.raises(Refused, match=r"url: a (segment of the path|piece of the address) would be"):
        call({"pipeline": value}, url="https://api.example.com/v1/{{detail.pipeline}}/runs")


def test_two_values_that_together_would_lead_to_another_path_are_refused():
    with pytest.raises(Refused, match=r"would be \. or \.\., which leads elsewhere"):
        call({"pipeline": "."}, url="https://api.example.com/v1/{{detail.pipeline}}{{detail.pipeline}}/runs")


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", " a", "a ", "서울", "\x00", ""])
def test_a_value_that_is_no_headers_value_is_refused_and_not_shown(value):
    with pytest.raises(Refused, match=r"headers\.X-Pipeline: a header's value is printable ASCII") as failure:
        call({"pipeline": value}, headers={"X-Pipeline": "{{detail.pipeline}}"})

    assert "Evil" not in str(failure.value)


def test_a_missing_field_is_named_with_the_remedy():
    with pytest.raises(
        Refused, match=r"request deployments .* body\.a\.0: the event has nothing at detail\.x\. .*\|\| "
    ):
        call(body={"a": ["{{detail.x}}"]})


@pytest.mark.parametrize(
    ("condition", "made"),
    [
        ("detail.state == 'FAILED'", True),
        ("detail.state == 'STARTED'", False),
        ("contains(detail.pipeline, 'web')", True),
    ],
)
def test_the_request_is_made_when_its_condition_holds(condition, made):
    assert (planned(when=condition) is not None) is made


def test_a_condition_that_is_neither_true_nor_false_is_refused():
    with pytest.raises(Refused, match=r"when: detail\.state gives neither true nor false"):
        planned(when="detail.state")


def test_the_idempotency_key_is_made_of_what_the_call_is_about():
    key = '{{detail."execution-id"}}/{{detail.state}}'
    made = call(key=key)

    assert made.key == "deployments/c1d7a9e4-63f0-4b28-8e15-f2a94c70b3d6/FAILED"
    assert made.headers["Idempotency-Key"] == str(made.id)
    assert call({"version": 4.0}, key=key).id == made.id
    assert call({"state": "SUCCEEDED"}, key=key).id != made.id
    assert call(key=key, name="other").id != made.id


def test_without_a_key_the_call_is_about_the_event():
    assert call().key == f"deployments/{sample(EVENT)['id']}"


@pytest.mark.parametrize("value", ["", "x" * 1025, "서" * 342])
def test_a_key_that_is_empty_or_too_long_is_refused(value):
    with pytest.raises(Refused, match="key: a key has 1 to 1024 bytes"):
        call({"pipeline": value}, key="{{detail.pipeline}}")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "a/b"}, r"request\.name: String should match pattern"),
        ({"method": "HEAD"}, r"request\.method: Input should be 'DELETE', 'GET', 'PATCH', 'POST' or 'PUT'"),
        ({"method": "GET", "body": {}}, r"request\.body: Value error, a GET request has no body"),
        ({"url": 7}, r"request\.url: Value error, write text"),
        ({"url": "https://api.example.com/{{a b}}"}, r"request\.url: Value error, this is no JMESPath expression"),
        ({"headers": {"X-A": "{{"}}, r"request\.headers\.X-A: Value error, \{\{ and \}\} come in pairs"),
        ({"headers": {"X A": "b"}}, r"request\.headers\.X A\.\[key\]: String should match pattern"),
        ({"headers": {"Host": "b"}}, r"Host cannot be set"),
        ({"headers": {"cookie": "b"}}, r"cookie cannot be set"),
        ({"headers": {"Idempotency-Key": "b"}}, r"Idempotency-Key cannot be set"),
        ({"headers": {"authorization": "t0ps3cret"}}, r"credentials belong under auth.*; not so authorization"),
        ({"headers": {"X-A": "b", "x-a": "b"}}, r"each header is named once; not so x-a"),
        (
            {"headers": {"x-api-key": "t0ps3cret"}, "auth": {"type": "api-key", "secret": "ssm:/a"}},
            r"credentials belong under auth.*; not so x-api-key",
        ),
        ({"body": {"a": {"b": "{{a b}}"}}}, r"request\.body: Value error, a\.b: this is no JMESPath expression"),
        ({"key": "{{id"}, r"request\.key: Value error, \{\{ and \}\} come in pairs"),
        ({"when": "a b"}, r"request\.when: Value error, this is no JMESPath expression"),
        ({"when": True}, r"request\.when: Value error, write a JMESPath expression"),
        ({"auth": {"type": "digest", "secret": "ssm:/a"}}, r"request\.auth: Input tag .* does not match"),
        ({"auth": {"type": "basic"}}, r"request\.auth\.basic\.secret: Field required"),
        ({"auth": {"type": "basic", "secret": "t0ps3cret"}}, r"auth\.basic\.secret: .* write secretsmanager:NAME or ssm:"),
        ({"auth": {"type": "api-key", "secret": "ssm:/a", "header": "Host"}}, r"auth\.api-key\.header: .*Host cannot be set"),
        (
            {"auth": {"type": "oauth-client-credentials", "secret": "ssm:/a", "token_url": "http://id.example.com/t"}},
            r"auth\.oauth-client-credentials\.token_url: .* an address that begins with https://HOST/",
        ),
        ({"retries": 3}, r"request\.retries: Extra inputs are not permitted"),
    ],
)  # fmt: skip
def test_a_bad_request_is_named_by_its_field_and_shows_no_value(changes, said):
    with pytest.raises(SettingsError, match=said) as failure:
        read_request(json.dumps(REQUEST | changes), PARAMETER)

    assert PARAMETER in str(failure.value)
    assert "t0ps3cret" not in str(failure.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/",
        "ftp://api.example.com/",
        "//api.example.com/",
        "https://api.example.com",
        "https://{{detail.host}}/v1",
        "https://{{detail.host}}.example.com/v1",
        "https://api.example.com{{detail.host}}/v1",
        "https://api.example.com:{{detail.port}}/v1",
        "{{detail.url}}",
        "{{'https:'}}//api.example.com/",
        "https://user:t0ps3cret@api.example.com/",
        "https://api.example.com\\@evil.example/",
        "https://api.example.com@evil.example/",
        "https://api.example.com/#part",
        "https://api.example.com/a b",
        "https://api.example.com/{{id}}/배포",
        "https://api.example.com/\n",
    ],
)
def test_an_address_is_https_and_its_host_is_spelled_out(url):
    with pytest.raises(SettingsError, match=r"request\.url: Value error"):
        read_request(json.dumps(REQUEST | {"url": url}), PARAMETER)


@pytest.mark.parametrize("text", ["", "[]", "nonsense", "null", "{"])
def test_what_is_no_request_is_said_to_be_none(text):
    with pytest.raises(SettingsError, match=f"Bad request in the parameter {PARAMETER}"):
        read_request(text, PARAMETER)


def test_the_requests_of_the_readme_can_be_read():
    readme = (Path(str(api_caller.__file__)).parent / "README.md").read_text()
    requests = re.findall(r"```json\n(.*?)```", readme, re.DOTALL)

    assert requests
    for text in requests:
        request = read_request(text, PARAMETER)
        for situation in ("started", "succeeded", "failed"):
            plan(AnyEvent.model_validate(sample(f"api_caller/pipeline-{situation}")), request)
