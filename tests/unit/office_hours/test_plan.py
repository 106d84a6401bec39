"""The decision, for any instances, any office hours and any moment, in time zones with daylight saving."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automations.stopped_by import OFFICE_HOURS, STOPPED_AT, STOPPED_BY
from office_hours.hours import DAYS, OfficeHours, read_days
from office_hours.instance import Instance
from office_hours.plan import KEEP_UNTIL_TAG, Plan, hours_saved, plan

TAG = "automations:office-hours"
SEOUL = OfficeHours(ZoneInfo("Asia/Seoul"), time(9), time(20), read_days("MON-FRI"))
MONDAY_EVENING = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)  # 20:00 in Seoul
TUESDAY_MORNING = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)  # 09:00 in Seoul
LAUNCHED = datetime(2026, 11, 2, tzinfo=UTC)

# North and south of the equator, by half an hour, at midnight, and by weekdays; one without daylight saving.
ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Asia/Tehran",
    "Asia/Seoul",
    "Pacific/Apia",
]
zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.integers(1_420_000_000, 2_050_000_000).map(
    lambda second: datetime.fromtimestamp(second, UTC)
)  # 2014 to 2034

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # other people use the machine, too


@st.composite
def office_hours(draw: st.DrawFn) -> OfficeHours:
    opens, closes = sorted(draw(st.sets(st.times(), min_size=2, max_size=2)))
    return OfficeHours(
        draw(zones),
        opens,
        closes,
        frozenset(draw(st.sets(st.sampled_from(DAYS)))),
        frozenset(draw(st.sets(st.dates(date(2015, 1, 1), date(2035, 1, 1)), max_size=3))),
    )


@st.composite
def fleets(draw: st.DrawFn) -> list[Instance]:
    """Instances with any tags and in any state, as they may be found."""
    fleet = []
    for number in range(draw(st.integers(0, 6))):
        tags = draw(
            st.fixed_dictionaries(
                {TAG: st.sampled_from(["true", "TRUE", "stop-only", "false", "maybe", ""])},
                optional={
                    STOPPED_BY: st.sampled_from([OFFICE_HOURS, "alice"]),
                    STOPPED_AT: st.one_of(moments.map(datetime.isoformat), st.just("yesterday")),
                    KEEP_UNTIL_TAG: st.one_of(st.dates().map(date.isoformat), st.just("tomorrow")),
                    "aws:autoscaling:groupName": st.just("web"),
                },
            )
        )
        fleet.append(
            Instance(
                id=f"i-{number:017x}",
                state=draw(st.sampled_from(["pending", "running", "stopping", "stopped"])),
                launched=draw(moments),
                tags=tags,
                spot=draw(st.booleans()),
                instance_store=draw(st.booleans()),
                hibernates=draw(st.booleans()),
                managed_by=draw(st.sampled_from(["", "eks.amazonaws.com"])),
            )
        )
    return fleet


def ids(instances: Iterable[Instance]) -> set[str]:
    return {instance.id for instance in instances}


def carry_out(fleet: list[Instance], todo: Plan, now: datetime) -> list[Instance]:
    """The instances after EC2 has done what is planned."""
    after = []
    for item in fleet:
        bare = {key: value for key, value in item.tags.items() if key not in {STOPPED_BY, STOPPED_AT}}
        if item in todo.stop:
            marked = bare | {STOPPED_BY: OFFICE_HOURS, STOPPED_AT: now.isoformat()}
            after.append(replace(item, state="stopped", tags=marked))
        elif item in todo.start:
            after.append(replace(item, state="running", tags=bare, launched=now))
        elif item in todo.unmark:
            after.append(replace(item, tags=bare))
        else:
            after.append(item)
    return after


@unhurried
@given(fleets(), office_hours(), moments)
def test_an_open_office_stops_nothing_and_a_closed_one_starts_nothing(fleet, hours, now):
    todo = plan(fleet, hours, now, TAG)

    assert todo.is_open == hours.is_open(now)
    if todo.is_open:
        assert todo.stop == []
    else:
        assert todo.start == []


@unhurried
@given(fleets(), office_hours(), moments)
def test_only_what_this_automation_stopped_is_started(fleet, hours, now):
    for instance in plan(fleet, hours, now, TAG).start:
        assert instance.tags[STOPPED_BY] == OFFICE_HOURS
        assert instance.tags[TAG].lower() == "true"
        assert instance.state in {"stopping", "stopped"}


@unhurried
@given(fleets(), office_hours(), moments)
def test_only_running_instances_that_ask_for_it_and_can_be_stopped_are_stopped(fleet, hours, now):
    for instance in plan(fleet, hours, now, TAG).stop:
        assert instance.tags[TAG].lower() in {"true", "stop-only"}
        assert instance.state == "running"
        assert not any((instance.spot, instance.instance_store, instance.managed_by, instance.auto_scaling_group))


@unhurried
@given(fleets(), office_hours(), moments)
def test_every_running_instance_that_asks_for_it_is_stopped_or_skipped_with_a_reason_when_closed(fleet, hours, now):
    todo = plan(fleet, hours, now, TAG)

    if not todo.is_open:
        runs = [item for item in fleet if item.state in {"pending", "running"} and item.tags[TAG] != "false"]
        assert ids(runs) == ids(todo.stop) | set(todo.skipped)
        assert not ids(todo.stop) & set(todo.skipped)


@unhurried
@given(fleets(), office_hours(), moments)
def test_a_second_run_at_the_same_time_has_nothing_left_to_do(fleet, hours, now):
    first = plan(fleet, hours, now, TAG)

    second = plan(carry_out(fleet, first, now), hours, now, TAG)

    assert (second.stop, second.start, second.unmark) == ([], [], [])
    assert second.skipped == first.skipped


@unhurried
@given(fleets(), office_hours(), moments, zones)
def test_the_time_zone_in_which_now_is_written_makes_no_difference(fleet, hours, now, elsewhere):
    assert plan(fleet, hours, now.astimezone(elsewhere), TAG) == plan(fleet, hours, now, TAG)


@unhurried
@given(zones, st.dates(date(2015, 1, 8), date(2034, 12, 1)), st.timedeltas(timedelta(), timedelta(minutes=50)))
def test_through_any_two_weeks_machines_run_by_day_and_not_by_night_however_late_the_runs_are(zone, first, late):
    hours = OfficeHours(zone, time(9), time(20), read_days("MON-FRI"))
    ours = Instance("i-1", "running", datetime(2015, 1, 1, tzinfo=UTC), {TAG: "true"})
    theirs = replace(ours, id="i-2", state="stopped")
    fleet = [ours, theirs]
    for number in range(14):
        day = first + timedelta(days=number)
        for hour in (9, 20):
            now = datetime.combine(day, time(hour), zone).astimezone(UTC) + late
            if day.weekday() < 5:
                fleet = carry_out(fleet, plan(fleet, hours, now, TAG), now)
                assert fleet[0].state == ("running" if hour == 9 else "stopped")
    assert fleet[1] == theirs


@unhurried
@given(moments, moments, moments, st.sampled_from(["pending", "running", "stopping", "stopped"]))
def test_hours_saved_are_real_hours_and_never_negative(marked, launched, now, state):
    saved = hours_saved(Instance("i-1", state, launched, {STOPPED_AT: marked.isoformat()}), now)

    assert 0 <= saved <= max((now - marked) / timedelta(hours=1), (launched - marked) / timedelta(hours=1), 0)


@pytest.mark.parametrize(
    ("friday", "monday", "hours"),
    [
        (date(2026, 3, 27), date(2026, 3, 30), 60),  # the clocks go forward
        (date(2026, 10, 23), date(2026, 10, 26), 62),  # and back
        (date(2026, 11, 20), date(2026, 11, 23), 61),
    ],
)
def test_hours_saved_over_a_weekend_count_the_hour_that_daylight_saving_takes_or_gives(friday, monday, hours):
    berlin = ZoneInfo("Europe/Berlin")
    closed = datetime.combine(friday, time(20), berlin).astimezone(UTC)
    stopped = Instance("i-1", "stopped", datetime(2026, 1, 5, tzinfo=UTC), {STOPPED_AT: closed.isoformat()})

    assert hours_saved(stopped, datetime.combine(monday, time(9), berlin)) == hours


def running() -> Instance:
    return Instance("i-1", "running", LAUNCHED, {TAG: "true"})


def marked(state: str = "stopped", wish: str = "true", launched: datetime = LAUNCHED) -> Instance:
    tags = {TAG: wish, STOPPED_BY: OFFICE_HOURS, STOPPED_AT: MONDAY_EVENING.isoformat()}
    return Instance("i-1", state, launched, tags)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23T08:59:59.999999", False),
        ("2026-11-23T09:00:00", True),
        ("2026-11-23T19:59:59.999999", True),
        ("2026-11-23T20:00:00", False),
        ("2026-11-21T12:00:00", False),  # Saturday
        ("2026-11-22T12:00:00", False),
        ("2026-12-25T12:00:00", False),  # a holiday, a Friday
        ("2026-12-24T12:00:00", True),
    ],
)
def test_the_office_is_open_from_its_opening_until_just_before_its_closing_on_its_days(moment, is_open):
    hours = replace(SEOUL, holidays=frozenset({date(2026, 12, 25)}))

    assert hours.is_open(datetime.fromisoformat(moment).replace(tzinfo=SEOUL.zone)) is is_open


def test_an_evening_run_that_comes_only_the_next_morning_stops_nothing():
    late = TUESDAY_MORNING + timedelta(minutes=30)

    assert plan([running()], SEOUL, late, TAG) == Plan(is_open=True)


def test_a_morning_run_that_comes_only_in_the_evening_starts_nothing():
    assert plan([marked()], SEOUL, MONDAY_EVENING, TAG) == Plan(is_open=False)


def test_a_missed_evening_is_made_up_for_by_the_morning_of_a_holiday():
    hours = replace(SEOUL, holidays=frozenset({date(2026, 11, 24)}))

    assert ids(plan([running()], hours, TUESDAY_MORNING, TAG).stop) == {"i-1"}


def test_on_a_holiday_nothing_is_started():
    hours = replace(SEOUL, holidays=frozenset({date(2026, 11, 24)}))

    assert plan([marked()], hours, TUESDAY_MORNING, TAG).start == []


@pytest.mark.parametrize(("until", "kept"), [("2026-11-22", False), ("2026-11-23", True), ("2026-12-01", True)])
def test_a_tag_keeps_an_instance_running_up_to_and_with_its_date(until, kept):
    instance = replace(running(), tags={TAG: "true", KEEP_UNTIL_TAG: until})

    todo = plan([instance], SEOUL, MONDAY_EVENING, TAG)

    assert (todo.stop == []) is kept
    assert ("i-1" in todo.skipped) is kept


def test_the_date_of_that_tag_is_the_one_of_the_office():
    instance = replace(running(), tags={TAG: "true", KEEP_UNTIL_TAG: "2026-11-23"})
    kiritimati = replace(SEOUL, zone=ZoneInfo("Pacific/Kiritimati"))  # where it is Tuesday already

    assert ids(plan([instance], kiritimati, MONDAY_EVENING, TAG).stop) == {"i-1"}


@pytest.mark.parametrize(
    ("instance", "reason"),
    [
        (replace(running(), tags={TAG: "true", KEEP_UNTIL_TAG: "soon"}), "no date such as 2026-12-01"),
        (replace(running(), tags={TAG: "ture"}), "none of true, stop-only and false"),
        (replace(running(), tags={TAG: "true", "aws:autoscaling:groupName": "web"}), "Auto Scaling group web"),
        (replace(running(), spot=True), "Spot"),
        (replace(running(), instance_store=True), "instance store"),
        (replace(running(), managed_by="eks.amazonaws.com"), "managed by eks.amazonaws.com"),
        (replace(running(), state="pending"), "starting"),
    ],
)
def test_what_cannot_or_must_not_be_stopped_is_skipped_with_its_reason(instance, reason):
    todo = plan([instance], SEOUL, MONDAY_EVENING, TAG)

    assert todo.stop == []
    assert reason in todo.skipped["i-1"]


def test_an_instance_that_opted_out_is_left_alone_without_a_word():
    assert plan([replace(running(), tags={TAG: "False"})], SEOUL, MONDAY_EVENING, TAG) == Plan(is_open=False)


def test_stop_only_is_stopped_and_not_started():
    stop_only = replace(running(), tags={TAG: "stop-only"})

    assert plan([stop_only], SEOUL, MONDAY_EVENING, TAG).stop == [stop_only]
    assert plan([marked(wish="stop-only")], SEOUL, TUESDAY_MORNING, TAG) == Plan(is_open=True)


def test_one_that_is_still_stopping_in_the_morning_is_to_be_started_so_that_the_retry_gets_it():
    assert ids(plan([marked("stopping")], SEOUL, TUESDAY_MORNING, TAG).start) == {"i-1"}


def test_one_that_a_person_started_and_stopped_again_in_the_night_stays_stopped_and_loses_its_mark():
    instance = marked(launched=MONDAY_EVENING + timedelta(hours=2))

    assert plan([instance], SEOUL, TUESDAY_MORNING, TAG) == Plan(is_open=True, unmark=[instance])
    assert hours_saved(instance, TUESDAY_MORNING) == 2


def test_one_that_a_person_started_in_the_night_loses_its_mark_in_the_morning_and_counts_until_then():
    instance = marked("running", launched=MONDAY_EVENING + timedelta(hours=3))

    assert plan([instance], SEOUL, TUESDAY_MORNING, TAG) == Plan(is_open=True, unmark=[instance])
    assert hours_saved(instance, TUESDAY_MORNING) == 3


def test_one_that_was_marked_but_never_stopped_has_saved_nothing():
    assert hours_saved(marked("running"), TUESDAY_MORNING) == 0


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("MON-FRI", {"MON", "TUE", "WED", "THU", "FRI"}),
        ("SUN-THU", {"SUN", "MON", "TUE", "WED", "THU"}),
        ("mon,WED-THU, SAT", {"MON", "WED", "THU", "SAT"}),
    ],
)
def test_days_are_read_as_in_a_cron_expression(text, days):
    assert read_days(text) == days


@pytest.mark.parametrize(("text", "problem"), [("FRI-MON", "begins with SUN"), ("WEEKDAY", "one of"), ("", "one of")])
def test_other_days_are_refused(text, problem):
    with pytest.raises(ValueError, match=problem):
        read_days(text)
