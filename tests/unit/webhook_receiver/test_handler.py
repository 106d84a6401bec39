import hashlib
import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automations import aws, secrets
from automations.events.partner import PartnerEvent
from tests.unit.bus import APPLICATION_BUS, create_bus
from tests.unit.conftest import Context
from tests.unit.webhook_receiver.configuration import PARAMETER, PREFIX, configure, store_secrets, webhook
from tests.unit.webhook_receiver.requests import (
    IDS,
    KINDS,
    PAYLOADS,
    REQUEST_ID,
    SECRETS,
    SIGNERS,
    signed,
    url_request,
)
from webhook_receiver import handler
from webhook_receiver.handler import lambda_handler
from webhook_receiver.request import LARGEST_BODY

EACH_SCHEME = pytest.mark.parametrize("scheme", SECRETS)
TIMED = ("standard", "stripe", "slack", "zendesk")
OTHER_SECRETS = dict.fromkeys(SECRETS, "another") | {"standard": "whsec_YW5vdGhlci1zaWduaW5nLWtleS0wMDAwMDI="}


@pytest.fixture
def put(idempotency_table, monkeypatch):
    """What was put on the application bus so far, when it is called; a webhook of each scheme is configured."""
    monkeypatch.setenv("APPLICATION_BUS", APPLICATION_BUS)
    monkeypatch.setenv("WEBHOOKS_PARAMETER", PARAMETER)
    store_secrets()
    configure(*map(webhook, SECRETS))
    published = create_bus({"prefix": "webhook."})
    found: list[dict[str, Any]] = []

    def read():
        found.extend(published())
        return found

    return read


@pytest.fixture
def post(put, context):
    """Let the function answer a request; returns the status."""
    return lambda event: lambda_handler(event, context)["statusCode"]


def refusal() -> Stubber:
    """PutEvents succeeds and has not taken the entry; its message repeats what it should not."""
    stubber = Stubber(aws.events())
    entry = {"ErrorCode": "InternalFailure", "ErrorMessage": "marker-of-the-payload"}
    stubber.add_response("put_events", {"FailedEntryCount": 1, "Entries": [entry]})
    return stubber


@EACH_SCHEME
@pytest.mark.parametrize("encoded", [False, True])
def test_a_signed_message_becomes_an_event_on_the_application_bus(scheme, encoded, post, put):
    assert post(signed(scheme, encoded=encoded)) == 200

    [event] = put()
    body = json.dumps(PAYLOADS[scheme]).encode()
    assert event["source"] == f"webhook.{scheme}"
    assert event["detail-type"] == KINDS[scheme]
    assert event["detail"] == {
        "id": IDS.get(scheme, f"sha256:{hashlib.sha256(body).hexdigest()}"),
        "scheme": scheme,
        "payload": PAYLOADS[scheme],
    }
    PartnerEvent.model_validate(event | {"account": "111122223333"})  # partner_relay takes it; moto leaves that out


@EACH_SCHEME
def test_a_message_that_is_not_signed_with_the_secret_is_refused_and_nothing_is_put(scheme, post, put, logs):
    assert post(signed(scheme, secret=OTHER_SECRETS[scheme])) == 401

    assert put() == []
    assert '"level":"WARNING"' in logs.getvalue()
    assert f'"provider":"{scheme}"' in logs.getvalue()
    assert REQUEST_ID in logs.getvalue()


@pytest.mark.parametrize("scheme", TIMED)
@pytest.mark.parametrize("late", [330, -330])
def test_a_message_of_another_time_is_refused(scheme, late, post, put):
    assert post(signed(scheme, late=late)) == 401

    assert put() == []


@EACH_SCHEME
def test_a_message_of_one_provider_is_refused_on_the_path_of_another(scheme, post, put):
    configure(webhook(scheme), {**webhook(scheme, f"ssm:/{PREFIX}/other"), "provider": "other"})
    boto3.client("ssm").put_parameter(Name=f"/{PREFIX}/other", Value=OTHER_SECRETS[scheme], Type="SecureString")

    assert post(signed(scheme) | {"rawPath": "/other"}) == 401

    assert put() == []


