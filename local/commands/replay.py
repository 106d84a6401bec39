"""Replay archived events of a bus, and follow the replay to its end."""

from __future__ import annotations

import json
import math
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from local import archives
from local.archives import Archive
from local.cloud import Aws, LocalError, wait_for
from local.stack import Rule, Stack
from local.terminal import chosen_stack, confirm, console

if TYPE_CHECKING:
    from argparse import _SubParsersAction

COMMAND = "python -m local replay"
ENDED = frozenset({"COMPLETED", "CANCELLED", "FAILED"})
UNDER_WAY = frozenset({"STARTING", "RUNNING"})
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
ARRIVAL = timedelta(minutes=10)
"""AWS recommends to wait so long before a replay, so that all events have come to the archive."""
WINDOW = ("EventStartTime", "EventEndTime")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add(commands: _SubParsersAction[ArgumentParser], target: ArgumentParser) -> None:
    parser = commands.add_parser("replay", parents=[target], help=__doc__, description=__doc__)
    parser._negative_number_matcher = re.compile(r"-\d+[smhdw]?$")  # so that -2h is a value and no option
    parser.add_argument(
        "action",
        nargs="?",
        choices=["start", "list", "follow", "cancel"],
        default="start",
        help="start one (when not given), list those there are, follow or cancel one",
    )
    parser.add_argument("replay", nargs="?", metavar="NAME", help="name of the replay to follow or to cancel")
    parser.add_argument("--from", dest="start", metavar="TIME", help="2026-11-22T09:00+09:00, or -2h: two hours ago")
    parser.add_argument("--to", dest="end", metavar="TIME", default="now", help="likewise, or now (%(default)s)")
    parser.add_argument("--bus", metavar="NAME", help="whose archive; not needed when it follows from the rules")
    parser.add_argument(
        "--rule",
        dest="rules",
        action="append",
        default=[],
        metavar="NAME",
        help="only to this rule, as in template.yaml; may be given again. Without it, to all rules of the stack",
    )
    parser.add_argument("--name", help="of the replay; made from the time when not given")
    parser.add_argument("--no-wait", dest="wait", action="store_false", help="start it, and do not follow it")
    parser.add_argument("--yes", action="store_true", help="do not ask before something is changed on AWS")
    parser.set_defaults(run=run)


def run(chosen: Namespace) -> bool:
    """Do what the arguments say; returns False when a replay ended otherwise than complete."""
    if chosen.action in {"follow", "cancel"} and not chosen.replay:
        raise LocalError(f"Name the replay: {COMMAND} {chosen.action} NAME. To see them: {COMMAND} list")
    if chosen.action == "start" and not chosen.start:
        raise LocalError(f"Say from when: {COMMAND} --from -2h --to now")
    stack = chosen_stack(chosen)
    match chosen.action:
        case "list":
            show(stack)
        case "follow":
            return follow(stack, chosen.replay)
        case "cancel":
            cancel(stack, chosen.replay, sure=chosen.yes)
        case _:
            return replay(stack, chosen)
    return True


def replay(stack: Stack, chosen: Namespace) -> bool:
    """Show what is to be replayed, ask, start it, and follow it."""
    now = datetime.now(UTC)
    start, end = moment(chosen.start, now), moment(chosen.end, now)
    rules = [rule for rule in stack.rules if takes_replays(rule)]
    archive = choose_archive(archives.find(stack), chosen.bus, choose_rules(rules, chosen.rules))
    to = [rule for rule in choose_rules(rules, chosen.rules) if rule.bus == archive.bus]
    if not to:
        raise LocalError(f"No rule of the stack is on the bus {archive.bus}.")
    name = chosen.name or f"replay-{now:%Y%m%dT%H%M%SZ}"
    remarks = check(archive, start, end, now)

    console.print(f"Replay:   [bold]{escape(name)}[/]")
    console.print(f"Events:   of the bus {escape(archive.bus)}, from the archive {escape(archive.name)}")
    console.print(f"From:     {start:%Y-%m-%d %H:%M:%S %Z}")
    console.print(f"To:       {end:%Y-%m-%d %H:%M:%S %Z}")
    for heading, rule in zip(["To rules:", *[""] * len(to)], to, strict=False):
        console.print(f"{heading:9} {escape(rule.name)} -> {escape(rule.function)}")
    if isinstance(stack.cloud, Aws):
        remarks += late(end, now)
    for remark in remarks:
        console.print(f"[yellow]{escape(remark)}[/]")
    if isinstance(stack.cloud, Aws) and not chosen.yes:
        confirm(
            f"On AWS, in the region {escape(stack.cloud.region)}: the functions run again for these events. Start it?"
        )

    begin(stack, name, archive, start, end, to)
    if not chosen.wait:
        console.print(f"It has started. To follow it: {COMMAND} follow {escape(name)}")
        return True
    return follow(stack, name)


