"""The decision for one message: the record that goes to the destinations, and what is kept in the bucket."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from automations.errors import InvalidEvent
from automations.events.sqs import Message
from event_pipeline.sources import QueuedEvent, read

MAX_LINE = 1_024_000
"""Bytes that Data Firehose takes in a record (1,000 KiB). With its partition key, such a line is also within the 1 MiB that
Kinesis Data Streams takes where nobody raised the limit.
https://docs.aws.amazon.com/firehose/latest/APIReference/API_Record.html
https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
"""
MOST_GROWTH = 10
"""How many characters all names of a flat event may have for each one of its message. A long key around many fields is repeated in
each of their names. A batch has at most 6 MB, all its records are in memory at once, and so the function's memory bounds them."""


@dataclass(frozen=True)
class Record:
    """Attributes:
    id: of the event; the partition key, too, so that events spread over the shards.
    line: flat JSON in UTF-8 that ends with a newline.
    """

    id: str
    line: bytes

    @property
    def size(self) -> int:
        """Bytes as Kinesis counts them, with the partition key. Firehose has none, and counts less."""
        return len(self.line) + len(self.id.encode())


@dataclass(frozen=True)
class Kept:
    """An object for the bucket. The same messages make the same key, so that a second delivery replaces it."""

    key: str
    body: bytes


@dataclass(frozen=True)
class Plan:
    """Attributes:
    record: None when the message is quarantined or left out.
    kept: a whole oversized event, which must be in the bucket before the record goes out.
    quarantined: the message with the reason, as a line of JSON.
    reason: why the message is quarantined, or left out when it is not.
    """

    message_id: str
    record: Record | None
    kept: Kept | None = None
    quarantined: bytes = b""
    reason: str = ""


def plan(message: Message, bucket: str, stream: str, now: datetime) -> Plan:
    """Decide what becomes of a message that is taken in now.

    Args:
        bucket: where oversized events are kept.
        stream: name of the stream that the records go to.
    """
    try:
        event = read(message.body, now)
        if why := _written_here(event, bucket, stream):
            return Plan(message.message_id, None, reason=why)  # and nothing is kept: that would come back, too
        envelope = _envelope(event, now)
        line = _line(envelope | {"resources": event.resources} | flat(event.detail, MOST_GROWTH * len(message.body)))
    except InvalidEvent as error:
        return _quarantine(message, str(error), now)
    except RecursionError:
        return _quarantine(message, "The message is nested too deeply.", now)
    if len(line) <= MAX_LINE:
        return Plan(message.message_id, Record(event.id, line))
    whole = Kept(f"oversized/{envelope['event_date']}/{event.id}.json", line)
    reference = {"oversized_location": f"s3://{bucket}/{whole.key}", "oversized_bytes": len(line)}
    return Plan(message.message_id, Record(event.id, _line(envelope | reference)), whole)


def _written_here(event: QueuedEvent, bucket: str, stream: str) -> str:
    """Why an event of what the pipeline itself wrote is left out; "" for any other event."""
    own = {"aws.kinesis": f":stream/{stream}", "aws.s3": f":::{bucket}"}.get(event.source)
    if not own or not any(arn.endswith(own) for arn in event.resources):
        return ""
    return f"It comes from what the pipeline itself writes to ({own.lstrip(':')}), and would come back for ever. Name another source."


def _envelope(event: QueuedEvent, now: datetime) -> dict[str, Any]:
    return {
        "event_id": event.id,
        "event_time": _timestamp(event.time),
        "event_date": _timestamp(event.time)[:10],
        "source": event.source,
        "detail_type": event.detail_type,
        "account": event.account,
        "region": event.region,
        "ingested_at": _timestamp(now),
    }


def _timestamp(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def flat(detail: Mapping[str, Any], most: int) -> dict[str, Any]:
    """The detail with one dotted name for each value: `detail.bucket.name`. Lists stay lists; so do objects within them.

    Args:
        most: characters of all names together.

    Raises:
        InvalidEvent: two values have the same name, because a key holds a full stop; one of them would be lost. Or the
            names would fill the memory.
    """
    found: dict[str, Any] = {}
    length = 0
    for name, value in _leaves("detail", detail):
        length += len(name)
        if length > most:
            raise InvalidEvent("The names of the event's fields grow too long when it is flattened.")
        if name in found:
            raise InvalidEvent("Two fields of the event have the same name when it is flattened.")
        found[name] = value
    return found


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _leaves(f"{name}.{key}", part)
    else:
        yield name, value


def _line(fields: Mapping[str, Any]) -> bytes:
    """One line of JSON.

    Raises:
        InvalidEvent: a text is half of a surrogate pair, which UTF-8 cannot hold.
    """
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"), default=_json)
    try:
        return f"{text}\n".encode()
    except UnicodeEncodeError:
        raise InvalidEvent("A text of the event is not valid Unicode.") from None


def _json(value: object) -> object:
    """A number as JSON's number where a reader that uses doubles sees the same one, else as text. A set as a list."""
    if isinstance(value, set | frozenset):
        return sorted(value)
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is not for JSON")
    if value.copy_abs() < 2**53 and value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


def _quarantine(message: Message, reason: str, now: datetime) -> Plan:
    content = {
        "message_id": message.message_id,
        "reason": reason,
        "quarantined_at": _timestamp(now),
        "body": message.body,
    }
    return Plan(message.message_id, None, quarantined=f"{json.dumps(content)}\n".encode(), reason=reason)


def quarantine(quarantined: Sequence[Plan]) -> Kept:
    """One object for all of them, so that a flood of messages that are no events costs no call for each."""
    return Kept(quarantine_key(quarantined), b"".join(item.quarantined for item in quarantined))


def quarantine_key(quarantined: Sequence[Plan]) -> str:
    ids = "\n".join(sorted(item.message_id for item in quarantined))
    return f"quarantine/{hashlib.sha256(ids.encode()).hexdigest()}.ndjson"
