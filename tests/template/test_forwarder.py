"""The forwarder's template, held to the rules of the main one, and deployed to the local cloud."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError
from cfnlint.api import lint_file  # type: ignore[import-untyped]
from local.cloud import Cloud
from local.forwarder import TEMPLATE as FILE
from local.forwarder import forwarder
from local.template import Loader

from tests.samples import sample
from tests.template.test_rules import INDEX

CENTRAL = "arn:aws:events:ap-northeast-2:111122223333:event-bus/eventbridge-automations"
TEMPLATE: dict[str, Any] = yaml.load(FILE.read_text(), Loader)
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
RULE = RESOURCES["ForwardRule"]["Properties"]


def test_it_is_a_plain_template_without_findings_of_cfn_lint() -> None:
    assert "Transform" not in TEMPLATE
    assert lint_file(FILE) == []


def test_it_forwards_with_a_role_that_may_put_events_on_that_very_bus_and_nothing_else() -> None:
    [target] = RULE["Targets"]
    role = RESOURCES["ForwardRole"]["Properties"]
    [policy] = role["Policies"]
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]

    assert target["Arn"] == {"Ref": "CentralBusArn"}
    assert target["RoleArn"] == {"Fn::GetAtt": "ForwardRole.Arn"}
    assert policy["PolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Action": "events:PutEvents", "Resource": {"Ref": "CentralBusArn"}}
    ]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert "ManagedPolicyArns" not in role


def test_what_the_central_bus_does_not_take_is_kept_for_14_days_behind_an_alarm() -> None:
    [target] = RULE["Targets"]
    [statement] = RESOURCES["NotForwardedQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    alarm = RESOURCES["NotForwardedAlarm"]["Properties"]

    # https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_events_targets.EventBusProps.html
    assert "RetryPolicy" not in target  # "Retry policy is not supported for Event bus targets."
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": "NotForwardedQueue.Arn"}}
    assert RESOURCES["NotForwardedQueue"]["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert RESOURCES["NotForwardedQueue"]["Properties"]["SqsManagedSseEnabled"] is True
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Resource"] == {"Fn::GetAtt": "NotForwardedQueue.Arn"}
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": "ForwardRule.Arn"}}}
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": "NotForwardedQueue.QueueName"}}]
    assert alarm["AlarmActions"] == {"Fn::If": ["HasAlertsEmail", [{"Ref": "AlertsTopic"}], {"Ref": "AWS::NoValue"}]}


def test_calls_that_only_read_are_forwarded_when_they_are_asked_for() -> None:
    every_call = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"

    assert RULE["State"] == {"Fn::If": ["ForwardsReads", every_call, "ENABLED"]}
    assert TEMPLATE["Parameters"]["ReadOnlyCalls"]["Default"] == "false"


def test_nothing_in_it_has_a_name_of_its_own_and_every_parameter_is_used() -> None:
    assert not [
        name
        for name, item in RESOURCES.items()
        for key in item.get("Properties", {})
        if re.fullmatch("(.*[a-z])?Name", key) and key != "MetricName"
    ]
    for parameter in TEMPLATE["Parameters"]:
        assert f"!Ref {parameter}" in FILE.read_text(), parameter


@pytest.fixture(scope="module")
def pattern(local_cloud: Cloud) -> Iterator[str]:
    """The pattern of the forwarder's rule, as it is deployed without any parameter but the bus."""
    with forwarder(local_cloud, "forwarder-by-default", CentralBusArn=CENTRAL) as outputs:
        yield local_cloud.client("events").describe_rule(Name=outputs["ForwardRule"])["EventPattern"]


def exists_in_us_east_1(event: dict[str, Any]) -> bool:
    """Whether the default of the parameters chooses the event, and it is no call that failed."""
    sources, kinds = (TEMPLATE["Parameters"][name]["Default"].split(",") for name in ("Sources", "DetailTypes"))
    failed = {"errorCode", "eventVersion"} <= set(event["detail"])
    return event["source"] in sources and event["detail-type"] in kinds and not failed


"""A sign-in that failed has no errorCode: the rules of the central stack leave it out."""


def test_by_default_it_forwards_what_exists_in_us_east_1_alone_and_no_call_that_failed(
    pattern: str, local_cloud: Cloud
) -> None:
    events = local_cloud.client("events")
    samples = {name: sample(name.removesuffix(".json")) for name in INDEX if "batch" not in name}

    forwarded = {
        name
        for name, event in samples.items()
        if events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]
    }

    assert forwarded == {name for name, event in samples.items() if exists_in_us_east_1(event)}
    assert {event["source"] for name, event in samples.items() if name in forwarded} >= {
        "aws.iam",
        "aws.signin",
        "aws.organizations",
    }


def test_an_event_that_is_no_record_of_cloudtrail_is_forwarded_whatever_its_error_code(
    pattern: str, local_cloud: Cloud
) -> None:
    event = sample("account_alerts/trusted-advisor-error", errorCode="17")

    answer = local_cloud.client("events").test_event_pattern(EventPattern=pattern, Event=json.dumps(event))

    assert answer["Result"] is True


@pytest.mark.parametrize(
    "bus",
    [
        "arn:aws:events:us-east-1:111122223333:event-bus/default",
        "arn:aws:events:ap-northeast-2:444455556666:event-bus/default",
        "arn:aws:sqs:us-east-1:111122223333:queue",
        "eventbridge-automations",
        "arn:aws:events:us-east-1:111122223333:event-bus/*",
    ],
)
def test_it_cannot_be_deployed_with_a_default_bus_or_with_anything_but_a_bus(bus: str, local_cloud: Cloud) -> None:
    deployment = forwarder(local_cloud, "forwarder-in-a-circle", CentralBusArn=bus)

    with pytest.raises(ClientError, match="must be the ARN of a custom bus"), deployment:
        pass


def test_a_bus_whose_name_begins_like_the_default_one_is_a_custom_bus() -> None:
    allowed = TEMPLATE["Parameters"]["CentralBusArn"]["AllowedPattern"]

    assert re.fullmatch(allowed, CENTRAL.replace("eventbridge-automations", "default-events"))
    assert re.fullmatch(allowed, CENTRAL.replace("arn:aws:", "arn:aws-us-gov:"))
