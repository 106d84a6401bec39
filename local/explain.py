"""Why an event matches a rule, and which fields of its pattern stop it. Nothing here prints.

EventBridge's `TestEventPattern` is the only judge: of the pattern and, where that does not match, of each leaf of it
alone. A leaf is one field with what it may be, or one `$or`; the pattern wants all of them. What is read here from the
event itself is only for showing.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

Judge = Callable[[Mapping[str, Any]], bool]
"""Says whether the event matches a pattern."""

OR = "$or"
KIND = ("source", "detail-type")
"""The fields that say what kind of event it is."""

OPERATORS = frozenset(
    {"prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but", "numeric", "exists", "cidr"}
)


@dataclass(frozen=True)
class Leaf:
    """A part of an event pattern that can be judged alone.

    Attributes:
        path: keys that lead to the field in the event; for an `$or`, to the object that it is about.
        allowed: list of the values and filters of which one must match; for an `$or`, its branches as they are written.
        branches: the leaves of each branch of an `$or`, else empty.
    """

    path: tuple[str, ...]
    allowed: Any
    branches: tuple[tuple[Leaf, ...], ...] = ()

    @property
    def field(self) -> str:
        """The path in one word. EventBridge, too, joins the keys with dots."""
        return ".".join(self.path)

    @property
    def pattern(self) -> dict[str, Any]:
        """The leaf alone, as an event pattern."""
        found = {OR: self.allowed} if self.branches else self.allowed
        for key in reversed(self.path):
            found = {key: found}
        return dict(found)


@dataclass(frozen=True)
class Stop:
    """A leaf that does not match; for an `$or`, with what stopped each of its branches.

    A branch without stops matches field by field, but not as a whole.
    """

    leaf: Leaf
    branches: tuple[tuple[Stop, ...], ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What the judge says of one pattern.

    Attributes:
        stops: the leaves that do not match. None, although the pattern does not match: see `lists_between`.
        other_kind: the pattern is about other kinds of events, and its other leaves were not judged.
    """

    matches: bool
    stops: tuple[Stop, ...] = ()
    other_kind: bool = False


def judge(events: Any, event: Mapping[str, Any]) -> Judge:
    """EventBridge's judgement of the event, asked once for each pattern.

    Args:
        events: a boto3 client of EventBridge.
        event: with every field that the API wants (`local.event_file.complete`).
    """
    text = json.dumps(event)

    @cache
    def ask(pattern: str) -> bool:
        return bool(events.test_event_pattern(EventPattern=pattern, Event=text)["Result"])

    return lambda pattern: ask(json.dumps(pattern))


def explain(pattern: Mapping[str, Any], matches: Judge, thoroughly: bool = True) -> Verdict:
    """Ask whether the pattern matches and, where not, which leaves stop it.

    Unless `thoroughly`, a pattern that wants another source and another detail type is not looked into any further.
    """
    if matches(pattern):
        return Verdict(True)
    leaves = split(pattern)
    kind = [leaf for leaf in leaves if leaf.field in KIND]
    stops = _stops(kind, matches)
    if kind and len(stops) == len(kind) and not thoroughly:
        return Verdict(False, stops, other_kind=True)
    return Verdict(False, stops + _stops([leaf for leaf in leaves if leaf not in kind], matches))


def _stops(leaves: Iterable[Leaf], matches: Judge) -> tuple[Stop, ...]:
    return tuple(
        Stop(leaf, tuple(_stops(branch, matches) for branch in leaf.branches))
        for leaf in leaves
        if not matches(leaf.pattern)
    )


def split(pattern: Mapping[str, Any], path: tuple[str, ...] = ()) -> tuple[Leaf, ...]:
    """The leaves of a pattern. All of them together say what the pattern says."""
    leaves: list[Leaf] = []
    for key, value in pattern.items():
        if key == OR and joins_patterns(value):
            leaves.append(Leaf(path, value, tuple(split(branch, path) for branch in value)))
        elif isinstance(value, Mapping):
            leaves += split(value, (*path, key))
        else:
            leaves.append(Leaf((*path, key), value))
    return tuple(leaves)


def joins_patterns(value: Any) -> bool:
    """Whether the value of `$or` holds patterns; EventBridge takes it for a field of that name when it holds filters."""
    return isinstance(value, list) and all(isinstance(item, Mapping) and not OPERATORS & set(item) for item in value)


# What a person reads


def reasons(verdict: Verdict, pattern: Mapping[str, Any], event: Mapping[str, Any]) -> list[str]:
    """Lines that say what stopped the pattern, those of an `$or`'s branches indented."""
    if verdict.matches:
        return []
    return _lines(verdict.stops, event) or [_apart(split(pattern), event)]


