import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.ec2.models import ec2_backends

from automations import aws
from automations.errors import InvalidEvent, SettingsError
from office_hours import handler, switch
from office_hours.handler import lambda_handler
from office_hours.switch import BATCH, NotSwitched, call_in_batches
from tests.samples import sample
from tests.unit.conftest import ACCOUNT, REGION
from tests.unit.hooks import hook

IMAGE = "ami-12c6146b"  # one that moto knows
TAG = "automations:office-hours"
STOPPED_BY, STOPPED_AT = "automations:stopped-by", "automations:stopped-at"
EVENING, MORNING = sample("office_hours/evening"), sample("office_hours/morning")


@pytest.fixture
def office(idempotency_table, alerts, monkeypatch):
    """Monday to Friday from 9:00 to 20:00 in Seoul; the clock agrees with the schedule."""
    for name, value in {"TIME_ZONE": "Asia/Seoul", "OPENS": "9:00", "CLOSES": "20:00", "DAYS": "MON-FRI"}.items():
        monkeypatch.setenv(name, value)
    at("2026-11-23T00:00:00Z", monkeypatch)


def at(moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "clock", lambda: datetime.fromisoformat(moment))


def launch(number: int = 1, wish: str = "true", tags: dict[str, str] | None = None, **parameters: Any) -> list[str]:
    """Run instances that were launched on 2 November."""
    all_tags = {"Name": "web", TAG: wish} | (tags or {})
    instances = boto3.client("ec2").run_instances(
        ImageId=IMAGE,
        InstanceType="t3.micro",
        MinCount=number,
        MaxCount=number,
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in all_tags.items()]}
        ],
        **parameters,
    )["Instances"]
    ids = [instance["InstanceId"] for instance in instances]
    for instance in ids:
        moto(instance).launch_time = datetime(2026, 11, 2, tzinfo=UTC)
    return ids


def moto(instance: str) -> Any:
    """The instance in moto, to make it what no API call makes it."""
    return ec2_backends[ACCOUNT][REGION].get_instance(instance)


def look(instance: str) -> dict[str, Any]:
    answer = boto3.client("ec2").describe_instances(InstanceIds=[instance])
    return dict(answer["Reservations"][0]["Instances"][0])


def state(instance: str) -> str:
    return str(look(instance)["State"]["Name"])


def tags(instance: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in look(instance)["Tags"]}


@pytest.fixture
def calls(office) -> Counter[str]:
    """How often each EC2 operation is called by the function."""
    counted: Counter[str] = Counter()
    hook(aws.ec2(), "before-call.ec2", lambda model, **_: counted.update([model.name]))
    return counted


def metric(name: str, printed: str) -> float:
    [found] = [line[name] for line in map(json.loads, printed.splitlines()) if name in line]
    return float(found[0])


def test_in_the_evening_a_running_instance_is_marked_and_stopped(office, alerts, context):
    [instance] = launch()

    result = lambda_handler(EVENING, context)

    assert state(instance) == "stopped"
    assert tags(instance)[STOPPED_BY] == "office-hours"
    assert tags(instance)[STOPPED_AT] == "2026-11-23T11:00:00+00:00"
    assert result == {"open": False, "stopped": [instance], "started": [], "hours_saved": 0}


def test_the_mark_is_set_before_the_stop(office, context):
    [instance] = launch()
    seen = {}
    hook(aws.ec2(), "before-call.ec2.StopInstances", lambda **_: seen.update(tags(instance)))

    lambda_handler(EVENING, context)

    assert seen[STOPPED_BY] == "office-hours"


def test_in_the_morning_it_is_started_and_loses_its_mark(office, alerts, context, capsys):
    [instance] = launch()
    lambda_handler(EVENING, context)
    capsys.readouterr()

    result = lambda_handler(MORNING, context)

    assert state(instance) == "running"
    assert tags(instance) == {"Name": "web", TAG: "true"}
    assert result == {"open": True, "stopped": [], "started": [instance], "hours_saved": 13}
    assert metric("HoursSaved", capsys.readouterr().out) == 13


