"""What functions touched, as it is now: `things` reads from their logs what to look at, `look_at` asks the cloud for it.

The same on the local cloud and on AWS. Nothing is changed.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError
from pydantic import ValidationError

from api_caller.request import plan, read_request
from automations.errors import AutomationError
from automations.events.any import AnyEvent
from image_resize.derivatives import EXTENSIONS
from local.commands.failed import counted
from local.console.journeys import Journey, Run
from local.stack import Stack
from rds_backup.database import Kind
from rds_backup.snapshot import find

MOST = 20
"""So many things of a run are read."""
LONGEST_TEXT = 4000
"""Characters of an object that are shown, and about the bytes that are read for it."""
NEWEST = 5
"""Objects of a day in which a record is looked for."""

INSTANCE, SNAPSHOT, OBJECT, PICTURE = "EC2 instance", "RDS snapshot", "S3 object", "Picture"
RECORD, ORDER, CALL = "Record in S3", "Order", "DynamoDB item"
STAGE, LOG_GROUP = "API stage", "Log group"

ON_THE_WAY = frozenset({"pending", "stopping", "shutting-down", "creating", "copying"})
"""States that pass by themselves.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBSnapshot.html
"""
GONE = frozenset(
    {
        *("404", "NoSuchKey", "NoSuchBucket", "NotFoundException", "ResourceNotFoundException"),
        *("InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed", "ParameterNotFound"),
    }
)
"""What services say of what is not there."""


@dataclass(frozen=True)
class Thing:
    """Something to look at.

    Attributes:
        kind: one of those above.
        name: its own; parts of a key or an address, if it has several.
    """

    kind: str
    name: tuple[str, ...]


@dataclass(frozen=True)
class State:
    """What a thing is now.

    Attributes:
        name: as its owner knows it.
        word: its state in a word, if it has one.
        facts: the rest, labelled.
        text: of an object, how it begins.
        picture: the bucket and key under which the console shows it: see `Watch.picture`.
        lacking: why nothing is known of it; it is not there, say.
    """

    kind: str
    name: str
    word: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    picture: tuple[str, str] | None = None
    lacking: str = ""

    @property
    def passing(self) -> bool:
        """Whether it becomes another state by itself, soon."""
        return self.word in ON_THE_WAY


# ---------------------------------------------------------------- what to look at


def things(run: Run, event: Mapping[str, Any] | None) -> list[Thing]:
    """What the run tells to have touched, by what its lines say; the event only where they do not name it."""
    known, of = run.known, FUNCTIONS.get(run.function)
    return list(dict.fromkeys(of(known, event or {})))[:MOST] if of else []


def named(value: Any) -> list[str]:
    """The names in a value of a log line: a text, a list of them, or the keys of an object."""
    if isinstance(value, str):
        return [value] if value else []
    return [name for name in value if isinstance(name, str)] if isinstance(value, list | dict) else []


Known = Mapping[str, Any]


def _instances(known: Known, _: Known) -> Iterator[Thing]:
    for key in ("instance", "stopped", "started", "failed", "skipped"):
        yield from (Thing(INSTANCE, (name,)) for name in named(known.get(key)))


def _snapshots(known: Known, _: Known) -> Iterator[Thing]:
    done = known.get("snapshots")
    names = named(known.get("snapshot"))
    for some in done.values() if isinstance(done, dict) else ():
        names += named(some)
    yield from (Thing(SNAPSHOT, (name,)) for name in names)


def _pictures(known: Known, _: Known) -> Iterator[Thing]:
    yield from (Thing(PICTURE, (key,)) for key in named(known.get("key")))


def _records(known: Known, event: Known) -> Iterator[Thing]:
    """Where the event's record is, which Firehose names by source and day; and what was quarantined with its batch."""
    counts = known.get("counts")
    if isinstance(counts, Mapping) and counts.get("EventsDelivered") and event:
        partition = f"events/source={event['source']}/date={str(event.get('time', ''))[:10]}/"
        yield Thing(RECORD, (partition, str(event.get("id", ""))))
    yield from (Thing(OBJECT, ("PipelineBucket", key)) for key in named(known.get("key")))


