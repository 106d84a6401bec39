from datetime import UTC, datetime, timedelta

import pytest

from automations.stopped_by import STOPPED_AT, STOPPED_BY, stopped_at, stopped_by

MARKED = datetime(2026, 11, 23, 11, tzinfo=UTC)
TAGS = {STOPPED_BY: "office-hours", STOPPED_AT: "2026-11-23T11:00:00+00:00"}


@pytest.mark.parametrize("launched", [None, MARKED - timedelta(days=1), MARKED])
def test_the_mark_says_who_stopped_an_instance_that_nobody_has_started_since(launched):
    assert stopped_by(TAGS, launched) == "office-hours"


def test_the_mark_of_an_instance_that_was_started_since_is_out_of_date():
    assert stopped_by(TAGS, MARKED + timedelta(seconds=1)) == ""


@pytest.mark.parametrize("time", [{}, {STOPPED_AT: "yesterday"}])
def test_a_mark_without_a_readable_time_holds(time):
    assert stopped_by({STOPPED_BY: "alice"} | time, MARKED) == "alice"
    assert stopped_at(time) is None


def test_without_the_tag_nobody_stopped_it():
    assert stopped_by({}, MARKED) == ""


def test_a_time_without_an_offset_is_taken_as_utc():
    assert stopped_at({STOPPED_AT: "2026-11-23T11:00:00"}) == MARKED