@EACH_SCHEME
def test_during_a_rotation_the_old_and_the_new_secret_are_taken(scheme, post, put):
    boto3.client("ssm").put_parameter(Name=f"/{PREFIX}/new", Value=OTHER_SECRETS[scheme], Type="SecureString")
    configure(webhook(scheme, f"secretsmanager:{PREFIX}/{scheme}", f"ssm:/{PREFIX}/new"))
    another = PAYLOADS[scheme] | {"id": "another", "event_id": "another"}

    assert post(signed(scheme)) == 200
    assert post(signed(scheme, another, secret=OTHER_SECRETS[scheme], message="msg_2")) == 200

    assert len(put()) == 2


# What comes again.


@EACH_SCHEME
def test_the_same_request_again_is_answered_like_the_first_and_put_once(scheme, put, context):
    event = signed(scheme)

    answers = [lambda_handler(event, context) for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["statusCode"] == 200
    assert len(put()) == 1


@pytest.mark.parametrize("scheme", TIMED)
def test_a_message_that_the_provider_signs_and_sends_again_is_put_once(scheme, post, put):
    assert post(signed(scheme, late=60)) == 200
    assert post(signed(scheme, headers={"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"})) == 200

    assert len(put()) == 1


@pytest.mark.parametrize(
    ("scheme", "forged"),
    [
        ("github", {"X-GitHub-Delivery": "00000000-cc78-11e3-81ab-4c9367dc0958"}),
        ("github", {"X-GitHub-Event": "push"}),
        ("zendesk", {"X-Zendesk-Webhook-Invocation-Id": "01HK6E2W1T5G3X4Y5Z6A7B8C00"}),
    ],
)
def test_who_recorded_a_request_cannot_make_it_count_again_by_a_header_that_is_not_signed(scheme, forged, post, put):
    assert post(signed(scheme)) == 200
    assert post(signed(scheme, headers=forged)) == 200

    assert len(put()) == 1


@pytest.mark.parametrize("scheme", SECRETS)
def test_messages_that_differ_are_put_each(scheme, post, put):
    first = PAYLOADS[scheme] | {"n": 1}
    second = PAYLOADS[scheme] | {"id": "another", "event_id": "another", "n": 2}
    assert post(signed(scheme, first)) == 200
    assert post(signed(scheme, second, message="msg_2")) == 200

    assert [event["detail"]["payload"]["n"] for event in put()] == [1, 2]


def test_the_body_of_a_zendesk_trigger_is_not_known_by_an_id_in_it_which_may_be_the_tickets(post, put):
    assert post(signed("zendesk", {"id": "35440", "type": "incident", "status": "open"})) == 200
    assert post(signed("zendesk", {"id": "35440", "type": "incident", "status": "solved"})) == 200

    assert [event["detail"]["payload"]["status"] for event in put()] == ["open", "solved"]


def test_the_same_id_of_two_providers_is_two_messages(post, put):
    configure(webhook("datadog"), {**webhook("datadog"), "provider": "datadog-eu"})

    assert post(signed("datadog")) == 200
    assert post(signed("datadog") | {"rawPath": "/datadog-eu"}) == 200

    assert {event["source"] for event in put()} == {"webhook.datadog", "webhook.datadog-eu"}


def test_of_two_at_the_same_time_one_is_put_and_the_other_is_to_come_again(post, put, context, monkeypatch):
    event, during = signed("github"), []
    put_event = handler.put_event

    def put_slowly(message):
        monkeypatch.setattr(handler, "put_event", put_event)
        during.append(lambda_handler(event, context)["statusCode"])
        put_event(message)

    monkeypatch.setattr(handler, "put_event", put_slowly)

    assert post(event) == 200
    assert during == [503]
    assert post(event) == 200
    assert len(put()) == 1


# What fails.


def test_an_entry_that_the_bus_does_not_take_is_answered_with_try_again_and_not_remembered(put, context, logs):
    event = signed("stripe")
    with refusal():
        answer = lambda_handler(event, context)

    assert answer["statusCode"] == 503
    assert answer["headers"]["Retry-After"] == "30"
    assert "EventBridge did not take the event: InternalFailure" in logs.getvalue()
    assert put() == []

    assert lambda_handler(event, context)["statusCode"] == 200
    assert len(put()) == 1


@pytest.mark.parametrize(
    ("client", "method"),
    [
        (aws.events, "put_events"),
        (aws.dynamodb, "put_item"),
        (aws.secretsmanager, "get_secret_value"),
        (aws.ssm, "get_parameter"),
    ],
)
def test_an_aws_error_is_answered_with_try_again(client, method, post, put, monkeypatch, logs):
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "No."}}, method)

    def deny(**_: object) -> None:
        raise denied

    secrets.forget_secrets()
    monkeypatch.setattr(client(), method, deny)

    assert post(signed("github")) == 503

    assert put() == []
    assert "AccessDeniedException" in logs.getvalue()
    assert '"level":"ERROR"' in logs.getvalue()


