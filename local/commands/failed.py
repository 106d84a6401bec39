"""Show the events that failed or were not delivered, and try them again."""

from __future__ import annotations

import json
import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from local.cloud import Aws, LocalError
from local.failed import FailedEvent, read
from local.hold import Hold
from local.retry import MARGIN, Hands, Invoke, Leave, Send, Throttled, logical_id, longest_timeout, name_of, plan
from local.stack import Stack
from local.terminal import chosen_stack, confirm, console

if TYPE_CHECKING:
    from argparse import _SubParsersAction

QUEUES = {"failed": "FailedEventsQueue", "undelivered": "UndeliveredEventsQueue", "slack": "SlackFailedMessages"}
"""Outputs of the stack; without Slack it has no such queue."""
INGEST = "IngestFailuresQueue"
KEPT = timedelta(days=14)  # as template.yaml says
LIMIT = 1000
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Wanted:
    """Which events a command is about; what is not given fits every event.

    Attributes:
        function: of the target: its logical id or, for a function, its automation's name.
        error: a part of the error's type or message.
        ids: beginnings of ids.
        queue: one of `QUEUES`.
        limit: how many messages of each queue are read.
    """

    function: str = ""
    error: str = ""
    older_than: timedelta = timedelta()
    ids: Sequence[str] = ()
    queue: str = ""
    limit: int = LIMIT

    def fits(self, item: FailedEvent, target: str, now: datetime) -> bool:
        """`target`: the name under which people know what was to get the event."""
        return (
            (not self.function or _plain(self.function) == _plain(target))
            and self.error.lower() in f"{item.error}: {item.reason}".lower()
            and now - item.since >= self.older_than
            and (not self.ids or item.id.startswith(tuple(self.ids)))
        )


def _plain(name: str) -> str:
    """The same for `ec2_state_alerts`, `Ec2StateAlerts` and `Ec2StateAlertsFunction`."""
    return name.replace("_", "").lower().removesuffix("function")


def add(commands: _SubParsersAction[ArgumentParser], target: ArgumentParser) -> None:
    actions = commands.add_parser("failed", help=__doc__).add_subparsers(required=True, metavar="ACTION")
    choice = ArgumentParser(add_help=False)
    choice.add_argument("--queue", choices=QUEUES, default="", help="only of this queue; all when not given")
    choice.add_argument("--limit", type=_limit, default=LIMIT, help="read at most so many of each queue (%(default)s)")
    narrowed = ArgumentParser(add_help=False)
    narrowed.add_argument("--error", default="", metavar="TEXT", help="only those whose error contains this text")
    narrowed.add_argument(
        "--older-than", type=duration, default=timedelta(), metavar="AGE", help="only older ones: 30m, 2h, 3d"
    )

    listing = actions.add_parser("list", parents=[target, choice, narrowed], help="list them, the oldest first")
    listing.add_argument("--function", default="", metavar="NAME", help="only those for this function")
    listing.add_argument("--json", action="store_true", help="print JSON, with the whole events")
    listing.set_defaults(run=lambda chosen: list_events(chosen_stack(chosen), wanted(chosen), chosen.json))

    showing = actions.add_parser(
        "show",
        parents=[target, choice],
        help="show one whole, why it failed, and what a retry would do; it may hold personal data",
    )
    showing.add_argument("id", help="the beginning of its id, as list shows it")
    showing.set_defaults(run=lambda chosen: show_event(chosen_stack(chosen), chosen.id, wanted(chosen)))

    retrying = actions.add_parser(
        "retry", parents=[target, choice, narrowed], help="try them again, and delete each that succeeds"
    )
    which = retrying.add_mutually_exclusive_group(required=True)
    which.add_argument("--all", action="store_true", help="all of them")
    which.add_argument("--id", nargs="+", default=[], help="those with these ids, or beginnings of ids")
    which.add_argument("--function", default="", metavar="NAME", help="those for this function")
    retrying.add_argument("--dry-run", action="store_true", help="only say what would be done")
    retrying.add_argument("--yes", action="store_true", help="do not ask on AWS")
    retrying.set_defaults(
        run=lambda chosen: retry_events(chosen_stack(chosen), wanted(chosen), chosen.dry_run, chosen.yes)
    )


