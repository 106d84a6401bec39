"""The scenes of `make demo` do not care where they run. Here `demo --target aws` runs against the local cloud as if that were AWS:
its endpoint and the credentials are in the environment, and nothing else tells the demo where it is, but for what MiniStack
refuses or cannot do (STAND_IN_FOR_AWS=ministack in docs/demo-on-aws.md). It deploys its receiver and the application, plays
scenes that use every way of acting and looking, and removes everything. What is in the account is listed by the services'
own APIs before and after: after a run, after a scene that fails, and after Ctrl-C in the middle of the deployment, there is
nothing more than before. So the one thing that is not tried is AWS itself.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from local import __main__ as command_line
from local import demo_on_aws, terminal
from local.cloud import ACCOUNT, Aws, Cloud
from local.receiver import Answer
from local.scenes import NEEDS, SCENES
from local.scenes.account_alerts import account_alerts
from local.scenes.api_caller import api_caller
from local.scenes.apigateway_logging import http_stage_created
from local.scenes.buses import forwarded_events
from local.scenes.ec2_state_alerts import ec2_state_alerts
from local.scenes.security_remediation import administrator_made, security_group_opened
from local.stage import SceneFailed, Stage

from tests.proofs.conftest import Row

PLAYED = (
    *(api_caller, ec2_state_alerts, security_group_opened, administrator_made, account_alerts),
    *(forwarded_events, http_stage_created),
)
NAME = "demo-of-the-tests"

pytestmark = pytest.mark.timeout(900)  # two deployments, on a machine that may have more to do


@pytest.fixture(scope="module")
def built(local_cloud: Cloud) -> Iterator[Aws]:
    """The account, of which the environment says where it is, and the application built for it, once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", local_cloud.endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
        patch.setenv("AWS_SECRET_ACCESS_KEY", "as-on-aws")
        patch.setenv("STAND_IN_FOR_AWS", "ministack")
        demo_on_aws.build(Aws())
        yield Aws()


@pytest.fixture
def aws(built: Aws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setattr(demo_on_aws, "build", lambda cloud: None)
    return built


@pytest.fixture
def run(monkeypatch, capsys) -> Callable[..., tuple[int, str]]:
    """Call `python -m local demo --target aws` with arguments; returns the exit status and what it printed."""

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["local", "demo", "--target", "aws", "--stack", NAME, *arguments])
        monkeypatch.setattr(terminal.console, "_file", sys.stdout)
        status = command_line.main()
        return status, capsys.readouterr().out

    return call


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_scene_is_played_on_aws_or_needs_a_word(scene: Any, row: Row) -> None:
    row(
        "Scenes on AWS",
        scene=scene.__name__,
        played="with " + " and ".join(NEEDS[scene]) if scene in NEEDS else "always",
        tried_here="yes" if scene in PLAYED else "-",
    )


def test_the_scenes_are_played_as_on_aws_and_nothing_of_them_is_left(run, aws: Aws, row: Row) -> None:
    before = inventory(aws)
    names = ",".join(scene.__name__ for scene in PLAYED)

    status, output = run("--yes", "--with", "ec2,security,apigateway", "--scenes", names)

    assert status == 0, output
    assert f"All {len(PLAYED)} scenes, every effect read back." in output
    assert "to the rule's target directly: nobody but AWS may put events of aws.ec2 on a bus" in output
    assert "Nothing of it is left." in output
    assert inventory(aws) == before
    row("What is left", after="a run", left="nothing")


def test_nothing_is_left_after_a_scene_that_fails(run, aws: Aws, monkeypatch, row: Row) -> None:
    before = inventory(aws)

    def half_way(stage: Stage) -> None:
        """Make things, then fail."""
        stage.machine(Name="left")
        uploads = stage.stack.outputs["UploadsBucket"]
        stage.client("s3").put_object(Bucket=uploads, Key="left.txt", Body=b"left")
        stage.client("iam").create_user(UserName=f"{stage.stack.name}-left")
        stage.receiver.always("/slack", Answer(500))
        raise SceneFailed("This did not happen: the effect")

    monkeypatch.setattr(demo_on_aws, "SCENES", [half_way])
    status, output = run("--yes")

    assert status == 1
    assert "Failed. This did not happen: the effect" in output
    assert "Nothing of it is left." in output
    assert inventory(aws) == before
    row("What is left", after="a scene that fails", left="nothing")


def test_nothing_is_left_after_ctrl_c_while_it_deploys(run, aws: Aws, monkeypatch, row: Row) -> None:
    before = inventory(aws)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo_on_aws, "deploy", interrupted)
    status, output = run("--yes")

    assert status == 130
    assert f"bucket {NAME}-uploads-{ACCOUNT}" in output
    assert inventory(aws) == before
    row("What is left", after="Ctrl-C while it deploys", left="nothing")


