"""What the API answered: kept in S3, and found again through DynamoDB."""

from __future__ import annotations

import codecs
from base64 import b64encode
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from api_caller.request import Call
from automations import aws
from automations.events.any import AnyEvent
from automations.http import Answer

# What tells a reader how it went and whom to ask. Cookies and credentials are not among these.
KEPT_HEADERS = frozenset(
    {
        *("content-language", "content-type", "date", "deprecation", "etag", "last-modified", "location"),
        *("ratelimit", "ratelimit-limit", "ratelimit-policy", "ratelimit-remaining", "ratelimit-reset"),
        *("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after", "sunset"),
        *("request-id", "x-amzn-requestid", "x-correlation-id", "x-request-id", "traceparent"),
    }
)


class Record(BaseModel):
    """One answered call, as it lies in S3.

    Attributes:
        call_id: the `Idempotency-Key` that was sent.
        body: text, or Base64 of what is not UTF-8 or holds a NUL, which no database takes.
        body_cut: whether there was more of it.
        attempts: requests until this answer.
        latency_ms: of the last of them.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    call_id: str
    event_id: str
    event_time: datetime
    event_source: str
    request: str
    method: str
    called_at: datetime
    status: int
    headers: dict[str, str]
    body: str
    body_encoding: Literal["utf-8", "base64"]
    body_cut: bool
    attempts: int
    latency_ms: int

    @property
    def s3_key(self) -> str:
        return f"{self.event_time:%Y/%m/%d}/{self.event_id}.json"

    @property
    def accepted(self) -> bool:
        return self.status < 300


def record(event: AnyEvent, request: str, call: Call, answer: Answer, called_at: datetime) -> Record:
    """Reduce the answer to what is kept of it."""
    body, encoding = _as_text(answer.body, answer.cut)
    return Record(
        call_id=str(call.id),
        event_id=event.id,
        event_time=event.time,
        event_source=event.source,
        request=request,
        method=call.method,
        called_at=called_at.replace(microsecond=called_at.microsecond // 1000 * 1000),
        status=answer.status,
        headers={name.lower(): value for name, value in answer.headers.items() if name.lower() in KEPT_HEADERS},
        body=body,
        body_encoding=encoding,
        body_cut=answer.cut,
        attempts=answer.attempts,
        latency_ms=round(answer.seconds * 1000),
    )


def _as_text(body: bytes, cut: bool) -> tuple[str, Literal["utf-8", "base64"]]:
    """The body as text when it is some. A letter that the cut went through is left out."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(body, final=not cut)
    except UnicodeDecodeError:
        text = "\0"
    return (b64encode(body).decode(), "base64") if "\0" in text else (text, "utf-8")


class Records:
    """The bucket, and the table with one item for each call; it is found by the call's key.

    The object is written first, so that what the table names is there.
    """

    def __init__(self, bucket: str, table: str, days: int) -> None:
        self._bucket = bucket
        self._table = table
        self._kept = timedelta(days=days)

    def find(self, call: Call, now: datetime) -> Record | None:
        """The last answer to the call; None without one, or when it is too old to be there for certain."""
        item = (
            aws.dynamodb()
            .get_item(TableName=self._table, Key={"call_key": {"S": call.key}}, ConsistentRead=True)
            .get("Item")
        )
        if not item or int(item["expires_at"]["N"]) <= now.timestamp():
            return None
        stored = aws.s3().get_object(Bucket=self._bucket, Key=item["s3_key"]["S"])["Body"].read()
        return Record.model_validate_json(stored)

    def keep(self, call: Call, found: Record) -> str:
        """Store the answer, in place of an earlier one to the same event or call; returns its address."""
        aws.s3().put_object(
            Bucket=self._bucket,
            Key=found.s3_key,
            Body=found.model_dump_json(indent=2).encode(),
            ContentType="application/json",
        )
        aws.dynamodb().put_item(
            TableName=self._table,
            Item={
                "call_key": {"S": call.key},
                "call_id": {"S": found.call_id},
                "event_id": {"S": found.event_id},
                "called_at": {"S": found.called_at.isoformat(timespec="milliseconds")},
                "status": {"N": str(found.status)},
                "attempts": {"N": str(found.attempts)},
                "latency_ms": {"N": str(found.latency_ms)},
                "s3_key": {"S": found.s3_key},
                "expires_at": {"N": str(int((found.called_at + self._kept).timestamp()))},
            },
        )
        return f"s3://{self._bucket}/{found.s3_key}"
