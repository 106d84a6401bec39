"""The command `replay`: what it refuses, what it starts, and how it follows."""

import argparse
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from local import terminal
from local.archives import Archive
from local.cloud import Aws, LocalError
from local.commands import replay as command
from local.commands.replay import check, choose_archive, choose_rules, fraction, late, moment, result, takes_replays
from local.stack import Rule, Stack
from moto.events.models import ReplayState, events_backends
from rich.console import Console

from tests.unit.conftest import ACCOUNT, REGION

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
BUSES = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/"
CREATED = datetime(2026, 11, 1, tzinfo=UTC)
DEFAULT = Archive("shop-default", BUSES + "default", CREATED, days=0)
SHOP = Archive("shop-events", BUSES + "shop", CREATED, days=14)


def rule(name: str, bus: str = "shop", pattern: str = "{}") -> Rule:
    return Rule(name, f"{name}Function", bus, pattern, target="", arn=f"arn:{name}")


# ---------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("now", NOW),
        ("-90s", NOW - timedelta(seconds=90)),
        ("-30m", NOW - timedelta(minutes=30)),
        ("-2h", NOW - timedelta(hours=2)),
        ("-7d", NOW - timedelta(days=7)),
        ("-1w", NOW - timedelta(weeks=1)),
        ("2026-11-22T09:00+09:00", datetime(2026, 11, 22, tzinfo=UTC)),
        ("2026-11-22T00:00:30Z", datetime(2026, 11, 22, 0, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_iso_8601_or_how_long_ago(text, meant):
    assert moment(text, NOW) == meant


def test_a_time_without_a_zone_is_of_this_machine():
    assert moment("2026-11-22 09:00", NOW) == datetime(2026, 11, 22, 9).astimezone()
    assert moment("2026-11-22 09:00", NOW).tzinfo


@pytest.mark.parametrize("text", ["yesterday", "2h", "-2", "-2y", "+2h", "", "2026-13-01"])
def test_what_is_no_time_is_named(text):
    with pytest.raises(LocalError, match=f"'{text.replace('+', '[+]')}' is no time"):
        moment(text, NOW)


# ---------------------------------------------------------------- the window


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        (NOW, NOW, "must be before"),
        (NOW, NOW - timedelta(hours=1), "must be before"),
        (NOW, NOW + timedelta(seconds=1), "in the future"),
        (datetime(2026, 10, 1, tzinfo=UTC), CREATED, "no events from before that"),
        (datetime(2026, 11, 2, tzinfo=UTC), NOW - timedelta(days=14), "keeps events for 14 days; these are gone"),
    ],
)
def test_a_window_that_cannot_be_meant_is_refused(start, end, why):
    with pytest.raises(LocalError, match=why):
        check(SHOP, start, end, NOW)


@pytest.mark.parametrize(
    ("archive", "start", "begins"),
    [
        (DEFAULT, CREATED - timedelta(days=1), CREATED),
        (DEFAULT, CREATED, None),
        (SHOP, NOW - timedelta(days=15), NOW - timedelta(days=14)),
        (SHOP, NOW - timedelta(days=14), None),
    ],
)
def test_a_window_that_begins_before_the_archive_is_remarked_on(archive, start, begins):
    remarks = check(archive, start, NOW, NOW)

    expected = [f"The archive has no events from before {begins.astimezone():%Y-%m-%d %H:%M:%S %Z}."] if begins else []
    assert remarks == expected


def test_the_last_ten_minutes_may_not_be_archived_yet():
    assert "may not be in the archive yet" in late(NOW - timedelta(minutes=9, seconds=59), NOW)[0]
    assert late(NOW - timedelta(minutes=10), NOW) == []


# ---------------------------------------------------------------- the archive and the rules


def test_the_archive_follows_from_the_name_of_the_bus_or_from_the_rules():
    assert choose_archive([DEFAULT, SHOP], "shop", [rule("A", "default")]) == SHOP
    assert choose_archive([DEFAULT, SHOP], None, [rule("A", "default"), rule("B", "elsewhere")]) == DEFAULT
    assert choose_archive([SHOP], None, [rule("A"), rule("B", "default")]) == SHOP


@pytest.mark.parametrize(
    ("found", "bus", "rules", "why"),
    [
        ([], None, [rule("A")], "parameter ArchiveEvents=true"),
        ([DEFAULT, SHOP], None, [rule("A"), rule("B", "default")], "--bus NAME. .*: default, shop"),
        ([DEFAULT], "shop", [rule("A")], "no archive of the bus shop. There are archives of: default"),
        ([DEFAULT], None, [rule("A")], "no archive of the bus of these rules"),
    ],
)
def test_without_one_archive_that_is_meant_the_choice_is_named(found, bus, rules, why):
    with pytest.raises(LocalError, match=why):
        choose_archive(found, bus, rules)


def test_all_rules_are_meant_when_none_is_named():
    rules = [rule("A"), rule("B"), rule("C")]

    assert choose_rules(rules, []) == rules
    assert choose_rules(rules, ["C", "A"]) == [rules[0], rules[2]]


