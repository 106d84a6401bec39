import json
import time
from dataclasses import dataclass

import pytest
from botocore.exceptions import ClientError
from local.receiver import Answer
from standardwebhooks import Webhook, WebhookVerificationError

from automations import aws
from automations.errors import DeliveryError, InvalidEvent, Rejected, SettingsError
from partner_relay.handler import lambda_handler
from partner_relay.relay import fair_share
from tests.samples import sample
from tests.unit.conftest import Context
from tests.unit.partner_relay import destinations
from tests.unit.partner_relay.destinations import CRM_PATH, KEY, PARAMETER, SUPPORT, put_routes, store_secrets

TICKET = sample("partner_relay/zendesk-ticket-created")


@dataclass
class Running(Context):
    """A context whose time passes."""

    def __post_init__(self) -> None:
        self._end = time.monotonic() + self.seconds_left

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]
        return int((self._end - time.monotonic()) * 1000)


@pytest.fixture
def receiver(web, slack_queue, alerts, monkeypatch):
    """The receiver of all destinations, with their secrets in place; the routes are not."""
    store_secrets(web.url)
    monkeypatch.setenv("ROUTES_PARAMETER", PARAMETER)
    return web


@pytest.fixture
def crm(receiver):
    return destinations.crm(receiver.url)


@pytest.mark.parametrize(
    ("situation", "title", "shown"),
    [
        ("zendesk-ticket-created", "Zendesk ticket 35436: Ticket Created", "high"),
        ("datadog-monitor", "Datadog Triggered: Unhealthy hosts behind the web load balancer", "Alert"),
        ("auth0-log", "Auth0: signup failed", "alice@example.com"),
        ("other-partner", "stripe.com: customer.created", "aws.partner/stripe.com/"),
        ("webhook-github-issue", "GitHub example-org/shop: issue 319 opened: Totals differ by one won", "bob-lee"),
        ("webhook-other", "crm: customer.created", "webhook.crm"),
    ],
)
def test_an_event_is_relayed_to_slack_as_a_readable_message(situation, title, shown, receiver, context):
    put_routes(SUPPORT)

    result = lambda_handler(sample(f"partner_relay/{situation}"), context)

    [post] = receiver.to("/support")
    assert post.json()["text"] == title
    assert shown in json.dumps(post.json()["blocks"])
    assert result == {"destinations": ["support"]}


def test_a_ticket_links_to_the_site_of_its_route(receiver, context):
    put_routes(SUPPORT, site="https://example.zendesk.com")

    lambda_handler(TICKET, context)

    assert "<https://example.zendesk.com/agent/tickets/35436|Open the ticket>" in json.dumps(
        receiver.to("/support")[0].json()
    )


def test_a_slack_destination_may_use_the_webhook_of_the_stack(receiver, slack, context):
    put_routes({"name": "operations", "slack": "default"})

    lambda_handler(TICKET, context)

    assert len(slack.to("/slack")) == 1


def test_without_a_webhook_of_the_stack_such_a_destination_is_named(receiver, crm, context):
    put_routes({"name": "operations", "slack": "default"}, crm)

    with pytest.raises(DeliveryError, match=r"operations: .* Set the stack's SlackWebhookSecret"):
        lambda_handler(TICKET, context)

    assert len(receiver.to(CRM_PATH)) == 1