@EACH_SCHEME
def test_without_a_secret_nothing_is_taken(scheme, post, put, logs):
    configure(webhook(scheme, f"secretsmanager:{PREFIX}/empty"))
    boto3.client("secretsmanager").create_secret(Name=f"{PREFIX}/empty", SecretString=" ")
    unsigned = url_request(f"/{scheme}", json.dumps(PAYLOADS[scheme]).encode())
    empty_key = signed(scheme, secret="whsec_" if scheme == "standard" else " ")

    assert [post(signed(scheme)), post(unsigned), post(empty_key)] == [503, 503, 503]

    assert put() == []
    assert f"The secret secretsmanager:{PREFIX}/empty is empty" in logs.getvalue()


def test_an_absent_second_secret_is_no_silent_loss(post, put, logs):
    configure(webhook("github", f"secretsmanager:{PREFIX}/github", f"secretsmanager:{PREFIX}/absent"))

    assert post(signed("github")) == 503

    assert put() == []
    assert f"The secret secretsmanager:{PREFIX}/absent cannot be read" in logs.getvalue()


def test_a_missing_setting_is_named(post, monkeypatch, logs):
    monkeypatch.delenv("WEBHOOKS_PARAMETER")

    assert post(signed("github")) == 503

    assert "WEBHOOKS_PARAMETER: Field required" in logs.getvalue()


# What is malformed.


def test_only_posts_are_taken(post, put):
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "post", ""):
        event = signed("github")
        event["requestContext"]["http"]["method"] = method

        assert post(event) == 405
    assert put() == []


def test_another_path_is_answered_without_saying_which_there_are(put, context):
    for path in (
        "/",
        "/gitlab",
        "/github/",
        "/github/x",
        "//github",
        "/GITHUB",
        "",
        "/github%00",
        "/gíthub",
        "/\ud800",
    ):
        answer = lambda_handler(signed("github") | {"rawPath": path}, context)

        assert answer["statusCode"] == 404
        assert answer["body"] == '{"message": "Not Found"}'


def test_a_malformed_request_is_refused_even_when_it_is_signed(post, put):
    assert post(signed("github", b"{")) == 400
    assert post(signed("github", b"\xff", encoded=True)) == 400
    assert post(signed("github", b'{"a":' * 100_000 + b"1" + b"}" * 100_000)) == 400
    assert post(signed("github", b"{}" + b" " * LARGEST_BODY)) == 413
    assert post(signed("github", headers={"Content-Type": "application/x-www-form-urlencoded"})) == 415
    assert post(signed("github") | {"body": "not base64!", "isBase64Encoded": True}) == 400
    assert post({name: value for name, value in signed("github").items() if name != "body"}) == 401

    assert put() == []


def test_headers_are_found_whatever_their_case(post, put):
    event = signed("zendesk")
    event["headers"] = {name.upper(): value for name, value in event["headers"].items()}

    assert post(event) == 200
    assert len(put()) == 1


