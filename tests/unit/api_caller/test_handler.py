import base64
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError
from local.receiver import Answer

from api_caller import credentials
from api_caller.handler import lambda_handler
from automations import aws, secrets
from automations.errors import DeliveryError, InvalidEvent, Refused, Rejected, SettingsError
from tests.samples import sample
from tests.unit.api_caller.conftest import PARAMETER, PATH

FAILED = sample("api_caller/pipeline-failed")
KEY = "2026/11/06/9c3d5e71-8a24-4b6f-b0d2-e47a1c68f593.json"
TOKENS = "/token"


def token(text: str, **more: object) -> Answer:
    return Answer(body=json.dumps({"access_token": text, "token_type": "Bearer", "expires_in": 3600} | more).encode())


def client_credentials(api, **more: str) -> dict[str, str]:
    """OAuth with its token endpoint at the receiver."""
    secret = api.store({"client_id": "our app", "client_secret": "t0p:s3cret/"})
    return {"type": "oauth-client-credentials", "token_url": api.web.url + TOKENS, "secret": secret} | more


def test_the_api_is_called_and_its_answer_is_kept_in_s3_and_found_through_dynamodb(api, context):
    headers = {"Content-Type": "application/json", "X-Request-Id": "req-1", "Location": "/v1/runs/7"}
    api.web.answer(PATH, Answer(201, headers, '{"id": 7, "name": "배포"}'.encode()))
    before = datetime.now(UTC)

    result = lambda_handler(FAILED, context)

    [request] = api.web.requests
    assert (request.method, request.path) == ("POST", PATH)
    assert request.json() == {"run": FAILED["detail"]["execution-id"], "state": "FAILED"}
    [(key, kept)] = api.answers().items()
    assert key == KEY
    assert kept["status"] == 201
    assert json.loads(kept["body"]) == {"id": 7, "name": "배포"}
    assert (kept["body_encoding"], kept["body_cut"], kept["attempts"]) == ("utf-8", False, 1)
    assert kept["headers"].items() >= {"content-type": "application/json", "x-request-id": "req-1"}.items()
    assert kept["headers"]["location"] == "/v1/runs/7"
    assert kept["event_id"] == FAILED["id"]
    assert kept["call_id"] == request.headers["Idempotency-Key"] == result["call"]
    assert 0 <= kept["latency_ms"] < 10_000
    [item] = api.items()
    assert item["call_key"] == {"S": f"deployments/{FAILED['detail']['execution-id']}/FAILED"}
    assert item["event_id"] == {"S": FAILED["id"]}
    assert item["status"] == {"N": "201"}
    assert item["s3_key"] == {"S": KEY}
    called_at = datetime.fromisoformat(item["called_at"]["S"])
    assert before - timedelta(seconds=1) < called_at <= datetime.now(UTC)
    assert int(item["expires_at"]["N"]) == int((called_at + timedelta(days=90)).timestamp())


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "POST"])
def test_every_method_is_sent(method, api, context):
    api.configure(method=method, body=None, url=api.web.url + "/v1/runs/{{detail.state}}?region={{region}}")

    lambda_handler(FAILED, context)

    [request] = api.web.requests
    assert (request.method, request.path) == (method, "/v1/runs/FAILED?region=ap-northeast-2")
    assert request.body == b""


def test_what_comes_from_the_event_is_sent_encoded(api, context):
    api.configure(url=api.web.url + "/v1/{{detail.pipeline}}/runs?q={{detail.pipeline}}")

    lambda_handler(sample("api_caller/pipeline-failed", pipeline="../a b?c&d=서"), context)

    [request] = api.web.requests
    assert request.path == "/v1/..%2Fa%20b%3Fc%26d%3D%EC%84%9C/runs?q=..%2Fa%20b%3Fc%26d%3D%EC%84%9C"


@pytest.mark.parametrize("busy", [Answer(429, {"Retry-After": "0"}), Answer(500), Answer(503), Answer(408)])
def test_an_api_that_is_busy_is_asked_again_with_the_same_idempotency_key(busy, api, context):
    api.web.answer(PATH, busy, busy, Answer(200))

    lambda_handler(FAILED, context)

    assert len({request.headers["Idempotency-Key"] for request in api.web.requests}) == 1
    assert api.answers()[KEY]["attempts"] == len(api.web.requests) == 3
    assert api.items()[0]["attempts"] == {"N": "3"}