def test_a_webhook_gets_the_whole_event_with_a_signature_that_the_receiver_can_verify(receiver, crm, context):
    put_routes(crm)

    lambda_handler(TICKET, context)

    [request] = receiver.to(CRM_PATH)
    assert Webhook(KEY).verify(request.body, dict(request.headers)) == TICKET
    assert request.headers["webhook-id"] == TICKET["id"]
    assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 10
    assert request.headers["Content-Type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        Webhook(KEY).verify(request.body.replace(b"35436", b"35437"), dict(request.headers))


@pytest.mark.parametrize("busy", [Answer(429, {"Retry-After": "0"}), Answer(500), Answer(503), Answer(408)])
def test_a_receiver_that_is_busy_is_tried_again_with_the_same_id(busy, receiver, crm, alerts, context):
    put_routes(crm)
    receiver.answer(CRM_PATH, busy)

    lambda_handler(TICKET, context)

    assert [request.headers["webhook-id"] for request in receiver.to(CRM_PATH)] == [TICKET["id"]] * 2
    assert alerts.received() == []


def test_a_receiver_that_asks_for_more_time_than_is_left_is_left_to_the_next_retry(receiver, crm, context):
    put_routes(crm)
    receiver.answer(CRM_PATH, Answer(429, {"Retry-After": "3600"}))

    with pytest.raises(DeliveryError, match="crm did not take the message in 1 attempt; the last: 429"):
        lambda_handler(TICKET, context)

    lambda_handler(TICKET, context)
    assert len(receiver.to(CRM_PATH)) == 2


@pytest.mark.parametrize("status", [410, 400, 404, 302])
def test_a_receiver_that_refuses_is_asked_once_and_reported_and_the_event_fails(
    status, receiver, crm, alerts, context, logs
):
    put_routes(crm)
    receiver.always(CRM_PATH, Answer(status))

    with pytest.raises(Rejected, match=f"crm refused the message: {status}"):
        lambda_handler(TICKET, context)

    assert len(receiver.to(CRM_PATH)) == 1
    [message] = alerts.received()
    assert message["Subject"] == "[WARNING] The destination crm refuses partner events"
    for fact in (f"crm refused the message: {status}", TICKET["source"], PARAMETER, TICKET["id"]):
        assert fact in message["Message"]
    assert "t0ps3cret" not in message["Message"] + logs.getvalue()
    assert '"reason":"Rejected"' in logs.getvalue()


def test_a_refusal_is_reported_once_for_an_event_and_a_corrected_route_gets_it(receiver, crm, alerts, context):
    put_routes(crm)
    receiver.answer(CRM_PATH, *[Answer(410)] * 2)

    for _ in range(2):
        with pytest.raises(Rejected):
            lambda_handler(TICKET, context)
    lambda_handler(TICKET, context)

    assert len(alerts.received()) == 1
    assert len(receiver.to(CRM_PATH)) == 3


def test_two_destinations_that_are_the_same_channel_are_both_counted(receiver, context):
    put_routes(SUPPORT, SUPPORT | {"name": "night-watch"})

    lambda_handler(TICKET, context)

    assert [post.json()["text"] for post in receiver.to("/support")] == [
        "Zendesk ticket 35436: Ticket Created (and 1 more like it)"
    ]


@pytest.mark.parametrize("refusal", [Answer(410), Answer(429, {"Retry-After": "3600"})])
def test_a_destination_that_fails_does_not_stop_the_others_and_only_it_is_tried_again(refusal, receiver, crm, context):
    put_routes(crm, SUPPORT)
    receiver.answer(CRM_PATH, refusal)

    with pytest.raises(DeliveryError, match=r"1 of 2 deliveries failed\. crm: "):
        lambda_handler(TICKET, context)
    assert len(receiver.to("/support")) == 1

    lambda_handler(TICKET, context)

    assert len(receiver.to(CRM_PATH)) == 2
    assert len(receiver.to("/support")) == 1


def test_a_slow_receiver_leaves_time_for_the_others(receiver, crm):
    put_routes(crm, SUPPORT)
    receiver.always(CRM_PATH, Answer(delay=30))

    with pytest.raises(DeliveryError, match=r"1 of 2 deliveries failed\. crm: .* no answer \(ReadTimeout\)"):
        lambda_handler(TICKET, Running(seconds_left=4.5))  # of which three are kept back

    assert len(receiver.to("/support")) == 1


def test_the_time_left_is_shared_among_the_destinations_still_to_come():
    left = [60.0]
    share = fair_share(lambda: left[0], 3)

    assert share() == pytest.approx(20)
    left[0] = 45
    assert share() == pytest.approx(5)
    assert fair_share(lambda: left[0], 1)() == 45


def test_the_same_event_twice_is_relayed_once(receiver, crm, context):
    put_routes(crm, SUPPORT)

    lambda_handler(TICKET, context)
    lambda_handler(TICKET, context)

    assert (len(receiver.to(CRM_PATH)), len(receiver.to("/support"))) == (1, 1)


def test_a_webhook_that_is_put_on_the_bus_twice_is_relayed_once(receiver, crm, context):
    """Under another id, as after a crash of webhook_receiver, or as a replay."""
    put_routes(crm, SUPPORT)
    event = sample("partner_relay/webhook-github-issue")

    lambda_handler(event, context)
    lambda_handler(event | {"id": "00000000-2b7e-4f37-9d0c-61f0a9b1d103"}, context)
    assert (len(receiver.to(CRM_PATH)), len(receiver.to("/support"))) == (1, 1)

    lambda_handler(event | {"source": "webhook.another"}, context)
    assert (len(receiver.to(CRM_PATH)), len(receiver.to("/support"))) == (2, 2)


def test_a_replayed_event_is_relayed_no_second_time_whatever_its_id(receiver, crm, context):
    put_routes(crm)

    lambda_handler(TICKET, context)
    lambda_handler(TICKET | {"replay-name": "again", "id": "0c6ba0c2-6a1a-4f0a-9a3c-0f6f7f4f0001"}, context)

    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"time": "2026-11-22T03:00:01Z"},
        {"source": "aws.partner/zendesk.com/123/other"},
        {"detail-type": "Support Ticket: Comment Created"},
        {"detail": TICKET["detail"] | {"more": 1}},
    ],
)
def test_events_that_differ_in_anything_but_the_id_are_both_relayed(other, receiver, crm, context):
    put_routes(crm)

    lambda_handler(TICKET, context)
    lambda_handler(TICKET | other, context)

    assert len(receiver.requests) == 2


