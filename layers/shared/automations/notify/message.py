"""What is told to people, before it is made to look like a Slack message or an e-mail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from automations.events import Event


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        title: one line that says what happened.
        facts: short labelled values, in the order in which they are shown.
        text: whatever needs sentences; line breaks are kept.
        event: what it is about; its id, account and region are shown so that one can find it again.
    """

    severity: Severity
    title: str
    event: Event
    facts: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    link: Link | None = None
