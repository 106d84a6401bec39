"""The dashboard and the alarms: what the template would make of any choice of automations, and what it made of all."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from local import dashboard
from local.left_out import EXPRESSION, kind
from local.metrics import METRICS
from local.stack import PARAMETERS, Stack
from local.stage import Stage
from local.template import Values

from tests.template.test_template import FUNCTIONS, folder_of
from tests.template_file import RESOURCES, ROOT, TEMPLATE, TEXT

ALARMS = {name: item for name, item in RESOURCES.items() if item["Type"] == "AWS::CloudWatch::Alarm"}
SCHEDULES = {
    f"{function.removesuffix('Function')}{key}": event["Properties"]
    for function, item in FUNCTIONS.items()
    for key, event in item["Properties"].get("Events", {}).items()
    if event["Type"] == "ScheduleV2"
}
SWITCHES = [name for name in TEMPLATE["Parameters"] if name.startswith("Enable")]
NONE = dict.fromkeys(SWITCHES, "false") | {"Dashboard": "true", "Alarms": "true"}


def values(parameters: dict[str, str]) -> Values:
    refs = {name: f"<{name}>" for name in re.findall(r"\$\{([^}!]+)\}", TEXT)}
    return Values(TEMPLATE, refs, parameters)


def body(parameters: dict[str, str]) -> dict[str, Any]:
    """The dashboard that CloudWatch gets; each reference in it is its own name in angle brackets."""
    separator, parts = RESOURCES["OperationsDashboard"]["Properties"]["DashboardBody"]["Fn::Join"]
    return json.loads(separator.join(values(parameters).of(part) for part in parts))


def lines(widgets: list[dict[str, Any]]) -> Iterator[list[Any]]:
    for widget in widgets:
        yield from widget["properties"].get("metrics", [])


def rows(shown: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The widgets of each automation, by its name in the text before them."""
    found: dict[str, list[dict[str, Any]]] = {}
    current: list[dict[str, Any]] = []
    for widget in shown["widgets"]:
        if named := re.match(r"\*\*(\w+)\*\*", widget["properties"].get("markdown", "")):
            current = found.setdefault(named[1], [])
        else:
            current.append(widget)
    return found


def test_the_template_and_the_document_are_what_would_be_written() -> None:
    stale = [path.name for path in dashboard.PARTS if dashboard.written(path) != path.read_text()]

    assert not stale, f"run python -m local dashboard write: {stale}"


def test_every_automation_has_a_row() -> None:
    automations = {folder_of(switch.removeprefix("Enable")) for switch in SWITCHES} | set(METRICS)

    assert set(rows(body(PARAMETERS))) == automations


@pytest.mark.parametrize("switch", SWITCHES)
def test_an_automation_alone_has_the_only_row_and_its_alarms_only(switch: str) -> None:
    shown = body(NONE | {switch: "true"})
    there = {name for name, item in RESOURCES.items() if "Condition" not in item}
    there |= {
        name
        for name, item in RESOURCES.items()
        if values(NONE | {switch: "true"}).holds(item.get("Condition", "HasAlarms"))
    }

    assert set(rows(shown)) - {"slack_sender"} == {folder_of(switch.removeprefix("Enable"))}
    named = {name.split(".")[0] for name in re.findall(r"<(\w[\w.]+)>", json.dumps(shown))}
    assert named <= there | {"AWS"}


def test_without_any_automation_the_dashboard_shows_what_always_exists() -> None:
    shown = body(NONE)

    assert not rows(shown)
    assert [widget["type"] for widget in shown["widgets"]] == ["text", "metric", "alarm"]


def test_a_row_shows_events_errors_duration_failed_events_and_what_was_done() -> None:
    for folder, widgets in rows(body(PARAMETERS)).items():
        if folder == "account_alerts":  # no function
            continue
        names = {line[1] for line in lines(widgets)}
        assert {"Invocations", "Errors", "Throttles", "Duration"} <= names
        assert {one.name for one in METRICS[folder]} <= names
        assert {"ApproximateAgeOfOldestMessage", "5XXError", "Url5xxCount"} & names, folder


def test_a_row_fits_into_the_grid() -> None:
    """24 columns: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html."""
    for widgets in rows(body(PARAMETERS)).values():
        assert 18 < sum(widget["width"] for widget in widgets) <= 24