def wanted(chosen: Namespace) -> Wanted:
    given = vars(chosen)
    return Wanted(
        given.get("function", ""),
        given.get("error", ""),
        given.get("older_than", timedelta()),
        given["id"] if isinstance(given.get("id"), list) else (),
        chosen.queue,
        chosen.limit,
    )


def duration(text: str) -> timedelta:
    """Read 30m, 2h or 3d."""
    match = re.fullmatch(r"(\d{1,6})([mhd])", text)
    if not match:
        raise ArgumentTypeError(f"'{text}' is no age: write minutes, hours or days as 30m, 2h, 3d")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def _limit(text: str) -> int:
    if not (
        text.isdecimal() and 1 <= int(text) <= 10_000
    ):  # what can be held at a time: a hold is renewed ten messages a call
        raise ArgumentTypeError(f"'{text}' is no number from 1 to 10000")
    return int(text)


def list_events(stack: Stack, which: Wanted, as_json: bool = False) -> list[FailedEvent]:
    """List the events that failed or were not delivered."""
    before = counts(stack, which)
    with Hold(stack.cloud.client("sqs")) as hold:
        found = take(hold, stack, which)
    fit = fitting(found, which, stack)
    if as_json:
        print(json.dumps([as_data(item, stack) for item in fit], indent=2, ensure_ascii=False))
        return fit
    for shown in tables(fit, stack, datetime.now(UTC)):
        console.print(shown, soft_wrap=False)
    console.print(total(found, fit, stack))
    for note in [*not_read(before, which.limit), *ingest_failures(stack)]:
        console.print(note)
    return fit


def show_event(stack: Stack, beginning: str, which: Wanted) -> None:
    """Show one event whole, why it failed, and what a retry would do. It may hold personal data."""
    with Hold(stack.cloud.client("sqs")) as hold:
        found = take(hold, stack, which)
    item = one(found, beginning)
    facts = {
        "id": item.id,
        "queue": queue_of(item, stack),
        "since": f"{item.since:%Y-%m-%d %H:%M:%S} UTC; SQS drops it on {item.since + KEPT:%Y-%m-%d %H:%M} UTC",
        "for": target_of(item, stack),
        "error": item.error,
        "reason": item.reason,
        "attempts": str(item.attempts or ""),
        **item.details,
        "a retry would": str(plan(item, stack.resources)),
    }
    for name, text in facts.items():
        if text:
            console.print(f"[bold]{escape(name):>14}[/]  {escape(text)}")
    if item.event is None:
        console.print(item.body, markup=False)
    else:
        console.print_json(data=item.event)


def retry_events(stack: Stack, which: Wanted, dry_run: bool = False, yes: bool = False) -> bool:
    """Try events again: invoke their functions with the original event, and delete each that succeeds.

    Returns whether none failed again.
    """
    before = counts(stack, which)
    with Hold(stack.cloud.client("sqs")) as hold:
        found = take(hold, stack, which)
        for beginning in which.ids:
            one(found, beginning)
        fit = fitting(found, which, stack)
        hold.give_back(*{item.id for item in found} - {item.id for item in fit})
        steps = [(item, plan(item, stack.resources)) for item in fit]
        todo = [(item, step) for item, step in steps if not isinstance(step, Leave)]
        left = [(item, step) for item, step in steps if isinstance(step, Leave)]
        for item, step in steps if dry_run else left:
            console.print(f"  {item.id[:8]}  {escape(f'{target_of(item, stack)}: {step}')}")
        for note in not_read(before, which.limit):
            console.print(note)
        if dry_run:
            console.print(f"{counted(len(todo), 'event')} would be tried again, {len(left)} left. Nothing was changed.")
            return True
        if not todo:
            console.print("Nothing can be tried again." if left else total(found, fit, stack))
            return not (which.ids and left)
        if isinstance(stack.cloud, Aws) and not yes:
            functions = Counter(target_of(item, stack) for item, _ in todo)
            parts = ", ".join(f"{name} {count}" for name, count in sorted(functions.items()))
            confirm(f"Try {counted(len(todo), 'event')} again on AWS, in {stack.cloud.region} ({parts})?")
        return attempt(hold, stack, todo, left) and not (which.ids and left)


