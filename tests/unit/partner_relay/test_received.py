"""Webhooks that webhook_receiver received, as partner_relay tells of them."""

import json
from typing import Any

import pytest

from automations.errors import InvalidEvent
from automations.events.partner import PartnerEvent
from automations.notify import Link, Message, Severity, slack
from partner_relay.rendering import render
from tests.samples import put, sample

SAMPLES = (
    "github-push",
    "github-pull-request",
    "github-issue",
    "github-workflow-run",
    "stripe-payment-failed",
    "zendesk-ticket",
    "datadog-monitor",
    "other",
)


def shown(situation: str, site: str | None = None, kind: str = "", **changed: Any) -> Message:
    """The message for a sample whose payload is changed, as `put` does."""
    event = sample(f"partner_relay/webhook-{situation}")
    event["detail-type"] = kind or event["detail-type"]
    put(event["detail"]["payload"], **changed)
    return render(PartnerEvent.model_validate(event), site)


def test_a_push_is_shown_with_who_pushed_and_the_first_line_of_the_last_commit():
    message = shown("github-push")

    assert message.title == "GitHub example-org/shop: push to main"
    assert message.facts == {"By": "alice-kim", "Commits": "1", "Last commit": "Show prices with tax"}
    assert message.link == Link("Compare", "https://github.com/example-org/shop/compare/1a6f4c1f5f0f...9c8b7a6f5e4d")
    assert message.severity == Severity.INFO


def test_a_push_that_rewrites_or_deletes_a_branch_is_a_warning():
    assert shown("github-push", forced=True).severity == Severity.WARNING
    deleted = shown("github-push", deleted=True, commits=[], head_commit=None)
    assert deleted.severity == Severity.WARNING
    assert deleted.title == "GitHub example-org/shop: deleted main"


def test_a_pull_request_is_shown_with_its_branches():
    message = shown("github-pull-request")

    assert message.title == "GitHub example-org/shop: pull request 318 opened: Round totals half to even"
    assert message.facts == {"By": "alice-kim", "Author": "alice-kim", "From": "rounding", "Into": "main"}
    assert message.link == Link("Open the pull request", "https://github.com/example-org/shop/pull/318")
    merged = shown("github-pull-request", action="closed", pull_request__merged=True)
    assert "pull request 318 merged:" in merged.title


def test_an_issue_is_shown_with_its_author():
    message = shown("github-issue")

    assert message.title == "GitHub example-org/shop: issue 319 opened: Totals differ by one won"
    assert message.facts == {"By": "bob-lee", "Author": "bob-lee", "State": "open"}
    assert shown("github-issue", sender=None).facts == {"Author": "bob-lee", "State": "open"}


@pytest.mark.parametrize(
    ("conclusion", "severity"),
    [("failure", Severity.CRITICAL), ("cancelled", Severity.WARNING), ("success", Severity.INFO)],
)
def test_a_workflow_run_is_as_severe_as_its_conclusion(conclusion, severity):
    message = shown("github-workflow-run", workflow_run__conclusion=conclusion)

    assert message.title == f"GitHub example-org/shop: CI {conclusion} on rounding"
    assert message.severity == severity
    assert message.facts == {"Run": "1204", "Caused by": "pull_request", "By": "alice-kim", "Commit": "2b3c4d5e6f70"}


def test_a_workflow_run_that_just_began_has_no_conclusion():
    event = sample("partner_relay/webhook-github-workflow-run")
    event["detail"]["payload"] |= {"action": "requested"}
    event["detail"]["payload"]["workflow_run"]["conclusion"] = None

    assert render(PartnerEvent.model_validate(event), None).title == "GitHub example-org/shop: CI requested on rounding"


def test_an_event_of_stripe_is_shown_with_its_object_and_amount():
    message = shown("stripe-payment-failed")

    assert message.title == "Stripe payment_intent.payment_failed"
    assert message.severity == Severity.WARNING
    assert message.facts == {
        "Object": "payment_intent pi_3QaB5uLkdIwHu7ix0aV2XyZb",
        "Amount in the smallest unit": "4200000 KRW",
        "Mode": "test",
        "Stripe's event": "evt_3QaB5uLkdIwHu7ix0cYpTt1n",
    }


