"""What happens to an event that comes twice, or that cannot be processed, in the deployed application."""

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from local.cloud import Cloud, running_cloud, wait_for
from local.receiver import Answer, Request
from local.stack import PARAMETERS, deploy
from local.stage import SECONDS, Stage

INSTANCE = "i-0123456789abcdef0"  # one that does not exist: told from the event alone


def test_an_event_that_comes_twice_is_told_once(stage: Stage) -> None:
    event = stage.sample("ec2_state_alerts/terminated", instance_id=INSTANCE)
    for _ in range(2):
        stage.send(event, expect="InstanceStateChanged")

    finished = wait_for(lambda: len(reports(stage, event["id"])) == 2)

    assert finished
    assert wait_for(lambda: told(stage, INSTANCE))
    assert len(told(stage, INSTANCE)) == 1


def test_slack_is_asked_again_when_it_says_429_or_503_and_nothing_is_told_twice(stage: Stage) -> None:
    stage.receiver.answer("/slack", Answer(429, {"Retry-After": "0"}), Answer(503))
    instance = "i-0123456789abcdef1"
    event = stage.sample("ec2_state_alerts/terminated", instance_id=instance)

    stage.send(event, expect="InstanceStateChanged")

    assert wait_for(lambda: len(told(stage, instance)) == 3)  # the third comes from the queue, some seconds later
    assert failed(stage, event) == []
    stage.alert(f"{instance} is terminated", "Ec2StateAlertsFunction")


def test_messages_of_a_channel_are_posted_in_their_order_with_at_least_a_second_between_them(stage: Stage) -> None:
    instances = [f"i-0123456789abcde{number:02}" for number in range(4)]
    for instance in instances:
        stage.send(stage.sample("ec2_state_alerts/terminated", instance_id=instance), expect="InstanceStateChanged")

    assert wait_for(lambda: all(told(stage, instance) for instance in instances))
    posts = [request for request in stage.receiver.to("/slack") if "i-0123456789abcde" in request.json()["text"]]
    assert [next(one for one in instances if one in post.json()["text"]) for post in posts] == instances
    assert all(later.at - earlier.at >= 1 for earlier, later in pairwise(posts))


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
            *("Codebuild", "Builds", "Partner", "Ec2", "Restarts", "Slack"),
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


def told(stage: Stage, instance: str) -> list[Request]:
    """What Slack got about the instance."""
    return [request for request in stage.receiver.to("/slack") if instance in request.json()["text"]]


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
