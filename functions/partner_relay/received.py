"""Webhooks that webhook_receiver received, as messages that people can read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from pydantic import ValidationError

from automations.errors import InvalidEvent, explain
from automations.events.partner import PartnerEvent, ZendeskTicket
from automations.events.webhook import (
    DatadogWebhook,
    GitHubIssue,
    GitHubPullRequest,
    GitHubPush,
    GitHubWorkflowRun,
    StripeEvent,
    WebhookDetail,
    ZendeskWebhook,
)
from automations.notify import Message, Severity
from partner_relay.parts import DATADOG_SEVERITIES, given, link_to, ticket_message

ZENDESK_TICKET = "zen:event-type:ticket."

# https://docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_run
RUN_SEVERITIES = {
    "failure": Severity.CRITICAL,
    "startup_failure": Severity.CRITICAL,
    "timed_out": Severity.CRITICAL,
    "action_required": Severity.WARNING,
    "cancelled": Severity.WARNING,
}

Payload = Mapping[str, Any]


def render(event: PartnerEvent, site: str | None) -> Message | None:
    """Make the message; None for an event of a kind that is not known here.

    Raises:
        ValidationError: the event is not one of webhook_receiver's.
        InvalidEvent: the payload lacks what names the thing; says which field.
    """
    detail = WebhookDetail.model_validate(event.detail)
    try:
        for scheme, kind, renderer in RENDERERS:
            if detail.scheme == scheme and fnmatchcase(event.detail_type, kind):
                return renderer(event, detail.payload, site)
    except ValidationError as error:
        fields = explain(error, lambda field: f"detail.payload.{field}")
        raise InvalidEvent(f"The event is not a valid {error.title}. {fields}") from None
    return None


def _push(event: PartnerEvent, payload: Payload, site: str | None) -> Message:  # noqa: ARG001 # the payload has links
    push = GitHubPush.model_validate(payload)
    branch = push.ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    return Message(
        severity=Severity.WARNING if push.forced or push.deleted else Severity.INFO,
        title=f"GitHub {push.repository.full_name}: {'deleted' if push.deleted else 'push to'} {branch}",
        event=event,
        facts=given(
            {
                "By": push.pusher.name,
                "Commits": len(push.commits),
                "Forced": "yes" if push.forced else "",
                "Last commit": push.head_commit.message.partition("\n")[0],
            }
        ),
        link=link_to("Compare", push.compare),
    )


def _pull_request(event: PartnerEvent, payload: Payload, site: str | None) -> Message:  # noqa: ARG001
    change = GitHubPullRequest.model_validate(payload)
    pull = change.thread
    return Message(
        severity=Severity.INFO,
        title=f"GitHub {change.repository.full_name}: pull request {pull.number} {'merged' if pull.merged else change.action}: {pull.title}",
        event=event,
        facts=given(
            {"By": change.sender.login, "Author": pull.user.login, "From": pull.head.ref, "Into": pull.base.ref}
        ),
        link=link_to("Open the pull request", pull.html_url),
    )


def _issue(event: PartnerEvent, payload: Payload, site: str | None) -> Message:  # noqa: ARG001
    change = GitHubIssue.model_validate(payload)
    issue = change.thread
    return Message(
        severity=Severity.INFO,
        title=f"GitHub {change.repository.full_name}: issue {issue.number} {change.action}: {issue.title}",
        event=event,
        facts=given({"By": change.sender.login, "Author": issue.user.login, "State": issue.state}),
        link=link_to("Open the issue", issue.html_url),
    )


def _workflow_run(event: PartnerEvent, payload: Payload, site: str | None) -> Message:  # noqa: ARG001
    change = GitHubWorkflowRun.model_validate(payload)
    run = change.run
    return Message(
        severity=RUN_SEVERITIES.get(run.conclusion, Severity.INFO),
        title=f"GitHub {change.repository.full_name}: {run.name} {run.conclusion or change.action} on {run.head_branch}",
        event=event,
        facts=given(
            {"Run": run.run_number, "Caused by": run.event, "By": change.sender.login, "Commit": run.head_sha[:12]}
        ),
        link=link_to("Open the run", run.html_url),
    )


def _stripe(event: PartnerEvent, payload: Payload, site: str | None) -> Message:  # noqa: ARG001 # no document gives an address
    stripe = StripeEvent.model_validate(payload)
    thing = stripe.data.object
    amounts = (thing.amount, thing.amount_total, thing.amount_due)
    amount = next((amount for amount in amounts if amount is not None), None)
    alarming = "failed" in stripe.type or ".dispute." in stripe.type
    return Message(
        severity=Severity.WARNING if alarming else Severity.INFO,
        title=f"Stripe {stripe.type}",
        event=event,
        facts=given(
            {
                "Object": f"{thing.object} {thing.id}".strip(),
                "Amount in the smallest unit": f"{amount} {thing.currency.upper()}" if amount is not None else "",
                "Mode": "" if stripe.livemode else "test",
                "Stripe's event": stripe.id,
            }
        ),
    )


def _zendesk(event: PartnerEvent, payload: Payload, site: str | None) -> Message:
    change = ZendeskWebhook.model_validate(payload)
    words = {name: change.detail.get(name) for name in ("status", "priority", "type")}
    small = {name: word.lower() for name, word in words.items() if isinstance(word, str)}
    what = change.type.removeprefix(ZENDESK_TICKET).replace("_", " ")
    if isinstance(change.event.current, str):
        what = f"{what}: {change.event.previous} -> {change.event.current}"
    return ticket_message(event, what, ZendeskTicket.model_validate({**change.detail, **small}), site)


def _datadog(event: PartnerEvent, payload: Payload, site: str | None) -> Message:  # noqa: ARG001 # the payload has a link
    alert = DatadogWebhook.model_validate(payload)
    return Message(
        severity=DATADOG_SEVERITIES.get(alert.alert_transition, Severity.WARNING),
        title=f"Datadog {alert.alert_transition}".strip() + f": {alert.title}",
        event=event,
        facts=given(
            {
                "State": alert.alert_transition,
                "Priority": alert.priority,
                "Query": alert.alert_query,
                "Tags": alert.tags,
            }
        ),
        text=alert.body,
        link=link_to("Open in Datadog", alert.link),
    )


RENDERERS: tuple[tuple[str, str, Callable[[PartnerEvent, Payload, str | None], Message]], ...] = (
    ("github", "push", _push),
    ("github", "pull_request", _pull_request),
    ("github", "issues", _issue),
    ("github", "workflow_run", _workflow_run),
    ("stripe", "*", _stripe),
    ("zendesk", f"{ZENDESK_TICKET}*", _zendesk),
    ("datadog", "*", _datadog),
)
"""Scheme, pattern of the detail type, and what renders it."""