def test_slacks_challenge_is_answered_when_it_is_signed_and_nothing_is_put(put, context):
    asked = {
        "token": "Jhj5dZrVaK7ZwHHjRyZWjbDl",
        "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY",
        "type": "url_verification",
    }

    answer = lambda_handler(signed("slack", asked), context)

    assert (answer["statusCode"], answer["body"]) == (200, asked["challenge"])
    assert answer["headers"]["Content-Type"] == "text/plain"
    assert lambda_handler(signed("slack", asked, secret="another"), context)["statusCode"] == 401
    assert put() == []
    assert lambda_handler(signed("stripe", asked), context)["body"] == '{"message": "OK"}'


# What nobody may see.


@EACH_SCHEME
def test_no_secret_signature_or_payload_is_in_a_log_or_an_answer(scheme, put, context, logs, capsys, monkeypatch):
    def unforeseen(*_: object) -> None:
        raise RuntimeError(f"{SECRETS[scheme]} marker-of-the-payload")

    stale, forged = signed(scheme, late=400), signed(scheme, secret=OTHER_SECRETS[scheme])
    broken = signed(scheme, b'{"marker-of-the-payload": ')
    right = signed(scheme)
    answers = [lambda_handler(event, context) for event in (stale, forged, broken)]
    boto3.client("dynamodb").delete_table(TableName="IdempotencyTable")
    answers.append(lambda_handler(right, context))
    monkeypatch.setattr(handler, "put_once", unforeseen)
    answers.append(lambda_handler(right, context))

    assert answers[-1]["statusCode"] == 503
    assert "Failed: RuntimeError" in logs.getvalue()
    seen = json.dumps(answers) + logs.getvalue() + "".join(capsys.readouterr())
    assert "marker" not in seen
    for event in (stale, forged, broken, right):
        for name, value in event["headers"].items():
            if any(part in name for part in ("signature", "token")):
                assert value not in seen, name
                assert value.rpartition("=")[2] not in seen or not value.rpartition("=")[2]


def test_a_put_that_fails_says_the_code_and_not_the_message(post, logs):
    with refusal():
        post(signed("github"))
    denied = Stubber(aws.events())
    denied.add_client_error("put_events", "ValidationException", "1 error: value 'marker-of-the-payload' at 'detail'")
    with denied:
        post(signed("github"))

    assert "ValidationException" in logs.getvalue()
    assert "marker" not in logs.getvalue()


# Anything.

FUZZED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXT = st.text(st.characters(), max_size=40)
HEADERS = sorted({name.lower() for sign in SIGNERS.values() for name in sign(b"", SECRETS["standard"], 0)})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda part: st.lists(part, max_size=4) | st.dictionaries(TEXT, part, max_size=4),
    max_leaves=12,
)


@FUZZED
@given(
    method=st.sampled_from(["POST", "GET"]) | TEXT,
    path=st.sampled_from([f"/{scheme}" for scheme in SECRETS]) | TEXT,
    headers=st.dictionaries(
        st.sampled_from(HEADERS) | TEXT, TEXT | st.sampled_from(["v1,", "sha256=", "t=1,v1=", "0"])
    ),
    body=TEXT | st.none(),
    encoded=st.booleans(),
)
def test_no_request_without_a_right_signature_is_taken_or_breaks_anything(method, path, headers, body, encoded, put):
    event = url_request(path, None, headers, method) | {"isBase64Encoded": encoded}

    answer = lambda_handler(event if body is None else event | {"body": body}, Context())

    assert 400 <= answer["statusCode"] < 500


@FUZZED
@given(
    scheme=st.sampled_from(list(SECRETS)),
    body=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()),
)
def test_no_signed_body_breaks_anything(scheme, body, put):
    answer = lambda_handler(signed(scheme, body, encoded=True), Context())

    assert answer["statusCode"] in {200, 400}


@FUZZED
@given(
    scheme=st.sampled_from([scheme for scheme in SECRETS if scheme != "datadog"]),
    where=st.integers(0),
    byte=st.integers(1, 255),
)
def test_no_byte_of_a_signed_body_can_be_changed(scheme, where, byte, put):
    event = signed(scheme)
    body = bytearray(event["body"].encode())
    body[where % len(body)] ^= byte
    changed = url_request(event["rawPath"], bytes(body), event["headers"], encoded=True)

    assert lambda_handler(changed, Context())["statusCode"] == 401
