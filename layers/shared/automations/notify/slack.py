"""A message as Slack Block Kit, posted to an incoming webhook.

Limits: https://docs.slack.dev/reference/block-kit/blocks (50 blocks, 3,000 characters a section text, 10 fields of 2,000).
"""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from slack_sdk.models.blocks import Block, ContextBlock, DividerBlock, MarkdownTextObject, SectionBlock

from automations import http
from automations.errors import SecretError
from automations.notify.message import Link, Message, Severity
from automations.secrets import read_secret

MOST_BLOCKS = 50
LONGEST_SECTION = 3000
LONGEST_FIELD = 2000
MOST_FIELDS = 10
MOST_FACTS = 100
LONGEST_TITLE = 250
LONGEST_LABEL = 100
LONGEST_VALUE = LONGEST_FIELD - LONGEST_LABEL - len("**\n")
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
    while rest:
        end = _fitting(rest, limit)
        if end < len(rest):
            end = max(rest.rfind("\n", 1, end), 0) or max(rest.rfind(" ", 1, end), 0) or end
        yield escape(rest[:end])
        rest = rest[end:].lstrip()


def _fitting(text: str, limit: int) -> int:
    """How many characters of the text have at most `limit` characters when they are escaped."""
    size = 0
    for count, character in enumerate(text):
        size += len(escape(character))
        if size > limit:
            return count
    return len(text)


def one_line(text: str) -> str:
    return " ".join(text.split())


def markdown(text: str) -> MarkdownTextObject:
    """Text in which nothing becomes a link or a mention but what is marked up as one (`verbatim`).

    https://docs.slack.dev/reference/block-kit/composition-objects/text-object
    """
    return MarkdownTextObject(text=text, verbatim=True)


def link(target: Link) -> str:
    """The link in Slack's form. White space, `|`, `<` and `>` in the URL would end it, so they are encoded."""
    url = quote(target.url.strip(), safe="!#$%&'()*+,/:;=?@[]~", errors="replace")
    label = cut(one_line(target.label).replace("|", "/"), LONGEST_LABEL) or "Open"
    marked_up = f"<{escape(url)}|{label}>"
    return marked_up if len(marked_up) <= LONGEST_SECTION else f"{label} (its address is too long for Slack)"


def render(message: Message) -> dict[str, Any]:
    """The payload for an incoming webhook: `text` for the notification, `blocks` for the message itself."""
    title = cut(one_line(message.title), LONGEST_TITLE)
    event = message.event
    fields = [
        markdown(f"*{cut(one_line(label), LONGEST_LABEL)}*\n{cut(value.strip(), LONGEST_VALUE) or '-'}")
        for label, value in message.facts.items()
    ]
    if len(fields) > MOST_FACTS:
        fields = [*fields[: MOST_FACTS - 1], markdown(f"{len(fields) - MOST_FACTS + 1} more{CUT}")]
    head: list[Block] = [SectionBlock(text=markdown(f"{ICONS[message.severity]} *{title}*"))]
    for start in range(0, len(fields), MOST_FIELDS):
        head.append(SectionBlock(fields=fields[start : start + MOST_FIELDS]))
    tail: list[Block] = [SectionBlock(text=markdown(link(message.link)))] if message.link else []
    origin = f"Account {event.account} · {event.region} · {event.time:%Y-%m-%d %H:%M:%S} UTC · event {event.id}"
    tail += [DividerBlock(), ContextBlock(elements=[markdown(escape(origin))])]
    room = MOST_BLOCKS - len(head) - len(tail)
    parts = list(split(message.text, LONGEST_SECTION - len(CUT)))
    if len(parts) > room:
        parts = [*parts[: room - 1], parts[room - 1] + CUT]
    texts = [SectionBlock(text=markdown(part)) for part in parts]
    return {"text": title, "blocks": [block.to_dict() for block in [*head, *texts, *tail]]}


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