def test_an_object_of_stripe_without_an_amount_has_none_and_one_of_zero_has():
    assert "Amount in the smallest unit" not in shown("stripe-payment-failed", data__object__amount=None).facts
    assert shown("stripe-payment-failed", data__object__amount=0).facts["Amount in the smallest unit"] == "0 KRW"


def test_a_ticket_of_zendesk_is_shown_with_its_subject_and_links_to_the_site_of_its_route():
    message = shown("zendesk-ticket", "https://example.zendesk.com")

    assert message.title == "Zendesk ticket 35440: Cannot pay"
    assert message.severity == Severity.CRITICAL
    assert message.facts == {
        "Event": "created",
        "Priority": "urgent",
        "Status": "new",
        "Type": "incident",
        "Requester": "20978392",
        "Assignee": "235323",
        "Group": "98738",
        "Organization": "10002",
        "External id": "ORDER-2026-1112",
        "Tags": "checkout",
    }
    assert message.link == Link("Open the ticket", "https://example.zendesk.com/agent/tickets/35440")


def test_a_change_of_a_ticket_says_what_it_was_before():
    kind = "zen:event-type:ticket.status_changed"
    message = shown(
        "zendesk-ticket", kind=kind, type=kind, event={"current": "SOLVED", "previous": "OPEN"}, detail__status="SOLVED"
    )

    assert message.facts["Event"] == "status changed: OPEN -> SOLVED"
    assert message.severity == Severity.INFO


@pytest.mark.parametrize(
    ("transition", "severity"),
    [
        ("Triggered", Severity.CRITICAL),
        ("Recovered", Severity.INFO),
        ("Warn", Severity.WARNING),
        (None, Severity.WARNING),
    ],
)
def test_an_alert_of_datadog_is_as_severe_as_its_transition(transition, severity):
    message = shown("datadog-monitor", alert_transition=transition)

    assert message.severity == severity
    assert message.title.endswith(": [Triggered] Unhealthy hosts behind the web load balancer")
    assert message.link == Link("Open in Datadog", "https://app.datadoghq.com/event/event?id=7281010972796602999")


def test_a_payload_of_datadog_that_somebody_made_up_is_shown_all_the_same():
    event = sample("partner_relay/webhook-datadog-monitor", payload={"anything": 1})

    assert render(PartnerEvent.model_validate(event), None).title == "Datadog: notification"


@pytest.mark.parametrize("kind", ["star", "pull_request_review", "Webhook"])
def test_of_another_kind_nothing_of_the_payload_is_shown(kind):
    message = shown("github-issue", kind=kind)

    assert message.title == f"github: {kind}"
    assert message.facts == {"Source": "webhook.github", "Detail type": kind}
    assert shown("other").title == "crm: customer.created"


def test_a_link_that_is_no_https_address_is_left_out():
    assert shown("github-issue", issue__html_url="javascript:alert(1)").link is None


@pytest.mark.parametrize("situation", SAMPLES)
def test_each_message_can_be_posted_to_slack_and_mentions_nobody(situation):
    posted = json.dumps(slack.render(shown(situation)))

    assert "<!" not in posted
    assert sample(f"partner_relay/webhook-{situation}")["id"] in posted


@pytest.mark.parametrize(
    ("situation", "field", "said"),
    [
        ("github-push", "repository", "GitHubPush. detail.payload.repository: Field required"),
        ("github-pull-request", "action", "GitHubPullRequest. detail.payload.action: Field required"),
        ("github-issue", "issue__number", "GitHubIssue. detail.payload.issue.number: Field required"),
        ("github-workflow-run", "repository", "GitHubWorkflowRun. detail.payload.repository: Field required"),
        ("stripe-payment-failed", "data", "StripeEvent. detail.payload.data: Field required"),
        ("zendesk-ticket", "detail__id", "ZendeskTicket. detail.payload.id: Field required"),
    ],
)
def test_a_payload_without_what_names_the_thing_is_refused_by_the_name_of_the_field(situation, field, said):
    with pytest.raises(InvalidEvent, match=said):
        shown(situation, None, "", **{field: None})


def test_an_event_that_webhook_receiver_did_not_make_is_refused():
    event = sample("partner_relay/webhook-other")
    del event["detail"]["scheme"]

    with pytest.raises(InvalidEvent, match=r"WebhookDetail\. detail\.scheme: Field required"):
        render(PartnerEvent.model_validate(event), None)
