"""What is made of a verified request, without AWS."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automations.events.webhook import WebhookDetail
from tests.unit.webhook_receiver.requests import SECRETS, signed
from webhook_receiver import message
from webhook_receiver.request import LARGEST_BODY, Refusal, Request, read_request
from webhook_receiver.webhooks import Webhook

EACH_SCHEME = pytest.mark.parametrize("scheme", SECRETS)


def configured(scheme: str, provider: str = "provider") -> Webhook:
    return Webhook.model_validate({"provider": provider, "scheme": scheme, "secrets": ["ssm:/secret"]})


def request(body: bytes = b"{}", scheme: str = "github", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_request(signed(scheme, body, headers=named, encoded=True))


def status_of(call: Any, *given: Any) -> int:
    with pytest.raises(Refusal) as caught:
        call(*given)
    return int(caught.value.status)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[1]",
        b'"text"',
        b"null",
        b"payload=%7B%7D",
        b"\xff\xfe",
        '{"a":1}'.encode("utf-16"),
        b'\xef\xbb\xbf{"a":1}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 9223372036854775808}',
        b'{"a": -9223372036854775809}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a":' * 101 + b"1" + b"}" * 101,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"a":' + b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:30]),
)
def test_a_body_that_is_no_clean_json_object_is_refused(body):
    assert status_of(message.read_payload, request(body)) == 400


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b' {"a": 9223372036854775807, "b": -9223372036854775808, "c": 1.5e300, "d": true, "e": null} ',
        b'{"a":' * 100 + b"1" + b"}" * 100,
        '{"a": "한글 😀 \\ud83d\\ude00"}'.encode(),
    ],
    ids=lambda body: repr(body[:30]),
)
def test_any_other_object_is_passed_on_as_it_is(body):
    payload = message.read_payload(request(body))

    entry = message.entry(configured("github"), request(body), payload, "1", "bus")

    assert json.loads(entry["Detail"])["payload"] == json.loads(body)


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", "application/cloudevents+json"]
)
def test_a_body_may_be_json_of_any_kind(content_type):
    assert message.read_payload(request(content_type=content_type)) == {}


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "", "한글", "json"])
def test_a_body_must_say_that_it_is_json(content_type):
    assert status_of(message.read_payload, request(content_type=content_type)) == 415


@pytest.mark.parametrize("text", ["not base64!", "AAA", "한글", "\ud800", "QUJD\n"])
def test_a_body_that_is_not_the_base64_that_it_says_is_refused(text):
    assert status_of(read_request, signed("github") | {"body": text, "isBase64Encoded": True}) == 400


def test_a_body_with_half_a_character_is_refused():
    assert status_of(read_request, signed("github") | {"body": "\ud800"}) == 400


def test_an_event_that_would_be_too_large_for_the_bus_is_refused():
    body = b'{"a":[' + b",".join([b"1E5"] * 200_000) + b"]}"  # each number is written as 100000.0
    given = request(body)

    assert len(body) < LARGEST_BODY
    assert status_of(message.entry, configured("github"), given, message.read_payload(given), "1", "bus") == 413


def test_the_largest_body_makes_an_entry_that_the_bus_takes():
    given = request(json.dumps({"text": "x" * (LARGEST_BODY - 12)}).encode())
    payload = message.read_payload(given)

    entry = message.entry(configured("standard", "p" * 64), given, payload, "m" * 256, "bus")

    assert len(given.body) == LARGEST_BODY
    assert len(json.dumps(entry)) < 1_000_000


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
def test_the_detail_type_is_one_short_line(given, kind):
    assert message.kind(configured("github"), request(x_github_event=given), {}) == kind
    assert message.kind(configured("stripe"), request(scheme="stripe"), {"type": given}) == kind


@pytest.mark.parametrize("kind", [None, 1, ["x"], {"type": 1}, True])
@EACH_SCHEME
def test_what_does_not_say_what_it_is_has_a_detail_type_all_the_same(scheme, kind):
    payload = {"type": kind, "event_type": kind, "event": kind}

    assert message.kind(configured(scheme), request(scheme=scheme, x_github_event=""), payload) == "Webhook"


@pytest.mark.parametrize("sent", [None, 1, "", "x" * 257, ["x"], {}])
@pytest.mark.parametrize("scheme", [scheme for scheme in SECRETS if scheme != "standard"])
def test_a_message_without_an_id_is_known_by_what_was_signed(scheme, sent):
    payload = {"id": sent, "event_id": sent, "type": "zen:event-type:ticket.created"}

    ids = {message.message_id(configured(scheme), request(scheme=scheme), payload, covered) for covered in (b"1", b"2")}

    assert len(ids) == 2
    assert all(one.startswith("sha256:") for one in ids)


PART = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=10), part, max_size=3),
    max_leaves=8,
)
FIELDS = ("id", "type", "event_id", "event_type", "event", "challenge")


@settings(max_examples=150, deadline=None)
@given(
    scheme=st.sampled_from(list(SECRETS)),
    payload=st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, PART)),
    kind=st.text(st.characters(), max_size=200),
)
def test_any_payload_makes_an_entry_or_is_refused(scheme, payload, kind):
    given, webhook = request(json.dumps(payload).encode(), scheme, x_github_event=kind), configured(scheme)

    try:
        read = message.read_payload(given)
        sent = message.message_id(webhook, given, read, given.body)
        entry = message.entry(webhook, given, read, sent, "bus")
    except Refusal as refusal:
        assert refusal.status == 400  # noqa: PT017 # or it is taken
    else:
        WebhookDetail.model_validate_json(entry["Detail"])
        assert entry["Source"] == "webhook.provider"
        assert 0 < len(entry["DetailType"]) <= 128
        assert len(sent) <= 256
        message.challenge(webhook, read)