def test_a_rule_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(LocalError, match=r"No rule C takes replayed events in this stack\. These do: A, B"):
        choose_rules([rule("B"), rule("A")], ["A", "C"])


def test_a_rule_that_leaves_replays_alone_is_no_choice():
    assert takes_replays(rule("A", pattern='{"source": ["shop"]}'))
    assert not takes_replays(rule("A", pattern='{"replay-name": [{"exists": false}]}'))


# ---------------------------------------------------------------- progress and end

WINDOW = {"EventStartTime": NOW - timedelta(hours=1), "EventEndTime": NOW}


@pytest.mark.parametrize(
    ("last", "done"),
    [
        (timedelta(minutes=60), 0.0),
        (timedelta(minutes=45), 0.25),
        (timedelta(0), 1.0),
        (timedelta(minutes=61), 0.0),
        (timedelta(minutes=-1), 1.0),
    ],
)
def test_progress_is_the_time_of_the_last_event_within_the_window(last, done):
    assert fraction({"State": "RUNNING", "EventLastReplayedTime": NOW - last, **WINDOW}) == done


def test_progress_is_unknown_before_the_first_event_and_whole_at_the_end():
    assert fraction({"State": "STARTING", **WINDOW}) is None
    assert fraction({"State": "COMPLETED", **WINDOW}) == 1.0


def test_the_end_says_how_and_why():
    assert "again is complete" in result({"ReplayName": "again", "State": "COMPLETED"})
    failed = result({"ReplayName": "again", "State": "FAILED", "StateReason": "Key [x] is disabled."})
    assert "again ended: FAILED" in failed
    assert r"Key \[x] is disabled." in failed
    cancelled = result({"ReplayName": "again", "State": "CANCELLED", "EventLastReplayedTime": NOW})
    assert "ended: CANCELLED" in cancelled
    assert f"{NOW.astimezone():%Y-%m-%d %H:%M:%S %Z}" in cancelled


# ---------------------------------------------------------------- with a stack

PATTERNS: dict[str, Any] = {"Paid": {}, "Shipped": {}, "Mailed": {"replay-name": [{"exists": False}]}}


def of_shop(more: dict[str, Any]) -> dict[str, Any]:
    """A rule with a queue of the stack for its target."""
    return {
        "Type": "AWS::Events::Rule",
        "DependsOn": "Bus",
        "Properties": {
            "EventBusName": "shop",  # moto does not read a reference here
            "EventPattern": {"source": ["shop"], **more},
            "Targets": [{"Id": "Queue", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
        },
    }


TEMPLATE = {
    "Resources": {
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "shop"}},
        "Queue": {"Type": "AWS::SQS::Queue"},
        **{name: of_shop(more) for name, more in PATTERNS.items()},
    }
}

Run = Callable[..., bool]


@pytest.fixture
def stack_without_archive(cloud: None) -> None:
    boto3.client("cloudformation").create_stack(StackName="shop", TemplateBody=json.dumps(TEMPLATE))


@pytest.fixture
def stack(stack_without_archive: None) -> None:
    events = boto3.client("events")
    events.create_archive(ArchiveName="shop-ApplicationBusArchive", EventSourceArn=BUSES + "shop")
    events.put_rule(Name="of-somebody-else", EventBusName="shop", EventPattern='{"source": ["shop"]}')


def without_pause(probe: Callable[[], bool], *_: float, **__: float) -> None:
    while not probe():
        pass


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Gives all that was printed so far."""
    printed = io.StringIO()
    console = Console(file=printed, soft_wrap=True, highlight=False)
    monkeypatch.setattr(terminal, "console", console)
    monkeypatch.setattr(command, "console", console)
    return printed.getvalue


@pytest.fixture
def run(output: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call the command on AWS as moto models it; nothing waits."""
    monkeypatch.setattr(command, "wait_for", without_pause)
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers(), terminal.target())

    def call(*arguments: str) -> bool:
        chosen = parser.parse_args(["replay", *arguments, "--aws", "--stack", "shop"])
        return bool(chosen.run(chosen))

    return call


def answer(monkeypatch: pytest.MonkeyPatch, said: str) -> list[str]:
    """Answer each question so; gives the questions."""
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return said

    monkeypatch.setattr(terminal.console, "input", ask)
    return asked


def started() -> list[Any]:
    events = boto3.client("events")
    return [events.describe_replay(ReplayName=item["ReplayName"]) for item in events.list_replays()["Replays"]]


def arns(*names: str) -> set[str]:
    rules = Stack(Aws(region=REGION), "shop").resources
    return {f"arn:aws:events:{REGION}:{ACCOUNT}:rule/shop/{rules[name]}" for name in names}


