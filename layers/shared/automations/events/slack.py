"""Messages for Slack, as `automations.notify` puts them on the queue and slack_sender takes them off."""

from typing import Any

from pydantic import AwareDatetime, Field

from automations.events import Detail
from automations.notify.message import Severity
from automations.secrets import Reference


class Payload(Detail, extra="allow"):
    """What is posted; see `automations.notify.slack.render`. `text` is the title."""

    text: str
    blocks: list[dict[str, Any]] = Field(min_length=1)


class SlackMessage(Detail):
    """One message.

    Attributes:
        webhook: where the URL of its channel is kept, never the URL.
        key: the same for the same message, however often it is put on the queue.
        event_id, event_time: of the event that it is about.
    """

    webhook: Reference
    key: str = Field(min_length=1)
    severity: Severity
    event_id: str
    event_time: AwareDatetime
    payload: Payload