def attempt(hold: Hold, stack: Stack, todo: Sequence[tuple[FailedEvent, Invoke | Send]], left: Sequence[Any]) -> bool:
    """Try these events again, one after the other; returns whether none failed again."""
    longest = longest_timeout(stack, [step for _, step in todo])
    hold.seconds = longest + 2 * MARGIN
    hold.renew()
    hands, done, again = Hands.of(stack, longest), 0, 0
    columns = (TextColumn("Trying again"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        for item, step in progress.track(todo):
            name = f"{item.id[:8]}  {escape(target_of(item, stack))}"
            try:
                why = hands.carry_out(step, item)
            except Throttled as error:
                hold.give_back(item.id)
                console.print(f"  [red]✗[/] {name}: Lambda takes no more at the moment: {escape(str(error))}")
                console.print(summary(done, again, len(todo) - done - again + len(left)))
                console.print("Stopped. Try the rest later, or raise the function's reserved concurrency.")
                return False
            except KeyboardInterrupt:
                hold.let_go(item.id)  # the function may still run: it comes back when that is certainly over
                rest = summary(done, again, len(todo) - done - again + len(left))
                console.print(f"Interrupted. {rest} {item.id[:8]} was just being tried: it is in the queue again in")
                console.print(f"{hold.seconds} seconds at the latest.")
                raise
            if why:
                again += 1
                hold.give_back(item.id)
                console.print(f"  [red]✗[/] {name}: failed again: {escape(why)}")
            else:
                hold.delete(item.id)
                done += 1
                console.print(f"  [green]✓[/] {name}")
    console.print(summary(done, again, len(left)))
    return not again


def summary(done: int, again: int, left: int) -> str:
    return f"{done} succeeded, {again} failed again, {left} left."


def take(hold: Hold, stack: Stack, which: Wanted) -> list[FailedEvent]:
    """What is in the queues, oldest first."""
    found = []
    for url in urls(stack, which).values():
        found += [read(message, url) for message in hold.take(url, which.limit)]
    return sorted(found, key=lambda item: (item.since, item.id))


def fitting(found: Iterable[FailedEvent], which: Wanted, stack: Stack) -> list[FailedEvent]:
    now = datetime.now(UTC)
    return [item for item in found if which.fits(item, target_of(item, stack), now)]


def one(found: Sequence[FailedEvent], beginning: str) -> FailedEvent:
    """The event whose id begins so.

    Raises:
        LocalError: there is none, or more than one.
    """
    fit = [item for item in found if item.id.startswith(beginning)]
    if not fit:
        raise LocalError(
            f"No event has an id that begins with {beginning}. See `failed list`; another retry may hold it, and --limit "
            "reads more of a long queue."
        )
    if len(fit) > 1:
        raise LocalError(f"More than one id begins with {beginning}: {', '.join(item.id for item in fit)}")
    return fit[0]


def urls(stack: Stack, which: Wanted) -> dict[str, str]:
    """URL of each queue that the command is about, by its short name."""
    chosen = {name: output for name, output in QUEUES.items() if which.queue in ("", name)}
    return {name: stack.outputs[output] for name, output in chosen.items() if output in stack.outputs}


def queue_of(item: FailedEvent, stack: Stack) -> str:
    return next(name for name, output in QUEUES.items() if stack.outputs.get(output) == item.queue)


def target_of(item: FailedEvent, stack: Stack) -> str:
    """What was to get the event: its logical id, or else its name; for a pipe, that; for Slack, what posts to it."""
    if item.source == "slack":
        return "SlackSenderFunction"
    arn = item.target or item.details.get("pipe", "")
    return logical_id(arn, stack.resources) or name_of(arn) or "unknown"


def tables(items: Sequence[FailedEvent], stack: Stack, now: datetime) -> Iterator[Table]:
    """A table for each queue that is not empty."""
    titles = {
        "failed": "A function could not process",
        "undelivered": "EventBridge could not deliver",
        "slack": "Slack did not take",
    }
    for name, title in titles.items():
        if not (rows := [item for item in items if queue_of(item, stack) == name]):
            continue
        shown = Table(title=title, title_justify="left", show_lines=True)
        shown.add_column("id", no_wrap=True)
        shown.add_column("age", no_wrap=True)
        shown.add_column("event, and for what", overflow="fold")
        shown.add_column("error", overflow="fold")
        shown.add_column("tries", no_wrap=True, justify="right")
        for item in rows:
            error = ": ".join(part for part in (item.error, item.reason) if part)
            row = (
                *(item.id[:8], age(now - item.since)),
                f"{item.title or f'({item.source})'}\nfor {target_of(item, stack)}",
                error if len(error) <= 200 else f"{error[:200]} …",
                str(item.attempts or ""),
            )
            shown.add_row(*map(escape, row))
        yield shown


def age(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{max(minutes, 0)} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 60 // 24} d"


def as_data(item: FailedEvent, stack: Stack) -> dict[str, Any]:
    """The event as `list --json` prints it."""
    return {
        "id": item.id,
        "queue": queue_of(item, stack),
        "since": item.since.isoformat(),
        "source": item.source,
        "for": target_of(item, stack),
        "target": item.target,
        "error": item.error,
        "reason": item.reason,
        "attempts": item.attempts,
        "details": dict(item.details),
        "retry": str(plan(item, stack.resources)),
        "event": item.event if item.event is not None else item.body,
    }


def total(found: Sequence[FailedEvent], fit: Sequence[FailedEvent], stack: Stack) -> str:
    if not found:
        return "Nothing waits in the queues."
    if not fit:
        return f"None of {counted(len(found), 'event')} fits."
    queues = Counter(queue_of(item, stack) for item in fit)
    parts = ", ".join(f"{queues[name]} {name}" for name in QUEUES if queues[name])
    return f"{counted(len(fit), 'event')}: {parts}." + (f" {len(found)} in all." if len(fit) < len(found) else "")


def counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


@dataclass(frozen=True)
class Count:
    """About how many messages a queue has, as SQS says.

    Attributes:
        held: those that somebody has received and neither deleted nor given back.
    """

    waiting: int
    held: int
    arn: str

    @classmethod
    def of(cls, stack: Stack, url: str) -> Count:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "QueueArn"]
        got = stack.cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return cls(int(got[names[0]]), int(got[names[1]]), got[names[2]])


def counts(stack: Stack, which: Wanted) -> dict[str, Count]:
    """How long each queue is that the command is about, by its short name."""
    return {name: Count.of(stack, url) for name, url in urls(stack, which).items()}


def not_read(before: Mapping[str, Count], limit: int) -> Iterator[str]:
    """What to say about messages that a command cannot have read, given the counts before it read any."""
    for name, count in before.items():
        if count.waiting > limit:
            yield f"Only {limit} of about {count.waiting} {name} events were read: --limit N"
        if count.held:
            yield (
                f"About {count.held} more {name} events are held by another `failed` command, or by one that died; they "
                "come back."
            )


def ingest_failures(stack: Stack) -> list[str]:
    """What to say about event_pipeline's own dead letters, which SQS itself sends again."""
    if INGEST not in stack.outputs:
        return []
    count = Count.of(stack, stack.outputs[INGEST])
    if not count.waiting:
        return []
    return [
        f"About {counted(count.waiting, 'message')} in event_pipeline's {INGEST}. Send them again:",
        f"  aws sqs start-message-move-task --source-arn {count.arn}",
    ]
