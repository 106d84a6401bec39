"""The buses, played: a forwarder, and the rules that hear what was forwarded."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from local.cloud import ACCOUNT
from local.forwarder import forwarder
from local.stack import UPLOADS
from local.stage import Stage

MEMBER = "444455556666"


def forwarded_events(stage: Stage) -> None:
    """A forwarder is deployed, and what S3 sends arrives on the application bus too. Then root creates a user, in us-east-1, and a build
    of another account fails: both are told as if they had happened here."""
    bus, key = stage.stack.outputs["ApplicationBus"], f"forwarded/{uuid4()}.txt"
    with (
        tap(stage, bus) as queue,
        forwarder(
            stage.stack.cloud,
            "event-forwarder",
            CentralBusArn=stage.stack.outputs["ApplicationBusArn"],
            Sources="aws.s3",
            DetailTypes="Object Created",
        ) as outputs,
    ):
        stage.say("stack", f"event-forwarder: {outputs['ForwardRule']} forwards to {bus}")
        stage.client("s3").put_object(Bucket=UPLOADS, Key=key, Body=b"not a picture")
        stage.say("event", f"Object Created from aws.s3: {key}")
        seen: list[dict[str, Any]] = []

        def arrived() -> dict[str, Any] | None:
            seen.extend(stage.take(queue))
            return next((event for event in seen if event["detail"]["object"]["key"] == key), None)

        event = stage.expect(f"the event arrived on {bus}", arrived, "event-forwarder")
        said = (event["source"], event["detail-type"], event["account"], event["detail"]["bucket"]["name"])
        stage.expect("it is as S3 sent it", lambda: said == ("aws.s3", "Object Created", ACCOUNT, UPLOADS), "")

    stage.send(stage.sample("security_remediation/root-api-call"), expect="ForwardedRootActivity", bus=bus)
    stage.alert("root user called CreateUser", "SecurityRemediationFunction")

    project = f"web-site-{uuid4().hex[:6]}"
    build = f"arn:aws:codebuild:us-east-1:{MEMBER}:build/{project}:{uuid4()}"
    failed = stage.sample("codebuild_slack/failed", project_name=project, build_id=build)
    stage.send(failed | {"account": MEMBER, "region": "us-east-1"}, expect="ForwardedBuildFinished", bus=bus)
    message = stage.slack("/slack", project, "CodebuildSlackFunction")
    origin = f"Account {MEMBER} · us-east-1"
    stage.expect(f"it says where: {origin}", lambda: origin in json.dumps(message, ensure_ascii=False), "")


@contextmanager
def tap(stage: Stage, bus: str) -> Iterator[str]:
    """A queue that gets S3's events of the bus, for the length of a `with` block; yields its URL."""
    events, sqs, name = stage.client("events"), stage.client("sqs"), "look-forwarded"
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps({"source": ["aws.s3"]}))
    events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": name, "Arn": arn}])
    try:
        yield queue
    finally:
        events.remove_targets(Rule=name, EventBusName=bus, Ids=[name])
        events.delete_rule(Name=name, EventBusName=bus)
        sqs.delete_queue(QueueUrl=queue)
