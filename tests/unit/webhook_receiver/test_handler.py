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
from tests.unit.conftest import Context
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
from webhook_receiver import handler, message
from webhook_receiver.handler import lambda_handler
from webhook_receiver.request import LARGEST_BODY
from webhook_receiver.webhooks import Webhook

PARAMETER = "/eventbridge-automations/webhooks"
PREFIX = "eventbridge-automations/webhook"
EACH_SCHEME = pytest.mark.parametrize("scheme", SECRETS)
TIMED = ("standard", "stripe", "slack", "zendesk")
OTHER_SECRETS = dict.fromkeys(SECRETS, "another") | {"standard": "whsec_YW5vdGhlci1zaWduaW5nLWtleS0wMDAwMDI="}


def configure(*webhooks: dict[str, Any]) -> None:
    secrets.forget_secrets()
    boto3.client("ssm").put_parameter(Name=PARAMETER, Value=json.dumps(webhooks), Type="String", Overwrite=True)


def webhook(scheme: str, *references: str) -> dict[str, Any]:
    return {
        "provider": scheme,
        "scheme": scheme,
        "secrets": references or [f"secretsmanager:{PREFIX}/{scheme}"],
    }


@pytest.fixture
def put(idempotency_table, monkeypatch):
    """What was put on the application bus so far, when it is called; a webhook of each scheme is configured."""
    monkeypatch.setenv("APPLICATION_BUS", "application")
    monkeypatch.setenv("WEBHOOKS_PARAMETER", PARAMETER)
    for scheme, secret in SECRETS.items():
        boto3.client("secretsmanager").create_secret(Name=f"{PREFIX}/{scheme}", SecretString=secret)
    configure(*map(webhook, SECRETS))
    events, sqs = boto3.client("events"), boto3.client("sqs")
    events.create_event_bus(Name="application")
    queue = sqs.create_queue(QueueName="bus")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = json.dumps({"source": [{"prefix": "webhook."}]})
    events.put_rule(Name="all", EventBusName="application", EventPattern=pattern)
    events.put_targets(Rule="all", EventBusName="application", Targets=[{"Id": "bus", "Arn": arn}])
    found: list[dict[str, Any]] = []

    def read():
        while batch := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for item in batch:
                found.append(json.loads(item["Body"]))
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=item["ReceiptHandle"])
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
    assert post(signed("zendesk", {"id": "35440", "status": "open"})) == 200
    assert post(signed("zendesk", {"id": "35440", "status": "solved"})) == 200

    assert [event["detail"]["payload"]["status"] for event in put()] == ["open", "solved"]
    assert [event["detail-type"] for event in put()] == ["Webhook", "Webhook"]


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
@pytest.mark.parametrize("text", ["", "  "])
def test_without_a_secret_nothing_is_taken(scheme, text, post, put, logs):
    """Secrets Manager keeps an empty text; moto says so, too."""
    configure(webhook(scheme, f"secretsmanager:{PREFIX}/empty"))
    boto3.client("secretsmanager").create_secret(Name=f"{PREFIX}/empty", SecretString=text or " ")
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


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "webhooks: Invalid JSON"),
        ("{}", "webhooks: Input should be a valid"),
        ([webhook("github"), webhook("github")], "each provider has one entry; not so github"),
        ([webhook("github") | {"provider": "GitHub"}], "webhooks.0.provider: String should match pattern"),
        ([webhook("github") | {"provider": ""}], "webhooks.0.provider: String should match pattern"),
        ([webhook("github") | {"scheme": "none"}], "webhooks.0.scheme: Input should be "),
        ([webhook("github") | {"secrets": []}], "webhooks.0.secrets: "),
        ([webhook("github", "ssm:/a", "ssm:/b", "ssm:/c")], "webhooks.0.secrets: "),
        ([webhook("github") | {"secret": "x"}], "webhooks.0.secret: Extra inputs are not permitted"),
        ([webhook("github", SECRETS["github"])], "webhooks.0.secrets.0: Value error, write secretsmanager:NAME"),
    ],
)
def test_bad_webhooks_are_named_without_their_values_and_nothing_is_taken(value, said, post, put, logs):
    text = value if isinstance(value, str) else json.dumps(value)
    secrets.forget_secrets()
    boto3.client("ssm").put_parameter(Name=PARAMETER, Value=text or " ", Type="String", Overwrite=True)

    assert post(signed("github")) == 503

    assert put() == []
    assert f"Bad webhooks in the parameter {PARAMETER}. " in logs.getvalue()
    assert said in logs.getvalue()
    assert "marker" not in logs.getvalue()


def test_a_missing_setting_is_named(post, monkeypatch, logs):
    monkeypatch.delenv("WEBHOOKS_PARAMETER")

    assert post(signed("github")) == 503

    assert "WEBHOOKS_PARAMETER: Field required" in logs.getvalue()


# What is malformed.


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_only_posts_are_taken(method, post, put):
    event = signed("github")
    event["requestContext"]["http"]["method"] = method

    assert post(event) == 405
    assert put() == []


