"""The buses, played: a forwarder, and the rules that hear what was forwarded."""

import json
from typing import Any
from uuid import uuid4

from local.forwarder import forwarder
from local.stage import Stage

MEMBER = "444455556666"


def forwarded_events(stage: Stage) -> None:
    """A forwarder is deployed, and what S3 sends arrives on the application bus too. Then root creates a user, in us-east-1, and a build
    of another account fails: both are told as if they had happened here."""
    bus, uploads = stage.stack.outputs["ApplicationBus"], stage.stack.outputs["UploadsBucket"]
    key = f"forwarded/{uuid4()}.txt"
    with (
        stage.listening(bus, "aws.s3") as queue,
        forwarder(
            stage.stack.cloud,
            f"{stage.stack.name}-forwarder",
            CentralBusArn=stage.stack.outputs["ApplicationBusArn"],
            Sources="aws.s3",
            DetailTypes="Object Created",
        ) as outputs,
    ):
        stage.say("stack", f"{stage.stack.name}-forwarder: {outputs['ForwardRule']} forwards to {bus}")
        stage.settle()
        stage.client("s3").put_object(Bucket=uploads, Key=key, Body=b"not a picture")
        stage.say("event", f"Object Created from aws.s3: {key}")
        seen: list[dict[str, Any]] = []

        def arrived() -> dict[str, Any] | None:
            seen.extend(stage.take(queue))
            return next((event for event in seen if event["detail"]["object"]["key"] == key), None)

        event = stage.expect(f"the event arrived on {bus}", arrived, "")
        said = (event["source"], event["detail-type"], event["account"], event["detail"]["bucket"]["name"])
        stage.expect(
            "it is as S3 sent it", lambda: said == ("aws.s3", "Object Created", stage.cloud.account, uploads), ""
        )

    stage.send(stage.sample("security_remediation/root-api-call"), expect="ForwardedRootActivity", bus=bus)
    stage.alert("root user called CreateUser", "SecurityRemediationFunction")

    project = f"{stage.stack.parameters['CodebuildProjectPrefix']}site-{uuid4().hex[:6]}"
    build = f"arn:aws:codebuild:us-east-1:{MEMBER}:build/{project}:{uuid4()}"
    failed = stage.sample("codebuild_slack/failed", project_name=project, build_id=build)
    stage.send(failed | {"account": MEMBER, "region": "us-east-1"}, expect="ForwardedBuildFinished", bus=bus)
    message = stage.slack("/slack", project, "CodebuildSlackFunction")
    origin = f"Account {MEMBER} · us-east-1"
    stage.expect(f"it says where: {origin}", lambda: origin in json.dumps(message, ensure_ascii=False), "")