def test_the_mark_is_removed_only_after_the_start(office, context):
    [instance] = launch()
    lambda_handler(EVENING, context)
    seen = []
    hook(aws.ec2(), "before-call.ec2.DeleteTags", lambda **_: seen.append(state(instance)))

    lambda_handler(MORNING, context)

    assert seen == ["running"]


def test_what_was_stopped_is_told_with_names_and_what_was_started_with_the_hours_saved(office, alerts, slack, context):
    [instance] = launch()
    [group_member] = launch(tags={"aws:autoscaling:groupName": "web-group"})

    lambda_handler(EVENING, context)
    lambda_handler(MORNING, context)

    evening, morning = alerts.received()
    assert evening["Subject"] == "[INFO] Office hours: 1 instance stopped"
    assert f"web ({instance})" in evening["Message"]
    assert f"{group_member}: Its Auto Scaling group web-group would replace it." in evening["Message"]
    assert morning["Subject"] == "[INFO] Office hours: 1 instance started"
    assert "Hours saved: 13.0" in morning["Message"]
    assert len(slack.to("/slack")) == 2


def test_only_failures_are_told_when_the_parameter_says_so(office, alerts, context, monkeypatch):
    monkeypatch.setenv("REPORT", "failures")
    [instance] = launch()

    lambda_handler(EVENING, context)

    assert state(instance) == "stopped"
    assert alerts.received() == []


def test_a_run_that_finds_nothing_to_do_tells_nobody(office, alerts, context):
    lambda_handler(EVENING, context)

    assert alerts.received() == []


def test_an_instance_that_a_person_stopped_stays_stopped(office, context):
    [instance] = launch()
    boto3.client("ec2").stop_instances(InstanceIds=[instance])
    before = look(instance)

    lambda_handler(EVENING, context)
    lambda_handler(MORNING, context)

    assert look(instance) == before


def test_an_instance_without_the_schedule_tag_is_never_touched(office, context):
    [instance] = launch(tags={"automations:stopped-by": "office-hours"})
    boto3.client("ec2").delete_tags(Resources=[instance], Tags=[{"Key": TAG}])

    lambda_handler(EVENING, context)
    assert state(instance) == "running"
    boto3.client("ec2").stop_instances(InstanceIds=[instance])
    lambda_handler(MORNING, context)

    assert state(instance) == "stopped"


def test_the_schedule_tag_can_have_another_name(office, context, monkeypatch):
    monkeypatch.setenv("SCHEDULE_TAG", "Hours")
    [theirs], [ours] = launch(), launch(tags={"Hours": "true"})

    lambda_handler(EVENING, context)

    assert (state(theirs), state(ours)) == ("running", "stopped")


def test_a_late_evening_run_at_half_past_nine_stops_nothing(office, context, monkeypatch):
    [instance] = launch()
    at("2026-11-24T00:30:00Z", monkeypatch)

    lambda_handler(EVENING, context)

    assert state(instance) == "running"


def test_a_clock_that_is_a_little_behind_does_not_keep_the_office_open(office, context, monkeypatch):
    [instance] = launch()
    at("2026-11-23T10:59:59.9Z", monkeypatch)

    lambda_handler(EVENING, context)

    assert state(instance) == "stopped"


def test_on_a_holiday_it_stays_stopped_until_the_next_day(office, context, monkeypatch):
    monkeypatch.setenv("HOLIDAYS", "2026-11-24, 2026-12-25")
    [instance] = launch()
    lambda_handler(EVENING, context)

    lambda_handler(MORNING, context)
    assert state(instance) == "stopped"

    lambda_handler(MORNING | {"time": "2026-11-25T00:00:00Z"}, context)
    assert state(instance) == "running"


def test_stop_only_is_stopped_and_left_so(office, context):
    [instance] = launch(wish="stop-only")

    lambda_handler(EVENING, context)
    lambda_handler(MORNING, context)

    assert state(instance) == "stopped"


def test_an_instance_is_kept_running_until_the_date_of_its_tag(office, context, logs):
    [instance] = launch(tags={"automations:keep-until": "2026-12-01"})

    lambda_handler(EVENING, context)
    assert state(instance) == "running"
    assert "It is kept until 2026-12-01, that day included." in logs.getvalue()

    lambda_handler(EVENING | {"time": "2026-12-02T11:00:00Z"}, context)
    assert state(instance) == "stopped"


