import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from slack_sdk.signature import SignatureVerifier
from standardwebhooks import Webhook

from automations.errors import SecretError
from tests.unit.webhook_receiver.requests import KEY, SECRETS, SIGNERS
from webhook_receiver.signatures import SCHEMES, BadSignature, Signed

NOW = datetime(2026, 11, 12, 4, 5, 15, tzinfo=UTC)
BODY = '{"text": "한글"}'.encode()
TIMED = ("standard", "stripe", "slack", "zendesk")
SIGNED = (*TIMED, "github")


def made(scheme: str, at: datetime = NOW, secret: str = "", body: bytes = BODY) -> Signed:
    headers = SIGNERS[scheme](body, secret or SECRETS[scheme], at.timestamp())
    return Signed({name.lower(): value for name, value in headers.items()}, body)


def verify(scheme: str, request: Signed, *secrets: str, now: datetime = NOW) -> bytes:
    return SCHEMES[scheme](request, secrets or [SECRETS[scheme]], now)


def changed(request: Signed, **headers: str | None) -> Signed:
    """The request with other headers (`_` stands for `-`), None for an absent one."""
    new = {name.replace("_", "-"): value for name, value in headers.items()}
    kept = {name: value for name, value in {**request.headers, **new}.items() if value is not None}
    return Signed(kept, request.body)


# Published examples. Stripe, Zendesk and Datadog publish none that has secret, body and signature.


def test_the_example_of_standard_webhooks_is_right():
    """https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/python/tests/test_webhooks.py"""
    request = Signed(
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        b'{"test": 2432232314}',
    )

    covered = verify(
        "standard", request, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", now=datetime.fromtimestamp(1614265330, UTC)
    )

    assert covered == b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'


def test_the_example_of_github_is_right():
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation"""
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

    verify("github", Signed({"x-hub-signature-256": signature}, b"Hello, World!"), "It's a Secret to Everybody")


def test_the_example_of_slack_is_right():
    """https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
        b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
        b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "x-slack-request-timestamp": "1531420618",
        "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }

    verify(
        "slack", Signed(headers, body), "8f742231b10e8888abcd99yyyzzz85a5", now=datetime.fromtimestamp(1531420618, UTC)
    )


# The providers' own libraries, as far as they are here, agree.


def test_what_the_library_of_standard_webhooks_signs_is_right():
    signature = Webhook(KEY).sign("msg_2", NOW, BODY.decode())
    headers = {"webhook-id": "msg_2", "webhook-timestamp": str(int(NOW.timestamp())), "webhook-signature": signature}

    verify("standard", Signed(headers, BODY))


def test_what_slacks_library_signs_is_right():
    timestamp = str(int(NOW.timestamp()))
    signature = SignatureVerifier(SECRETS["slack"]).generate_signature(timestamp=timestamp, body=BODY)

    verify("slack", Signed({"x-slack-request-timestamp": timestamp, "x-slack-signature": signature or ""}, BODY))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_right_request_is_taken_with_either_of_two_secrets_and_with_no_other(scheme):
    other = "whsec_YW5vdGhlci1zaWduaW5nLWtleS0wMDAwMDI=" if scheme == "standard" else "another"

    assert verify(scheme, made(scheme)).endswith(BODY)
    assert verify(scheme, made(scheme), SECRETS[scheme], other)
    assert verify(scheme, made(scheme), other, SECRETS[scheme])
    with pytest.raises(BadSignature):
        verify(scheme, made(scheme), other)


@pytest.mark.parametrize("scheme", SIGNED)
def test_a_changed_body_is_refused(scheme):
    request = made(scheme)
    for body in (BODY + b" ", BODY[:-1], b"", BODY.replace(b"text", b"Text")):
        with pytest.raises(BadSignature):
            verify(scheme, Signed(request.headers, body))


@pytest.mark.parametrize("scheme", SIGNED)
def test_bytes_that_are_no_text_are_signed_as_they_are(scheme):
    body = b"\xff\x00\xfe"

    assert verify(scheme, made(scheme, body=body)).endswith(body)


@pytest.mark.parametrize("scheme", TIMED)
@pytest.mark.parametrize("way", [1, -1])
def test_a_request_of_five_minutes_ago_or_ahead_is_taken_and_of_a_second_more_is_not(scheme, way):
    edge = timedelta(minutes=5) * way

    verify(scheme, made(scheme, NOW + edge))
    with pytest.raises(BadSignature, match="too old or too new"):
        verify(scheme, made(scheme, NOW + edge + timedelta(seconds=1) * way))