def moment(text: str, now: datetime) -> datetime:
    """The time that a person gave, in this machine's zone: ISO 8601, `now`, or `-2h` for two hours ago.

    Raises:
        LocalError: it is neither.
    """
    if text == "now":
        return now.astimezone()
    if ago := re.fullmatch(r"-(\d+)([smhdw])", text):
        return (now - timedelta(**{UNITS[ago[2]]: int(ago[1])})).astimezone()
    try:
        return datetime.fromisoformat(text).astimezone()  # one without a zone counts as local
    except ValueError:
        raise LocalError(
            f"'{text}' is no time. Give one such as 2026-11-22T09:00+09:00 (without a zone, it is this machine's), "
            "now, or -30m, -2h, -7d for so long ago."
        ) from None


def takes_replays(rule: Rule) -> bool:
    """Whether the rule's pattern says nothing about replays; the stack's own say so only to leave them alone."""
    return "replay-name" not in json.loads(rule.pattern)


def choose_rules(rules: Sequence[Rule], names: Sequence[str]) -> list[Rule]:
    """The rules of these names; all without a name.

    Raises:
        LocalError: there is no such rule.
    """
    known = {rule.name for rule in rules}
    if unknown := [name for name in names if name not in known]:
        raise LocalError(
            f"No rule {', '.join(unknown)} takes replayed events in this stack. "
            f"These do: {', '.join(sorted(known)) or '(none)'}"
        )
    return [rule for rule in rules if not names or rule.name in names]


def choose_archive(found: Sequence[Archive], bus: str | None, rules: Iterable[Rule]) -> Archive:
    """The archive of the bus; without its name, that of the bus of the rules.

    Raises:
        LocalError: there is none, or several could be meant.
    """
    if not found:
        raise LocalError(
            "The stack has no archive, so nothing can be replayed. Deploy it with the parameter ArchiveEvents=true; "
            "events are kept from then on."
        )
    wanted = {bus} if bus else {rule.bus for rule in rules} & {archive.bus for archive in found}
    meant = [archive for archive in found if archive.bus in wanted]
    if len(meant) == 1:
        return meant[0]
    there = ", ".join(archive.bus for archive in found)
    if meant:
        raise LocalError(f"Say which bus: --bus NAME. A replay is of one of these: {there}")
    raise LocalError(f"There is no archive of the bus {bus or 'of these rules'}. There are archives of: {there}")


def check(archive: Archive, start: datetime, end: datetime, now: datetime) -> list[str]:
    """Refuse a window that cannot be meant; returns what to know about one that reaches beyond the archive.

    Raises:
        LocalError: it is empty, reaches into the future, or the archive has nothing of it.
    """
    if start >= end:
        raise LocalError(f"--from ({start:%Y-%m-%d %H:%M:%S %Z}) must be before --to ({end:%Y-%m-%d %H:%M:%S %Z}).")
    if end > now:
        raise LocalError(f"--to is in the future: {end:%Y-%m-%d %H:%M:%S %Z}.")
    created = archive.created.astimezone()
    if end <= created:
        raise LocalError(f"The archive was created {created:%Y-%m-%d %H:%M:%S %Z}; it has no events from before that.")
    oldest = now.astimezone() - timedelta(days=archive.days) if archive.days else created
    if end <= oldest:
        raise LocalError(f"The archive keeps events for {archive.days} days; these are gone.")
    if start < max(created, oldest):
        return [f"The archive has no events from before {max(created, oldest):%Y-%m-%d %H:%M:%S %Z}."]
    return []


def late(end: datetime, now: datetime) -> list[str]:
    if now - end >= ARRIVAL:
        return []
    return ["Events of the last ten minutes may not be in the archive yet. Those that are missing are not replayed."]


