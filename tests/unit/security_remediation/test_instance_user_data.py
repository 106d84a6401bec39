from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from automations import aws
from automations.errors import Refused
from automations.stopped_by import stopped_by
from security_remediation.handler import lambda_handler
from security_remediation.remediations import instance_user_data
from tests.unit.conftest import Alerts
from tests.unit.security_remediation.attacks import Attack
from tests.unit.security_remediation.attacks import compute as attacks
from tests.unit.security_remediation.conftest import call, writes

pytestmark = pytest.mark.usefixtures("deployed")


def told(attacked: Attack, alerts: Alerts, calls: list[str], context: Any) -> str:
    """What people are told of an attack after which nothing is to be written."""
    calls.clear()
    lambda_handler(attacked.event, context)
    assert writes(calls) == []
    [message] = alerts.received()
    return str(message["Message"])


def tags(attacked: Attack) -> dict[str, str]:
    answer = aws.ec2().describe_instances(InstanceIds=[attacked.event["detail"]["requestParameters"]["instanceId"]])
    return {tag["Key"]: tag["Value"] for tag in answer["Reservations"][0]["Instances"][0].get("Tags", [])}


def test_an_instance_that_is_stopped_says_who_did_so_and_when(enforce, context):
    attacked = attacks.user_data()

    lambda_handler(attacked.event, context)

    marked = tags(attacked)
    launched = datetime.now(UTC) - timedelta(minutes=1)
    assert stopped_by(marked, launched) == "security-remediation"
    assert stopped_by(marked, datetime.now(UTC) + timedelta(minutes=1)) == ""  # once somebody has started it again


def test_one_with_as_many_tags_as_there_may_be_is_stopped_all_the_same(enforce, context, monkeypatch):
    attacked = attacks.user_data()

    def full(**_):
        raise ClientError({"Error": {"Code": "TagLimitExceeded", "Message": "50"}}, "CreateTags")

    monkeypatch.setattr(aws.ec2(), "create_tags", full)

    lambda_handler(attacked.event, context)

    assert attacked.state() == "stopped"
    assert tags(attacked) == {}


def test_one_that_must_not_be_marked_is_stopped_and_the_error_is_told(enforce, alerts, context, monkeypatch):
    attacked = attacks.user_data()

    def refused(**_):
        raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "an SCP"}}, "CreateTags")

    monkeypatch.setattr(aws.ec2(), "create_tags", refused)

    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        lambda_handler(attacked.event, context)

    assert attacked.state() == "stopped"


def test_one_that_another_automation_will_start_is_told_with_what_prevents_that(enforce, alerts, calls, context):
    attacked = attacks.user_data()
    attacked.revert()
    instance = attacked.event["detail"]["requestParameters"]["instanceId"]
    aws.ec2().create_tags(Resources=[instance], Tags=[{"Key": "automations:stopped-by", "Value": "office-hours"}])

    message = told(attacked, alerts, calls, context)

    assert "office-hours will start it" in message
    assert "automations:stopped-by to security-remediation" in message


def test_a_stopped_instance_is_told_before_somebody_starts_it(enforce, alerts, calls, context):
    attacked = attacks.user_data()
    attacked.revert()

    assert "before anybody starts it" in told(attacked, alerts, calls, context)


def test_one_that_has_been_running_for_long_is_left_running(enforce, alerts, calls, context, monkeypatch):
    attacked = attacks.user_data()

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(UTC) + timedelta(hours=2)

    monkeypatch.setattr(instance_user_data, "datetime", Later)

    assert "running for more than an hour" in told(attacked, alerts, calls, context)
    assert attacked.state() == "running"


def test_one_of_an_auto_scaling_group_is_left_running(enforce, alerts, calls, context, monkeypatch):
    attacked = attacks.user_data()
    tags = {"aws:autoscaling:groupName": "web"}
    monkeypatch.setattr(instance_user_data, "tags_of", lambda _: tags)  # nobody but AWS may set such a tag

    assert "Auto Scaling group web would replace it" in told(attacked, alerts, calls, context)
    assert attacked.state() == "running"


def test_user_data_that_was_taken_away_cannot_run(enforce, alerts, calls, context, monkeypatch):
    attacked = attacks.user_data()
    monkeypatch.setattr(aws.ec2(), "describe_instance_attribute", lambda **_: {"UserData": {}})

    assert "is not so any more" in told(attacked, alerts, calls, context)


@pytest.mark.parametrize("gone", [True, False])
def test_one_that_is_gone_or_terminated_is_told(gone, enforce, alerts, calls, context):
    attacked = attacks.user_data()
    if gone:
        attacked.event = call("modify-instance-attribute-user-data")
    else:
        aws.ec2().terminate_instances(InstanceIds=[attacked.event["detail"]["requestParameters"]["instanceId"]])

    assert "It does not exist any more" in told(attacked, alerts, calls, context)


def test_an_instance_of_another_region_is_refused(enforce, alerts, calls, context):
    with pytest.raises(Refused, match="in eu-west-1"):
        lambda_handler(call("modify-instance-attribute-user-data", awsRegion="eu-west-1"), context)
    assert calls == []