@pytest.mark.parametrize(
    "path", ["/", "/gitlab", "/github/", "/github/x", "//github", "/GITHUB", "", "/github%00", "/gíthub"]
)
def test_another_path_is_answered_without_saying_which_there_are(path, put, context):
    answer = lambda_handler(signed("github") | {"rawPath": path}, context)

    assert answer["statusCode"] == 404
    assert answer["body"] == '{"message": "Not Found"}'


DEEP = b'{"a":' * 150 + b"1" + b"}" * 150


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"[1]", 400),
        (b'"text"', 400),
        (b"null", 400),
        (b"payload=%7B%7D", 400),
        (b"\xff\xfe", 400),
        ('{"a":1}'.encode("utf-16"), 400),
        (b'{"a": NaN}', 400),
        (b'{"a": Infinity}', 400),
        (b'{"a": -Infinity}', 400),
        (b'{"a": 1e999}', 400),
        (b'{"a": 9223372036854775808}', 400),
        (b'{"a": -9223372036854775809}', 400),
        (b'{"a": ' + b"9" * 5000 + b"}", 400),
        (b'{"a": "\\ud800"}', 400),
        (b'{"\\ud800": 1}', 400),
        (b'{"a": 1, "a": 2}', 400),
        (b'{"a": {"b": 1, "b": 1}}', 400),
        (DEEP, 400),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400),
        (b'{"a":' + b"[" * 100_000, 400),
        (b"{}" + b" " * LARGEST_BODY, 413),
        (b'{"a": 9223372036854775807, "b": -9223372036854775808, "c": 1.5e300}', 200),
        (b'{"a":' * 99 + b"1" + b"}" * 99, 200),
        ('{"a": "한글 😀"}'.encode(), 200),
        (b"{}", 200),
    ],
)
@pytest.mark.parametrize("scheme", ["github", "stripe"])
def test_a_body_that_is_no_clean_json_object_is_refused_even_when_it_is_signed(scheme, body, status, post, put):
    assert post(signed(scheme, body, encoded=True)) == status

    assert len(put()) == (status == 200)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("application/cloudevents+json", 200),
        ("application/x-www-form-urlencoded", 415),
        ("text/plain", 415),
        ("", 415),
        ("한글", 415),
    ],
)
def test_a_body_must_say_that_it_is_json(content_type, status, post):
    assert post(signed("github", headers={"Content-Type": content_type})) == status


def test_a_body_that_is_not_the_base64_that_it_says_is_refused(post, put):
    for text in ("not base64!", "AAA", "한글", "\ud800"):
        assert post(signed("github") | {"body": text, "isBase64Encoded": True}) == 400
    assert post(signed("github") | {"body": "\ud800"}) == 400
    assert post({name: value for name, value in signed("github").items() if name != "body"}) == 401

    assert put() == []


def test_headers_are_found_whatever_their_case(post, put):
    event = signed("zendesk")
    event["headers"] = {name.upper(): value for name, value in event["headers"].items()}

    assert post(event) == 200
    assert len(put()) == 1


def test_an_event_that_would_be_too_large_for_the_bus_is_refused(post, put):
    number = b"1E5"  # which is written as 100000.0
    body = b'{"a":[' + b",".join([number] * 200_000) + b"]}"
    assert len(body) < LARGEST_BODY

    assert post(signed("github", body)) == 413

    assert put() == []


def test_the_largest_body_makes_an_entry_that_the_bus_takes():
    payload = {"text": "x" * (LARGEST_BODY - 11)}
    request = handler.read_request(signed("standard", payload, message="m" * 256))
    made = message.entry(
        Webhook.model_validate(webhook("standard") | {"provider": "p" * 64}), request, payload, "m" * 256, "bus"
    )

    assert len(request.body) == LARGEST_BODY
    assert len(json.dumps(made)) < 1_000_000


# What the event is called.


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("issues", "issues"),
        ("x" * 200, "x" * 128),
        ("push\nforged: yes", "push?forged: yes"),
        ("푸시", "??"),
        ("   ", "Webhook"),
        ("", "Webhook"),
    ],
)
def test_the_detail_type_is_one_short_line(given, kind, post, put):
    assert post(signed("github", headers={"X-GitHub-Event": given})) == 200

    assert put()[0]["detail-type"] == kind


@pytest.mark.parametrize("kind", [None, 1, ["x"], {"type": "x"}, True])
@EACH_SCHEME
def test_what_does_not_say_what_it_is_has_a_detail_type_all_the_same(scheme, kind, post, put):
    payload = {"type": kind, "event_type": kind, "event": kind, "id": kind, "event_id": kind}

    assert post(signed(scheme, payload, headers={"X-GitHub-Event": ""})) == 200

    expected = "x" if scheme == "slack" and isinstance(kind, dict) else "Webhook"
    assert put()[0]["detail-type"] == expected


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

FUZZED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    scheme=st.sampled_from(list(SECRETS)),
    payload=st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("id", "type", "event_id", "event_type", "event", "challenge"), JSON)
    ),
    kind=TEXT,
)
def test_no_payload_of_an_unforeseen_form_breaks_anything(scheme, payload, kind, put):
    answer = lambda_handler(signed(scheme, payload, headers={"X-GitHub-Event": kind}), Context())

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
