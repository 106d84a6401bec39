import json
from datetime import UTC, datetime

import boto3
import pytest
from standardwebhooks import Webhook

from automations.errors import SecretError
from automations.events.partner import PartnerEvent
from partner_relay.webhook import body, headers, signer
from tests.samples import sample


def test_the_signature_is_that_of_the_published_example():
    """https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/python/tests/test_webhooks.py"""
    signed = headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        datetime.fromtimestamp(1614265330, UTC),
    )

    assert signed["webhook-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert signed["webhook-timestamp"] == "1614265330"
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("situation", ["zendesk-ticket-created", "datadog-monitor", "auth0-log", "other-partner"])
def test_the_body_is_the_whole_event_as_it_came(situation):
    event = sample(f"partner_relay/{situation}") | {"something-new": [1.5, None, "한글"]}

    content = body(PartnerEvent.model_validate(event))

    assert json.loads(content) == event
    assert b'": ' not in content


def test_a_text_with_half_a_character_which_json_allows_is_passed_on_as_it_came():
    event = sample("partner_relay/other-partner", text="\ud800")

    assert json.loads(body(PartnerEvent.model_validate(event))) == event


@pytest.mark.parametrize("key", ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"])
def test_a_key_is_read_with_its_prefix_and_without(key, cloud):
    boto3.client("secretsmanager").create_secret(Name="key", SecretString=key)

    signature = signer("secretsmanager:key").sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, UTC), '{"test": 2432232314}'
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("key", ["whsec_", "whsec_not base64!", "비밀", "whsec_dG9vIHNob3J0"])
def test_a_secret_that_is_no_signing_key_is_named_and_not_shown(key, cloud):
    boto3.client("secretsmanager").create_secret(Name="key", SecretString=key)

    with pytest.raises(SecretError, match="secretsmanager:key holds no signing key: write whsec_") as caught:
        signer("secretsmanager:key")

    assert key.removeprefix("whsec_") not in str(caught.value) or key == "whsec_"
