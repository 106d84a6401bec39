"""The month of a report and its numbers, from CloudWatch and from logs."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import boto3
import pytest
from local.cloud import LocalError
from local.report import figures
from local.report.figures import FAILED, GIVEN_UP, MILLISECONDS, PUBLISHED, RUNS, UNDELIVERED, Figures, Source
from local.report.month import Month, month

NOW = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
NOVEMBER = month("2026-11", NOW)
FIRST, SECOND = datetime(2026, 11, 1, 9, tzinfo=UTC), datetime(2026, 11, 2, 9, tzinfo=UTC)


# ---------------------------------------------------------------- the month


def test_the_current_month_is_meant_when_none_is_said_and_ends_now() -> None:
    assert month("", NOW) == NOVEMBER
    assert (NOVEMBER.start, NOVEMBER.end, NOVEMBER.under_way) == (datetime(2026, 11, 1, tzinfo=UTC), NOW, True)
    assert (len(NOVEMBER.days), str(NOVEMBER)) == (30, "November 2026")


def test_a_month_that_is_over_ends_with_its_last_day() -> None:
    february = month("2026-02", NOW)

    assert (february.end, february.under_way) == (datetime(2026, 3, 1, tzinfo=UTC), False)
    assert (february.days[0], february.days[-1]) == (date(2026, 2, 1), date(2026, 2, 28))
    assert month("2025-12", NOW).end == datetime(2026, 1, 1, tzinfo=UTC)


def test_the_month_is_that_of_utc() -> None:
    seoul = datetime.fromisoformat("2026-12-01T08:59:00+09:00")

    assert str(month("", seoul)) == "November 2026"


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "November", "2026-11-01", "0000-01"])
def test_what_is_no_month_is_refused_with_one_that_is(text: str) -> None:
    with pytest.raises(LocalError, match="--month 2026-11"):
        month(text, NOW)


def test_a_month_to_come_is_refused() -> None:
    with pytest.raises(LocalError, match="December 2026 has not begun"):
        month("2026-12", NOW)


def test_a_month_that_cloudwatch_has_forgotten_is_refused() -> None:
    with pytest.raises(LocalError, match="keeps metrics for 455 days"):
        month("2025-08", NOW)


# ---------------------------------------------------------------- CloudWatch


def put(namespace: str, name: str, value: float, at: datetime, **dimension: str) -> None:
    [(key, of)] = dimension.items()
    datum = {"MetricName": name, "Value": value, "Timestamp": at, "Dimensions": [{"Name": key, "Value": of}]}
    boto3.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[datum])


def test_cloudwatchs_numbers_are_summed_up_by_day_and_no_others(cloud: None) -> None:
    for at, hours in ((FIRST, 13.0), (FIRST + timedelta(hours=3), 0.5), (SECOND, 4.0)):
        put("EventBridgeAutomations", "HoursSaved", hours, at, service="office_hours")
    put("EventBridgeAutomations", "HoursSaved", 99, datetime(2026, 10, 31, 23, 59, tzinfo=UTC), service="office_hours")
    put("EventBridgeAutomations", "HoursSaved", 99, datetime(2026, 12, 1, tzinfo=UTC), service="office_hours")
    put("EventBridgeAutomations", "HoursSaved", 99, FIRST, service="another")
    put("AWS/Lambda", "Invocations", 3, SECOND, FunctionName="stack-OfficeHours-1")
    resources = {"OfficeHoursFunction": "stack-OfficeHours-1"}

    wanted = figures.sources(resources, {"office_hours": "OfficeHoursFunction"})
    found = figures.from_cloudwatch(boto3.client("cloudwatch"), wanted, NOVEMBER)

    assert found.by_day("office_hours", "HoursSaved") == {date(2026, 11, 1): 13.5, date(2026, 11, 2): 4.0}
    assert found.total("office_hours", "HoursSaved") == 17.5
    assert found.total("office_hours", RUNS) == 3
    assert found.total("office_hours", "InstancesStopped") == 0
    assert found.by_day("no_such", RUNS) == {}


class Paged:
    """A CloudWatch whose answers come in pages, the second of which goes on with the first's metric."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def get_paginator(self, operation: str) -> "Paged":
        assert operation == "get_metric_data"
        return self

    def paginate(self, MetricDataQueries: list[dict[str, Any]], **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        self.asked.append([query["Id"] for query in MetricDataQueries])
        for value in (1.0, 2.0):
            yield {"MetricDataResults": [{"Id": "m0", "Timestamps": [FIRST], "Values": [value]}]}


def test_a_metric_that_comes_in_two_pages_is_summed_up_and_no_call_asks_for_too_many() -> None:
    cloudwatch = Paged()
    wanted = {("f", f"N{number}"): Source("n", f"N{number}", "service", "f") for number in range(501)}

    found = figures.from_cloudwatch(cloudwatch, wanted, NOVEMBER)

    assert (found.total("f", "N0"), found.total("f", "N500")) == (3.0, 3.0)
    assert [len(ids) for ids in cloudwatch.asked] == [500, 1]


def test_topics_are_asked_for_by_name_and_no_subscription_is() -> None:
    topic = "arn:aws:sns:ap-northeast-2:111122223333:alerts-1"
    found = figures.sources({"AlertsTopic": topic, "AlertsByMail": f"{topic}:5f2a", "FailedEventsQueue": "x"}, {})

    assert found == {
        ("AlertsTopic", PUBLISHED): Source("AWS/SNS", PUBLISHED, "TopicName", "alerts-1"),
        ("AlertsTopic", UNDELIVERED): Source("AWS/SNS", UNDELIVERED, "TopicName", "alerts-1"),
    }


def test_averages_are_not_summed_up() -> None:
    found = figures.sources({"ApiCallerFunction": "f"}, {"api_caller": "ApiCallerFunction"})

    assert ("api_caller", "ApiCalls") in found
    assert ("api_caller", "ApiLatency") not in found


# ---------------------------------------------------------------- logs

LATER = timedelta(minutes=1)


def run(request: str, event: str, *, at: datetime = FIRST, failed: bool = False, **metrics: float) -> figures.Lines:
    """What one run logs."""
    own = {"function_request_id": request, "correlation_id": event, "level": "INFO", "message": "Looked"}
    lines = [f"START RequestId: {request} Version: $LATEST", json.dumps(own)]
    if metrics:
        lines.append(embedded(metrics))
    if failed:
        lines.append(json.dumps({**own, "level": "ERROR", "message": "No", "reason": "DeliveryError"}))
    report = f"REPORT RequestId: {request}\tDuration: 250 ms\tBilled Duration: 250 ms\tMemory Size: 256 MB"
    return [(at, line) for line in (*lines, f"END RequestId: {request}", report)]


def embedded(metrics: Mapping[str, float], namespace: str = "EventBridgeAutomations") -> str:
    about = [{"Namespace": namespace, "Dimensions": [["service"]], "Metrics": [{"Name": name} for name in metrics]}]
    values = {name: [value] for name, value in metrics.items()}
    return json.dumps({"_aws": {"Timestamp": 1, "CloudWatchMetrics": about}, "service": "x", **values})


def of_log(*runs: figures.Lines, about: Month = NOVEMBER) -> Figures:
    return figures.from_logs({"office_hours": [line for one in runs for line in one]}, about)


def test_the_functions_metrics_runs_and_durations_are_read_from_its_log() -> None:
    found = of_log(run("r1", "e1", HoursSaved=13.0), run("r2", "e2", at=SECOND, HoursSaved=0.5))

    assert found.by_day("office_hours", "HoursSaved") == {FIRST.date(): 13.0, SECOND.date(): 0.5}
    assert found.by_day("office_hours", RUNS) == {FIRST.date(): 1, SECOND.date(): 1}
    assert found.total("office_hours", MILLISECONDS) == 500
    assert found.total("office_hours", FAILED) == 0


def test_a_log_of_another_month_counts_for_nothing() -> None:
    assert of_log(run("r1", "e1", HoursSaved=13.0), about=month("2026-10", NOW)).values == {}


def test_lines_that_are_no_json_and_metrics_of_others_are_left_out() -> None:
    texts = ["Traceback (most recent call last):", "[1, 2]", "12", embedded({"HoursSaved": 5}, "Other")]

    assert of_log([(FIRST, text) for text in texts]).values == {}


def test_an_event_that_fails_three_times_is_given_up_once() -> None:
    found = of_log(*(run(f"r{number}", "e1", failed=True, at=FIRST + number * LATER) for number in range(3)))

    assert (found.total("office_hours", RUNS), found.total("office_hours", FAILED)) == (3, 3)
    assert found.total("office_hours", GIVEN_UP) == 1


def test_an_event_that_goes_well_when_it_is_tried_again_is_not_given_up() -> None:
    found = of_log(run("r1", "e1", failed=True), run("r2", "e1", at=FIRST + LATER))

    assert (found.total("office_hours", FAILED), found.total("office_hours", GIVEN_UP)) == (1, 0)


def test_an_event_that_a_person_tries_again_after_it_was_given_up_stays_given_up() -> None:
    again = [run(f"r{number}", "e1", failed=True, at=FIRST + number * LATER) for number in range(3)]

    assert of_log(*again, run("r4", "e1", at=SECOND)).total("office_hours", GIVEN_UP) == 1


def test_an_event_that_is_tried_once_is_given_up_after_its_failure_and_others_are_not() -> None:
    found = of_log(run("r1", "e1", failed=True), run("r2", "e2", failed=False))

    assert found.total("office_hours", GIVEN_UP) == 1


def test_an_error_that_a_run_survives_is_no_failure() -> None:
    survived = {"function_request_id": "r1", "correlation_id": "e1", "level": "ERROR", "message": "One of several"}

    assert of_log([*run("r1", "e1"), (FIRST, json.dumps(survived))]).total("office_hours", FAILED) == 0
