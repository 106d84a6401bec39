"""The events that a function's calls cause, in the form in which AWS sends them: one function for each kind.

What differs from call to call is put into the sample events of events/, so that no field is made up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import uuid4

from botocore.session import get_session
from local.pipe import Pipe, render
from local.security import GLOBAL
from local.stack import DEFAULT_BUS

from tests.proofs.calls import Call
from tests.proofs.derived import by, session
from tests.samples import sample
from tests.template.test_order_events import record
from tests.unit.bus import APPLICATION_BUS

Event = dict[str, Any]


@dataclass(frozen=True)
class Deployed:
    """Where the events arrive.

    Attributes:
        bus: name of the application bus.
        roles, names: ARN of the role and name of each function, by its automation.
        pipe: from the orders' table to the application bus.
        passes: whether the pipe's filter lets a record through.
    """

    region: str
    bus: str
    roles: dict[str, str]
    names: dict[str, str]
    pipe: Pipe
    passes: Callable[[Event], bool]

    def identity(self, function: str) -> Event:
        """Who makes the function's calls, as CloudTrail says it."""
        return session(self.roles[function], self.names[function])


@dataclass(frozen=True)
class Caused:
    """Attributes:
    kind: in a word or two.
    bus: on which it arrives.
    only_reads: whether EventBridge gives it to no other rules than those for all management events.
    """

    kind: str
    event: Event
    bus: str
    only_reads: bool = False

    @property
    def by_somebody_else(self) -> Caused:
        """The same call, made by a role that is none of the application's."""
        other = session(f"arn:aws:iam::{self.event['account']}:role/Somebody", "somebody")
        return replace(self, event=by(other, self.event))


Kind = Callable[[Call, str, Deployed], Iterator[Caused]]
KINDS: list[Kind] = []


def kind(function: Kind) -> Kind:
    KINDS.append(function)
    return function


def caused(calls: Iterable[Call], function: str, deployed: Deployed) -> list[Caused]:
    """What the function's calls cause. A call that was refused causes nothing but its record, which no rule takes."""
    done = [call for call in calls if call.service != "http" and call.answer and "Error" not in call.answer]
    return [one for call in done for make in KINDS for one in make(call, function, deployed)]


def _arrives(event: Event, deployed: Deployed) -> str:
    """The bus: what happens in another region can only come by a forwarder, on the application bus."""
    return DEFAULT_BUS if event["region"] == deployed.region else deployed.bus


# ---------------------------------------------------------------- services that tell of what happened


@kind
def objects(call: Call, function: str, deployed: Deployed) -> Iterator[Caused]:
    """As if every bucket sent its events to EventBridge."""
    if call.service != "s3" or call.operation not in {"PutObject", "DeleteObject"}:
        return
    event = sample("image_resize/uploaded" if call.operation == "PutObject" else "image_resize/deleted")
    bucket = call.arguments["Bucket"]
    event["detail"]["bucket"]["name"] = bucket
    event["detail"]["object"]["key"] = call.arguments["Key"]
    event["resources"] = [f"arn:aws:s3:::{bucket}"]
    yield Caused(event["detail-type"], _new(event), DEFAULT_BUS)


STATES = {
    "StartInstances": ("StartingInstances", ("pending", "running")),
    "StopInstances": ("StoppingInstances", ("stopping", "stopped")),
}


@kind
def instances(call: Call, function: str, deployed: Deployed) -> Iterator[Caused]:
    if call.service != "ec2" or call.operation not in STATES:
        return
    changing, states = STATES[call.operation]
    for instance in call.answer[changing]:
        for state in states if instance["PreviousState"]["Name"] not in states else ():
            event = sample("ec2_state_alerts/stopped", instance_id=instance["InstanceId"], state=state)
            event["resources"] = [f"{event['resources'][0].rpartition('/')[0]}/{instance['InstanceId']}"]
            yield Caused("EC2 state change", _new(event), DEFAULT_BUS)


# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html
SNAPSHOTS = {
    "DBSnapshotIdentifier": ("snapshot-creating", "snapshot-created"),
    "DBClusterSnapshotIdentifier": ("cluster-snapshot-created",),
}


@kind
def snapshots(call: Call, function: str, deployed: Deployed) -> Iterator[Caused]:
    """Of a copy as if RDS told of it what it tells of any new snapshot, in the region in which it is."""
    if call.service != "rds" or not call.operation.startswith(("Create", "Copy")):
        return
    for field, names in SNAPSHOTS.items():
        identifier = str(call.arguments.get(f"Target{field}") or call.arguments.get(field, ""))
        for name in names if identifier else ():
            event = sample(f"rds_backup/{name}")
            text = json.dumps(event).replace(event["detail"]["SourceIdentifier"], identifier)
            moved: Event = json.loads(text.replace(event["region"], call.region))
            yield Caused("RDS snapshot", _new(moved), _arrives(moved, deployed))


