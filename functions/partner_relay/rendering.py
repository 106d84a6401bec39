"""Partner events as messages that people can read."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import ValidationError

from automations.errors import InvalidEvent, explain
from automations.events.partner import Auth0Log, DatadogAlert, PartnerEvent, ZendeskTicketChanged
from automations.notify import Message, Severity
from partner_relay import received
from partner_relay.parts import DATADOG_SEVERITIES, given, link, ticket_message

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
        if event.is_webhook:
            return received.render(event, site) or _other(event)
        for partner, detail_type, renderer in RENDERERS:
            if event.partner == partner and event.detail_type.startswith(detail_type):
                return renderer(event, site)
    except ValidationError as error:
        fields = explain(error, lambda field: f"detail.{field}")
        raise InvalidEvent(f"The event is not a valid {error.title}. {fields}") from None
    return _other(event)


def _zendesk(event: PartnerEvent, site: str | None) -> Message:
    change = ZendeskTicketChanged.model_validate(event.detail).ticket_event
    return ticket_message(event, change.type, change.ticket, site)


def _datadog(event: PartnerEvent, site: str | None) -> Message:
    alert = DatadogAlert.model_validate(event.detail)
    monitor, states = alert.meta.monitor, alert.meta.states
    state = alert.meta.transition.trans_name or states.dest_state or "changed"
    return Message(
        severity=DATADOG_SEVERITIES.get(state, Severity.WARNING),
        title=f"Datadog {state}: {monitor.name}",
        event=event,
        facts=given(
            {
                "State": state,
                "Before": states.source_state,
                "Now": states.dest_state,
                "Query": monitor.query,
                "Tags": ", ".join(alert.tags),
            }
        ),
        text=monitor.message or "",
        link=link("Open the monitor", site if monitor.id else None, f"monitors/{monitor.id}"),
    )


def _auth0(event: PartnerEvent, site: str | None) -> Message:  # noqa: ARG001 # no document gives the address of a log
    log = Auth0Log.model_validate(event.detail)
    data = log.data
    return Message(
        severity=_auth0_severity(data.type),
        title=f"Auth0: {AUTH0_KINDS.get(data.type, f'log event {data.type}')}",
        event=event,
        facts=given(
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
        facts=given(
            {"Source": event.source, "Detail type": event.detail_type, "Resources": ", ".join(event.resources)}
        ),
    )


RENDERERS: tuple[tuple[str, str, Callable[[PartnerEvent, str | None], Message]], ...] = (
    ("zendesk.com", "Support Ticket: ", _zendesk),
    ("datadog.com", "Datadog Alert Notification", _datadog),
    ("auth0.com", "Auth0 log", _auth0),
)
"""Partner, beginning of the detail type, and what renders it."""
