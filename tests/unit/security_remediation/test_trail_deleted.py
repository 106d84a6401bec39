from typing import Any

import pytest
from botocore.exceptions import ClientError

from automations import aws
from automations.errors import Refused
from security_remediation import baseline
from security_remediation.baseline import take
from security_remediation.handler import lambda_handler
from security_remediation.remediations import trail_deleted
from tests.unit.security_remediation.attacks import baseline as attacks
from tests.unit.security_remediation.attacks.baseline import ADVANCED, LOGS, TRAIL
from tests.unit.security_remediation.conftest import an_hour_later, audit_records, call, just_now, writes

pytestmark = pytest.mark.usefixtures("deployed")
NARROW: list[Any] = [{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": False, "DataResources": []}]


@pytest.fixture(autouse=True)
def _bucket_of_the_attacker(deployed: None) -> None:
    aws.s3().create_bucket(Bucket="attacker", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})


def deleted() -> dict[str, Any]:
    return call("delete-trail", eventTime=just_now())


def make_again(**changed: Any) -> dict[str, Any]:
    """Delete the trail after it was noted, and make it again; returns the event of the deletion."""
    arguments = attacks.create_trail()
    take({"trails": trail_deleted.snapshot})
    aws.cloudtrail().delete_trail(Name=TRAIL)
    aws.cloudtrail().create_trail(**arguments | changed)
    return deleted()


def test_a_trail_made_again_to_another_bucket_is_told_and_left(enforce, alerts, calls, context):
    event = make_again(S3BucketName="attacker")
    calls.clear()

    lambda_handler(event, context)

    assert writes(calls) == []
    [message] = alerts.received()
    assert message["Subject"] == "[CRITICAL] Trail management-events was deleted and made again with other settings"
    assert "to the bucket attacker" in message["Message"]
    assert LOGS in message["Message"]


@pytest.mark.parametrize("logging", [True, False])
def test_a_trail_made_again_with_other_selectors_gets_its_own_back_and_undo_puts_the_others_back(
    logging, enforce, alerts, context
):
    event = make_again()
    aws.cloudtrail().put_event_selectors(TrailName=TRAIL, EventSelectors=NARROW)
    if logging:
        aws.cloudtrail().start_logging(Name=TRAIL)
    opened = attacks.trail_state()

    lambda_handler(event, context)

    closed = attacks.trail_state()
    assert closed["selectors"][1] == ADVANCED
    assert closed["logs"] is True
    trail_deleted.restore(audit_records()[0]["before"])
    restored = attacks.trail_state()
    assert restored["selectors"][0] == opened["selectors"][0] == NARROW
    assert restored["logs"] is logging


def test_a_trail_made_again_that_was_noted_since_is_none_of_the_trail_before(enforce, alerts, context, monkeypatch):
    """An event may be tried again hours later."""
    event = make_again(S3BucketName="attacker")
    aws.cloudtrail().start_logging(Name=TRAIL)
    with monkeypatch.context() as patched:
        patched.setattr(baseline, "datetime", an_hour_later())
        take({"trails": trail_deleted.snapshot})

    lambda_handler(event, context)

    assert alerts.received()[0]["Subject"].endswith("was deleted and made again with other settings")


def test_a_trail_made_again_with_other_tags_is_the_same_trail(enforce, alerts, context):
    event = make_again(TagsList=[{"Key": "team", "Value": "another"}])

    lambda_handler(event, context)

    assert attacks.trail_state()["logs"] is True
    assert attacks.trail_state()["selectors"][1] == ADVANCED


def test_a_trail_that_was_stopped_first_keeps_the_note_of_when_it_logged(enforce, alerts, context):
    attacks.create_trail()
    before = attacks.trail_state()
    take({"trails": trail_deleted.snapshot})
    aws.cloudtrail().stop_logging(Name=TRAIL)
    aws.cloudtrail().put_event_selectors(TrailName=TRAIL, EventSelectors=NARROW)
    assert take({"trails": trail_deleted.snapshot}) == {"trails": 0}
    aws.cloudtrail().delete_trail(Name=TRAIL)

    lambda_handler(deleted(), context)

    assert attacks.trail_state() == before


def test_a_trail_that_was_never_noted_is_told_with_what_to_do(enforce, alerts, calls, context):
    lambda_handler(deleted(), context)

    assert writes(calls) == []
    [message] = alerts.received()
    assert message["Subject"] == "[CRITICAL] Trail management-events was deleted"
    assert "has no note of it" in message["Message"]
    assert "Create it again by hand" in message["Message"]


def test_a_trail_that_was_never_noted_and_is_there_again_is_no_alarm(enforce, alerts, context):
    attacks.create_trail()

    lambda_handler(deleted(), context)

    assert alerts.received()[0]["Subject"].startswith("[WARNING]")


def test_a_plain_trail_is_made_again_without_what_it_never_had(enforce, alerts, context):
    aws.s3().create_bucket(Bucket=LOGS, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    aws.cloudtrail().create_trail(Name=TRAIL, S3BucketName=LOGS)
    aws.cloudtrail().start_logging(Name=TRAIL)
    before = attacks.trail_state()
    take({"trails": trail_deleted.snapshot})
    aws.cloudtrail().delete_trail(Name=TRAIL)

    lambda_handler(deleted(), context)

    assert attacks.trail_state() == before


def test_tags_that_aws_sets_are_not_put(enforce, alerts, context):
    attacks.create_trail()
    client = aws.cloudtrail()
    client.add_tags(ResourceId=attacks._arn(), TagsList=[{"Key": "aws:cloudformation:stack-name", "Value": "x"}])
    take({"trails": trail_deleted.snapshot})
    client.remove_tags(
        ResourceId=attacks._arn(), TagsList=[{"Key": "team"}, {"Key": "aws:cloudformation:stack-name", "Value": "x"}]
    )
    client.delete_trail(Name=TRAIL)

    lambda_handler(deleted(), context)

    assert {tag["Key"] for tag in attacks.trail_state()["tags"]} == {"team"}


def test_somebody_quicker_is_success(enforce, alerts, context, monkeypatch):
    attacked = attacks.trail_by_arn()
    create = aws.cloudtrail().create_trail

    def late(**arguments: Any) -> Any:
        create(**arguments)
        raise ClientError({"Error": {"Code": "TrailAlreadyExistsException", "Message": ""}}, "CreateTrail")

    monkeypatch.setattr(aws.cloudtrail(), "create_trail", late)

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_after_a_failure_halfway_it_logs_and_the_next_attempt_completes_it(enforce, alerts, context, monkeypatch):
    attacked = attacks.trail_by_arn()
    with monkeypatch.context() as patched:

        def refused(**_: Any) -> None:
            raise ClientError({"Error": {"Code": "ConflictException", "Message": "Not ready."}}, "PutEventSelectors")

        patched.setattr(aws.cloudtrail(), "put_event_selectors", refused)
        with pytest.raises(ClientError, match="ConflictException"):
            lambda_handler(attacked.event, context)
    assert attacked.state()["logs"] is True

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_a_trail_of_another_region_is_refused(enforce, alerts, context):
    with pytest.raises(Refused, match="trail is in eu-west-1"):
        lambda_handler(call("delete-trail", awsRegion="eu-west-1"), context)
