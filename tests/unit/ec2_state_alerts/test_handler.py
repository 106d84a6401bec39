from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.ec2.models.instances import StateReason

from automations import aws
from automations.errors import InvalidEvent, SettingsError
from ec2_state_alerts.handler import lambda_handler
from tests.samples import sample
from tests.template_file import create_table
from tests.unit.conftest import REGION
from tests.unit.ec2_state_alerts.instances import OPTED_IN, backend, launch, launch_and_stop, state, stopped


@pytest.fixture
def tables(idempotency_table, monkeypatch):
    monkeypatch.setenv("RESTARTS_TABLE", create_table("RestartsTable"))
    monkeypatch.setenv("INSTANCES_ARN", f"arn:aws:ec2:{REGION}:111122223333:instance/")  # where the samples are from


@pytest.fixture
def restarting(tables, monkeypatch):
    monkeypatch.setenv("AUTO_RESTART", "true")
    monkeypatch.setenv("RESTART_AFTER_USER_STOP", "true")  # the only way in which moto stops an instance


def test_a_stopped_instance_is_told_with_its_name_type_tags_and_reason(tables, alerts, context):
    instance = launch_and_stop(Team="shop")

    lambda_handler(stopped(instance), context)

    [message] = alerts.received()
    assert message["Subject"] == f"[WARNING] EC2 instance web-1 ({instance}) is stopped"
    for fact in ("t3.micro", "Team=shop", "Somebody stopped or terminated it through the API", instance):
        assert fact in message["Message"]


def test_slack_is_told_as_well_when_it_is_configured(tables, alerts, slack, context):
    instance = launch_and_stop()

    lambda_handler(stopped(instance), context)

    [post] = slack.to("/slack")
    assert post.json()["text"] == f"EC2 instance web-1 ({instance}) is stopped"
    assert len(alerts.received()) == 1


def test_an_instance_that_is_gone_from_the_api_is_still_told(tables, alerts, context):
    lambda_handler(sample("ec2_state_alerts/terminated", instance_id="i-0123456789abcdef0"), context)

    [message] = alerts.received()
    assert "i-0123456789abcdef0 is terminated" in message["Subject"]
    assert "not in the API any more" in message["Message"]


@pytest.mark.parametrize("elsewhere", [{"account": "444455556666"}, {"region": "us-east-1"}])
def test_an_instance_of_another_account_or_region_is_told_from_the_event_alone_and_never_started(
    elsewhere, restarting, alerts, slack, context
):
    here = launch_and_stop(**OPTED_IN)  # as if it had the same id
    event = stopped(here) | elsewhere

    result = lambda_handler(event, context)

    where = f"in account {event['account']}, {event['region']}"
    [message] = alerts.received()
    [post] = slack.to("/slack")
    assert message["Subject"] == f"[WARNING] EC2 instance {here} {where}, is stopped"
    assert post.json()["text"] == f"EC2 instance {here} {where}, is stopped"
    assert f"It is never started from here: it is {where}." in message["Message"]
    assert "Unknown here" in message["Message"]
    assert "not in the API any more" not in message["Message"]
    assert "web-1" not in message["Message"]  # nor described
    assert f"https://{event['region']}.console.aws.amazon.com/ec2/" in message["Message"]
    assert result["restarted"] is False
    assert state(here) == "stopped"
    assert boto3.client("dynamodb").scan(TableName="RestartsTable")["Count"] == 0


def test_an_instance_of_another_account_that_terminated_is_told_so(tables, alerts, context):
    event = sample("ec2_state_alerts/terminated") | {"account": "444455556666"}

    lambda_handler(event, context)

    [message] = alerts.received()
    assert "in account 444455556666, ap-northeast-2, is terminated" in message["Subject"]
    assert "Account 444455556666, region ap-northeast-2" in message["Message"]


def test_an_instance_that_opted_in_is_started_again(restarting, alerts, context):
    instance = launch_and_stop(**OPTED_IN)

    lambda_handler(stopped(instance), context)

    assert state(instance) == "running"
    assert "restart 1 of 3" in alerts.received()[0]["Message"]


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({}, "has no tag automations:auto-restart=true"),
        (OPTED_IN | {"automations:stopped-by": "alice"}, "alice stopped it on purpose"),
    ],
)
def test_an_instance_that_did_not_opt_in_or_was_stopped_on_purpose_stays_stopped(
    tags, why, restarting, alerts, context
):
    instance = launch_and_stop(**tags)

    lambda_handler(stopped(instance), context)

    assert state(instance) == "stopped"
    assert why in alerts.received()[0]["Message"]