def test_spot_instances_and_instance_stores_are_left_alone(office, context):
    [spot], [store] = launch(), launch()
    moto(spot).lifecycle = "spot"
    moto(store).root_device_type = "instance-store"

    lambda_handler(EVENING, context)

    assert (state(spot), state(store)) == ("running", "running")


def test_what_was_launched_for_hibernation_is_hibernated_and_nothing_else_is(office, context):
    [plain], [sleeper] = launch(), launch(HibernationOptions={"Configured": True})
    asked = {}
    hook(
        aws.ec2(),
        "provide-client-params.ec2.StopInstances",
        lambda params, **_: asked.update(dict.fromkeys(params["InstanceIds"], params["Hibernate"])),
    )

    lambda_handler(EVENING, context)

    assert asked == {plain: False, sleeper: True}
    assert (state(plain), state(sleeper)) == ("stopped", "stopped")


def test_the_same_run_twice_changes_and_tells_nothing_more(office, alerts, context, calls):
    [instance] = launch()
    for event in (EVENING, MORNING):
        lambda_handler(event, context)
        before, changing = look(instance), calls.total() - calls["DescribeInstances"]

        second = lambda_handler(event, context)

        assert look(instance) == before
        assert calls.total() - calls["DescribeInstances"] == changing
        assert second["hours_saved"] == 0
    assert len(alerts.received()) == 2


def test_a_run_that_was_cut_off_between_mark_and_stop_is_finished_by_the_next_attempt(office, context, monkeypatch):
    [instance] = launch()

    def cut_off(**_: object) -> None:
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(aws.ec2(), "stop_instances", cut_off)
        with pytest.raises(TimeoutError):
            lambda_handler(EVENING, context)
    assert (state(instance), STOPPED_BY in tags(instance)) == ("running", True)

    lambda_handler(EVENING, context)
    assert state(instance) == "stopped"


def test_a_run_that_was_cut_off_between_start_and_mark_is_finished_by_the_next_attempt(office, context, monkeypatch):
    [instance] = launch()
    lambda_handler(EVENING, context)

    def cut_off(**_: object) -> None:
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(aws.ec2(), "delete_tags", cut_off)
        with pytest.raises(TimeoutError):
            lambda_handler(MORNING, context)
    assert (state(instance), STOPPED_BY in tags(instance)) == ("running", True)

    lambda_handler(MORNING, context)
    assert STOPPED_BY not in tags(instance)


class ProcessEnded(BaseException):
    """Nothing in the function sees it."""


@pytest.mark.parametrize("event", [EVENING, MORNING], ids=["evening", "morning"])
def test_what_a_run_did_and_could_not_tell_is_told_by_its_retry(event, office, alerts, context, monkeypatch):
    [instance] = launch()
    if event is MORNING:
        lambda_handler(EVENING, context)
        alerts.received()

    def end(*_: object) -> None:
        raise ProcessEnded

    with monkeypatch.context() as patch:
        patch.setattr(handler, "tell", end)
        with pytest.raises(ProcessEnded):
            lambda_handler(event, context)
    lambda_handler(event, context)
    lambda_handler(event, context)

    [told] = alerts.received()
    assert told["Subject"] == f"[INFO] Office hours: 1 instance {'stopped' if event is EVENING else 'started'}"
    assert instance in told["Message"]


def test_what_was_told_is_not_told_with_the_rest(office, alerts, context):
    launch()
    [protected] = launch(DisableApiStop=True)
    with pytest.raises(NotSwitched):
        lambda_handler(EVENING, context)
    alerts.received()
    boto3.client("ec2").modify_instance_attribute(InstanceId=protected, DisableApiStop={"Value": False})

    lambda_handler(EVENING, context)

    [told] = alerts.received()
    assert told["Subject"] == "[INFO] Office hours: 1 instance stopped"
    assert protected in told["Message"]


