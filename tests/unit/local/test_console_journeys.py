"""What became of each event, put together from log lines and messages."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from local.console.journeys import Told, Way, follow, instant, received, record_ids, reports, runs_of

EVENT, OTHER = "5e1f7f0e-0000-4000-8000-000000000001", "5e1f7f0e-0000-4000-8000-000000000002"
FIRST, SECOND = "7297df3c-332c-47d8-b1d1-14c848c6e1ec", "7297df3c-332c-47d8-b1d1-14c848c6e1ed"

NOW = datetime(2026, 11, 9, 7, tzinfo=UTC)
BY = Way("Stopped", "F")


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
    assert (run.ended, run.failed, len(run.attempts)) == (True, False, 1)
    assert [one.report and one.report.duration for one in run.attempts] == [340.0]


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

    assert (len(run.attempts), run.failed, run.cold) == (2, False, True)


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

    [journey] = follow({EVENT: event()}, {EVENT: [BY]}, {"F": [line(), report()], "G": []}, [about, stranger], NOW)

    assert journey.title == "State-change from aws.ec2"
    assert (journey.ways, [run.function for run in journey.runs], journey.told) == ([BY], ["F"], [about])
    assert journey.state == "done"


def test_the_newest_journey_comes_first_by_the_event_or_else_by_the_log() -> None:
    logs = {"F": [line(at="06:33:00"), report(), line(OTHER, SECOND, at="06:32:00")]}
    third = "5e1f7f0e-0000-4000-8000-000000000003"

    found = follow({EVENT: event(), third: event(third, time="2026-11-09T06:31:30Z")}, {}, logs, [], NOW)

    assert [one.id for one in found] == [OTHER, third, EVENT]
    assert [one.state for one in found] == ["running", "left alone", "done"]


def test_an_event_that_was_seen_nowhere_is_called_by_what_a_function_said() -> None:
    [journey] = follow({}, {}, {"F": [line(), report()]}, [], NOW)

    assert (journey.event, journey.title) == (None, "Looked at an instance (5e1f7f0e)")


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({"detail": {"object": {"key": "cat.jpg"}}}, "cat.jpg"),
        ({"detail": {"eventName": "PutBucketPolicy"}, "resources": ["arn:aws:s3:::shop"]}, "PutBucketPolicy"),
        ({"detail": {"instance-id": "i-0123"}}, "i-0123"),
        ({"detail": {}, "resources": ["arn:aws:scheduler:eu-west-1:111122223333:schedule/nights/Nightly"]}, "Nightly"),
        ({"detail": "none", "resources": {}}, ""),
    ],
)
def test_a_journey_says_what_its_event_is_about(fields: dict[str, object], subject: str) -> None:
    assert follow({EVENT: event(**fields)}, {}, {}, [], NOW)[0].subject == subject


def test_a_request_belongs_to_the_event_of_its_call_whatever_its_text_says() -> None:
    logs = {"ApiCallerFunction": [line(call="c-1"), report()]}
    told = Told("deployments", f"about event {OTHER}", "c-1")

    found = follow({EVENT: event(), OTHER: event(OTHER)}, {}, logs, [told], NOW)

    assert {one.id: list(one.told) for one in found} == {EVENT: [told], OTHER: []}


def test_an_event_without_a_time_stands_at_the_end() -> None:
    assert [one.id for one in follow({OTHER: event(time="?"), EVENT: event()}, {}, {}, [], NOW)] == [EVENT, OTHER]


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

    [journey] = follow({EVENT: call}, {}, {"F": [line(outcomes={"bucket_policy": "remediated"}), report()]}, [], NOW)
    [other] = follow({EVENT: event()}, {}, {"F": [line(outcomes={"bucket_policy": "remediated"})]}, [], NOW)

    assert record_ids(journey) == ["2026-11-09/bucket_policy/7bf386ca"]
    assert record_ids(other) == []


def test_each_attempt_tells_why_it_failed() -> None:
    messages = [line(message="Slack refused", level="ERROR"), report(), line(request=SECOND), report(SECOND, 7)]

    run = runs_of("F", messages)[EVENT]

    assert [(one.why, one.failed, one.report and one.report.duration) for one in run.attempts] == [
        ("Slack refused", True, 12.0),
        ("", False, 7.0),
    ]


def test_an_attempt_that_lambda_ended_says_so() -> None:
    """On AWS, where an attempt keeps the request's id and the report says how it went."""
    timeout = {
        "type": "platform.report",
        "record": {"requestId": FIRST, "status": "timeout", "metrics": {"durationMs": 3000}},
    }

    run = runs_of("F", [json.dumps(timeout), line(), json.dumps(timeout), line(), report()])[EVENT]

    assert [(len(one.lines), one.why) for one in run.attempts] == [
        (0, "Lambda ended it: timeout"),
        (1, "Lambda ended it: timeout"),
        (1, ""),
    ]
    assert (run.failed, run.ended) == (False, True)


def test_a_batch_belongs_to_each_event_that_its_lines_name() -> None:
    taken = json.loads(line(events=[EVENT, OTHER])) | {"correlation_id": None}
    refused = json.loads(line(message="A message is kept", level="ERROR")) | {"correlation_id": None}

    found = runs_of("SlackSenderFunction", [json.dumps(refused), json.dumps(taken), report()])

    assert {event_id: [len(run.lines), run.failed] for event_id, run in found.items()} == {
        EVENT: [2, False],
        OTHER: [2, False],
    }


def test_a_function_that_has_said_nothing_yet_is_awaited_for_a_while() -> None:
    ways = {EVENT: [Way("Stopped", "AlertFunction"), Way("ToQueue", "IngestQueue")]}
    sent = datetime(2026, 11, 9, 6, 31, tzinfo=UTC)

    [young] = follow({EVENT: event()}, ways, {}, [], sent + timedelta(seconds=5))
    [late] = follow({EVENT: event()}, ways, {}, [], sent + timedelta(minutes=5))
    [done] = follow({EVENT: event()}, ways, {"AlertFunction": [line(), report()]}, [], sent + timedelta(seconds=5))

    assert (young.awaited, young.state) == (["AlertFunction"], "running")
    assert (late.awaited, late.state) == ((), "left alone")
    assert (done.awaited, done.state) == ([], "done")


def test_a_request_to_an_api_belongs_to_the_event_whose_function_logged_its_call() -> None:
    request, stranger = Told("deployments", "{}", call="c1"), Told("deployments", "{}", call="c2")

    [journey] = follow(
        {EVENT: event()}, {}, {"ApiCallerFunction": [line(call="c1"), report()]}, [request, stranger], NOW
    )

    assert journey.told == [request]


@pytest.mark.parametrize(
    ("text", "channel", "mail"),
    [
        (
            "Subject: [INFO] Stopped\n\nIt is stopped.\n\n--\nevent",
            "E-mail",
            ("[INFO] Stopped", "It is stopped.\n\n--\nevent"),
        ),
        ('{"text": "Stopped", "blocks": []}', "Slack", None),
        ('{"detail-type": "Ticket"}', "Webhook", None),
        ("Subject: of a webhook in plain text", "Webhook", None),
    ],
)
def test_a_message_is_shown_as_what_it_is(text: str, channel: str, mail: tuple[str, str] | None) -> None:
    told = Told("somewhere", text)

    assert (told.channel, told.mail) == (channel, mail)
