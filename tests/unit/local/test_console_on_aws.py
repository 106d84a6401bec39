"""What the console asks of a stack in an account: services are moto's; CloudFormation's and Lambda's answers are given."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import NoCredentialsError
from local.cloud import Aws, LocalError
from local.console.watch import Watch
from local.stack import Rule, Schedule, Stack

ARN = "arn:aws:lambda:ap-northeast-2:111122223333:function:stack-ShopFunction-1A2B3C"
EVENT_ID = "5e1f7f0e-0000-4000-8000-000000000001"
LOG_GROUP = "stack-ShopLogGroup-1A2B3C"


@dataclass(frozen=True)
class Account(Aws):
    """Moto's account, in which somebody has signed in or not: a session knows only what was so when it was made."""

    signed_in: list[bool] = field(default_factory=lambda: [True])

    @cached_property
    def credentials(self) -> bool:
        return self.signed_in[0]

    def client(self, service: str, config: Config | None = None) -> Any:
        if not self.credentials:
            raise NoCredentialsError
        return boto3.client(service, config=config)  # type: ignore[call-overload]


@pytest.fixture
def watch(cloud: None, tmp_path: Path) -> Watch:
    """A stack with a log group, and a message in the local cloud's inbox that is not about it."""
    template = {
        "Resources": {"ShopLogGroup": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": LOG_GROUP}}}
    }
    boto3.client("cloudformation").create_stack(StackName="shop", TemplateBody=json.dumps(template))
    (tmp_path / "1-1-slack.json").write_text(f"event {EVENT_ID}")
    return Watch(Stack(Account(), "shop"), tmp_path, on_aws=True)


def ready(watch: Watch, **more: Any) -> None:
    """The stack with a function and a rule, as if CloudFormation had said so."""
    watch.keep_up()
    rule = Rule("Paid", "ShopFunction", "default", json.dumps({"source": ["aws.s3"]}), ARN)
    watch.stack.__dict__.update(resources={"ShopFunction": ARN, "ShopLogGroup": LOG_GROUP}, rules=[rule], **more)


def test_journeys_are_those_of_the_functions_logs_alone(watch: Watch) -> None:
    ready(watch)
    line = {"message": "Looked", "level": "INFO", "correlation_id": EVENT_ID, "function_request_id": "one"}
    logs = boto3.client("logs")
    logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName="one")
    entry: Any = {"timestamp": int(time.time() * 1000), "message": json.dumps(line)}
    logs.put_log_events(logGroupName=LOG_GROUP, logStreamName="one", logEvents=[entry])

    [journey] = watch.look()

    assert (journey.id, journey.event, list(journey.told)) == (EVENT_ID, None, [])
    assert boto3.client("sqs").list_queues().get("QueueUrls", []) == []  # no tap was made


def test_a_log_group_that_does_not_exist_says_nothing(watch: Watch) -> None:
    ready(watch)
    boto3.client("logs").delete_log_group(logGroupName=LOG_GROUP)

    assert watch.look() == []


def test_a_stack_that_is_not_there_is_said_with_the_remedy(watch: Watch) -> None:
    watch.stack = Stack(watch.stack.cloud, "another")

    with pytest.raises(LocalError, match="There is no stack another in ap-northeast-2"):
        watch.failed()


def test_the_stack_is_looked_at_anew_after_an_update_and_only_then(watch: Watch) -> None:
    watch.keep_up()
    before = watch.stack
    watch.keep_up()
    assert watch.stack is before

    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    boto3.client("cloudformation").update_stack(StackName="shop", TemplateBody=json.dumps(template))
    watch.keep_up()

    assert watch.stack is not before
    assert "Topic" in watch.stack.resources


def test_the_console_works_once_somebody_has_signed_in(watch: Watch) -> None:
    signed_in: list[bool] = watch.stack.cloud.signed_in  # type: ignore[union-attr]
    signed_in[0], watch.stack = False, Stack(replace(watch.stack.cloud), "shop")
    with pytest.raises(NoCredentialsError):
        watch.failed()

    signed_in[0] = True

    watch.keep_up()
    assert watch.stack.resources == {"ShopLogGroup": LOG_GROUP}


@pytest.fixture
def matching(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events of S3 match the rule; moto has no TestEventPattern."""

    def matching(stack: Stack, event: Mapping[str, Any]) -> list[Rule]:
        return stack.rules if event["source"] == "aws.s3" else []

    monkeypatch.setattr(Stack, "matching", matching)


def test_an_upload_is_sent_to_the_function_and_uploads_nothing(
    watch: Watch, matching: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(watch)
    invoked: list[tuple[str, str]] = []
    monkeypatch.setattr(Stack, "invoke", lambda self, target, event: invoked.append((target, event["id"])))
    detail = {"bucket": {"name": "uploads"}, "object": {"key": "cat.jpg"}}
    event = {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}

    assert watch.would_do(event) == "invokes ShopFunction, whose effects are real"
    assert invoked == []

    _, event_id = watch.send(event)
    assert invoked == [(ARN, event_id)]


def test_a_schedules_event_says_which_function_it_invokes(watch: Watch, matching: None) -> None:
    ready(watch)
    arn = "arn:aws:scheduler:ap-northeast-2:111122223333:schedule/group/Nightly"
    form = {"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}, "resources": [arn]}
    watch.stack.__dict__["schedules"] = [Schedule("Nightly", "ShopFunction", json.dumps(form), ARN, arn)]

    assert watch.would_do(form) == "invokes ShopFunction, whose effects are real"


def test_an_event_that_no_rule_takes_has_no_effects(watch: Watch, matching: None) -> None:
    ready(watch)

    assert watch.would_do({"source": "aws.ec2", "detail-type": "Stopped", "detail": {}}) == ""
