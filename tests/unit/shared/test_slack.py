import html
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings

from automations.events.slack import SlackMessage
from automations.notify import Link, Message, Severity
from automations.notify.slack import CUT, LARGEST_BODY, UNUSABLE, body, cut, put, render, split
from tests.unit.shared.messages import message, messages, texts

WEBHOOK = "secretsmanager:slack-webhook"

ENTITY = re.compile(r"&(amp|lt|gt);")


def texts_of(payload: dict[str, Any]) -> list[str]:
    """Every text of the payload's blocks, in their order."""
    found = []
    for block in payload["blocks"]:
        parts = [block.get("text"), *block.get("fields", []), *block.get("elements", [])]
        found += [part["text"] for part in parts if part]
    return found


def sections(payload: dict[str, Any]) -> list[str]:
    """The texts of the sections between the title and the divider."""
    blocks = payload["blocks"][1:]
    return [block["text"]["text"] for block in blocks if block["type"] == "section" and "text" in block]


def assert_is_within_slacks_limits(payload: dict[str, Any]) -> None:
    """https://docs.slack.dev/reference/block-kit/blocks"""
    assert 1 <= len(payload["blocks"]) <= 49  # one more may be added
    for block in payload["blocks"]:
        assert block["type"] in {"section", "divider", "context"}
        if block["type"] == "section":
            assert ("text" in block) != ("fields" in block)
        if "text" in block:
            assert 1 <= len(block["text"]["text"]) <= 3000
        if "fields" in block:
            assert 1 <= len(block["fields"]) <= 10
            assert all(1 <= len(field["text"]) <= 2000 for field in block["fields"])
    assert len(payload["text"]) <= 4000


def assert_nothing_is_marked_up_but_the_link(payload: dict[str, Any]) -> None:
    for text in [payload["text"], *texts_of(payload)]:
        plain = re.sub(r"^<https://example\.com/[^<>|\s]*\|[^<>|\n]+>$", "", text)
        assert not re.search(r"[<>]", plain), text
        assert "&" not in ENTITY.sub("", plain), text


@settings(max_examples=300, deadline=None)
@given(messages)
def test_any_message_becomes_a_payload_within_slacks_limits(given):
    payload = render(given)

    assert_is_within_slacks_limits(payload)
    assert_nothing_is_marked_up_but_the_link(payload)
    assert json.loads(json.dumps(payload)) == payload


@settings(max_examples=200, deadline=None)
@given(texts)
def test_a_text_is_split_without_losing_a_character(text):
    parts = list(split(text, 100))

    assert all(1 <= len(part) <= 100 for part in parts)
    shown = "".join(html.unescape(part) for part in parts)
    assert usable(shown) == usable(text)


def usable(text: str) -> str:
    """What of the text Slack can show, without spaces."""
    return "".join(UNUSABLE.sub("", text).replace("\ufffd", "").split())


def test_a_message_shows_title_facts_text_link_and_where_it_is_from():
    payload = render(
        message(
            severity=Severity.CRITICAL,
            title="Disk full",
            facts={"Host": "web-1", "Free": "0 B"},
            text="Somebody must look.\nNow.",
            link=Link("Open it", "https://example.com/a?b=c#d;e=f"),
        )
    )

    assert payload["text"] == "Disk full"
    assert texts_of(payload) == [
        ":rotating_light: *Disk full*",
        "*Host*\nweb-1",
        "*Free*\n0 B",
        "Somebody must look.\nNow.",
        "<https://example.com/a?b=c#d;e=f|Open it>",
        "Account 123456789012 · ap-northeast-2 · 2026-11-22 03:00:00 UTC · event 6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    ]


def test_what_slack_takes_for_markup_is_escaped_everywhere():
    evil = "<!channel> & <https://example.com|click>"
    payload = render(message(title=evil, facts={evil: evil}, text=evil, link=Link(evil, "https://example.com/")))

    escaped = "&lt;!channel&gt; &amp; &lt;https://example.com|click&gt;"
    assert payload["text"] == escaped
    title, fact, text, link, _ = texts_of(payload)
    assert title.endswith(f"*{escaped}*")
    assert fact == f"*{escaped}*\n{escaped}"
    assert text == escaped
    assert link == f"<https://example.com/|{escaped.replace('|', '/')}>"


def test_names_and_addresses_in_a_text_are_not_made_into_mentions_and_links():
    payload = render(message(text="@channel, see https://example.com", facts={"Who": "@here"}))

    parts = [
        part
        for block in payload["blocks"]
        for part in [block.get("text"), *block.get("fields", []), *block.get("elements", [])]
        if part
    ]
    assert all(part["verbatim"] is True for part in parts)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com/a|b", "https://example.com/a%7Cb"),
        ("https://example.com/a>b<c", "https://example.com/a%3Eb%3Cc"),
        ("https://example.com/a b\nc", "https://example.com/a%20b%0Ac"),
        ("https://example.com/?a=1&b=2", "https://example.com/?a=1&amp;b=2"),
        ("https://example.com/%41#a:b=c;d$252Fe", "https://example.com/%41#a:b=c;d$252Fe"),
    ],
)
def test_a_link_cannot_be_broken_by_its_url(url, shown):
    assert sections(render(message(link=Link("Open", url)))) == [f"<{shown}|Open>"]


