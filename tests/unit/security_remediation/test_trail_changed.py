from typing import Any

import pytest
from botocore.exceptions import ClientError

from automations import aws
from automations.errors import Refused
from security_remediation import baseline
from security_remediation.baseline import take
from security_remediation.handler import lambda_handler
from security_remediation.remediations import trail_changed
from tests.unit.security_remediation.attacks import baseline as attacks
from tests.unit.security_remediation.attacks.baseline import ELSEWHERE, LOGS, TRAIL, changed
from tests.unit.security_remediation.conftest import an_hour_later, audit_records, call, just_now, writes

pytestmark = pytest.mark.usefixtures("deployed")
KEY = "arn:aws:kms:ap-northeast-2:{}:key/7a2b9c3d-5555-6666-7777-888899990000"


def updated(request: dict[str, Any], **detail: Any) -> dict[str, Any]:
    named = {"name": TRAIL, **request}
    return call("update-trail-weakened", requestParameters=named, **{"eventTime": just_now(), **detail})


def test_only_what_is_weaker_is_put_back_and_what_the_call_improved_stays(enforce, alerts, calls, context):
    aws.s3().create_bucket(Bucket=LOGS, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    client = aws.cloudtrail()
    client.create_trail(Name=TRAIL, S3BucketName=LOGS, IsMultiRegionTrail=True, EnableLogFileValidation=False)
    client.start_logging(Name=TRAIL)
    take({"trails": trail_changed.snapshot})
    topic = aws.sns().create_topic(Name="trail")["TopicArn"]
    client.update_trail(Name=TRAIL, IsMultiRegionTrail=False, EnableLogFileValidation=True, SnsTopicName=topic)

    lambda_handler(
        updated({"isMultiRegionTrail": False, "enableLogFileValidation": True, "snsTopicName": topic}), context
    )

    now = client.get_trail(Name=TRAIL)["Trail"]
    assert (now["IsMultiRegionTrail"], now["LogFileValidationEnabled"], now["SnsTopicARN"]) == (True, True, topic)
    [message] = alerts.received()
    assert "- Switch IsMultiRegionTrail on again, as at 20" in message["Message"]
    assert message["Message"].count("\n- ") == 1


def test_what_another_call_weakened_is_for_the_event_of_that_call(enforce, alerts, calls, context):
    changed({"isMultiRegionTrail": False})
    calls.clear()

    outcome = lambda_handler(updated({"enableLogFileValidation": False}, eventID="another"), context)

    assert outcome["outcomes"]["trail_changed"] == "nothing to do"  # it is on: moto was not told
    assert writes(calls) == []


def test_a_record_that_names_no_setting_is_looked_into(enforce, alerts, context):
    attacked = changed({"cloudWatchLogsLogGroupArn": "", "cloudWatchLogsRoleArn": ""})

    lambda_handler(updated({}), context)

    assert attacked.state() == attacked.closed


def test_switches_as_text_are_read(enforce, alerts, context):
    attacked = attacks.trail_narrowed()
    attacked.event["detail"]["requestParameters"] |= {"isMultiRegionTrail": "false"}

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


@pytest.mark.parametrize(("account", "mode"), [("123456789012", "harmless"), ("444455556666", "closed")])
def test_a_key_where_there_was_none_is_taken_away_when_it_is_a_strangers(account, mode, enforce, alerts, context):
    aws.s3().create_bucket(Bucket=LOGS, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    client = aws.cloudtrail()
    client.create_trail(Name=TRAIL, S3BucketName=LOGS)
    client.start_logging(Name=TRAIL)
    take({"trails": trail_changed.snapshot})
    client.update_trail(Name=TRAIL, KmsKeyId=KEY.format(account))

    outcome = lambda_handler(updated({"kmsKeyId": KEY.format(account)}), context)

    assert outcome["outcomes"]["trail_changed"].startswith(mode)
    assert client.get_trail(Name=TRAIL)["Trail"].get("KmsKeyId") == (KEY.format(account) if mode == "harmless" else "")


def test_a_role_of_the_log_group_is_put_with_its_log_group(enforce, alerts, context):
    attacked = changed({"cloudWatchLogsRoleArn": "arn:aws:iam::123456789012:role/nothing"})

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed
    assert set(audit_records()[0]["before"]) == {"Name", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"}


def test_what_cannot_be_put_back_does_not_keep_the_rest_from_it(enforce, alerts, context, monkeypatch):
    attacked = changed({"isMultiRegionTrail": False, "s3BucketName": ELSEWHERE, "snsTopicName": ""})
    update = aws.cloudtrail().update_trail

    def refused(**arguments: Any) -> Any:
        if "S3BucketName" in arguments:
            raise ClientError({"Error": {"Code": "S3BucketDoesNotExistException", "Message": "No."}}, "UpdateTrail")
        return update(**arguments)

    with monkeypatch.context() as patched:
        patched.setattr(aws.cloudtrail(), "update_trail", refused)
        with pytest.raises(ClientError, match="S3BucketDoesNotExist"):
            lambda_handler(attacked.event, context)
    now = attacked.state()["trail"]
    assert now["IsMultiRegionTrail"] is True
    assert now["SnsTopicARN"] == attacked.closed["trail"]["SnsTopicARN"]
    assert now["S3BucketName"] == ELSEWHERE
    assert "S3BucketDoesNotExist" in alerts.received()[0]["Message"]

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_a_note_of_the_weaker_trail_is_none_of_the_trail_before(enforce, alerts, context, monkeypatch):
    """An event may be tried again hours later, when the hourly run has noted what the call made of the trail."""
    attacked = attacks.trail_narrowed()
    with monkeypatch.context() as patched:
        patched.setattr(baseline, "datetime", an_hour_later())
        take({"trails": trail_changed.snapshot})

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


@pytest.mark.parametrize(
    ("request_parameters", "told"),
    [
        ({"isMultiRegionTrail": False, "enableLogFileValidation": True}, "IsMultiRegionTrail"),
        ({"s3BucketName": ELSEWHERE}, "S3BucketName"),
        ({"isMultiRegionTrail": True}, None),
    ],
)
def test_a_trail_that_was_never_noted_is_told_with_what_to_do(
    request_parameters, told, enforce, alerts, calls, context
):
    attacks.create_trail()
    calls.clear()

    lambda_handler(updated(request_parameters), context)

    assert writes(calls) == []
    messages = alerts.received()
    assert len(messages) == bool(told)
    for message in messages:
        assert message["Subject"] == f"[CRITICAL] Trail {TRAIL} was changed: {told}"
        assert "has no note of it from before" in message["Message"]
        assert "Look whether it is meant to be as it is now" in message["Message"]


def test_a_trail_that_is_gone_is_for_the_event_of_its_deletion(enforce, alerts, calls, context):
    lambda_handler(updated({"isMultiRegionTrail": False}), context)

    assert writes(calls) == []
    assert "It does not exist any more" in alerts.received()[0]["Message"]


@pytest.mark.parametrize(
    ("request_parameters", "told"),
    [
        ({"isMultiRegionTrail": False}, True),
        ({"s3BucketName": ELSEWHERE}, True),
        ({"snsTopicName": ""}, True),
        ({"s3BucketName": LOGS, "snsTopicName": "trail", "isMultiRegionTrail": True}, False),
        ({"kmsKeyId": "0d4c2b1a-1111-2222-3333-444455556666"}, False),
    ],
)
def test_what_was_weakened_and_is_right_again_is_told(request_parameters, told, enforce, alerts, calls, context):
    attacks.create_trail()
    take({"trails": trail_changed.snapshot})
    calls.clear()

    lambda_handler(updated(request_parameters), context)

    assert writes(calls) == []
    messages = alerts.received()
    assert len(messages) == told
    assert all("It is not so any more" in one["Message"] for one in messages)


def test_a_trail_of_another_region_is_refused(enforce, alerts, context):
    with pytest.raises(Refused, match="trail is in eu-west-1"):
        lambda_handler(updated({"isMultiRegionTrail": False}, awsRegion="eu-west-1"), context)
