"""A message as Slack Block Kit, put on the queue from which slack_sender posts it to an incoming webhook.

Limits: https://docs.slack.dev/reference/block-kit/blocks (50 blocks, 3,000 characters a section text, 10 fields of 2,000).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from automations import aws
from automations.notify.message import Link, Message, Severity

MOST_BLOCKS = 49  # slack_sender may add one
LONGEST_SECTION = 3000
LONGEST_FIELD = 2000
MOST_FIELDS = 10
MOST_FACTS = 100
LONGEST_TITLE = 250
LONGEST_LABEL = 100
LONGEST_VALUE = LONGEST_FIELD - LONGEST_LABEL - len("**\n")
CUT = " […]"

LARGEST_BODY = 2**20 - 2**13
"""Bytes. A message in SQS has at most 2**20, and slack_sender adds the reason to one that Slack refuses:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html"""
SHORT_TEXT = 10_000
"""Characters of the text with which a message of any facts is smaller than that."""
UNUSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""Control characters, halves of surrogate pairs, which JSON allows and UTF-8 does not, and what SQS does not take beside them."""

ICONS = {
    Severity.INFO: ":large_green_circle:",
    Severity.WARNING: ":warning:",
    Severity.CRITICAL: ":rotating_light:",
}


def escape(text: str) -> str:
    """Take their meaning from Slack's three control characters, so that no event can mention a channel or fake a link.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    usable = UNUSABLE.sub("\ufffd", text)
    return usable.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


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


Block = dict[str, Any]


def markdown(text: str) -> Block:
    """Text in which nothing becomes a link or a mention but what is marked up as one (`verbatim`).

    https://docs.slack.dev/reference/block-kit/composition-objects/text-object
    """
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def section(text: str) -> Block:
    return {"type": "section", "text": markdown(text)}


def context(text: str) -> Block:
    return {"type": "context", "elements": [markdown(text)]}


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
    head = [section(f"{ICONS[message.severity]} *{title}*")]
    for start in range(0, len(fields), MOST_FIELDS):
        head.append({"type": "section", "fields": fields[start : start + MOST_FIELDS]})
    tail = [section(link(message.link))] if message.link else []
    origin = f"Account {event.account} · {event.region} · {event.time:%Y-%m-%d %H:%M:%S} UTC · event {event.id}"
    tail += [{"type": "divider"}, context(escape(origin))]
    room = MOST_BLOCKS - len(head) - len(tail)
    parts = list(split(message.text, LONGEST_SECTION - len(CUT)))
    if len(parts) > room:
        parts = [*parts[: room - 1], parts[room - 1] + CUT]
    return {"text": title, "blocks": [*head, *map(section, parts), *tail]}


def digest(*parts: str) -> str:
    """The same for the same parts, and short enough for SQS."""
    return sha256("\n".join(parts).encode(errors="replace")).hexdigest()


def body(message: Message, webhook: str, key: str) -> str:
    """What slack_sender gets; see `automations.events.slack`. A text that would make it too large is cut."""
    told = {
        "webhook": webhook,
        "key": key,
        "severity": message.severity,
        "event_id": escape(message.event.id),
        "event_time": message.event.time.isoformat(),
    }
    short = replace(message, text=message.text[:SHORT_TEXT] + CUT)
    bodies = (json.dumps(told | {"payload": render(one)}, ensure_ascii=False) for one in (message, short))
    return next(body for body in bodies if len(body.encode()) <= LARGEST_BODY)


def put(message: Message, webhook: str, *, queue: str, key: str) -> None:
    """Put the message on the queue, in the order of its channel.

    Args:
        webhook: reference to the secret that holds the webhook's URL, which stands for the channel; see `secrets.read_secret`.
        queue: URL of a FIFO queue. Within five minutes it drops the same message by itself.
        key: what the message is about; see `delivery.deliver`.
    """
    once = digest(webhook, key)
    aws.sqs().send_message(
        QueueUrl=queue,
        MessageBody=body(message, webhook, once),
        MessageGroupId=digest(webhook),
        MessageDeduplicationId=once,
    )
