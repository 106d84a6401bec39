"""Partner events as messages that people can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from automations.errors import InvalidEvent, explain
from automations.events.partner import Auth0Log, DatadogAlert, PartnerEvent, ZendeskTicket, ZendeskTicketChanged
from automations.notify import Link, Message, Severity

ZENDESK_SEVERITIES = {"urgent": Severity.CRITICAL, "high": Severity.WARNING}

# The transitions: https://docs.datadoghq.com/integrations/webhooks/#variables, $ALERT_TRANSITION.
DATADOG_SEVERITIES = {
    "Triggered": Severity.CRITICAL,
    "Re-Triggered": Severity.CRITICAL,
    "Recovered": Severity.INFO,
}

# The most usual ones of https://auth0.com/docs/deploy-monitor/logs/log-event-type-codes; others are shown by their code.
AUTH0_KINDS = {
    "api_limit": "API rate limit reached",
    "f": "login failed",
    "fapi": "management API call failed",
    "fcp": "password change failed",
    "feacft": "exchange of a code for a token failed",
    "fp": "login failed: wrong password",
    "fs": "signup failed",
    "fu": "login failed: unknown user",
    "limit_mu": "IP address blocked",
    "limit_wc": "account blocked",
    "pwd_leak": "login with a leaked password",
    "s": "login",
    "sapi": "management API call",
    "scp": "password changed",
    "seacft": "code exchanged for a token",
    "signup_pwd_leak": "signup with a leaked password",
    "slo": "logout",
    "ss": "signup",
    "w": "login with warnings",
}
AUTH0_ATTACKS = frozenset({"limit_mu", "limit_wc", "pwd_leak", "signup_pwd_leak"})


def render(event: PartnerEvent, site: str | None) -> Message:
    """Make the message. An event of a kind that is not known here gets one that says only where it came from.

    Args:
        site: the partner's web site for links; without it there is no link.

    Raises:
        InvalidEvent: the detail lacks what names the thing; says which field.
    """
    try:
        for partner, detail_type, renderer in RENDERERS:
            if event.partner == partner and event.detail_type.startswith(detail_type):
                return renderer(event, site)
    except ValidationError as error:
        fields = explain(error, lambda field: f"detail.{field}")
        raise InvalidEvent(f"The event is not a valid {error.title}. {fields}") from None
    return _other(event)


def _zendesk(event: PartnerEvent, site: str | None) -> Message:
    change = ZendeskTicketChanged.model_validate(event.detail).ticket_event
    ticket = change.ticket
    done = ticket.status in {"solved", "closed"}
    return Message(
        severity=Severity.INFO if done else ZENDESK_SEVERITIES.get(ticket.priority or "", Severity.INFO),
        title=f"Zendesk ticket {ticket.id}: {ticket.subject or change.type}",
        event=event,
        facts=_given(
            {
                "Event": change.type,
                "Priority": ticket.priority,
                "Status": ticket.status,
                "Type": ticket.type,
                "Requester": _requester(ticket),
                "Assignee": ticket.assignee_id,
                "Group": ticket.group_id,
                "Organization": ticket.organization_id,
                "External id": ticket.external_id,
                "Tags": ", ".join(ticket.tags),
            }
        ),
        link=_link("Open the ticket", site, f"agent/tickets/{ticket.id}"),
    )


def _requester(ticket: ZendeskTicket) -> str | int | None:
    """Name and address where the event has them, else the id."""
    user = ticket.requester
    if user and user.name and user.email:
        return f"{user.name} ({user.email})"
    return (user and (user.name or user.email)) or ticket.requester_id


def _datadog(event: PartnerEvent, site: str | None) -> Message:
    alert = DatadogAlert.model_validate(event.detail)
    monitor, states = alert.meta.monitor, alert.meta.states
    state = alert.meta.transition.trans_name or states.dest_state or "changed"
    return Message(
        severity=DATADOG_SEVERITIES.get(state, Severity.WARNING),
        title=f"Datadog {state}: {monitor.name}",
        event=event,
        facts=_given(
            {
                "State": state,
                "Before": states.source_state,
                "Now": states.dest_state,
                "Query": monitor.query,
                "Tags": ", ".join(alert.tags),
            }
        ),
        text=monitor.message or "",
        link=_link("Open the monitor", site if monitor.id else None, f"monitors/{monitor.id}"),
    )


def _auth0(event: PartnerEvent, site: str | None) -> Message:  # noqa: ARG001 # no document gives the address of a log
    log = Auth0Log.model_validate(event.detail)
    data = log.data
    return Message(
        severity=_auth0_severity(data.type),
        title=f"Auth0: {AUTH0_KINDS.get(data.type, f'log event {data.type}')}",
        event=event,
        facts=_given(
            {
                "Type": data.type,
                "Description": data.description,
                "User": data.user_name or data.user_id,
                "Application": data.client_name,
                "Connection": data.connection,
                "IP address": data.ip,
                "Log": log.log_id,
            }
        ),
    )


def _auth0_severity(kind: str) -> Severity:
    """Codes of failures begin with `f`."""
    if kind in AUTH0_ATTACKS:
        return Severity.CRITICAL
    return Severity.WARNING if kind.startswith("f") or kind in {"api_limit", "w"} else Severity.INFO


def _other(event: PartnerEvent) -> Message:
    """Nothing of the detail is shown: what it holds is not known."""
    return Message(
        severity=Severity.INFO,
        title=f"{event.partner}: {event.detail_type}",
        event=event,
        facts=_given(
            {"Source": event.source, "Detail type": event.detail_type, "Resources": ", ".join(event.resources)}
        ),
    )


RENDERERS: tuple[tuple[str, str, Callable[[PartnerEvent, str | None], Message]], ...] = (
    ("zendesk.com", "Support Ticket: ", _zendesk),
    ("datadog.com", "Datadog Alert Notification", _datadog),
    ("auth0.com", "Auth0 log", _auth0),
)
"""Partner, beginning of the detail type, and what renders it."""


def _given(facts: dict[str, Any]) -> dict[str, str]:
    return {label: str(value) for label, value in facts.items() if value}


def _link(label: str, site: str | None, path: str) -> Link | None:
    return Link(label, f"{site.rstrip('/')}/{path}") if site else None