def test_what_a_person_switched_back_meanwhile_is_not_told(office, alerts, context, monkeypatch):
    [stays], [back] = launch(), launch()
    with monkeypatch.context() as patch:
        patch.setattr(handler, "tell", lambda *_: (_ for _ in ()).throw(ProcessEnded))
        with pytest.raises(ProcessEnded):
            lambda_handler(EVENING, context)
    boto3.client("ec2").start_instances(InstanceIds=[back])
    boto3.client("ec2").create_tags(Resources=[back], Tags=[{"Key": TAG, "Value": "false"}])

    lambda_handler(EVENING, context)

    [told] = alerts.received()
    assert stays in told["Message"]
    assert back not in told["Message"]


def test_hours_are_kept_also_when_nothing_can_be_noted(office, context, logs, monkeypatch):
    [instance] = launch()
    refused = ClientError({"Error": {"Code": "InternalServerError", "Message": "no"}}, "UpdateItem")
    monkeypatch.setattr(aws, "dynamodb", lambda: Mock(update_item=Mock(side_effect=refused)))
    monkeypatch.setattr(handler, "tell", lambda *_: None)

    lambda_handler(EVENING, context)

    assert state(instance) == "stopped"
    assert "a retry would not tell of it" in logs.getvalue()


def test_no_page_size_is_asked_for_which_ec2_refuses_beside_tag_filters(office, context):
    [instance] = launch()
    asked: list[dict[str, Any]] = []
    hook(aws.ec2(), "before-call.ec2.DescribeInstances", lambda params, **_: asked.append(params["body"]))

    lambda_handler(EVENING, context)

    assert state(instance) == "stopped"
    assert [("Filter.1.Name" in body, "MaxResults" in body) for body in asked] == [(True, False)]


def test_all_pages_of_instances_are_read(office, context):
    instances = [instance for _ in range(101) for instance in launch()]  # moto's page has 100 launches

    lambda_handler(EVENING, context)

    assert {state(instance) for instance in instances} == {"stopped"}


def test_calls_grow_with_batches_and_not_with_instances(office, context, calls, monkeypatch):
    monkeypatch.setattr(switch, "BATCH", 20)
    instances = launch(50)

    lambda_handler(EVENING, context)
    assert calls == {"DescribeInstances": 1, "CreateTags": 3, "StopInstances": 3}
    calls.clear()
    lambda_handler(MORNING, context)

    assert calls == {"DescribeInstances": 1, "StartInstances": 3, "DeleteTags": 3}
    assert {moto(instance).state for instance in instances} == {"running"}


def test_one_instance_that_aws_refuses_to_stop_does_not_hold_up_the_others(office, alerts, context, logs):
    others = [*launch(5), *launch(4)]
    [protected] = launch(DisableApiStop=True)

    with pytest.raises(NotSwitched, match=rf"1 could not.*{protected}: OperationNotPermitted"):
        lambda_handler(EVENING, context)

    assert {state(instance) for instance in others} == {"stopped"}
    assert state(protected) == "running"
    assert STOPPED_BY not in tags(protected)  # it runs, so nobody may take it for stopped
    done, failed = alerts.received()
    assert done["Subject"] == "[INFO] Office hours: 9 instances stopped"
    assert failed["Subject"] == "[WARNING] Office hours: 1 instance could not be switched"
    assert f"{protected}: OperationNotPermitted" in failed["Message"]
    assert f'"{protected}":"OperationNotPermitted' in logs.getvalue()


def test_a_retry_that_fails_in_the_same_way_tells_nothing_new(office, alerts, context):
    launch(2)
    launch(DisableApiStop=True)

    for _ in range(3):
        with pytest.raises(NotSwitched):
            lambda_handler(EVENING, context)

    assert len(alerts.received()) == 2


