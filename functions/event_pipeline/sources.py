"""What is in a message of the queue: an event of a bus, or a record that a pipe took from a stream, read as an event."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from aws_lambda_powertools.shared.dynamodb_deserializer import TypeDeserializer
from pydantic import AwareDatetime, FailFast, Field, ValidationError

from automations.errors import InvalidEvent, explain
from automations.events import Event
from automations.events.streams import AttributeMap, DynamoDBRecord, KinesisRecord

UNREADABLE = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError)
"""What the reading of values may raise: a number that is none, an item that is not in DynamoDB's form."""


class QueuedEvent(Event):
    """An event of any source. The limits keep its id fit for a partition key and a key of S3, and its envelope small."""

    id: str = Field(pattern=r"^[A-Za-z0-9:._-]{1,256}$")
    source: str = Field(min_length=1, max_length=256)
    detail_type: str = Field(alias="detail-type", min_length=1, max_length=256)
    account: str = Field(max_length=12)
    region: str = Field(max_length=64)
    time: AwareDatetime
    resources: Annotated[list[str], FailFast()]  # or each of very many wrong ones would be an error in memory
    detail: dict[str, Any]


def read(body: str, now: datetime) -> QueuedEvent:
    """Read a message. Numbers with a fraction become `Decimal`, so that none loses digits.

    A record that does not say when it was made counts as made now.

    Raises:
        InvalidEvent: it is not JSON, or no event; says why without showing any of it.
    """
    try:
        content = json.loads(body, parse_float=Decimal, parse_constant=_no_number)
        return QueuedEvent.model_validate(_as_event(content, now))
    except ValidationError as error:
        raise InvalidEvent(f"The message is no event. {explain(error)}") from None
    except json.JSONDecodeError as error:
        raise InvalidEvent(f"The message is not JSON: {error.msg} at character {error.pos}.") from None
    except UNREADABLE as error:
        raise InvalidEvent(f"The message holds a value that cannot be read: {type(error).__name__}.") from None


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _as_event(content: Any, now: datetime) -> Any:
    match content:
        case {"eventSource": "aws:dynamodb"}:
            return _from_table(DynamoDBRecord.model_validate(content), now)
        case {"eventSource": "aws:kinesis"}:
            return _from_stream(KinesisRecord.model_validate(content))
        case _:
            return content


def _from_table(record: DynamoDBRecord, now: datetime) -> dict[str, Any]:
    change = record.dynamodb
    images = {"Keys": change.keys, "NewImage": change.new_image, "OldImage": change.old_image}
    detail = {name: _plain(image) for name, image in images.items() if image is not None}
    return _envelope(record, "aws.dynamodb") | {"time": change.approximate_creation_date_time or now, "detail": detail}


def _from_stream(record: KinesisRecord) -> dict[str, Any]:
    detail = {
        "partitionKey": record.partition_key,
        "sequenceNumber": record.sequence_number,
        "data": _decoded(record.data),
    }
    return _envelope(record, "aws.kinesis") | {"time": record.approximate_arrival_timestamp, "detail": detail}


def _envelope(record: DynamoDBRecord | KinesisRecord, source: str) -> dict[str, Any]:
    return {
        "version": "0",
        "id": record.event_id,
        "source": source,
        "detail-type": record.event_name,
        "account": record.account,
        "region": record.aws_region,
        "resources": [record.event_source_arn],
    }


def _plain(image: AttributeMap) -> dict[str, Any]:
    """An item without DynamoDB's types; binary values stay in Base64, as they are in the record."""
    deserializer = TypeDeserializer()
    return {name: deserializer.deserialize(value) for name, value in image.items()}


def _decoded(data: str) -> Any:
    """The JSON that a producer wrote; anything else stays in Base64, because nobody knows what it is."""
    try:
        return json.loads(base64.b64decode(data, validate=True), parse_float=Decimal, parse_constant=_no_number)
    except ValueError:
        return data