@pytest.mark.parametrize(
    ("label", "shown"),
    [("a|b>c", "a/b&gt;c"), ("two\nlines", "two lines"), ("", "Open"), (" ", "Open"), ("x" * 200, "x" * 96 + " […]")],
)
def test_a_link_cannot_be_broken_by_its_label(label, shown):
    assert sections(render(message(link=Link(label, "https://example.com/")))) == [f"<https://example.com/|{shown}>"]


def test_a_link_that_is_too_long_for_slack_is_named():
    link = Link("Open", "https://example.com/" + "a" * 3000)

    assert sections(render(message(link=link))) == ["Open (its address is too long for Slack)"]


def test_an_empty_value_is_shown_as_one():
    assert "*Name*\n-" in texts_of(render(message(facts={"Name": ""})))
    assert "*Name*\n-" in texts_of(render(message(facts={"Name": "  "})))


def test_an_empty_text_makes_no_section():
    assert sections(render(message(text=" \n "))) == []


def test_a_title_of_several_lines_becomes_one():
    assert render(message(title="one\n two"))["text"] == "one two"


def test_more_than_ten_facts_are_spread_over_sections():
    payload = render(message(facts={f"Fact {number}": "x" for number in range(23)}))

    assert [len(block["fields"]) for block in payload["blocks"] if "fields" in block] == [10, 10, 3]


def test_far_too_many_facts_are_cut_with_a_mark_that_says_how_many():
    payload = render(message(facts={f"Fact {number}": "x" for number in range(500)}))

    fields = [field["text"] for block in payload["blocks"] for field in block.get("fields", [])]
    assert len(fields) == 100
    assert fields[-1] == "401 more […]"


@pytest.mark.parametrize("limit", range(10, 40))
@pytest.mark.parametrize("text", ["&" * 50, "a<" * 50, "one & two > three; four < five & six", "&amp;" * 20])
def test_a_cut_has_a_mark_and_is_never_inside_an_entity(text, limit):
    shown = cut(text, limit)

    assert len(shown) <= limit
    assert shown.endswith(CUT)
    assert "&" not in ENTITY.sub("", shown)


def test_what_fits_exactly_is_not_cut():
    assert cut("a" * 20, 20) == "a" * 20
    assert cut("&" * 4, 20) == "&amp;" * 4


def test_a_long_text_is_split_at_its_line_ends_and_whole():
    lines = [f"Line {number} with < and & in it" for number in range(1000)]
    parts = sections(render(message(text="\n".join(lines))))

    assert len(parts) > 10
    assert html.unescape("\n".join(parts)).split("\n") == lines


def test_a_text_without_a_break_is_split_anywhere_and_whole():
    parts = sections(render(message(text="&" * 10_000)))

    assert html.unescape("".join(parts)) == "&" * 10_000


def test_a_text_that_slack_cannot_hold_is_cut_with_a_mark():
    payload = render(message(text="a" * 1_000_000))

    assert len(payload["blocks"]) == 49
    assert sections(payload)[-1].endswith(CUT)


def queued(given: Message, key: str = "key") -> SlackMessage:
    return SlackMessage.model_validate_json(body(given, WEBHOOK, key))


@settings(max_examples=200, deadline=None)
@given(messages)
def test_any_message_can_be_queued_and_read_again(given):
    text = body(given, WEBHOOK, "key")

    assert len(text.encode()) <= LARGEST_BODY
    assert not UNUSABLE.search(text)
    assert queued(given).payload.model_dump() == render(given)


def test_what_is_queued_names_the_channel_by_reference_and_the_event():
    given = queued(message(severity=Severity.WARNING))

    assert (given.webhook, given.key, given.severity) == (WEBHOOK, "key", Severity.WARNING)
    assert (given.event_id, given.event_time) == (message().event.id, message().event.time)


@pytest.mark.parametrize("character", ["한", "🙂", "\x00", "\ud800", '"'])
def test_a_text_that_the_queue_cannot_hold_beside_the_facts_is_cut(character):
    facts = {f"{number} {character * 200}": character * 3000 for number in range(200)}

    given = body(message(facts=facts, text=character * 500_000), WEBHOOK, "key")

    assert len(given.encode()) <= LARGEST_BODY


def test_a_message_is_put_on_the_queue_once_in_the_order_of_its_channel(slack_queue):
    for key in ("one", "two", "one"):
        put(message(title=key), WEBHOOK, queue=slack_queue.queue, key=key)
    put(message(title="elsewhere"), "ssm:/other", queue=slack_queue.queue, key="one")

    records = slack_queue.receive()["Records"]
    assert [json.loads(record["body"])["payload"]["text"] for record in records] == ["one", "two", "elsewhere"]
    groups = [record["attributes"]["MessageGroupId"] for record in records]
    assert groups[0] == groups[1] != groups[2]
    assert len({json.loads(record["body"])["key"] for record in records}) == 3