def _lines(stops: Iterable[Stop], event: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for stop in stops:
        if not stop.leaf.branches:
            lines.append(f"{stop.leaf.field} is {has(event, stop.leaf)}; the rule wants {wants(stop.leaf.allowed)}")
            continue
        lines.append(f"one of these {len(stop.branches)} must match, and none does:")
        for leaves, branch in zip(stop.leaf.branches, stop.branches, strict=True):
            first, *others = _lines(branch, event) or [_apart(leaves, event)]
            lines += [f"  - {first}", *(f"    {line}" for line in others)]
    return lines


def _apart(leaves: Iterable[Leaf], event: Mapping[str, Any]) -> str:
    why = "".join(
        f"; {field} is a list, and one element of it must have them" for field in lists_between(leaves, event)
    )
    return f"each field matches alone, but not all of them together{why}"


def lists_between(leaves: Iterable[Leaf], event: Mapping[str, Any]) -> list[str]:
    """The fields that hold lists in the event and that lie on the way to more than one field of the pattern.

    EventBridge takes fields of two different elements of a list for no match:
    https://github.com/aws/event-ruler#json-array-matching
    """
    prefixes = [".".join(path[:length]) for path in dict.fromkeys(_paths(leaves)) for length in range(1, len(path))]
    return [
        prefix
        for prefix in dict.fromkeys(prefixes)
        if prefixes.count(prefix) > 1 and any(isinstance(value, list) for value in found(event, prefix))
    ]


def _paths(leaves: Iterable[Leaf]) -> Iterator[tuple[str, ...]]:
    for leaf in leaves:
        if not leaf.branches:
            yield leaf.path
        for branch in leaf.branches:
            yield from _paths(branch)


def found(value: Any, field: str) -> list[Any]:
    """What an event has at a field such as `detail.state`: several values where a list lies on the way, none if absent.

    A key may itself have dots in it, as for EventBridge.
    """
    if isinstance(value, list):
        return [hit for item in value for hit in found(item, field)]
    if not isinstance(value, Mapping):
        return []
    hits = [value[field]] if field in value else []
    for key, inner in value.items():
        if field.startswith(f"{key}."):
            hits += found(inner, field.removeprefix(f"{key}."))
    return hits


def has(event: Mapping[str, Any], leaf: Leaf) -> str:
    """What the event has at the leaf's field, in words; where it has nothing, how far the event goes."""
    values = found(event, leaf.field)
    if values:
        return shown(values[0] if len(values) == 1 else values)
    for length in range(1, len(leaf.path)):
        above = ".".join(leaf.path[:length])
        values = found(event, above)
        if not values:
            return f"absent, and so is {above}"
        if not any(isinstance(value, Mapping | list) for value in values):
            return f"absent, because {above} is {shown(values[0])}"
    return "absent"


def shown(value: Any, limit: int = 80) -> str:
    """A value of an event as JSON, shortened to so many characters."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def wants(allowed: Any) -> str:
    """The list of values and filters of a leaf, in words; filters of one kind are said in one go."""
    said = groupby(map(_filter, allowed), key=lambda words: (words[0], words[2]))
    return " or ".join(f"{before}{' or '.join(text for _, text, _ in group)}{after}" for (before, after), group in said)


def _filter(item: Any) -> tuple[str, str, str]:
    """A value or filter in words: what comes before its operand, the operand, what comes after."""
    match item:
        case {"exists": there}:
            return "", "any value" if there else "no such field", ""
        case {"anything-but": Mapping() as inner}:
            return "anything but ", wants([inner]), ""
        case {"anything-but": excluded}:
            return "anything but ", _texts(excluded, ", "), ""
        case {"prefix": operand}:
            return "a text that begins with ", _texts(operand), _case(operand)
        case {"suffix": operand}:
            return "a text that ends with ", _texts(operand), _case(operand)
        case {"equals-ignore-case": _}:
            return "", _texts(item), _case(item)
        case {"wildcard": operand}:
            return "a text like ", _texts(operand), ""
        case {"cidr": operand}:
            return "an address in ", str(operand), ""
        case {"numeric": [*terms]}:
            pairs = zip(terms[::2], terms[1::2], strict=False)
            return "a number ", " and ".join(f"{operator} {limit}" for operator, limit in pairs), ""
    return "", json.dumps(item, ensure_ascii=False), ""


def _texts(operand: Any, between: str = " or ") -> str:
    """The operand of a filter, which is a value, a list of them, or either under `equals-ignore-case`."""
    if isinstance(operand, Mapping):
        operand = next(iter(operand.values()), "")
    values = operand if isinstance(operand, list) else [operand]
    return between.join(json.dumps(value, ensure_ascii=False) for value in values)


def _case(operand: Any) -> str:
    return " in any case" if isinstance(operand, Mapping) else ""


def arrival(event: Mapping[str, Any]) -> str:
    """On which bus such an event arrives on AWS, in a sentence."""
    source = str(event["source"])
    if source.startswith("aws.partner/"):
        return f"A partner's event arrives on the bus of its source, {source}."
    if source.startswith("aws."):
        return "An event of an AWS service arrives on the bus default."
    return "An event of one's own arrives on the bus to which it is put."


def reaches(bus: str, source: str) -> bool:
    """Whether events of this source can arrive on the bus without another rule that forwards them there.

    A partner's arrive on the bus that has the name of their source, and on no other:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-saas.html
    """
    if source.startswith("aws.partner/"):
        return bus == source
    return bus == "default" or not source.startswith("aws.")
