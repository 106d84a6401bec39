"""What happens to an event that comes twice, or that cannot be processed, in the deployed application."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.cloud import Cloud, running_cloud, wait_for
from local.receiver import Answer
from local.stack import PARAMETERS, deploy
from local.stage import SECONDS, Stage

INSTANCE = "i-0123456789abcdef0"  # one that does not exist: told from the event alone


def test_an_event_that_comes_twice_is_told_once(stage: Stage) -> None:
    event = stage.sample("ec2_state_alerts/terminated", instance_id=INSTANCE)
    for _ in range(2):
        stage.send(event, expect="InstanceStateChanged")

    finished = wait_for(lambda: len(reports(stage, event["id"])) == 2)

    assert finished
    assert len(stage.receiver.to("/slack")) == 1


def test_slack_is_asked_again_when_it_says_429_and_nothing_is_told_twice(stage: Stage) -> None:
    stage.receiver.answer("/slack", Answer(429, {"Retry-After": "0"}), Answer(503))
    event = stage.sample("ec2_state_alerts/terminated", instance_id="i-0123456789abcdef1")

    stage.send(event, expect="InstanceStateChanged")

    assert len(stage.receiver.to("/slack")) == 3
    assert failed(stage, event) == []
    stage.alert("i-0123456789abcdef1 is terminated", "Ec2StateAlertsFunction")


def test_what_slack_refuses_waits_in_the_failed_events_queue_with_the_reason_and_can_be_sent_again(
    stage: Stage,
) -> None:
    stage.receiver.always("/slack", Answer(404, body=b"no_service"))
    event = stage.sample("ec2_state_alerts/terminated", instance_id="i-0123456789abcdef2")
    stage.stack.send(event)

    found = wait_for(lambda: failed(stage, event), SECONDS)
    assert found
    assert found[0]["requestPayload"] == event
    assert "no_service" in json.dumps(found[0]["responsePayload"])
    attempts = len(stage.receiver.to("/slack"))

    stage.receiver.forget()
    stage.stack.send(found[0]["requestPayload"])

    assert attempts == 3  # the first attempt and Lambda's two retries
    assert wait_for(lambda: len(stage.receiver.to("/slack")) == 1)


def test_an_event_of_another_shape_waits_in_the_failed_events_queue_and_the_log_names_the_field(stage: Stage) -> None:
    event = stage.sample("ec2_state_alerts/stopped", instance_id="not-an-instance")
    stage.stack.send(event)

    found = wait_for(lambda: failed(stage, event), SECONDS)

    assert found
    assert "detail.instance-id" in json.dumps(found[0]["responsePayload"])
    errors = [line for line in stage.stack.log("Ec2StateAlertsFunction", event["id"]) if line["level"] == "ERROR"]
    assert {line["reason"] for line in errors} == {"InvalidEvent"}
    assert all("not-an-instance" not in json.dumps(line) for line in errors)


def test_an_automation_that_is_not_enabled_leaves_nothing_behind(tmp_path: Path) -> None:
    with running_cloud(tmp_path / "ministack.log") as cloud:
        stack = deploy(
            cloud,
            {
                **{name: "false" for name in PARAMETERS if name.startswith("Enable")},
                "EnableImageResize": "true",
                "EnableSecurityRemediation": "true",
                "ForwardedEvents": "false",
                "BusAccounts": "",
                "BusOrganization": "",
                "SlackWebhookSecret": "",
                "UploadsBucketName": "",
                "DerivativesBucketName": "",
            },
        )
        assert {name for name in stack.resources if name.endswith("Function")} == {
            "ImageResizeFunction",
            "SecurityRemediationFunction",
        }
        gone = (
            *("Codebuild", "Builds", "Partner", "Ec2", "Restarts", "SlackWebhook"),
            *(
                "AppNotifications",
                "Finance",
                "CustomerCare",
                "AccountAlerts",
                "ApplicationBus",
                "EventPipeline",
                "Ingest",
            ),
            *("RdsBackup", "OfficeHours", "ApiCaller", "ApigatewayLogging", "Basket", "Order"),
            *("Forwarded", "SecurityRemediationForwarded"),
        )
        assert [name for name in stack.resources if name.startswith(gone)] == []
        assert sends_events(cloud, stack.outputs["UploadsBucket"])


def failed(stage: Stage, event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the failed-events queue holds about the event."""
    return [item for item in stage.stack.failed_events() if item["requestPayload"]["id"] == event["id"]]


def sends_events(cloud: Cloud, bucket: str) -> bool:
    return "EventBridgeConfiguration" in cloud.client("s3").get_bucket_notification_configuration(Bucket=bucket)


def reports(stage: Stage, event_id: str) -> list[object]:
    """One line for each time that the function has finished with the event."""
    return [
        line for line in stage.stack.log("Ec2StateAlertsFunction", event_id) if line["message"].startswith("Looked at")
    ]