@pytest.mark.parametrize("scheme", TIMED)
def test_a_timestamp_that_was_not_signed_is_refused(scheme):
    old, new = made(scheme, NOW - timedelta(hours=1)), made(scheme)
    fresh = {name: value for name, value in new.headers.items() if "timestamp" in name}
    if scheme == "stripe":
        fresh = {
            "stripe-signature": old.headers["stripe-signature"].replace(
                str(int(NOW.timestamp()) - 3600), str(int(NOW.timestamp()))
            )
        }

    with pytest.raises(BadSignature, match="No signature is right"):
        verify(scheme, Signed({**old.headers, **fresh}, BODY))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_header_of_the_scheme_must_be_there(scheme):
    request = made(scheme)
    for name in request.headers:
        if not name.startswith(("x-github", "x-zendesk-webhook-invocation")):
            for value in (None, ""):
                with pytest.raises(BadSignature):
                    verify(scheme, changed(request, **{name: value}))


@pytest.mark.parametrize(
    "timestamp", ["", "now", "1e9", "-1", "nan", "1794456315.5", " 1794456315", "9" * 30, "١٧٩٤٤٥٦٣١٥"]
)
def test_a_timestamp_that_is_no_number_of_seconds_is_refused_even_when_it_is_signed(timestamp):
    content = b"v0:" + timestamp.encode() + b":" + BODY
    signature = hmac.new(SECRETS["slack"].encode(), content, hashlib.sha256).hexdigest()
    headers = {"x-slack-request-timestamp": timestamp, "x-slack-signature": f"v0={signature}"}

    with pytest.raises(BadSignature):
        verify("slack", Signed(headers, BODY))


@pytest.mark.parametrize(
    "timestamp",
    ["1794456315", "2026-11-12", "2026-11-12T04:05:15", "2026-11-12T04:05:15+00:00", "2026-02-30T04:05:15Z"],
)
def test_a_timestamp_of_zendesk_that_is_no_time_in_utc_is_refused_even_when_it_is_signed(timestamp):
    digest = hmac.new(SECRETS["zendesk"].encode(), timestamp.encode() + BODY, hashlib.sha256).digest()
    headers = {
        "x-zendesk-webhook-signature": base64.b64encode(digest).decode(),
        "x-zendesk-webhook-signature-timestamp": timestamp,
    }

    with pytest.raises(BadSignature, match="not a time in UTC"):
        verify("zendesk", Signed(headers, BODY))


def test_one_right_signature_among_several_is_enough():
    standard, stripe = made("standard"), made("stripe")
    right = standard.headers["webhook-signature"]

    verify("standard", changed(standard, webhook_signature=f"v1a,AAAA v1,{'A' * 44} {right} v2,x"))
    right = stripe.headers["stripe-signature"].split(",")[1]
    verify("stripe", changed(stripe, stripe_signature=f"t={int(NOW.timestamp())},v1={'0' * 64},{right},v2=x"))


def test_a_second_timestamp_of_stripe_is_refused():
    request = made("stripe")

    with pytest.raises(BadSignature, match="no timestamp"):
        verify("stripe", changed(request, stripe_signature=f"{request.headers['stripe-signature']},t=1"))


@pytest.mark.parametrize(
    ("scheme", "header", "version", "others"),
    [
        ("standard", "webhook-signature", "v1,", ["v1a,", "v2,", "V1,", "", ","]),
        ("github", "x-hub-signature-256", "sha256=", ["sha1=", "SHA256=", "", "="]),
        ("stripe", "stripe-signature", "v1=", ["v0=", "v2=", "", "="]),
        ("slack", "x-slack-signature", "v0=", ["v1=", "", "="]),
    ],
)
def test_a_right_digest_under_another_version_is_ignored(scheme, header, version, others):
    request = made(scheme)
    for other in others:
        with pytest.raises(BadSignature):
            verify(scheme, changed(request, **{header: request.headers[header].replace(version, other)}))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("value", [",", "=", "t=", "v1,", "a b c", "é", "\ud800", "\x00", "v1=" * 500, "t=1,t=2,v1=x"])
def test_any_other_text_in_a_header_is_refused(scheme, value):
    request = made(scheme)
    for name in request.headers:
        if not name.startswith(("x-github", "x-zendesk-webhook-invocation")):
            with pytest.raises(BadSignature):
                verify(scheme, changed(request, **{name: value}))


def test_an_id_with_a_full_stop_is_refused_for_it_could_move_the_bounds_of_what_is_signed():
    request = made("standard")
    with pytest.raises(BadSignature, match="webhook-id"):
        verify("standard", changed(request, webhook_id="msg.1"))


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64!", "비밀"])
def test_a_secret_that_is_no_key_of_standard_webhooks_is_an_error_and_not_shown(secret):
    with pytest.raises(SecretError) as caught:
        verify("standard", made("standard"), secret)

    assert secret.removeprefix("whsec_") not in str(caught.value) or secret == "whsec_"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_wrong_is_said_without_secret_or_signature(scheme):
    request = made(scheme, NOW - timedelta(hours=1))
    with pytest.raises(BadSignature) as caught:
        verify(scheme, Signed(request.headers, b"x"), "whsec_AAAA" if scheme == "standard" else "another")

    for hidden in (SECRETS[scheme], *request.headers.values()):
        assert hidden not in str(caught.value)