def test_an_event_that_no_route_takes_is_left_alone(receiver, context, logs):
    put_routes(SUPPORT, detail_type="Auth0 log")

    assert lambda_handler(TICKET, context) == {"destinations": []}

    assert receiver.requests == []
    assert "No route takes this event" in logs.getvalue()
    assert TICKET["id"] in logs.getvalue()


def test_absent_routes_are_named(receiver, context):
    with pytest.raises(SettingsError, match=rf"The parameter {PARAMETER} cannot be read \(.*ParameterNotFound"):
        lambda_handler(TICKET, context)


def test_bad_routes_are_named_and_fail_the_event(receiver, crm, context, logs):
    put_routes(SUPPORT, crm | {"secret": "whsec_t0ps3cret"})

    with pytest.raises(SettingsError, match=r"routes\.0\.destinations\.1\.webhook\.secret: "):
        lambda_handler(TICKET, context)

    assert receiver.requests == []
    assert "routes.0.destinations.1.webhook.secret" in logs.getvalue()
    assert "t0ps3cret" not in logs.getvalue()


def test_an_absent_secret_is_named_and_fails_only_its_destination(receiver, crm, context):
    put_routes(crm | {"secret": "secretsmanager:eventbridge-automations/partner/absent"}, SUPPORT)

    with pytest.raises(DeliveryError, match="crm: The secret secretsmanager:eventbridge-automations/partner/absent"):
        lambda_handler(TICKET, context)

    assert receiver.to(CRM_PATH) == []
    assert len(receiver.to("/support")) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": "com.example.shop"}, "source: String should match pattern"),
        ({"id": "a.b"}, "id: String should match pattern"),
        ({"detail": "closed"}, "detail: Input should be a valid dictionary"),
        ({"time": "yesterday"}, "time: Input should be a valid datetime"),
    ],
)
def test_a_malformed_event_is_refused_by_the_name_of_its_field(change, said, receiver, context, logs):
    put_routes(SUPPORT)

    with pytest.raises(InvalidEvent, match=said):
        lambda_handler(TICKET | change, context)

    assert receiver.requests == []
    assert said in logs.getvalue()


def test_a_detail_that_cannot_be_shown_fails_slack_and_still_reaches_the_webhook(receiver, crm, context, logs):
    put_routes(SUPPORT, crm)

    with pytest.raises(DeliveryError, match=r"support: .* detail\.ticket_event\.ticket\.id: Field required"):
        lambda_handler(TICKET | {"detail": {"ticket_event": {"ticket": {"subject": "t0ps3cret"}}}}, context)

    assert len(receiver.to(CRM_PATH)) == 1
    assert "t0ps3cret" not in logs.getvalue()


def test_payload_addresses_and_secrets_are_not_logged(receiver, crm, context, logs):
    put_routes(SUPPORT, crm)
    receiver.answer(CRM_PATH, Answer(400, body=b"cannot read 20978392"))

    with pytest.raises(Rejected):
        lambda_handler(TICKET, context)
    lambda_handler(TICKET, context)

    for hidden in ("ORDER-2026-1109", "20978392", receiver.url, "t0ps3cret", KEY):
        assert hidden not in logs.getvalue()
    assert TICKET["id"] in logs.getvalue()


def test_an_aws_error_fails_the_event(receiver, context, monkeypatch):
    put_routes(SUPPORT)
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "No."}}, "PutItem")

    def deny(**_: object) -> None:
        raise denied

    monkeypatch.setattr(aws.dynamodb(), "put_item", deny)

    with pytest.raises(DeliveryError, match="support: "):
        lambda_handler(TICKET, context)

    assert receiver.requests == []


def test_a_missing_setting_is_named(receiver, context, monkeypatch):
    monkeypatch.delenv("ROUTES_PARAMETER")

    with pytest.raises(SettingsError, match="ROUTES_PARAMETER: Field required"):
        lambda_handler(TICKET, context)
