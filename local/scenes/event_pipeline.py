"""event_pipeline, played."""

from __future__ import annotations

import gzip
import json
from typing import Any

from local.cloud import ROOT
from local.stage import SceneFailed, Stage

FUNCTION = "EventPipelineFunction"


def event_pipeline(stage: Stage) -> None:
    """Events of four sources go into one queue and come out flat: in a Kinesis stream, and in S3 by source and date."""
    queue, before = stage.stack.outputs["IngestQueue"].split("/")[-1], stream(stage)
    ingested = stage.stack.parameters["PipelineSourceBucketName"]
    stage.client("s3").put_object(Bucket=ingested, Key="reports/주간 보고 (45).csv", Body=b"week,total\n45,1009\n")
    stage.say("event", "Object Created from aws.s3, which S3 itself sends")
    parcel = stage.stack.send(stage.sample("event_pipeline/application-event"))
    stage.say("rule", ", ".join(f"{rule.name} -> {queue}" for rule in parcel.rules))
    batch = json.loads((ROOT / "events/event_pipeline/batch.json").read_text())
    for message in batch["Records"][2:]:
        stage.stack.queue(queue, message["body"])
    stage.say(
        "pipe",
        f"a DynamoDB change and a Kinesis record -> {queue}: there is no such stream, so the scene does what the pipe would",
    )
    wanted = ("aws.s3", "com.example.shipping", "aws.dynamodb", "aws.kinesis")

    def arrived() -> dict[str, dict[str, Any]] | None:
        new = {record["source"]: record for record in without(stream(stage), before)}
        return new if set(wanted) <= set(new) else None

    records = stage.expect("one flat record of each source is in the Kinesis stream", arrived, FUNCTION)
    for source in wanted:
        stage.expect(
            f"the same record is in S3 below source={source}/date={records[source]['event_date']}/",
            lambda source=source: records[source] in archive(stage, records[source]),  # type: ignore[misc]
            FUNCTION,
        )
    shipped, changed = records["com.example.shipping"], records["aws.dynamodb"]
    if shipped["event_id"] != parcel.event_id or changed["detail.NewImage.address.city"] != "부산":
        raise SceneFailed(f"These records are not what went in: {shipped}, {changed}")
    stage.say("", ", ".join(f"{name}={value}" for name, value in shipped.items() if name.startswith("detail.")))
    stage.keep(
        "event_pipeline/records.ndjson",
        "".join(json.dumps(records[source], ensure_ascii=False) + "\n" for source in wanted).encode(),
    )


def messages_that_do_not_fit(stage: Stage) -> None:
    """One message is no event, another is too large: one is quarantined with its reason, the other kept and referred to."""
    queue, bucket = stage.stack.outputs["IngestQueue"].split("/")[-1], stage.stack.outputs["PipelineBucket"]
    quarantined, event = set(objects(stage, "quarantine/")), stage.sample("event_pipeline/application-event")
    stage.stack.queue(queue, "week,total\n45,1009\n")
    event["detail"]["manifest"] = "x" * 1_030_000
    stage.stack.queue(queue, json.dumps(event))
    stage.say("queue", "a table in CSV, and an event of more than 1,000 KiB")
    [key] = stage.expect(
        "the table is in quarantine", lambda: set(objects(stage, "quarantine/")) - quarantined, FUNCTION
    )
    stage.say("reason", json.loads(body(stage, key))["reason"])
    [reference] = stage.expect(
        "a record in the stream says where the large event is",
        lambda: [record for record in stream(stage) if record["event_id"] == event["id"]],
        FUNCTION,
    )
    location = reference["oversized_location"].removeprefix(f"s3://{bucket}/")
    whole = json.loads(body(stage, location))
    stage.expect("it is there, whole", lambda: len(whole["detail.manifest"]) == 1_030_000, FUNCTION)
    stage.say("", reference["oversized_location"])


def stream(stage: Stage) -> list[dict[str, Any]]:
    """Every record of the Kinesis stream, in the order of its arrival."""
    kinesis, name = stage.client("kinesis"), stage.stack.outputs["EventStream"]
    found = []
    for shard in kinesis.list_shards(StreamName=name)["Shards"]:
        start = kinesis.get_shard_iterator(StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
        iterator = start["ShardIterator"]
        while iterator:  # an answer without records does not mean that there are none
            answer = kinesis.get_records(ShardIterator=iterator)
            found += answer["Records"]
            iterator = answer.get("NextShardIterator") if answer["MillisBehindLatest"] else None
    found.sort(key=lambda record: record["SequenceNumber"])
    return [json.loads(record["Data"]) for record in found]


def without(records: list[dict[str, Any]], known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records that are not known: shards have no order among each other, so new ones may be anywhere."""
    rest = list(records)
    for record in known:
        rest.remove(record)
    return rest


def archive(stage: Stage, record: dict[str, Any]) -> list[dict[str, Any]]:
    """Every record in S3 in the partition of this one."""
    partition = f"events/source={record['source']}/date={record['event_date']}/"
    return [json.loads(line) for key in objects(stage, partition) for line in body(stage, key).splitlines()]


def objects(stage: Stage, prefix: str) -> list[str]:
    pages = stage.client("s3").get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=stage.stack.outputs["PipelineBucket"], Prefix=prefix)
    return [item["Key"] for page in found for item in page.get("Contents", [])]


def body(stage: Stage, key: str) -> bytes:
    """The object's content; MiniStack's Firehose does not compress."""
    content: bytes = stage.client("s3").get_object(Bucket=stage.stack.outputs["PipelineBucket"], Key=key)["Body"].read()
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