def test_an_api_that_asks_for_more_time_than_is_left_is_left_to_the_next_retry(api, context):
    api.web.answer(PATH, Answer(429, {"Retry-After": "3600"}))

    with pytest.raises(
        DeliveryError, match="deployments did not take the message in 1 attempt; the last: 429"
    ) as failure:
        lambda_handler(FAILED, context)
    assert not isinstance(failure.value, Rejected)
    assert api.answers() == {}

    lambda_handler(FAILED, context)

    assert len({request.headers["Idempotency-Key"] for request in api.web.to(PATH)}) == 1
    assert api.answers()[KEY]["status"] == 200


def test_the_latency_is_that_of_the_last_attempt(api, context):
    api.web.answer(PATH, Answer(503), Answer(delay=0.2))

    lambda_handler(FAILED, context)

    assert 200 <= api.answers()[KEY]["latency_ms"] < 5000


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 301, 302, 307])
def test_a_refusal_is_kept_and_the_event_fails_with_its_status_and_where_the_answer_lies(status, api, context, logs):
    answer = Answer(status, {"Location": f"{api.web.url}/elsewhere", "Content-Type": "text/plain"}, b"t0ps3cret reason")
    api.web.answer(PATH, answer)

    with pytest.raises(
        Rejected, match=rf"deployments refused the request: {status}\. .* s3://answers/{KEY}"
    ) as failure:
        lambda_handler(FAILED, context)

    assert [request.path for request in api.web.requests] == [PATH]
    assert api.answers()[KEY]["body"] == "t0ps3cret reason"
    assert api.items()[0]["status"] == {"N": str(status)}
    assert "t0ps3cret" not in str(failure.value) + logs.getvalue()
    assert '"reason":"Rejected"' in logs.getvalue()


def test_a_call_that_was_refused_is_made_again_when_the_event_comes_again(api, context):
    api.web.answer(PATH, Answer(422))
    with pytest.raises(Rejected):
        lambda_handler(FAILED, context)

    lambda_handler(FAILED, context)

    assert len({request.headers["Idempotency-Key"] for request in api.web.requests}) == 1
    assert len(api.web.requests) == 2
    assert [item["status"] for item in api.items()] == [{"N": "200"}]
    assert api.answers()[KEY]["status"] == 200


def test_the_same_event_twice_is_one_call(api, context):
    assert lambda_handler(FAILED, context) == lambda_handler(FAILED, context)

    assert len(api.web.requests) == 1


def test_two_events_about_the_same_thing_are_one_call_and_about_another_thing_another(api, context):
    lambda_handler(FAILED, context)
    lambda_handler(FAILED | {"id": "00000000-0000-4000-8000-000000000001"}, context)
    lambda_handler(sample("api_caller/pipeline-succeeded"), context)

    assert [request.json()["state"] for request in api.web.requests] == ["FAILED", "SUCCEEDED"]
    assert len(api.items()) == 2


def test_without_a_key_every_event_is_a_call(api, context):
    api.configure(key=None)

    lambda_handler(FAILED, context)
    lambda_handler(FAILED, context)
    lambda_handler(FAILED | {"id": "00000000-0000-4000-8000-000000000001"}, context)

    assert len(api.web.requests) == 2


def test_a_crash_after_the_answer_was_kept_does_not_repeat_the_call(api, context, idempotency_table):
    lambda_handler(FAILED, context)
    dynamodb = boto3.client("dynamodb")
    [done] = dynamodb.scan(TableName=idempotency_table)["Items"]
    dynamodb.delete_item(TableName=idempotency_table, Key={"id": done["id"]})

    lambda_handler(FAILED, context)

    assert len(api.web.requests) == 1


def test_an_answer_that_is_too_old_to_be_there_for_certain_does_not_count(api, context, idempotency_table):
    lambda_handler(FAILED, context)
    dynamodb = boto3.client("dynamodb")
    [done] = dynamodb.scan(TableName=idempotency_table)["Items"]
    dynamodb.delete_item(TableName=idempotency_table, Key={"id": done["id"]})
    [item] = api.items()
    dynamodb.put_item(TableName="ApiCallsTable", Item=item | {"expires_at": {"N": "1"}})

    lambda_handler(FAILED, context)

    assert len(api.web.requests) == 2


def test_an_event_for_which_the_condition_does_not_hold_is_left_alone(api, context, logs):
    api.configure(when="detail.state == 'FAILED'")

    assert lambda_handler(sample("api_caller/pipeline-started"), context) == {"request": "deployments", "call": None}

    assert api.web.requests == []
    assert (api.answers(), api.items()) == ({}, [])
    assert "condition does not hold" in logs.getvalue()


