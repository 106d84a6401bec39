"""Events of SaaS partners, from partner event sources and from webhooks: the envelope that all have, and the details of those
partners whose events are shown readably.

Partners change their details without notice, so that only what names the thing is required in them.
"""

import json
from hashlib import sha256
from typing import Any

from pydantic import ConfigDict, Field

from automations.events import Detail, Event


class PartnerEvent(Event):
    """An event of any partner, whole: fields that are not known here are kept, because all of it is relayed.

    Its source is `aws.partner/<partner>/...`: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-saas.html
    or, of what webhook_receiver received, `webhook.<provider>`.
    """

    model_config = ConfigDict(extra="allow")

    # A full stop would make the content that Standard Webhooks signs ambiguous: `id.timestamp.body`.
    id: str = Field(pattern=r"^[A-Za-z0-9-]+$")
    source: str = Field(pattern=r"^(aws\.partner/[^/]+/|webhook\.[a-z0-9-]+$)")
    detail: dict[str, Any]

    @property
    def is_webhook(self) -> bool:
        return self.source.startswith("webhook.")

    @property
    def partner(self) -> str:
        """The partner's domain, such as `zendesk.com`; of a webhook, its provider."""
        return self.source.removeprefix("webhook.") if self.is_webhook else self.source.split("/")[1]

    @property
    def message(self) -> str:
        """What stays the same when the event comes again: a webhook's own id, or a hash of what the partner said.

        AWS does not say that a replay keeps an event's id.
        """
        if self.is_webhook and (sent := self.detail.get("id")):
            return f"{self.source}/{sent}"
        said = [self.source, self.detail_type, self.time.isoformat(), self.resources, self.detail]
        return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


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