def begin(stack: Stack, name: str, archive: Archive, start: datetime, end: datetime, rules: Iterable[Rule]) -> None:
    """Start the replay.

    Raises:
        LocalError: the name cannot be used.
    """
    if not re.fullmatch(r"[.\-_A-Za-z0-9]{1,64}", name):
        raise LocalError(
            f"'{name}' cannot be the name of a replay: 1 to 64 letters, digits, dots, hyphens, underscores."
        )
    events = stack.cloud.client("events")
    try:
        events.start_replay(
            ReplayName=name,
            EventSourceArn=archive.arn,
            EventStartTime=start,
            EventEndTime=end,
            # Without these it would go to the rules of everybody who uses the bus.
            Destination={"Arn": archive.bus_arn, "FilterArns": list(dict.fromkeys(rule.arn for rule in rules))},
        )
    except events.exceptions.ResourceAlreadyExistsException:
        raise LocalError(f"There is a replay {name} already. Give another --name.") from None


def follow(stack: Stack, name: str) -> bool:
    """Show the replay's progress until it ends, and how it ended; returns whether it is complete."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("STARTING", total=None)

            def look() -> bool:
                seen = describe(stack, name)
                done = fraction(seen)
                progress.update(
                    task, description=seen["State"], total=None if done is None else 1.0, completed=done or 0
                )
                return seen["State"] in ENDED

            wait_for(look, math.inf, every=2.0 if isinstance(stack.cloud, Aws) else 0.1)
    except KeyboardInterrupt:
        console.print(f"\nThe replay goes on. To stop it: {COMMAND} cancel {escape(name)}")
        console.print(f"To follow it again: {COMMAND} follow {escape(name)}")
        raise
    ended = describe(stack, name)
    console.print(result(ended))
    return bool(ended["State"] == "COMPLETED")


def fraction(seen: dict[str, Any]) -> float | None:
    """How much of the window is replayed, from 0 to 1; None while nobody knows.

    A replay goes through the window by the events' own time: `StartReplay` in the API reference.
    """
    if seen["State"] == "COMPLETED":
        return 1.0
    if "EventLastReplayedTime" not in seen:
        return None
    start, end = seen["EventStartTime"], seen["EventEndTime"]
    done: float = (seen["EventLastReplayedTime"] - start) / (end - start)
    return min(max(done, 0.0), 1.0)


def result(ended: dict[str, Any]) -> str:
    """How the replay ended, with the time of the last event where that is known."""
    name, reason, last = escape(ended["ReplayName"]), ended.get("StateReason"), ended.get("EventLastReplayedTime")
    until = f" The last event replayed was of {last.astimezone():%Y-%m-%d %H:%M:%S %Z}." if last else ""
    because = f" {escape(reason)}" if reason else ""
    match ended["State"]:
        case "COMPLETED":
            return f"[green]The replay {name} is complete.[/]{until}{because}"
        case state:
            return f"[bold red]The replay {name} ended: {state}.[/]{because}{until}"


def describe(stack: Stack, name: str) -> dict[str, Any]:
    """What EventBridge says about the replay.

    Raises:
        LocalError: there is none of this name.
    """
    events = stack.cloud.client("events")
    try:
        return dict(events.describe_replay(ReplayName=name))
    except events.exceptions.ResourceNotFoundException:
        raise LocalError(f"There is no replay {name}. To see those there are: {COMMAND} list") from None


def cancel(stack: Stack, name: str, *, sure: bool) -> None:
    """Stop a replay. What was replayed stays replayed."""
    state = describe(stack, name)["State"]
    if state not in UNDER_WAY:
        raise LocalError(
            f"The replay {name} is {state}: only one that is {' or '.join(sorted(UNDER_WAY))} can be cancelled."
        )
    if isinstance(stack.cloud, Aws) and not sure:
        confirm(f"Cancel the replay {escape(name)}?")
    state = stack.cloud.client("events").cancel_replay(ReplayName=name)["State"]
    console.print(f"The replay {escape(name)} is {state}.")


def show(stack: Stack) -> None:
    """Print the replays of the stack's archives, the latest first."""
    found = [(archive, item) for archive in archives.find(stack) for item in replays(stack, archive)]
    if not found:
        console.print("There is no replay.")
        return
    for archive, item in sorted(found, key=lambda pair: pair[1]["ReplayStartTime"], reverse=True):
        # The local cloud's list has no window.
        window = [f"{time.astimezone():%Y-%m-%d %H:%M:%S}" for key in WINDOW if (time := item.get(key))]
        console.print(escape("  ".join([item["ReplayName"], item["State"], archive.bus, " to ".join(window)]).rstrip()))


def replays(stack: Stack, archive: Archive) -> list[dict[str, Any]]:
    events = stack.cloud.client("events")
    found: list[dict[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        page = events.list_replays(EventSourceArn=archive.arn, **more)
        found += page["Replays"]
        if "NextToken" not in page:
            return found
        more = {"NextToken": page["NextToken"]}