@pytest.mark.parametrize(
    ("body", "kept", "cut"),
    [
        (b"0123456789", "0123456789", False),
        (b"0123456789+", "0123456789", True),
        ("012345678서울".encode(), "012345678", True),
        (b"", "", False),
    ],
)
def test_a_body_is_kept_up_to_the_cap_and_marked_when_it_was_cut(body, kept, cut, api, context, monkeypatch):
    monkeypatch.setenv("MAX_BODY_BYTES", "10")
    api.web.answer(PATH, Answer(body=body))

    lambda_handler(FAILED, context)

    answer = api.answers()[KEY]
    assert (answer["body"], answer["body_encoding"], answer["body_cut"]) == (kept, "utf-8", cut)


def test_no_more_of_a_large_body_is_read_than_is_kept(api, context, monkeypatch):
    monkeypatch.setenv("MAX_BODY_BYTES", "0")
    api.web.answer(PATH, Answer(body=b"x" * 5_000_000))

    lambda_handler(FAILED, context)

    assert (api.answers()[KEY]["body"], api.answers()[KEY]["body_cut"]) == ("", True)


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"a\x00b", "서울".encode("euc-kr"), "서울".encode()[:-1]])
def test_a_body_that_is_no_text_is_kept_as_base64(body, api, context):
    api.web.answer(PATH, Answer(body=body))

    lambda_handler(FAILED, context)

    answer = api.answers()[KEY]
    assert answer["body_encoding"] == "base64"
    assert base64.b64decode(answer["body"]) == body


def test_cookies_and_credentials_of_the_answer_are_not_kept(api, context):
    hidden = ("Set-Cookie", "Set-Cookie2", "Authorization", "WWW-Authenticate", "X-Api-Key", "X-Amz-Security-Token")
    api.web.answer(PATH, Answer(headers=dict.fromkeys(hidden, "t0ps3cret") | {"ETag": '"1"'}))

    lambda_handler(FAILED, context)

    assert api.answers()[KEY]["headers"]["etag"] == '"1"'
    assert "t0ps3cret" not in json.dumps(api.answers()) + json.dumps(api.items())


def test_without_credentials_none_are_sent(api, context):
    lambda_handler(FAILED, context)

    assert "Authorization" not in api.web.requests[0].headers


def test_an_api_key_is_sent_in_its_header(api, context):
    api.configure(auth={"type": "api-key", "secret": api.store("t0ps3cret\n")})
    lambda_handler(FAILED, context)
    assert api.web.requests[0].headers["X-Api-Key"] == "t0ps3cret"

    secrets.forget_secrets()
    api.configure(
        auth={"type": "api-key", "header": "Authorization", "secret": api.store("Token t0ps3cret", "b")}, key=None
    )
    lambda_handler(FAILED, context)
    assert api.web.requests[1].headers["Authorization"] == "Token t0ps3cret"


def test_a_user_and_password_are_sent_as_basic(api, context):
    api.configure(
        auth={"type": "basic", "secret": api.store({"username": "aws", "password": "t0p:s3crët", "host": "x"})}
    )

    lambda_handler(FAILED, context)

    scheme, text = api.web.requests[0].headers["Authorization"].split()
    assert scheme == "Basic"
    assert base64.b64decode(text).decode() == "aws:t0p:s3crët"


def test_a_token_is_fetched_once_and_used_for_the_next_calls(api, context):
    api.configure(auth=client_credentials(api, scope="runs:write runs:read", audience="api"), key=None)
    api.web.answer(TOKENS, token("t0k3n-1"))

    for number in range(3):
        lambda_handler(FAILED | {"id": f"00000000-0000-4000-8000-00000000000{number}"}, context)

    [asked] = api.web.to(TOKENS)
    assert asked.body == b"grant_type=client_credentials&scope=runs%3Awrite+runs%3Aread&audience=api"
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    credentials_sent = base64.b64decode(asked.headers["Authorization"].removeprefix("Basic "))
    assert credentials_sent == b"our+app:t0p%3As3cret%2F"
    assert {request.headers["Authorization"] for request in api.web.to(PATH)} == {"Bearer t0k3n-1"}