def test_the_dashboard_is_within_the_limits_of_cloudwatch() -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html."""
    widgets = body(PARAMETERS)["widgets"]

    assert len(widgets) <= 500
    assert all(len(widget["properties"].get("metrics", [])) <= 500 for widget in widgets)
    assert len(list(lines(widgets))) <= 2500
    assert all(len(widget["properties"].get("alarms", [])) <= 100 for widget in widgets)


def test_the_dashboard_shows_every_alarm_once() -> None:
    (shown,) = (widget["properties"]["alarms"] for widget in body(PARAMETERS)["widgets"] if widget["type"] == "alarm")

    assert sorted(shown) == sorted(f"<{name}.Arn>" for name in ALARMS)


def test_without_its_parameter_there_is_no_dashboard_and_no_alarm_of_those_that_are_written() -> None:
    chosen = values({name: value for name, value in PARAMETERS.items() if name not in {"Dashboard", "Alarms"}})
    written = {alarm.name for alarm in dashboard.alarms()}

    assert not chosen.holds(RESOURCES["OperationsDashboard"]["Condition"])
    assert not [name for name in written if chosen.holds(RESOURCES[name]["Condition"])]


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_the_one_topic(name: str) -> None:
    assert ALARMS[name]["Properties"]["AlarmActions"] == [{"Ref": "AlertsTopic"}]


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_looks_no_further_back_than_cloudwatch_does(name: str) -> None:
    """A day, or seven with periods of an hour or more:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html."""
    properties = ALARMS[name]["Properties"]
    for parameters in (PARAMETERS, PARAMETERS | {"OfficeDays": "SUN"}):
        period = properties["Period"] if "Period" in properties else properties["Metrics"][1]["MetricStat"]["Period"]
        seconds = period * int(values(parameters).of(properties["EvaluationPeriods"]))
        assert seconds <= (7 if period >= 3600 else 1) * 24 * 3600


def test_no_two_alarms_look_at_the_same_thing() -> None:
    looked = [
        json.dumps([item["Properties"].get(key) for key in ("MetricName", "Dimensions", "Period", "Metrics")])
        for item in ALARMS.values()
    ]

    assert len(looked) == len(set(looked))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_has_an_alarm_for_throttles_and_one_for_errors(function: str) -> None:
    api = any(event["Type"] == "Api" for event in FUNCTIONS[function]["Properties"].get("Events", {}).values())
    watched = {
        item["Properties"]["MetricName"]
        for item in ALARMS.values()
        if {"Name": "FunctionName", "Value": {"Ref": function}} in item["Properties"].get("Dimensions", [])
    }
    watched |= {"Errors"} if api and ALARMS["RestApisAlarm"] else set()

    assert "Throttles" in watched
    assert {"Errors", "Url5xxCount"} & watched


def longest_silence(zone: str, hours: list[int], weekdays: range) -> timedelta:
    """The longest time between two runs at these hours of these days, over the years of two clock changes."""
    days = (datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)) + timedelta(days) for days in range(730))
    runs = [day.replace(hour=hour).timestamp() for day in days if day.weekday() in weekdays for hour in hours]
    return max(timedelta(seconds=late - early) for early, late in pairwise(runs))


@pytest.mark.parametrize(
    ("schedule", "hour", "weekdays"),
    [("RdsBackupNightly", 0, range(7)), ("OfficeHoursMorning", 9, range(5)), ("OfficeHoursEvening", 20, range(5))],
)
def test_a_schedule_that_runs_as_it_should_is_never_missed(schedule: str, hour: int, weekdays: range) -> None:
    periods = values(PARAMETERS).of(ALARMS[f"{schedule}MissedAlarm"]["Properties"]["EvaluationPeriods"])

    for zone in ("Asia/Seoul", "Europe/Berlin", "America/New_York"):
        assert longest_silence(zone, [hour], weekdays) + timedelta(hours=1) < timedelta(hours=int(periods))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_that_stops_is_told_and_one_that_has_not_run_yet_is_not(schedule: str) -> None:
    """An alarm begins in INSUFFICIENT_DATA, and acts only when its state changes; missing data as breaching would be ALARM at once:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html."""
    properties = ALARMS[f"{schedule}MissedAlarm"]["Properties"]

    assert properties["TreatMissingData"] == "missing"
    assert properties["InsufficientDataActions"] == [{"Ref": "AlertsTopic"}]
    assert properties["Dimensions"] == [{"Name": "ScheduleGroup", "Value": SCHEDULES[schedule]["GroupName"]}]


def test_nothing_reads_an_attribute_of_a_schedule() -> None:
    """CloudFormation looks for a schedule in the default group when it reads its `Arn`, and fails:
    https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1726."""
    for schedule, properties in SCHEDULES.items():
        function = next(one for one in FUNCTIONS if schedule.startswith(one.removesuffix("Function")))
        logical_id = function + schedule.removeprefix(function.removesuffix("Function"))
        assert "GroupName" in properties
        assert not re.search(rf"\b{logical_id}\.Arn", TEXT)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_sample_event_of_a_schedule_comes_from_its_group(schedule: str) -> None:
    named = [
        arn
        for event in (ROOT / "events").glob("*/*.json")
        for arn in json.loads(event.read_text()).get("resources", ())
    ]

    assert [arn for arn in named if f":schedule/eventbridge-automations-{schedule}Group-" in arn]


def test_only_the_alarms_of_schedules_tell_of_missing_data() -> None:
    assert {name for name, item in ALARMS.items() if item["Properties"]["TreatMissingData"] != "notBreaching"} == {
        f"{schedule}MissedAlarm" for schedule in SCHEDULES
    }


# ---------------------------------------------------------------- deployed


@pytest.fixture
def shown(stack: Stack) -> dict[str, Any]:
    return json.loads(
        stack.cloud.client("cloudwatch").get_dashboard(DashboardName=stack.outputs["Dashboard"])["DashboardBody"]
    )


def test_what_the_deployed_dashboard_shows_exists(stack: Stack, shown: dict[str, Any]) -> None:
    named = {
        (dimension, value)
        for _, _, dimension, value, *_ in lines(shown["widgets"])
        if dimension in {"FunctionName", "QueueName", "ScheduleGroup", "RuleName"}
    }
    there = {physical.split("/")[-1] for physical in stack.resources.values()}

    assert {dimension for dimension, _ in named} == {"FunctionName", "QueueName", "ScheduleGroup", "RuleName"}
    assert {value for _, value in named} <= there
    assert "${" not in json.dumps(shown)


def test_the_deployed_dashboard_shows_every_deployed_alarm(stack: Stack, shown: dict[str, Any]) -> None:
    pages = stack.cloud.client("cloudwatch").get_paginator("describe_alarms").paginate()
    deployed = {alarm["AlarmArn"]: alarm for page in pages for alarm in page["MetricAlarms"]}
    (arns,) = (widget["properties"]["alarms"] for widget in shown["widgets"] if widget["type"] == "alarm")

    assert set(arns) == {arn for arn, alarm in deployed.items() if alarm["AlarmName"] in stack.resources.values()}
    assert len(arns) == len([name for name, item in ALARMS.items() if kind(item) != EXPRESSION])
    assert {tuple(alarm["AlarmActions"]) for alarm in deployed.values()} == {(stack.outputs["AlertsTopic"],)}


def test_each_deployed_schedule_is_alone_in_its_group(stack: Stack) -> None:
    scheduler = stack.cloud.client("scheduler")
    groups = [stack.resources[f"{schedule}Group"] for schedule in SCHEDULES]

    found = [[item["Name"] for item in scheduler.list_schedules(GroupName=group)["Schedules"]] for group in groups]

    assert all(len(names) == 1 for names in found)
    assert {schedule.function + schedule.name for schedule in stack.schedules} == {names[0] for names in found}


@pytest.mark.parametrize(
    ("alarm", "state"),
    [("OfficeHoursEveningMissedAlarm", "INSUFFICIENT_DATA"), ("OfficeHoursErrorsAlarm", "ALARM")],
)
def test_an_alarm_is_mailed_when_it_leaves_ok(alarm: str, state: str, stage: Stage) -> None:
    cloudwatch, name = stage.client("cloudwatch"), stage.stack.resources[alarm]
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test")

    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")

    mail = stage.alert(name, "OfficeHoursFunction")
    assert mail["Subject"].startswith(f"{state}:")
    assert json.loads(mail["Message"])["AlarmDescription"] == ALARMS[alarm]["Properties"]["AlarmDescription"]
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test")


def test_the_deployment_is_far_from_the_most_resources_of_a_template(stack: Stack) -> None:
    """500: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html."""
    assert len(stack.resources) < 400
