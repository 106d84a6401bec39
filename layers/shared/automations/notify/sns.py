"""A message as an e-mail through Amazon SNS."""

import re

from automations import aws
from automations.notify.message import Message

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: a subject is shorter than 100 characters, without control
# characters; a message is at most 262,144 bytes.
LONGEST_SUBJECT = 99
LARGEST_BODY = 250_000
CUT = " [...]"


def subject(message: Message) -> str:
    """One line of printable ASCII, cut with a mark when it is too long."""
    line = re.sub(r"\s+", " ", f"[{message.severity.upper()}] {message.title}").strip()
    line = re.sub(r"[^\x20-\x7e]", "?", line)
    return line if len(line) <= LONGEST_SUBJECT else line[: LONGEST_SUBJECT - len(CUT)] + CUT


def body(message: Message) -> str:
    """Title, facts in columns, text, link, and where the event came from."""
    width = max((len(label) for label in message.facts), default=0)
    facts = "\n".join(f"{label + ':':<{width + 1}} {value}" for label, value in message.facts.items())
    link = f"{message.link.label}: {message.link.url}" if message.link else ""
    event = message.event
    origin = f"Account {event.account}, region {event.region}, {event.time:%Y-%m-%d %H:%M:%S} UTC, event {event.id}"
    text = "\n\n".join(part for part in (message.title, facts, message.text, link) if part)
    encoded = text.encode(errors="replace")  # half a surrogate pair, which JSON allows, has no encoding
    room = LARGEST_BODY - len(origin.encode()) - 10
    text = encoded.decode() if len(encoded) <= room else encoded[:room].decode(errors="ignore") + CUT
    return f"{text}\n\n--\n{origin}\n"


def publish(message: Message, topic: str) -> None:
    """Publish to the topic with this ARN. `severity` is an attribute on which subscriptions can filter."""
    aws.sns().publish(
        TopicArn=topic,
        Subject=subject(message),
        Message=body(message),
        MessageAttributes={"severity": {"DataType": "String", "StringValue": message.severity}},
    )
