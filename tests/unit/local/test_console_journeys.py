"""What became of each event, put together from log lines and messages."""

import json
from datetime import UTC, datetime

import pytest
from local.console.journeys import Told, follow, instant, received, record_ids, reports, runs_of

EVENT, OTHER = "5e1f7f0e-0000-4000-8000-000000000001", "5e1f7f0e-0000-4000-8000-000000000002"
FIRST, SECOND = "7297df3c-332c-47d8-b1d1-14c848c6e1ec", "7297df3c-332c-47d8-b1d1-14c848c6e1ed"


def line(event=EVENT, request=FIRST, at="06:31:14", level="INFO", **more) -> str:
    own = {
        "level": level,
        "location": "lambda_handler:64",
        "message": "Looked at an instance",
        "timestamp": f"2026-11-09 {at},123+0000",
        "service": "ec2_state_alerts",
        "cold_start": True,
        "correlation_id": event,
        "function_request_id": request,
    }
    return json.dumps(own | more)


def report(request=FIRST, milliseconds=12) -> str:
    return f"REPORT RequestId: {request}\tDuration: {milliseconds} ms\tBilled Duration: {milliseconds} ms\tMemory Size: 256 MB"


def event(event_id=EVENT, **more) -> dict[str, object]:
    return {"id": event_id, "source": "aws.ec2", "detail-type": "State-change", "time": "2026-11-09T06:31:00Z", **more}


def test_a_run_tells_what_its_last_line_says_and_how_long_it_took() -> None:
    run = runs_of(
        "F", ["START", line(told=["slack"], why=None, deleted=[]), "{}", "{broken", "[1]", report(milliseconds=340)]
    )[EVENT]

    assert (run.says, run.facts, run.cold) == ("Looked at an instance", {"told": ["slack"]}, True)
    assert (run.ended, run.failed, run.attempts) == (True, False, 1)
    assert run.reports[0].duration == 340.0


def test_a_run_whose_report_is_missing_has_not_ended() -> None:
    run = runs_of("F", [line(level="ERROR"), report(SECOND)])[EVENT]

    assert (run.ended, run.failed) == (False, False)


@pytest.mark.parametrize(
    "messages",
    [
        [line(level="ERROR"), report(), line(request=SECOND, cold_start=False), report(SECOND)],  # the local cloud
        [line(level="ERROR"), report(), line(cold_start=False), report()],  # Lambda
    ],
)
def test_a_second_attempt_that_went_well_makes_the_run_go_well(messages: list[str]) -> None:
    run = runs_of("F", messages)[EVENT]

    assert (run.attempts, run.failed, run.cold) == (2, False, True)


def test_a_run_has_failed_when_its_last_attempt_did() -> None:
    assert runs_of("F", [line(), report(), line(request=SECOND, level="ERROR"), report(SECOND)])[EVENT].failed


def test_lines_about_another_event_do_not_mix() -> None:
    found = runs_of("F", [line(), line(OTHER, SECOND), report(SECOND)])

    assert (found[EVENT].ended, found[OTHER].ended) == (False, True)


def test_reports_are_read_as_text_and_as_json() -> None:
    as_json = {
        "type": "platform.report",
        "record": {"requestId": SECOND, "metrics": {"durationMs": 1.5, "initDurationMs": 200}},
    }

    found = list(reports([f"{report()}\tInit Duration: 310.25 ms", json.dumps(as_json), "REPORT?"]))

    assert [(one.request, one.duration, one.init) for one in found] == [(FIRST, 12.0, 310.25), (SECOND, 1.5, 200.0)]


def test_a_journey_joins_the_event_its_rules_its_functions_and_its_messages() -> None:
    about, stranger = Told("slack", f"Account 1 · event {EVENT}"), Told("slack", "no event")

    [journey] = follow({EVENT: event()}, {EVENT: ["Stopped"]}, {"F": [line(), report()], "G": []}, [about, stranger])

    assert journey.title == "State-change from aws.ec2"
    assert (journey.rules, [run.function for run in journey.runs], journey.told) == (["Stopped"], ["F"], [about])
    assert journey.state == "done"


def test_the_newest_journey_comes_first_by_the_log_or_else_by_the_event() -> None:
    logs = {"F": [line(at="06:30:00"), report(), line(OTHER, SECOND, at="06:32:00")]}
    third = "5e1f7f0e-0000-4000-8000-000000000003"

    found = follow({EVENT: event(), third: event(third)}, {}, logs, [])

    assert [one.id for one in found] == [OTHER, third, EVENT]
    assert [one.state for one in found] == ["running", "left alone", "done"]
    assert found[0].title == "An event that was seen on no bus (5e1f7f0e)"


def test_an_event_without_a_time_stands_at_the_end() -> None:
    assert [one.id for one in follow({OTHER: event(time="?"), EVENT: event()}, {}, {}, [])] == [EVENT, OTHER]


@pytest.mark.parametrize("text", ["2026-11-09T06:31:14Z", "2026-11-09 06:31:14,000+0000", "2026-11-09T06:31:14"])
def test_both_forms_of_a_time_are_read(text: str) -> None:
    assert instant(text) == datetime(2026, 11, 9, 6, 31, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "about"),
    [
        (f"Account 1 · ap-northeast-2 · event {EVENT}", EVENT),
        (f"event {OTHER} was meant\n--\nevent {EVENT}", EVENT),
        (f"event {EVENT}0", ""),
        ("no event", ""),
        (f'{{"id": "{OTHER}", "detail-type": "Ticket", "detail": {{"text": "event {EVENT}"}}}}', OTHER),
    ],
)
def test_a_message_is_about_the_event_that_it_names_last(text: str, about: str) -> None:
    assert Told("slack", text).event_id == about


@pytest.mark.parametrize(
    ("name", "to"),
    [
        ("135829-243886-slack.json", "slack"),
        ("135829-816033-alerts.txt", "alerts"),
        ("1-2-deployments-web-1.json", "deployments-web-1"),
    ],
)
def test_a_received_file_says_to_whom_it_came(name: str, to: str) -> None:
    assert received(name, "{}") == Told(to, "{}")


def test_a_journey_names_the_audit_records_of_its_remediations() -> None:
    call = event(detail={"eventID": "7bf386ca"})

    [journey] = follow({EVENT: call}, {}, {"F": [line(outcomes={"bucket_policy": "remediated"}), report()]}, [])
    [other] = follow({EVENT: event()}, {}, {"F": [line(outcomes={"bucket_policy": "remediated"})]}, [])

    assert record_ids(journey) == ["2026-11-09/bucket_policy/7bf386ca"]
    assert record_ids(other) == []