def _answers(known: Known, event: Known) -> Iterator[Thing]:
    for address in named(known.get("kept")):
        if len(parts := address.removeprefix("s3://").split("/", 1)) == 2:
            yield Thing(OBJECT, tuple(parts))
    if known.get("call") and event:
        yield Thing(CALL, (json.dumps(event),))


def _orders(known: Known, _: Known) -> Iterator[Thing]:
    if known.get("customer") and known.get("order_id"):
        yield Thing(ORDER, (str(known["customer"]), str(known["order_id"])))


def _stages(known: Known, _: Known) -> Iterator[Thing]:
    for name in named(known.get("stage")):
        if len(parts := name.split("/", 1)) == 2:
            yield Thing(STAGE, tuple(parts))
    yield from (Thing(LOG_GROUP, (name,)) for name in named(known.get("log_groups")))


FUNCTIONS: Mapping[str, Callable[[Known, Known], Iterable[Thing]]] = {
    "Ec2StateAlertsFunction": _instances,
    "OfficeHoursFunction": _instances,
    "RdsBackupFunction": _snapshots,
    "ImageResizeFunction": _pictures,
    "EventPipelineFunction": _records,
    "ApiCallerFunction": _answers,
    "OrderingFunction": _orders,
    "ApigatewayLoggingFunction": _stages,
}


# ---------------------------------------------------------------- what it is now


def look_at(stack: Stack, thing: Thing) -> list[State]:
    """Read it; a picture is several. What cannot be read says why, and does not keep the others from being read."""
    try:
        return list(READERS[thing.kind](stack, *thing.name))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return [missing(thing) if code in GONE else State(thing.kind, shown_name(thing), lacking=str(error))]


def missing(thing: Thing) -> State:
    return State(thing.kind, shown_name(thing), lacking="It is not there (any more).")


def shown_name(thing: Thing) -> str:
    return "of this call" if thing.kind == CALL else "/".join(thing.name)


def _instance(stack: Stack, name: str) -> Iterator[State]:
    answer = stack.cloud.client("ec2").describe_instances(InstanceIds=[name])
    for reservation in answer["Reservations"]:
        for found in reservation["Instances"]:
            tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}
            yield State(INSTANCE, name, found["State"]["Name"], {"type": found["InstanceType"], **tags})


def _snapshot(stack: Stack, name: str) -> Iterator[State]:
    """An instance and a cluster may each have a snapshot of the name."""
    both = [find(stack.cloud.client("rds"), kind, name) for kind in Kind]
    for found in (one for one in both if one):
        taken = {"taken": f"{found.created_at:%Y-%m-%d %H:%M} UTC"} if found.created_at else {}
        yield State(SNAPSHOT, name, found.status, {"of": str(found.source), **taken})
    if not any(both):
        yield missing(Thing(SNAPSHOT, (name,)))


def _object(stack: Stack, bucket: str, key: str) -> Iterator[State]:
    bucket = stack.resources.get(bucket, bucket)
    found = stack.cloud.client("s3").get_object(Bucket=bucket, Key=key)
    facts = {"size": f"{found['ContentLength']:,} bytes", "type": found.get("ContentType", "")}
    yield State(OBJECT, f"s3://{bucket}/{key}", facts=facts, text=beginning(found["Body"].read(LONGEST_TEXT + 1)))


def beginning(content: bytes) -> str:
    """How a text begins, with a mark where it is cut; empty for what is no text."""
    text = content[:LONGEST_TEXT].decode(errors="ignore")
    if (
        "\0" in text or len(text.encode()) < min(len(content), LONGEST_TEXT) - 3
    ):  # what was left out is more than a cut letter
        return ""
    return f"{text} [...]" if len(content) > LONGEST_TEXT else text