BY_OFFICE_HOURS = {"automations:stopped-by": "office-hours", "automations:stopped-at": "2026-11-20T11:00:00+00:00"}


@pytest.mark.parametrize("told", ["stopping", "stopped"])
def test_an_instance_that_office_hours_stopped_stays_stopped_and_nobody_is_told(
    told, restarting, alerts, slack, context, logs
):
    instance = launch_and_stop(**OPTED_IN, **BY_OFFICE_HOURS)
    backend(instance).launch_time = datetime(2026, 11, 20, tzinfo=UTC)

    event = stopped(instance)
    event["detail"]["state"] = told
    result = lambda_handler(event, context)

    assert result["restarted"] is False
    assert state(instance) == "stopped"
    assert alerts.received() == []
    assert slack.to("/slack") == []
    assert "It was stopped because the office is closed." in logs.getvalue()


def test_an_instance_that_was_started_again_since_the_office_closed_is_told_and_restarted(restarting, alerts, context):
    instance = launch_and_stop(**OPTED_IN, **BY_OFFICE_HOURS)
    backend(instance).launch_time = datetime(2026, 11, 20, 13, tzinfo=UTC)

    lambda_handler(stopped(instance), context)

    assert state(instance) == "running"
    assert len(alerts.received()) == 1


@pytest.mark.parametrize("code", ["Client.InstanceInitiatedShutdown", "Server.ScheduledStop"])
def test_the_tag_of_office_hours_does_not_explain_a_stop_from_inside_or_by_aws(code, tables, alerts, context):
    instance = launch_and_stop(**BY_OFFICE_HOURS)
    backend(instance).launch_time = datetime(2026, 11, 20, tzinfo=UTC)
    backend(instance).state_reason = StateReason(code, code)

    lambda_handler(stopped(instance), context)

    assert len(alerts.received()) == 1


def test_an_instance_that_is_terminated_while_the_office_is_closed_is_told(tables, alerts, context):
    instance = launch_and_stop(**BY_OFFICE_HOURS)
    backend(instance).launch_time = datetime(2026, 11, 20, tzinfo=UTC)
    event = sample("ec2_state_alerts/terminated", instance_id=instance)

    lambda_handler(event, context)

    assert len(alerts.received()) == 1


def test_what_a_person_stopped_stays_stopped_unless_the_parameter_says_otherwise(
    restarting, alerts, context, monkeypatch
):
    monkeypatch.setenv("RESTART_AFTER_USER_STOP", "false")
    instance = launch_and_stop(**OPTED_IN)

    lambda_handler(stopped(instance), context)

    assert state(instance) == "stopped"
    assert "Somebody stopped it on purpose" in alerts.received()[0]["Message"]


def test_nothing_is_started_while_automatic_restart_is_off(tables, alerts, context):
    instance = launch_and_stop(**OPTED_IN)

    lambda_handler(stopped(instance), context)

    assert state(instance) == "stopped"


def test_after_too_many_restarts_it_is_left_stopped_and_people_are_paged(restarting, alerts, context):
    instance = launch_and_stop(**OPTED_IN)
    for minute in range(4):
        boto3.client("ec2").stop_instances(InstanceIds=[instance])
        lambda_handler(stopped(instance, f"2026-11-22T03:0{minute}:00Z"), context)

    assert state(instance) == "stopped"
    messages = alerts.received()
    assert [message["Subject"].split("]")[0] for message in messages] == ["[WARNING"] * 3 + ["[CRITICAL"]
    assert "does not stay up: 3 restarts in 60 minutes" in messages[-1]["Message"]


def test_restarts_before_the_window_do_not_count(restarting, alerts, context):
    instance = launch_and_stop(**OPTED_IN)
    for hour in range(2, 8):
        boto3.client("ec2").stop_instances(InstanceIds=[instance])
        lambda_handler(stopped(instance, f"2026-11-22T0{hour}:00:00Z"), context)

    assert state(instance) == "running"