def test_a_token_endpoint_may_want_the_client_in_the_form(api, context):
    api.configure(auth=client_credentials(api, client_authentication="body"))
    api.web.answer(TOKENS, token("t0k3n-1"))

    lambda_handler(FAILED, context)

    [asked] = api.web.to(TOKENS)
    assert asked.body == b"grant_type=client_credentials&client_id=our+app&client_secret=t0p%3As3cret%2F"
    assert "Authorization" not in asked.headers


@pytest.mark.parametrize(
    ("life", "passed", "fetched"),
    [
        ({"expires_in": 3600}, 3539, 1),
        ({"expires_in": 3600}, 3541, 2),
        ({"expires_in": "3600"}, 3539, 1),
        ({"expires_in": 30}, 0, 2),
    ],
)
def test_a_token_is_renewed_shortly_before_it_expires(life, passed, fetched, api, context, monkeypatch):
    api.configure(auth=client_credentials(api), key=None)
    api.web.always(TOKENS, token("t0k3n", **life))
    now = [1_000_000.0]
    monkeypatch.setattr(credentials, "time", SimpleNamespace(time=lambda: now[0]))

    lambda_handler(FAILED, context)
    now[0] += passed
    lambda_handler(sample("api_caller/pipeline-succeeded"), context)

    assert len(api.web.to(TOKENS)) == fetched


def test_a_token_that_the_api_does_not_accept_is_renewed_once(api, context):
    api.configure(auth=client_credentials(api), key=None)
    api.web.answer(TOKENS, token("revoked"), token("t0k3n-2"))
    api.web.answer(PATH, Answer(401), Answer(201))

    lambda_handler(FAILED, context)

    assert [r.headers["Authorization"] for r in api.web.to(PATH)] == ["Bearer revoked", "Bearer t0k3n-2"]
    assert (api.answers()[KEY]["status"], api.answers()[KEY]["attempts"]) == (201, 2)
    lambda_handler(sample("api_caller/pipeline-succeeded"), context)
    assert api.web.to(PATH)[-1].headers["Authorization"] == "Bearer t0k3n-2"


def test_a_second_401_is_final(api, context):
    api.configure(auth=client_credentials(api))
    api.web.always(TOKENS, token("t0k3n"))
    api.web.always(PATH, Answer(401))

    with pytest.raises(Rejected, match="refused the request: 401"):
        lambda_handler(FAILED, context)

    assert (len(api.web.to(TOKENS)), len(api.web.to(PATH))) == (2, 2)


def test_a_401_without_oauth_is_final_at_once(api, context):
    api.configure(auth={"type": "api-key", "secret": api.store("t0ps3cret")})
    api.web.always(PATH, Answer(401))

    with pytest.raises(Rejected):
        lambda_handler(FAILED, context)

    assert len(api.web.requests) == 1


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (Answer(401, body=b'{"error": "invalid_client"}'), Rejected, "gives no token: 401 invalid_client"),
        (Answer(400, body=b'{"error": "t0ps3cret"}'), Rejected, "gives no token: 400 Bad Request"),
        (Answer(302, {"Location": "/t0ps3cret"}), Rejected, "gives no token: 302"),
        (Answer(200, body=b"ok"), DeliveryError, "gives no usable token. answer: Invalid JSON"),
        (Answer(200, body=b'{"token_type": "Bearer"}'), DeliveryError, "access_token: Field required"),
        (token("t0ps3cret\r\nX: y"), DeliveryError, "access_token: String should match pattern"),
        (token("t0ps3cret", token_type="mac"), DeliveryError, "token_type: String should match pattern"),
        (Answer(429, {"Retry-After": "3600"}), DeliveryError, "The token endpoint of deployments did not take"),
    ],
)  # fmt: skip
def test_without_a_token_the_api_is_not_called_and_the_reason_is_said(answer, error, said, api, context, logs):
    api.configure(auth=client_credentials(api))
    api.web.always(TOKENS, answer)

    with pytest.raises(error, match=said):
        lambda_handler(FAILED, context)

    assert api.web.to(PATH) == []
    assert "t0ps3cret" not in logs.getvalue()


def test_a_token_endpoint_that_is_busy_is_asked_again(api, context):
    api.configure(auth=client_credentials(api))
    api.web.answer(TOKENS, Answer(503), token("t0k3n", token_type="bearer"))

    lambda_handler(FAILED, context)

    assert len(api.web.to(PATH)) == 1