def _picture(stack: Stack, key: str) -> Iterator[State]:
    """The upload, and what lies beside it of derivatives that were made of it, whichever run made them."""
    s3, uploads = stack.cloud.client("s3"), stack.outputs["UploadsBucket"]
    try:
        found = s3.head_object(Bucket=uploads, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
        yield State(PICTURE, f"uploads: {key}", lacking="It is not there (any more).")
    else:
        yield _shown("uploads", key, found)
    derivatives, source = stack.outputs["DerivativesBucket"], sha256(f"s3://{uploads}/{key}".encode()).hexdigest()
    sizes = s3.list_objects_v2(Bucket=derivatives, Delimiter="/").get("CommonPrefixes", [])
    for size in sorted((one["Prefix"] for one in sizes), key=lambda text: (len(text), text)):
        there = s3.list_objects_v2(Bucket=derivatives, Prefix=f"{size}{key}").get("Contents", [])
        possible = {f"{size}{key}{extension}" for extension in EXTENSIONS.values()}
        for one in (item["Key"] for item in there if item["Key"] in possible):
            found = s3.head_object(Bucket=derivatives, Key=one)
            if found["Metadata"].get("source-name-sha256") == source:
                yield _shown("derivatives", one, found)


def _shown(bucket: str, key: str, found: Mapping[str, Any]) -> State:
    facts = {"size": f"{found['ContentLength']:,} bytes", "type": found.get("ContentType", "")}
    return State(PICTURE, f"{bucket}: {key}", facts=facts, picture=(bucket, key))


def _record(stack: Stack, partition: str, event_id: str) -> Iterator[State]:
    """The record of the event. Firehose collects records for some minutes, and compresses them on AWS."""
    s3, bucket = stack.cloud.client("s3"), stack.resources["PipelineBucket"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=partition)
    objects = [item for page in pages for item in page.get("Contents", [])]
    for item in sorted(objects, key=lambda one: one["LastModified"], reverse=True)[:NEWEST]:
        content = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
        text = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
        lines = [line for line in text.split(b"\n") if line]
        for line in (line for line in lines if event_id.encode() in line):
            facts = {"size": f"{item['Size']:,} bytes", "records": str(len(lines))}
            yield State(RECORD, f"s3://{bucket}/{item['Key']}", facts=facts, text=beginning(line))
            return
    yield State(
        RECORD, f"s3://{bucket}/{partition}", lacking=f"It is in none of the {NEWEST} newest objects there (yet)."
    )


def _order(stack: Stack, customer: str, order_id: str) -> Iterator[State]:
    table, key = stack.resources["OrdersTable"], {"customer": {"S": customer}, "order_id": {"S": order_id}}
    yield _item(stack, ORDER, table, key, order_id)


def _call(stack: Stack, event: str) -> Iterator[State]:
    """The item of the call that the deployed configuration makes of the event."""
    name = stack.parameters["ApiCallerRequestParameter"]
    text = stack.cloud.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    try:
        call = plan(AnyEvent.model_validate_json(event), read_request(text, name))
    except (AutomationError, ValidationError) as error:
        yield State(CALL, name, lacking=str(error))
        return
    if call:
        yield _item(stack, CALL, stack.resources["ApiCallsTable"], {"call_key": {"S": call.key}}, call.key)


def _item(stack: Stack, kind: str, table: str, key: Mapping[str, Any], name: str) -> State:
    found = stack.cloud.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
    if not found:
        return missing(Thing(kind, (name,)))
    read = TypeDeserializer()
    fields = {name: read.deserialize(value) for name, value in sorted(found.items())}
    return State(kind, name, facts={"table": table, **{name: plain(value) for name, value in fields.items()}})


def plain(value: Any) -> str:
    """A value of an item as text."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _stage(stack: Stack, api: str, stage: str) -> Iterator[State]:
    """The log settings of a stage, of a REST API or else of an HTTP or WebSocket API."""
    try:
        found = stack.cloud.client("apigateway").get_stage(restApiId=api, stageName=stage)
        access = found.get("accessLogSettings", {}).get("destinationArn", "")
        levels = {path: one.get("loggingLevel", "") for path, one in found.get("methodSettings", {}).items()}
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
        found = stack.cloud.client("apigatewayv2").get_stage(ApiId=api, StageName=stage)
        access = found.get("AccessLogSettings", {}).get("DestinationArn", "")
        levels = {"all routes": found.get("DefaultRouteSettings", {}).get("LoggingLevel", "")}
    execution = ", ".join(f"{path}: {level}" for path, level in levels.items() if level)
    yield State(STAGE, f"{api}/{stage}", facts={"access logs": access or "none", "execution logs": execution or "none"})


def _log_group(stack: Stack, name: str) -> Iterator[State]:
    """The name itself comes first of those that begin with it."""
    found = stack.cloud.client("logs").describe_log_groups(logGroupNamePrefix=name, limit=1)["logGroups"]
    group = next((one for one in found if one["logGroupName"] == name), None)
    if not group:
        yield missing(Thing(LOG_GROUP, (name,)))
        return
    days = group.get("retentionInDays")
    yield State(LOG_GROUP, name, facts={"retention": f"{days} days" if days else "for ever"})


READERS: Mapping[str, Callable[..., Iterator[State]]] = {
    INSTANCE: _instance,
    SNAPSHOT: _snapshot,
    OBJECT: _object,
    PICTURE: _picture,
    RECORD: _record,
    ORDER: _order,
    CALL: _call,
    STAGE: _stage,
    LOG_GROUP: _log_group,
}


# ---------------------------------------------------------------- the last stations


def stations(channels: Iterable[str], states: Sequence[State]) -> dict[str, list[str]]:
    """What stands at the end of an event's line: by kind how many there are, and their states where these have names.

    Args:
        channels: of each message that people, or other programs, got.
    """
    found: dict[str, list[str]] = {}
    told = list(channels)
    for channel in dict.fromkeys(told):
        found[channel] = [counted(told.count(channel), "message")]
    for kind in dict.fromkeys(state.kind for state in states):
        there = [state for state in states if state.kind == kind and not state.lacking]
        words = [f"{state.name}: {state.word}" for state in there if state.word]
        lacking = sum(state.kind == kind for state in states) - len(there)
        found[kind] = [f"{len(there)} there"] * bool(there) + words + [f"{lacking} not there"] * bool(lacking)
    return found


# ---------------------------------------------------------------- when to look again

Found = tuple[Mapping[str, Sequence[State]], Sequence[Mapping[str, Any]]]
"""What the functions touched, by the function, and the audit records."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 32.0
"""Seconds between two readings of what changes, and of what is on the way to another state."""


@dataclass(frozen=True)
class Reading:
    """What was read of the cloud about an event, and when it is to be read again: while it changes, and more and more seldom.

    Attributes:
        of: what was known of the event then; when a function has logged more, it is read anew.
        until: on the clock of `now`, in seconds; None when it is at rest.
    """

    of: tuple[str, Sequence[Run]] | None = None
    found: Found = ({}, ())
    pause: float = FIRST_PAUSE
    until: float | None = None

    def is_due(self, journey: Journey, now: float) -> bool:
        return self.of != (journey.id, journey.runs) or (self.until is not None and now >= self.until)

    def next(self, journey: Journey, found: Found, now: float) -> Reading:
        """After another reading. What was the same twice, and is not on the way to another state, is at rest."""
        of = journey.id, journey.runs
        same = of == self.of and found == self.found
        if same and not any(state.passing for some in found[0].values() for state in some):
            return Reading(of, found)
        pause = min(2 * self.pause, LONGEST_PAUSE) if same else FIRST_PAUSE
        return Reading(of, found, pause, now + pause)