def test_the_same_event_twice_is_one_message_and_one_restart(restarting, alerts, context):
    instance = launch_and_stop(**OPTED_IN)

    lambda_handler(stopped(instance), context)
    lambda_handler(stopped(instance), context)

    assert len(alerts.received()) == 1
    assert boto3.client("dynamodb").scan(TableName="RestartsTable")["Count"] == 1


def test_an_instance_that_runs_again_already_is_left_alone(restarting, alerts, context):
    instance = launch(**OPTED_IN)

    lambda_handler(stopped(instance), context)

    assert "runs again already" in alerts.received()[0]["Message"]
    assert boto3.client("dynamodb").scan(TableName="RestartsTable")["Count"] == 0


def test_a_late_or_replayed_stop_does_not_start_an_instance_that_was_started_and_stopped_since(
    restarting, alerts, context
):
    instance = launch_and_stop(**OPTED_IN)
    backend(instance).launch_time = datetime(2026, 11, 22, 3, 0, 1, tzinfo=UTC)

    lambda_handler(stopped(instance, "2026-11-22T03:00:00Z") | {"replay-name": "again"}, context)

    assert state(instance) == "stopped"
    assert "It was started since." in alerts.received()[0]["Message"]


def test_restarts_are_remembered_for_as_long_as_the_archive_keeps_the_stops(restarting, alerts, context, monkeypatch):
    monkeypatch.setenv("ARCHIVE_RETENTION_DAYS", "90")
    lambda_handler(stopped(launch_and_stop(**OPTED_IN), "2026-11-22T03:00:00Z"), context)

    [item] = boto3.client("dynamodb").scan(TableName="RestartsTable")["Items"]
    assert int(item["expires_at"]["N"]) == datetime(2027, 2, 21, 3, tzinfo=UTC).timestamp()


def test_when_aws_refuses_the_start_people_are_told_and_the_event_fails(restarting, alerts, context, monkeypatch):
    instance = launch_and_stop(**OPTED_IN)
    refusal = ClientError(
        {"Error": {"Code": "InsufficientInstanceCapacity", "Message": "No capacity."}}, "StartInstances"
    )

    def refuse(**_: object) -> None:
        raise refusal

    monkeypatch.setattr(aws.ec2(), "start_instances", refuse)

    with pytest.raises(ClientError, match="InsufficientInstanceCapacity"):
        lambda_handler(stopped(instance), context)

    assert f"AWS refuses to start {instance} again: InsufficientInstanceCapacity" in alerts.received()[1]["Subject"]


@pytest.mark.parametrize("code", ["IncorrectInstanceState", "RequestLimitExceeded", "InternalError", "Unavailable"])
def test_while_it_is_still_stopping_or_ec2_is_busy_the_event_fails_without_a_page(
    code, restarting, alerts, context, monkeypatch
):
    instance = launch_and_stop(**OPTED_IN)
    refusal = ClientError({"Error": {"Code": code, "Message": "Not now."}}, "StartInstances")

    def refuse(**_: object) -> None:
        raise refusal

    monkeypatch.setattr(aws.ec2(), "start_instances", refuse)
    with pytest.raises(ClientError, match=code):
        lambda_handler(stopped(instance), context)

    assert len(alerts.received()) == 1


def test_an_aws_error_fails_the_event(tables, alerts, context, monkeypatch):
    monkeypatch.setenv("ALERTS_TOPIC", "arn:aws:sns:ap-northeast-2:123456789012:absent")

    with pytest.raises(Exception, match=r"SNS: .*NotFound"):
        lambda_handler(stopped(launch_and_stop()), context)


def test_a_malformed_event_is_refused_by_the_name_of_its_field(tables, alerts, context, logs):
    event = stopped("not-an-instance")

    with pytest.raises(InvalidEvent, match=r"detail.instance-id: String should match pattern"):
        lambda_handler(event, context)

    assert event["id"] in logs.getvalue()
    assert "not-an-instance" not in logs.getvalue()


def test_a_missing_setting_is_named(alerts, context, monkeypatch):
    monkeypatch.delenv("RESTARTS_TABLE", raising=False)

    with pytest.raises(SettingsError, match="RESTARTS_TABLE: Field required"):
        lambda_handler(stopped("i-0123456789abcdef0"), context)