def refusing(instance: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `StartInstances` fail as a whole when the instance is among those to start."""
    start = aws.ec2().start_instances

    def start_or_refuse(InstanceIds: list[str]) -> object:  # noqa: N803
        if instance in InstanceIds:
            raise ClientError({"Error": {"Code": code, "Message": "No."}}, "StartInstances")
        return start(InstanceIds=InstanceIds)

    monkeypatch.setattr(aws.ec2(), "start_instances", start_or_refuse)


def test_one_that_has_no_capacity_in_the_morning_keeps_its_mark_so_that_a_retry_starts_it(
    office, context, monkeypatch, capsys
):
    first, short, last = launch(3)
    lambda_handler(EVENING, context)
    capsys.readouterr()
    with monkeypatch.context() as patch:
        refusing(short, "InsufficientInstanceCapacity", patch)
        with pytest.raises(NotSwitched, match="InsufficientInstanceCapacity"):
            lambda_handler(MORNING, context)
    assert [state(item) for item in (first, short, last)] == ["running", "stopped", "running"]
    assert metric("HoursSaved", capsys.readouterr().out) == 26

    lambda_handler(MORNING, context)

    assert state(short) == "running"
    assert STOPPED_BY not in tags(short)


def test_throttling_is_not_answered_with_more_calls(office, context, calls, monkeypatch):
    instances = launch(4)
    lambda_handler(EVENING, context)
    calls.clear()
    refusing(instances[0], "RequestLimitExceeded", monkeypatch)

    with pytest.raises(NotSwitched, match="4 could not"):
        lambda_handler(MORNING, context)

    assert calls == {"DescribeInstances": 1}


def test_when_the_time_is_up_the_rest_fails_and_what_was_done_is_told(office, alerts, context):
    [instance] = launch()
    context.seconds_left = 0.0

    with pytest.raises(NotSwitched, match="no time left"):
        lambda_handler(EVENING, context)

    assert state(instance) == "running"


@settings(deadline=None)
@given(st.integers(0, 3 * BATCH), st.data())
def test_however_many_are_refused_all_others_go_through_in_few_calls(number, data):
    ids = [f"i-{item}" for item in range(number)]
    bad = set(data.draw(st.lists(st.sampled_from(ids), max_size=5, unique=True))) if ids else set()
    through: set[str] = set()
    made = 0

    def call(batch):
        nonlocal made
        made += 1
        if bad & set(batch):
            raise ClientError({"Error": {"Code": "IncorrectInstanceState", "Message": "No."}}, "StopInstances")
        through.update(batch)

    failed = call_in_batches(call, ids, lambda: 1.0)

    assert set(failed) == bad
    assert through == set(ids) - bad
    assert made <= -(-number // BATCH) + len(bad) * 2 * BATCH.bit_length()


def test_an_encoded_policy_decision_is_cut_from_the_reason():
    def call(batch):
        message = "You are not authorized. " + "x" * 5000
        raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": message}}, "StopInstances")

    reason = call_in_batches(call, ["i-1"], lambda: 1.0)["i-1"]

    assert reason.startswith("UnauthorizedOperation: You are not authorized.")
    assert len(reason) < 250


def test_an_aws_error_fails_the_run(office, context, monkeypatch):
    def refuse(*_: object) -> None:
        raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "No."}}, "DescribeInstances")

    monkeypatch.setattr(aws.ec2(), "get_paginator", refuse)

    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        lambda_handler(EVENING, context)


def test_a_malformed_event_is_refused_by_the_name_of_its_field(office, context, logs):
    with pytest.raises(InvalidEvent, match="time: "):
        lambda_handler(EVENING | {"time": "at eight"}, context)

    assert EVENING["id"] in logs.getvalue()
    assert "at eight" not in logs.getvalue()


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("TIME_ZONE", "Asia/Soul", "TIME_ZONE: "),
        ("OPENS", "9 o'clock", "OPENS: "),
        ("OPENS", "20:00", "together: .*OPENS must be before CLOSES"),
        ("DAYS", "FRI-MON", "DAYS: .*must not end before it begins"),
        ("HOLIDAYS", "2026-12-25,Christmas", "HOLIDAYS.*: "),
        ("REPORT", "monthly", "REPORT: "),
        ("TIME_ZONE", "", "TIME_ZONE: Field required"),
    ],
)
def test_a_bad_setting_is_named(name, value, problem, office, context, monkeypatch):
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=problem) as raised:
        lambda_handler(EVENING, context)

    assert value == "" or value not in str(raised.value)
