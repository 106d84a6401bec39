"""A message as Slack Block Kit, posted to an incoming webhook.

Limits: https://docs.slack.dev/reference/block-kit/blocks (50 blocks, 3,000 characters a section text, 10 fields of 2,000).
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from slack_sdk.models.blocks import Block, ContextBlock, DividerBlock, MarkdownTextObject, SectionBlock

from automations import http
from automations.errors import SecretError
from automations.notify.message import Message, Severity
from automations.secrets import read_secret

MOST_BLOCKS = 50
LONGEST_SECTION = 3000
LONGEST_FIELD = 2000
MOST_FIELDS = 10
LONGEST_TITLE = 250
CUT = " […]"

ICONS = {
    Severity.INFO: ":large_green_circle:",
    Severity.WARNING: ":warning:",
    Severity.CRITICAL: ":rotating_light:",
}


def escape(text: str) -> str:
    """Take their meaning from Slack's three control characters, so that no event can mention a channel or fake a link.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, limit: int) -> str:
    """Escaped text of at most `limit` characters, with a mark where it was cut, and never cut inside an entity."""
    escaped = escape(text)
    if len(escaped) <= limit:
        return escaped
    kept = escaped[: limit - len(CUT)]
    ampersand = kept.rfind("&")
    if ampersand > kept.rfind(";"):
        kept = kept[:ampersand]
    return kept + CUT


def split(text: str, limit: int) -> Iterator[str]:
    """Split escaped text at line ends, else at spaces, else anywhere, into parts of at most `limit` characters."""
    rest = text.strip()
    while len(escape(rest)) > limit:
        size = limit
        while len(escape(rest[:size])) > limit:
            size -= len(escape(rest[:size])) - limit
        end = max(rest.rfind("\n", 1, size), 0) or max(rest.rfind(" ", 1, size), 0) or size
        yield escape(rest[:end])
        rest = rest[end:].lstrip()
    if rest:
        yield escape(rest)


def render(message: Message) -> dict[str, Any]:
    """The payload for an incoming webhook: `text` for the notification, `blocks` for the message itself."""
    title = f"{ICONS[message.severity]} *{cut(message.title, LONGEST_TITLE)}*"
    event = message.event
    head: list[Block] = [SectionBlock(text=MarkdownTextObject(text=title))]
    fields = [
        MarkdownTextObject(text=f"*{cut(label, 100)}*\n{cut(value, LONGEST_FIELD - 110) or '-'}")
        for label, value in message.facts.items()
    ]
    for start in range(0, len(fields), MOST_FIELDS):
        head.append(SectionBlock(fields=fields[start : start + MOST_FIELDS]))
    tail: list[Block] = []
    if message.link:
        link = f"<{escape(message.link.url).replace('|', '%7C')}|{cut(message.link.label, 100).replace('|', '/')}>"
        tail.append(SectionBlock(text=MarkdownTextObject(text=link)))
    origin = f"Account {event.account} · {event.region} · {event.time:%Y-%m-%d %H:%M:%S} UTC · event {event.id}"
    tail += [DividerBlock(), ContextBlock(elements=[MarkdownTextObject(text=escape(origin))])]
    room = MOST_BLOCKS - len(head) - len(tail)
    parts = list(split(message.text, LONGEST_SECTION - len(CUT)))
    if len(parts) > room:
        parts = [*parts[: room - 1], parts[room - 1] + CUT]
    texts = [SectionBlock(text=MarkdownTextObject(text=part)) for part in parts]
    return {
        "text": cut(message.title, LONGEST_TITLE),
        "blocks": [block.to_dict() for block in [*head, *texts, *tail]],
    }


def post(message: Message, webhook: str, seconds_left: Callable[[], float]) -> None:
    """Post to the incoming webhook whose URL is in the secret that `webhook` refers to.

    Raises:
        SecretError: there is no usable URL in the secret.
        DeliveryError: Slack did not take the message; see `http.post`.
    """
    url = read_secret(webhook)
    if not http.is_safe_url(url):
        raise SecretError(f"The secret {webhook} does not hold the URL of a Slack webhook: https://hooks.slack.com/...")
    http.post(
        url,
        json.dumps(render(message)).encode(),
        {"Content-Type": "application/json"},
        receiver="Slack",
        seconds_left=seconds_left,
    )