def test_a_replay_goes_to_the_stacks_own_rules_that_take_replays_and_is_followed_to_its_end(stack, run, output):
    assert run("--from", "-2h", "--yes", "--name", "again")

    [replay] = started()
    assert replay["ReplayName"] == "again"
    assert replay["EventSourceArn"] == f"arn:aws:events:{REGION}:{ACCOUNT}:archive/shop-ApplicationBusArchive"
    assert replay["EventEndTime"] - replay["EventStartTime"] == timedelta(hours=2)
    assert replay["Destination"]["Arn"] == BUSES + "shop"
    assert set(replay["Destination"]["FilterArns"]) == arns("Paid", "Shipped")
    text = output()
    for told in ("Paid -> Queue", "Shipped -> Queue", "no events from before", "last ten minutes", "again is complete"):
        assert told in text
    assert "Mailed" not in text


def test_a_replay_goes_to_the_chosen_rules_only(stack, run):
    assert run("--from", "-2h", "--rule", "Paid", "--yes")

    assert set(started()[0]["Destination"]["FilterArns"]) == arns("Paid")


def test_it_asks_first_and_starts_nothing_without_a_yes(stack, run, monkeypatch):
    asked = answer(monkeypatch, "n")

    with pytest.raises(LocalError, match="Nothing was changed"):
        run("--from", "-2h")

    assert len(asked) == 1
    assert started() == []


def test_a_yes_starts_it_and_no_wait_does_not_follow_it(stack, run, monkeypatch, output):
    answer(monkeypatch, "y")

    assert run("--from", "-2h", "--no-wait", "--name", "again")

    assert len(started()) == 1
    assert "To follow it: python -m local replay follow again" in output()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "Say from when"),
        (("follow",), "Name the replay"),
        (("cancel",), "Name the replay"),
        (("follow", "absent"), "There is no replay absent"),
        (("cancel", "absent"), "There is no replay absent"),
        (("--from", "-2h", "--rule", "Mailed"), "These do: Paid, Shipped"),
        (("--from", "-2h", "--bus", "default"), "no archive of the bus default"),
        (("--from", "-2h", "--name", "a b", "--yes"), "'a b' cannot be the name"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_started(arguments, why, stack, run):
    with pytest.raises(LocalError, match=why):
        run(*arguments)

    assert started() == []


def test_a_stack_without_an_archive_is_told_how_to_get_one(stack_without_archive, run):
    boto3.client("events").create_archive(ArchiveName="of-somebody-else", EventSourceArn=BUSES + "shop")

    with pytest.raises(LocalError, match="ArchiveEvents=true"):
        run("--from", "-2h")


def test_a_name_that_is_taken_is_refused(stack, run):
    run("--from", "-2h", "--yes", "--name", "again")

    with pytest.raises(LocalError, match="There is a replay again already"):
        run("--from", "-2h", "--yes", "--name", "again")


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_replay_that_ends_incomplete_is_a_failure(state, stack, run, output):
    run("--from", "-2h", "--yes", "--name", "again")
    events_backends[ACCOUNT][REGION].replays["again"].state = ReplayState[state]

    assert run("follow", "again") is False

    assert f"again ended: {state}" in output()


def test_following_goes_on_until_the_replay_ends(run, monkeypatch):
    states = iter(["STARTING", "RUNNING", "RUNNING", "COMPLETED"])
    seen: list[str] = []

    def describe(_: object, name: str) -> dict[str, Any]:
        seen.append(next(states, "COMPLETED"))
        return {"ReplayName": name, "State": seen[-1], "EventLastReplayedTime": NOW, **WINDOW}

    monkeypatch.setattr(command, "describe", describe)

    assert run("follow", "again")
    assert seen[:4] == ["STARTING", "RUNNING", "RUNNING", "COMPLETED"]


def test_an_interrupt_stops_following_and_not_the_replay(stack, run, monkeypatch, output):
    run("--from", "-2h", "--yes", "--no-wait", "--name", "again")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "describe", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run("follow", "again")

    assert "The replay goes on. To stop it: python -m local replay cancel again" in output()


def test_cancelling_asks_first_and_stops_one_that_runs(stack, run, monkeypatch):
    run("--from", "-2h", "--yes", "--name", "again")
    events_backends[ACCOUNT][REGION].replays["again"].state = ReplayState.RUNNING

    answer(monkeypatch, "")
    with pytest.raises(LocalError, match="Nothing was changed"):
        run("cancel", "again")
    assert started()[0]["State"] == "RUNNING"

    assert run("cancel", "again", "--yes")
    assert started()[0]["State"] == "CANCELLED"


def test_one_that_has_ended_cannot_be_cancelled(stack, run):
    run("--from", "-2h", "--yes", "--name", "again")

    with pytest.raises(LocalError, match="again is COMPLETED: only one that is RUNNING or STARTING"):
        run("cancel", "again", "--yes")


def test_the_list_shows_the_replays_of_the_stacks_archives(stack, run, output):
    assert run("list")
    assert "There is no replay." in output()

    run("--from", "-2h", "--yes", "--name", "again")
    before = output()
    assert run("list")

    listed = output().removeprefix(before)
    for shown in ("again", "COMPLETED", "shop"):
        assert shown in listed
