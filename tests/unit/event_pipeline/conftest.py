"""The pipeline's destinations in the test's account, and what came out of them."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from automations import aws

BUCKET = "pipeline-bucket"


@dataclass
class Pipeline:
    """What has come out, read back from the account.

    Attributes:
        refusals: how often each destination refuses a record, by the event's id, as Kinesis and Firehose do when they are
            busy; moto never does.
        calls: how many calls each destination got.
    """

    refusals: dict[str, Counter[str]] = field(default_factory=lambda: {"kinesis": Counter(), "firehose": Counter()})
    calls: Counter[str] = field(default_factory=Counter)

    def stream(self) -> list[dict[str, Any]]:
        """The records of the Kinesis stream."""
        kinesis, found = aws.kinesis(), []
        for shard in kinesis.list_shards(StreamName="events")["Shards"]:
            start = kinesis.get_shard_iterator(
                StreamName="events", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            found += kinesis.get_records(ShardIterator=start)["Records"]
        return [json.loads(record["Data"]) for record in found]

    def archive(self, prefix: str = "events/") -> list[dict[str, Any]]:
        """The records that Firehose put into S3."""
        return [json.loads(line) for key in self.keys(prefix) for line in self.body(key).splitlines()]

    def keys(self, prefix: str) -> list[str]:
        pages = aws.s3().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def body(self, key: str) -> bytes:
        content: bytes = aws.s3().get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content

    def quarantined(self) -> dict[str, dict[str, Any]]:
        """What is in quarantine, by message id."""
        found = self.archive("quarantine/")
        return {item["message_id"]: item for item in found}

    def refuse(self, event_id: str, destination: str = "kinesis", times: int = 1_000_000) -> None:
        self.refusals[destination][event_id] += times

    def take(self, destination: str, records: list[dict[str, Any]]) -> list[bool]:
        """Which of the records the destination refuses this time."""
        self.calls[destination] += 1
        refusals = self.refusals[destination]
        refused = [refusals[json.loads(record["Data"])["event_id"]] > 0 for record in records]
        refusals.subtract(
            json.loads(record["Data"])["event_id"] for record, no in zip(records, refused, strict=True) if no
        )
        return refused


ENVIRONMENT = {"event_stream": "events", "s3_delivery_stream": "to-s3", "pipeline_bucket": BUCKET}


def create_destinations() -> None:
    aws.s3().create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    aws.kinesis().create_stream(StreamName="events", ShardCount=2)
    firehose: Any = aws.firehose()
    firehose.create_delivery_stream(
        DeliveryStreamName="to-s3",
        ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::123456789012:role/firehose",
            "BucketARN": f"arn:aws:s3:::{BUCKET}",
            "Prefix": "events/",
        },
    )


@pytest.fixture
def pipeline(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    create_destinations()
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name.upper(), value)
    running = Pipeline()
    between(aws.kinesis(), "put_records", "Records", "ProvisionedThroughputExceededException", running, monkeypatch)
    between(aws.firehose(), "put_record_batch", "RequestResponses", "ServiceUnavailableException", running, monkeypatch)
    monkeypatch.setattr("event_pipeline.destinations.backoff", lambda attempt: 0.0)
    return running


def between(
    client: Any, method: str, results: str, code: str, running: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let the pipeline refuse single records before moto takes the rest, with the answer that AWS gives."""
    destination = client.meta.service_model.service_name
    put: Callable[..., dict[str, Any]] = getattr(client, method)

    def some(Records: list[dict[str, Any]], **where: Any) -> dict[str, Any]:  # noqa: N803 # AWS's name
        refused = running.take(destination, Records)
        taken = [record for record, no in zip(Records, refused, strict=True) if not no]
        answers = iter(put(Records=taken, **where)[results] if taken else [])
        return {results: [{"ErrorCode": code} if no else next(answers) for no in refused]}

    monkeypatch.setattr(client, method, some)