@kind
def put(call: Call, function: str, deployed: Deployed) -> Iterator[Caused]:
    """What the function puts on a bus itself."""
    if call.service != "events" or call.operation != "PutEvents":
        return
    for entry, taken in zip(call.arguments["Entries"], call.answer["Entries"], strict=True):
        event = sample("event_pipeline/application-event") | {
            "id": taken["EventId"],
            "source": entry["Source"],
            "detail-type": entry["DetailType"],
            "resources": entry.get("Resources", []),
            "detail": json.loads(entry["Detail"]),
        }
        bus = entry.get("EventBusName", DEFAULT_BUS)
        yield Caused("put on a bus", event, deployed.bus if bus == APPLICATION_BUS else bus)


@kind
def inserted(call: Call, function: str, deployed: Deployed) -> Iterator[Caused]:
    """What the pipe makes of a new item in the table of the orders."""
    if (call.service, call.operation) != ("dynamodb", "PutItem") or call.arguments["TableName"] != "OrdersTable":
        return
    changed = record("INSERT", new=call.arguments["Item"])
    if deployed.passes(changed):
        event = sample("ordering/order-placed") | {"detail": render(deployed.pipe.template, changed)}
        event |= {"source": deployed.pipe.event_source, "detail-type": deployed.pipe.detail_type}
        yield Caused("put by the pipe", _new(event), deployed.bus)


# ---------------------------------------------------------------- CloudTrail

# https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-rdsdataapi.html
SOURCES = {"rds-data": "rdsdataapi"}
"""Services that CloudTrail does not call by the name with which requests are signed."""
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
NAMES = {
    ("s3", "PutPublicAccessBlock"): "PutBucketPublicAccessBlock",
    ("s3", "PutBucketLifecycleConfiguration"): "PutBucketLifecycle",
    ("s3control", "PutPublicAccessBlock"): "PutAccountPublicAccessBlock",
}
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
READS = ("Describe", "Get", "List")


@kind
def recorded(call: Call, function: str, deployed: Deployed) -> Iterator[Caused]:
    """Of every call, also of those that CloudTrail records only where a trail has been told to log data events."""
    model = _model(call.service)
    service = SOURCES.get(call.service, model.signing_name)
    source = f"{service}.amazonaws.com"
    region = "us-east-1" if source in GLOBAL - {"sts.amazonaws.com"} else call.region
    only_reads = call.operation.startswith(READS)
    event = sample(
        "security_remediation/put-bucket-policy-own-role",
        eventSource=source,
        eventName=_event_name(call, model),
        awsRegion=region,
        userIdentity=deployed.identity(function),
        requestParameters=_parameters(call),
        readOnly=only_reads,
        eventID=str(uuid4()),
    )
    for of_that_call in ("additionalEventData", "resources", "tlsDetails"):
        del event["detail"][of_that_call]
    event |= {"source": f"aws.{service}", "region": region}
    yield Caused("CloudTrail record", _new(event), _arrives(event, deployed), only_reads)


@cache
def _model(service: str) -> Any:
    return get_session().get_service_model(service)


def _event_name(call: Call, model: Any) -> str:
    """Those of Lambda's first API carry its version.

    https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
    """
    if call.service == "lambda" and model.operation_model(call.operation).http["requestUri"].startswith("/2015-03-31/"):
        return f"{call.operation}20150331v2"
    return NAMES.get((call.service, call.operation), call.operation)


def _parameters(call: Call) -> Event:
    """The arguments under CloudTrail's names: they begin with a small letter, and S3 says `bucketName`.

    What is no JSON, such as the body of an object, is in no record; EC2's lists are left out, which have a form of their own.
    """
    found = _named({"BucketName" if name == "Bucket" else name: value for name, value in call.arguments.items()})
    return {name: value for name, value in found.items() if call.service != "ec2" or not isinstance(value, list)}


def _named(value: Any) -> Any:
    match value:
        case dict():
            fields = {f"{name[:1].lower()}{name[1:]}": _named(one) for name, one in value.items()}
            return {name: one for name, one in fields.items() if one is not None}
        case list() | tuple():
            return [one for item in value if (one := _named(item)) is not None]
        case datetime():
            return value.isoformat()
        case str() | bool() | int() | float():
            return value
    return None


def _new(event: Event) -> Event:
    return event | {"id": str(uuid4()), "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
