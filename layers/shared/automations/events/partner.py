"""Events of SaaS partners: the envelope that all have, and the details of those partners whose events are shown readably.

Partners change their details without notice, so that only what names the thing is required in them.
"""

from typing import Any

from pydantic import ConfigDict, Field

from automations.events import Detail, Event


class PartnerEvent(Event):
    """An event of any partner, whole: fields that are not known here are kept, because all of it is relayed.

    Its source is `aws.partner/<partner>/...`: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-saas.html
    """

    model_config = ConfigDict(extra="allow")

    # A full stop would make the content that Standard Webhooks signs ambiguous: `id.timestamp.body`.
    id: str = Field(pattern=r"^[A-Za-z0-9-]+$")
    source: str = Field(pattern=r"^aws\.partner/[^/]+/")
    detail: dict[str, Any]

    @property
    def partner(self) -> str:
        """The partner's domain, such as `zendesk.com`."""
        return self.source.split("/")[1]


class ZendeskUser(Detail):
    name: str = ""
    email: str = ""


class ZendeskTicket(Detail):
    """Zendesk's own events hold no subject and no `requester`; they are read for what others send in the same form."""

    id: int
    subject: str | None = None
    priority: str | None = None
    status: str | None = None
    type: str | None = None
    requester: ZendeskUser | None = None
    requester_id: int | None = None
    assignee_id: int | None = None
    organization_id: int | None = None
    group_id: int | None = None
    external_id: str | None = None
    tags: tuple[str, ...] = ()


class ZendeskTicketEvent(Detail):
    type: str = "Ticket changed"
    ticket: ZendeskTicket


class ZendeskTicketChanged(Detail):
    """https://developer.zendesk.com/api-reference/amazon-eventbridge/tickets/"""

    ticket_event: ZendeskTicketEvent


class DatadogMonitor(Detail):
    name: str
    id: int | None = None
    message: str | None = None
    query: str | None = None


class DatadogTransition(Detail):
    trans_name: str | None = None


class DatadogStates(Detail):
    source_state: str | None = None
    dest_state: str | None = None


class DatadogMeta(Detail):
    monitor: DatadogMonitor
    transition: DatadogTransition = DatadogTransition()
    states: DatadogStates = DatadogStates()


class DatadogAlert(Detail):
    """https://docs.aws.amazon.com/IDR/latest/userguide/idr-gs-apm-payload-requirements.html"""

    meta: DatadogMeta
    tags: tuple[str, ...] = ()


class Auth0LogData(Detail):
    type: str
    description: str | None = None
    user_name: str | None = None
    user_id: str | None = None
    client_name: str | None = None
    connection: str | None = None
    ip: str | None = None


class Auth0Log(Detail):
    """https://auth0.com/docs/deploy-monitor/logs/log-event-type-codes"""

    data: Auth0LogData
    log_id: str | None = None