@pytest.mark.parametrize(
    ("auth", "secret", "said"),
    [
        ({"type": "basic"}, "t0ps3cret", "must hold JSON with username and password. text: Invalid JSON"),
        ({"type": "basic"}, {"username": "a:b", "password": "t0ps3cret"}, "username: String should match pattern"),
        ({"type": "basic"}, {"username": "t0ps3cret"}, "password: Field required"),
        ({"type": "api-key"}, "t0ps3cret\nX: y", "cannot be a header's value"),
        ({"type": "oauth-client-credentials", "token_url": "https://login.example.com/t"}, {"client_id": "t0ps3cret"},
         "must hold JSON with client_id and client_secret. client_secret: Field required"),
    ],
)  # fmt: skip
def test_a_secret_of_another_form_is_named_and_not_shown(auth, secret, said, api, context, logs):
    api.configure(auth=auth | {"secret": api.store(secret)})

    with pytest.raises(DeliveryError, match=f"The secret secretsmanager:credentials .*{said}") as failure:
        lambda_handler(FAILED, context)

    assert api.web.requests == []
    assert "t0ps3cret" not in str(failure.value) + logs.getvalue()


def test_an_absent_secret_is_named(api, context):
    api.configure(auth={"type": "api-key", "secret": "ssm:/absent"})

    with pytest.raises(DeliveryError, match="The secret ssm:/absent cannot be read"):
        lambda_handler(FAILED, context)

    assert api.web.requests == []


def test_an_event_that_lacks_what_the_request_needs_fails_and_names_it(api, context, logs):
    api.configure(body={"commit": "{{detail.commit}}", "state": "{{detail.state}}"})

    with pytest.raises(Refused, match=r"body\.commit: the event has nothing at detail\.commit"):
        lambda_handler(FAILED, context)

    assert api.web.requests == []
    assert "body.commit" in logs.getvalue()


def test_an_absent_request_is_named(api, context):
    boto3.client("ssm").delete_parameter(Name=PARAMETER)

    with pytest.raises(SettingsError, match=rf"The parameter {PARAMETER} cannot be read \(.*ParameterNotFound"):
        lambda_handler(FAILED, context)


def test_a_bad_request_is_named_and_fails_the_event(api, context, logs):
    api.configure(url="http://api.example.com/?token=t0ps3cret")

    with pytest.raises(SettingsError, match=rf"Bad request in the parameter {PARAMETER}\. request\.url: "):
        lambda_handler(FAILED, context)

    assert "request.url" in logs.getvalue()
    assert "t0ps3cret" not in logs.getvalue()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "../../x"}, "id: String should match pattern"),
        ({"detail": "FAILED"}, "detail: Input should be a valid dictionary"),
        ({"time": "yesterday"}, "time: Input should be a valid datetime"),
        ({"source": None}, "source: Input should be a valid string"),
    ],
)
def test_a_malformed_event_is_refused_by_the_name_of_its_field(change, said, api, context):
    with pytest.raises(InvalidEvent, match=said):
        lambda_handler(FAILED | change, context)

    assert api.web.requests == []


@pytest.mark.parametrize(("client", "operation"), [("s3", "put_object"), ("dynamodb", "get_item")])
def test_an_aws_error_fails_the_event(client, operation, api, context, monkeypatch):
    def deny(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "No."}}, operation)

    monkeypatch.setattr(getattr(aws, client)(), operation, deny)

    with pytest.raises(DeliveryError, match=r"deployments: .*AccessDenied"):
        lambda_handler(FAILED, context)


def test_addresses_payloads_and_credentials_are_not_logged(api, context, logs, caplog):
    caplog.set_level("DEBUG")
    api.configure(
        url=api.web.url + PATH + "?token=t0ps3cret", auth={"type": "api-key", "secret": api.store("t0ps3cret")}
    )
    api.web.answer(PATH + "?token=t0ps3cret", Answer(400, body=b"bad t0ps3cret"))

    with pytest.raises(Rejected):
        lambda_handler(FAILED, context)
    lambda_handler(FAILED, context)

    written = logs.getvalue() + "".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("botocore")
    )
    for hidden in ("t0ps3cret", api.web.url, FAILED["detail"]["execution-id"]):
        assert hidden not in written
    assert FAILED["id"] in written


@pytest.mark.parametrize("variable", ["REQUEST_PARAMETER", "RESPONSES_BUCKET", "CALLS_TABLE"])
def test_a_missing_setting_is_named(variable, api, context, monkeypatch):
    monkeypatch.delenv(variable)

    with pytest.raises(SettingsError, match=f"{variable}: Field required"):
        lambda_handler(FAILED, context)