def test_nothing_is_created_without_a_yes(run, aws: Aws, monkeypatch) -> None:
    before = inventory(aws)
    monkeypatch.setattr("builtins.input", lambda *_: "n")

    status, output = run()

    assert status == 1
    assert "What it costs:" in output
    assert "Left out without --with ec2: ec2_state_alerts" in output
    assert "Nothing was changed." in output
    assert inventory(aws) == before


def test_a_name_that_is_in_use_is_refused_and_what_has_it_can_be_removed(run, aws: Aws, monkeypatch) -> None:
    before = inventory(aws)
    aws.client("sqs").create_queue(QueueName=f"{NAME}-look-alerts")

    refused = run("--yes")
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    removed = run("--remove")

    assert refused[0] == 1
    assert f"There is something with this name in the account already: queue {NAME}-look-alerts" in refused[1]
    assert removed[0] == 0
    assert inventory(aws) == before
    assert run("--remove") == (0, f"There is nothing of {NAME}.\n")


def test_a_stack_that_no_demo_has_deployed_is_not_removed(run, aws: Aws) -> None:
    stack = {"StackName": NAME, "TemplateBody": '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'}
    aws.client("cloudformation").create_stack(**stack)

    status, output = run("--remove", "--yes")

    there = inventory(aws)["stacks"]
    aws.client("cloudformation").delete_stack(StackName=NAME)
    assert status == 1
    assert f"The stack {NAME} has no tag automations-demo" in output
    assert NAME in there


def inventory(aws: Aws) -> dict[str, list[str]]:
    """What is in the account, by the services' own lists: not by the code that removes."""
    return {name: sorted(found) for name, found in _lists(aws)}


def _lists(aws: Aws) -> Iterator[tuple[str, list[str]]]:
    def names(service: str, operation: str, key: str, name: str) -> list[str]:
        return [item[name] for page in _pages(aws, service, operation) for item in page.get(key, [])]

    yield "stacks", names("cloudformation", "describe_stacks", "Stacks", "StackName")
    yield "buckets", names("s3", "list_buckets", "Buckets", "Name")
    yield "queues", [url for page in _pages(aws, "sqs", "list_queues") for url in page.get("QueueUrls", [])]
    yield "topics", names("sns", "list_topics", "Topics", "TopicArn")
    yield "subscriptions", names("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn")
    yield "secrets", names("secretsmanager", "list_secrets", "SecretList", "Name")
    yield "parameters", names("ssm", "describe_parameters", "Parameters", "Name")
    yield "tables", [name for page in _pages(aws, "dynamodb", "list_tables") for name in page["TableNames"]]
    yield "functions", names("lambda", "list_functions", "Functions", "FunctionName")
    yield "layers", names("lambda", "list_layers", "Layers", "LayerName")
    yield "log groups", names("logs", "describe_log_groups", "logGroups", "logGroupName")
    yield "roles", names("iam", "list_roles", "Roles", "RoleName")
    yield "users", names("iam", "list_users", "Users", "UserName")
    yield "REST APIs", names("apigateway", "get_rest_apis", "items", "name")
    yield "HTTP APIs", names("apigatewayv2", "get_apis", "Items", "Name")
    yield "schedules", names("scheduler", "list_schedules", "Schedules", "Name")
    yield "schedule groups", names("scheduler", "list_schedule_groups", "ScheduleGroups", "Name")
    yield "dashboards", names("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName")
    yield "alarms", names("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName")
    yield "streams", names("kinesis", "list_streams", "StreamSummaries", "StreamName")
    yield "VPCs", names("ec2", "describe_vpcs", "Vpcs", "VpcId")
    yield "security groups", names("ec2", "describe_security_groups", "SecurityGroups", "GroupId")
    events, ec2 = aws.client("events"), aws.client("ec2")
    buses = [bus["Name"] for bus in events.list_event_buses()["EventBuses"]]
    yield "buses", buses
    yield "rules", [rule["Name"] for bus in buses for rule in events.list_rules(EventBusName=bus)["Rules"]]
    machines = [item for group in ec2.describe_instances()["Reservations"] for item in group["Instances"]]
    yield "machines", [item["InstanceId"] for item in machines if item["State"]["Name"] != "terminated"]
    role = aws.client("apigateway").get_account().get("cloudwatchRoleArn", "")
    yield "API Gateway's role", [role] if role else []


def _pages(aws: Aws, service: str, operation: str) -> Iterator[Any]:
    client = aws.client(service)
    if client.can_paginate(operation):
        yield from client.get_paginator(operation).paginate()
    else:
        yield getattr(client, operation)()
