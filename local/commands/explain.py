"""Say for each rule whether an event matches it and, where not, which fields stop it."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ClientError
from rich.markup import escape

from local.cloud import LocalError
from local.event_file import complete, read
from local.explain import Judge, Stop, Verdict, arrival, explain, found, judge, reaches, reasons, wants
from local.stack import Rule
from local.terminal import chosen_stack, console, place

if TYPE_CHECKING:
    from argparse import _SubParsersAction

PATIENT = Config(retries={"mode": "adaptive", "total_max_attempts": 10})
"""Many calls in a row: let botocore slow down when AWS asks for that."""


@dataclass(frozen=True)
class Judged:
    rule: Rule
    verdict: Verdict

    @property
    def rank(self) -> tuple[bool, int, bool, str]:
        """Sorts those that match first, then those that miss by the fewest fields; of two such, that on the bus default.

        The events of AWS services arrive there, and reach its twin on another bus only where they are forwarded.
        """
        return not self.verdict.matches, len(self.verdict.stops), self.rule.bus != "default", self.rule.name


def add(commands: _SubParsersAction[ArgumentParser], target: ArgumentParser) -> None:
    parser = commands.add_parser("explain", parents=[target], help=__doc__)
    parser.add_argument("event", help="file with the event as JSON; - reads it from standard input")
    parser.add_argument("--rule", action="append", default=[], metavar="NAME", help="only this rule; may be repeated")
    parser.add_argument("--bus", metavar="NAME", help="only the rules of this bus, as for an event that arrives there")
    parser.add_argument("--all", action="store_true", help="also the rules about another source and detail type")
    parser.add_argument("--json", action="store_true", help="as JSON, every rule")
    parser.set_defaults(run=run)


def run(chosen: Namespace) -> None:
    event = read(chosen.event, "explain")
    stack = chosen_stack(chosen)
    event, filled = complete(event, *place(stack))
    rules = named(on_bus(stack.rules, chosen.bus), chosen.rule)
    matches, thoroughly = judge(stack.cloud.client("events", PATIENT), event), bool(chosen.all or chosen.rule)
    judged = sorted((judge_rule(rule, matches, thoroughly) for rule in rules), key=lambda one: one.rank)
    if chosen.json:
        print(json.dumps([as_json(one, event) for one in judged], indent=2, ensure_ascii=False))
    else:
        show(judged, event, filled, chosen.bus)


def on_bus(rules: Sequence[Rule], bus: str | None) -> list[Rule]:
    """The rules of this bus, all when none is given.

    Raises:
        LocalError: no rule of the stack is on it; the message names the buses that have some.
    """
    buses = {rule.bus for rule in rules}
    if bus and bus not in buses:
        raise LocalError(f"No rule is on the bus {bus}. There are rules on {', '.join(sorted(buses))}.")
    return [rule for rule in rules if bus in {None, rule.bus}]


def named(rules: Sequence[Rule], names: Sequence[str]) -> list[Rule]:
    """The rules of these names, all when none is given.

    Raises:
        LocalError: there is no such rule; the message names those that there are.
    """
    known = {rule.name for rule in rules}
    if unknown := [name for name in names if name not in known]:
        raise LocalError(f"There is no rule {', '.join(unknown)}. There are {', '.join(sorted(known))}.")
    return [rule for rule in rules if not names or rule.name in names]


def judge_rule(rule: Rule, matches: Judge, thoroughly: bool) -> Judged:
    """Explain one rule.

    Raises:
        LocalError: EventBridge does not take its pattern or the event.
    """
    try:
        return Judged(rule, explain(json.loads(rule.pattern), matches, thoroughly))
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"InvalidEventPatternException", "ValidationException"}:
            raise
        reason = error.response["Error"].get("Message", "")
        raise LocalError(f"EventBridge cannot judge the event by the rule {rule.name}: {reason}") from None


def show(judged: Sequence[Judged], event: Mapping[str, Any], filled: Sequence[str], bus: str | None = None) -> None:
    """Print what was judged: what matches, then the near misses, then the others' names.

    Args:
        bus: where the event is known to arrive, else that is said.
    """
    where = f"On the bus {bus}." if bus else arrival(event)
    console.print(escape(f"{event['detail-type']} from {event['source']}. {where}"))
    if filled:
        values = ", ".join(f"{name} {json.dumps(event[name])}" for name in filled)
        console.print(escape(f"The file lacks what every event has; judged as if it had {values}."))
    for one in judged:
        if one.verdict.other_kind:
            continue
        sign = "[green]✓[/]" if one.verdict.matches else "[red]✗[/]"
        console.print(
            f"{sign} [bold]{escape(one.rule.name)}[/] {escape(f'-> {one.rule.function}, on the bus {one.rule.bus}')}"
        )
        for line in reasons(one.verdict, json.loads(one.rule.pattern), event) + remarks(one.rule, event, bus):
            console.print(escape(f"    {line}"))
    if others := sorted(one.rule.name for one in judged if one.verdict.other_kind):
        console.print(
            escape(f"{len(others)} about other sources and detail types (--all explains them): {', '.join(others)}")
        )
    if not any(one.verdict.matches for one in judged):
        console.print("No rule matches.")


def remarks(rule: Rule, event: Mapping[str, Any], bus: str | None = None) -> list[str]:
    """What else keeps such an event from the rule, unless it is known to arrive on its bus."""
    keeps = []
    if not rule.enabled:
        keeps.append("the rule is disabled: EventBridge judges no event by it")
    if not bus and not reaches(rule.bus, str(event["source"])):
        keeps.append(f"on AWS such an event comes to the bus {rule.bus} only where another rule forwards it")
    return keeps


def as_json(one: Judged, event: Mapping[str, Any]) -> dict[str, Any]:
    """One rule as `--json` prints it. `stopped_by` is partial where `other_kind` is true."""
    return {
        "rule": one.rule.name,
        "target": one.rule.function,
        "bus": one.rule.bus,
        "enabled": one.rule.enabled,
        "matches": one.verdict.matches,
        "other_kind": one.verdict.other_kind,
        "stopped_by": [_stop(stop, event) for stop in one.verdict.stops],
        "reasons": reasons(one.verdict, json.loads(one.rule.pattern), event),
    }


def _stop(stop: Stop, event: Mapping[str, Any]) -> dict[str, Any]:
    leaf = stop.leaf
    if leaf.branches:
        branches = [[_stop(inner, event) for inner in branch] for branch in stop.branches]
        return {"field": leaf.field, "pattern": leaf.pattern, "branches": branches}
    return {
        "field": leaf.field,
        "pattern": leaf.pattern,
        "wants": wants(leaf.allowed),
        "event": found(event, leaf.field),
    }
