"""Write many records to Kinesis Data Streams and Data Firehose, and know which of them were taken.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from botocore.exceptions import BotoCoreError, ClientError

from automations import aws
from automations.waiting import backoff
from event_pipeline.plan import Record

MAX_RECORDS = 500
"""In one call of either API."""
RESERVE = 15.0
"""Seconds that must be left for one more round of calls, and for what comes after."""


@dataclass(frozen=True)
class Destination:
    """Attributes:
    max_bytes: what one call takes. The documents say MB in one place and MiB in another; these hold for both. For Kinesis
        newer documents say 10 MiB, older ones and the emulators 5.
    put: makes one call; returns for each record, in order, the code of the error that refused it, or "".
    """

    name: str
    max_bytes: int
    put: Callable[[Sequence[Record]], list[str]]


def kinesis(stream: str) -> Destination:
    def put(records: Sequence[Record]) -> list[str]:
        entries = [{"Data": record.line, "PartitionKey": record.id} for record in records]
        answer = aws.kinesis().put_records(StreamName=stream, Records=entries)  # type: ignore[arg-type]
        return [result.get("ErrorCode", "") for result in answer["Records"]]

    return Destination(f"Kinesis stream {stream}", 5_000_000, put)


def firehose(stream: str) -> Destination:
    def put(records: Sequence[Record]) -> list[str]:
        entries = [{"Data": record.line} for record in records]
        answer = aws.firehose().put_record_batch(DeliveryStreamName=stream, Records=entries)  # type: ignore[arg-type]
        return [result.get("ErrorCode", "") for result in answer["RequestResponses"]]

    return Destination(f"Firehose stream {stream}", 4_000_000, put)


def deliver(
    records: Mapping[str, Record],
    destinations: Iterable[Destination],
    seconds_left: Callable[[], float],
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, str]:
    """Write each record to each destination; what one refuses is written to it again, and only that, while there is time.

    Returns: why, for each record that is not everywhere, by the name that it has in `records`. When such a record is
    delivered again, those destinations that took it get it twice.
    """
    failed: dict[str, str] = {}
    refused: dict[Destination, dict[str, str]] = {
        destination: dict.fromkeys(records, "") for destination in destinations
    }
    for attempt in count(1):
        for destination, names in refused.items():
            refused[destination] = _write(destination, {name: records[name] for name in names}, failed)
        wait = backoff(attempt)
        if not any(refused.values()) or seconds_left() < wait + RESERVE:
            break
        sleep(wait)
    for reasons in refused.values():
        failed |= reasons
    return failed


def _write(destination: Destination, records: Mapping[str, Record], failed: dict[str, str]) -> dict[str, str]:
    """Write the records in as many calls as their sizes demand; returns those that were refused and may be taken later.

    A call that fails as a whole was tried again by botocore already: its records are added to `failed`.
    """
    refused: dict[str, str] = {}
    for batch in batches(records, destination.max_bytes):
        try:
            codes = destination.put([records[name] for name in batch])
        except (ClientError, BotoCoreError) as error:
            failed |= dict.fromkeys(batch, f"{destination.name}: {error}")
            continue
        refused |= {name: f"{destination.name}: {code}" for name, code in zip(batch, codes, strict=True) if code}
    return refused


def batches(records: Mapping[str, Record], max_bytes: int) -> Iterator[list[str]]:
    """The records' names, in order, in groups that one call takes."""
    batch: list[str] = []
    size = 0
    for name, record in records.items():
        if batch and (len(batch) == MAX_RECORDS or size + record.size > max_bytes):
            yield batch
            batch, size = [], 0
        batch.append(name)
        size += record.size
    if batch:
        yield batch
