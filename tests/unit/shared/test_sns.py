import re

import pytest
from hypothesis import given, settings

from automations.notify import Link, Severity
from automations.notify.sns import CUT, body, publish, subject
from tests.unit.shared.messages import message, messages, texts


@settings(max_examples=300, deadline=None)
@given(texts)
def test_the_subject_of_any_title_is_one_line_of_printable_ascii_shorter_than_100_characters(title):
    line = subject(message(title=title))

    assert re.fullmatch(r"[\x20-\x7e]{1,99}", line)
    assert line.startswith("[INFO]")


@settings(max_examples=200, deadline=None)
@given(messages)
def test_the_body_of_any_message_is_within_the_limit_of_sns_and_says_where_it_is_from(given):
    text = body(given)

    assert len(text.encode()) < 262_144
    assert text.endswith("event 6a7e8feb-b491-4cf7-a9f1-bf3703467718\n")


def test_a_subject_that_is_too_long_is_cut_with_a_mark():
    line = subject(message(title="x" * 200))

    assert len(line) == 99
    assert line.endswith(CUT)


def test_a_subject_that_fits_exactly_is_not_cut():
    assert subject(message(title="x" * 92)) == "[INFO] " + "x" * 92


def test_a_title_that_is_not_ascii_is_whole_in_the_body():
    title = "서울의 서버가 멈췄습니다 🙂 " * 20

    assert "?" in subject(message(title=title))
    assert body(message(title=title)).startswith(title)


def test_the_body_shows_title_facts_in_columns_text_link_and_where_it_is_from():
    assert (
        body(
            message(
                title="Disk full",
                facts={"Host": "web-1", "Free space": "0 B"},
                text="Somebody must look.",
                link=Link("Open it", "https://example.com/a?b=c&d"),
            )
        )
        == """\
Disk full

Host:       web-1
Free space: 0 B

Somebody must look.

Open it: https://example.com/a?b=c&d

--
Account 123456789012, region ap-northeast-2, 2026-11-22 03:00:00 UTC, event 6a7e8feb-b491-4cf7-a9f1-bf3703467718
"""
    )


@pytest.mark.parametrize("character", ["a", "한", "🙂"])
def test_a_body_that_is_too_long_is_cut_with_a_mark_between_two_characters(character):
    text = body(message(text=character * 300_000))

    assert len(text.encode()) < 262_144
    assert f"{character}{CUT}\n\n--\nAccount" in text


def test_half_a_surrogate_pair_does_not_lose_the_message(alerts):
    publish(message(title="Half \ud83d", text="a pair \ude42"), alerts.topic)

    [received] = alerts.received()
    assert received["Subject"] == "[INFO] Half ?"
    assert "a pair ?" in received["Message"]


def test_the_severity_is_an_attribute_on_which_a_subscription_can_filter(alerts):
    publish(message(severity=Severity.CRITICAL), alerts.topic)

    [received] = alerts.received()
    assert received["Subject"] == "[CRITICAL] Something happened"
    assert received["MessageAttributes"]["severity"] == {"Type": "String", "Value": "critical"}
