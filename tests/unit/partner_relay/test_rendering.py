import json
from typing import Any

import pytest

from automations.errors import InvalidEvent
from automations.events.partner import PartnerEvent
from automations.notify import Message, Severity, slack
from partner_relay.rendering import render
from tests.samples import put, sample


def shown(situation: str, site: str | None = None, **changed: Any) -> Message:
    """The message for a sample event whose detail is changed, as `put` does."""
    event = sample(f"partner_relay/{situation}")
    put(event["detail"], **changed)
    return render(PartnerEvent.model_validate(event), site)


def test_a_zendesk_ticket_is_shown_with_what_its_event_has():
    message = shown("zendesk-ticket-created")

    assert message.title == "Zendesk ticket 35436: Ticket Created"
    assert message.facts == {
        "Event": "Ticket Created",
        "Priority": "high",
        "Status": "new",
        "Type": "incident",
        "Requester": "20978392",
        "Assignee": "235323",
        "Group": "98738",
        "Organization": "10002",
        "External id": "ORDER-2026-1109",
        "Tags": "checkout, enterprise",
    }
    assert message.link is None


@pytest.mark.parametrize("site", ["https://example.zendesk.com", "https://example.zendesk.com/"])
def test_a_zendesk_ticket_has_a_link_when_the_route_names_the_site(site):
    link = shown("zendesk-ticket-created", site).link

    assert link
    assert link.url == "https://example.zendesk.com/agent/tickets/35436"


@pytest.mark.parametrize(
    ("requester", "who"),
    [
        ({"name": "Alice Kim", "email": "alice@example.com"}, "Alice Kim (alice@example.com)"),
        ({"name": "Alice Kim"}, "Alice Kim"),
        ({"email": "alice@example.com"}, "alice@example.com"),
        ({}, "20978392"),
    ],
)
def test_subject_and_requester_of_a_ticket_are_shown_where_an_event_has_them(requester, who):
    message = shown(
        "zendesk-ticket-created", ticket_event__ticket__subject="Cannot pay", ticket_event__ticket__requester=requester
    )

    assert message.title == "Zendesk ticket 35436: Cannot pay"
    assert message.facts["Requester"] == who


@pytest.mark.parametrize(
    ("priority", "status", "severity"),
    [
        ("urgent", "new", Severity.CRITICAL),
        ("high", "open", Severity.WARNING),
        ("normal", "open", Severity.INFO),
        (None, "open", Severity.INFO),
        ("urgent", "solved", Severity.INFO),
    ],
)
def test_a_ticket_is_as_severe_as_its_priority_until_it_is_solved(priority, status, severity):
    message = shown(
        "zendesk-ticket-created", ticket_event__ticket__priority=priority, ticket_event__ticket__status=status
    )

    assert message.severity is severity


def test_a_datadog_alert_is_shown_with_its_monitor_state_query_and_message():
    message = shown("datadog-monitor", "https://app.datadoghq.eu")

    assert message.title == "Datadog Triggered: Unhealthy hosts behind the web load balancer"
    assert message.facts["State"] == "Triggered"
    assert (message.facts["Before"], message.facts["Now"]) == ("OK", "Alert")
    assert "un_healthy_host_count" in message.facts["Query"]
    assert message.text == "@awseventbridge-automations-a1b2c3d4e5"
    assert message.link
    assert message.link.url == "https://app.datadoghq.eu/monitors/222222"


@pytest.mark.parametrize(
    ("state", "severity"),
    [
        ("Triggered", Severity.CRITICAL),
        ("Re-Triggered", Severity.CRITICAL),
        ("Warn", Severity.WARNING),
        ("No Data", Severity.WARNING),
        ("Recovered", Severity.INFO),
    ],
)
def test_a_datadog_alert_is_as_severe_as_its_transition(state, severity):
    assert shown("datadog-monitor", meta__transition__trans_name=state).severity is severity


def test_a_datadog_alert_without_a_transition_shows_the_state_it_has_now():
    message = shown("datadog-monitor", meta__transition=None)

    assert message.title.startswith("Datadog Alert: ")
    assert message.link is None


def test_an_auth0_log_says_in_words_what_its_code_means():
    message = shown("auth0-log", "https://manage.auth0.com")

    assert message.title == "Auth0: signup failed"
    assert message.facts["Description"] == "The user already exists."
    assert message.facts["User"] == "alice@example.com"
    assert message.facts["Application"] == "Web shop"
    assert message.facts["IP address"] == "203.0.113.87"
    assert message.link is None
    assert "password" not in str(message.facts).lower().replace("username-password", "")


@pytest.mark.parametrize(
    ("code", "title", "severity"),
    [
        ("s", "Auth0: login", Severity.INFO),
        ("fp", "Auth0: login failed: wrong password", Severity.WARNING),
        ("limit_wc", "Auth0: account blocked", Severity.CRITICAL),
        ("signup_pwd_leak", "Auth0: signup with a leaked password", Severity.CRITICAL),
        ("feotpft", "Auth0: log event feotpft", Severity.WARNING),
        ("depnote", "Auth0: log event depnote", Severity.INFO),
    ],
)
def test_an_auth0_log_is_as_severe_as_its_code_and_an_unknown_code_is_shown_as_it_is(code, title, severity):
    message = shown("auth0-log", data__type=code)

    assert (message.title, message.severity) == (title, severity)


def test_an_event_of_an_unknown_partner_is_shown_without_its_detail():
    message = shown("other-partner")

    assert message.title == "stripe.com: customer.created"
    assert set(message.facts) == {"Source", "Detail type", "Resources"}
    assert "cus_B6IPXjInrjHHot" not in json.dumps(slack.render(message))


def test_another_detail_type_of_a_known_partner_is_shown_without_its_detail_too():
    event = sample("partner_relay/auth0-log") | {"detail-type": "Auth0 something new"}

    message = render(PartnerEvent.model_validate(event), None)

    assert message.title == "auth0.com: Auth0 something new"
    assert "alice@example.com" not in json.dumps(slack.render(message))


def test_text_of_the_partner_cannot_mention_anybody_in_slack():
    message = shown("datadog-monitor", meta__monitor__name="<!channel> & <https://evil.example|click>")

    posted = json.dumps(slack.render(message))
    assert "<!channel>" not in posted
    assert "&lt;!channel&gt; &amp;" in posted


@pytest.mark.parametrize(
    ("situation", "field", "said"),
    [
        ("zendesk-ticket-created", "ticket_event", "detail.ticket_event: Field required"),
        ("zendesk-ticket-created", "ticket_event__ticket__id", "detail.ticket_event.ticket.id: Field required"),
        ("datadog-monitor", "meta__monitor__name", "detail.meta.monitor.name: Field required"),
        ("auth0-log", "data__type", "detail.data.type: Field required"),
    ],
)
def test_a_detail_without_what_names_the_thing_is_refused_by_the_name_of_the_field(situation, field, said):
    with pytest.raises(InvalidEvent, match=said):
        shown(situation, **{field: None})
