"""Parts of messages that several partners' events have."""

from __future__ import annotations

from typing import Any

from automations.events.partner import PartnerEvent, ZendeskTicket
from automations.notify import Link, Message, Severity

# The transitions: https://docs.datadoghq.com/integrations/webhooks/#variables, $ALERT_TRANSITION.
DATADOG_SEVERITIES = {
    "Triggered": Severity.CRITICAL,
    "Re-Triggered": Severity.CRITICAL,
    "Recovered": Severity.INFO,
}
ZENDESK_SEVERITIES = {"urgent": Severity.CRITICAL, "high": Severity.WARNING}


def given(facts: dict[str, Any]) -> dict[str, str]:
    """The facts that there are, as text."""
    return {label: str(value) for label, value in facts.items() if value}


def link(label: str, site: str | None, path: str) -> Link | None:
    """A link to a page of the partner's web site, when that is known."""
    return Link(label, f"{site.rstrip('/')}/{path}") if site else None


def link_to(label: str, url: str) -> Link | None:
    """A link that the partner's event gives."""
    return Link(label, url) if url.startswith("https://") else None


def ticket_message(event: PartnerEvent, what: str, ticket: ZendeskTicket, site: str | None) -> Message:
    """A Zendesk ticket, of an event of the connector or of a webhook."""
    done = ticket.status in {"solved", "closed"}
    return Message(
        severity=Severity.INFO if done else ZENDESK_SEVERITIES.get(ticket.priority or "", Severity.INFO),
        title=f"Zendesk ticket {ticket.id}: {ticket.subject or what}",
        event=event,
        facts=given(
            {
                "Event": what,
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
        link=link("Open the ticket", site, f"agent/tickets/{ticket.id}"),
    )


def _requester(ticket: ZendeskTicket) -> str | int | None:
    """Name and address where the event has them, else the id."""
    user = ticket.requester
    if user and user.name and user.email:
        return f"{user.name} ({user.email})"
    return (user and (user.name or user.email)) or ticket.requester_id
