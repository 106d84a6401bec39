"""An event pattern, changed in one place: what a proof needs to say that each part of it is tested."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from local.explain import OR, joins_patterns

Pattern = dict[str, Any]

EVERYTHING: Pattern = {"source": [{"exists": True}]}
"""What is left when the only leaf is dropped: EventBridge takes no empty pattern."""

MARK = "?"
"""Makes another value of a text, one that nothing has."""


def mutants(pattern: Mapping[str, Any]) -> dict[str, Pattern]:
    """The pattern with one part dropped or changed, for each part; the keys say what was done.

    Dropped are each leaf, each of several values of a leaf, each `$or` and each of its branches; changed is each value.

    Raises:
        ValueError: there is a filter for which nobody has said how it is changed.
    """
    return {name: found or EVERYTHING for name, found in _of_object(pattern, "")}


def _of_object(pattern: Mapping[str, Any], path: str) -> Iterator[tuple[str, Pattern]]:
    for key, value in pattern.items():
        field = f"{path}.{key}".lstrip(".")
        rest = {name: other for name, other in pattern.items() if name != key}
        if key == OR and joins_patterns(value):
            yield f"{field} dropped", rest
            for number, branch in enumerate(value):
                others = [*value[:number], *value[number + 1 :]]
                yield (
                    f"{field}[{number}] dropped",
                    {**rest, OR: others} if len(others) > 1 else _merged(rest, others[0]),
                )
                for name, changed in _of_object(branch, f"{field}[{number}]"):
                    if changed:  # an empty branch is one that is dropped with all that it joins
                        yield name, {**pattern, OR: [*value[:number], changed, *value[number + 1 :]]}
        elif isinstance(value, Mapping):
            for name, changed in _of_object(value, field):
                yield name, {**rest, key: changed} if changed else rest
        else:
            yield f"{field} dropped", rest
            yield from ((name, {**rest, key: changed}) for name, changed in _of_list(value, field))


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> Pattern:
    found = dict(one)
    for key, value in other.items():
        found[key] = _merged(found[key], value) if isinstance(found.get(key), Mapping) else value
    return found


def _of_list(values: list[Any], field: str) -> Iterator[tuple[str, list[Any]]]:
    for number, value in enumerate(values):
        before, after = values[:number], values[number + 1 :]
        if before or after:
            yield f"{field}: {value} dropped", [*before, *after]
        for changed in _changed(value):
            yield f"{field}: {value} changed to {changed}", [*before, changed, *after]


def _changed(value: Any) -> list[Any]:
    """Other values in the place of this one: one that nothing has, and those that let a little more or less through."""
    match value:
        case bool():
            return [not value]
        case str():
            return [value + MARK]
        case {"exists": bool(there)}:
            return [{"exists": not there}]
        case {"prefix": str(text)}:
            return [{"prefix": text + MARK}, *([{"prefix": text[:-1]}] if text else [])]
        case {"suffix": {"equals-ignore-case": str(text)}}:
            others = [{"equals-ignore-case": MARK + text}, {"equals-ignore-case": text[1:]}, text]
            return [{"suffix": other} for other in others]
        case {"wildcard": str(text)}:
            parts = text.split("*")
            fewer = [[*parts[:number], "", *parts[number + 1 :]] for number, part in enumerate(parts) if part]
            texts = [text + MARK, *(re.sub(r"\*+", "*", "*".join(some)) for some in fewer)]
            return [{"wildcard": one} for one in texts]
        case {"anything-but": {"prefix": str(text)}}:
            return [{"anything-but": {"prefix": other}} for other in (text + MARK, text[:-1])]
        case {"anything-but": [*excluded]}:
            kept = [[*excluded[:number], *excluded[number + 1 :]] for number in range(len(excluded))]
            marked = [[*some, str(one) + MARK] for some, one in zip(kept, excluded, strict=True)]
            return [{"anything-but": some} for some in [*marked, *filter(None, kept)]]
        case {"numeric": [str(operator), limit]} if operator in STRICTER:
            terms = [STRICTER[operator], limit], [operator, limit - 1], [operator, limit + 1]
            return [{"numeric": term} for term in terms]
    raise ValueError(f"No proof says how {value} of a pattern is changed: say it in {__name__}.")


STRICTER = {">=": ">", ">": ">=", "<=": "<", "<": "<="}
"""The other operator, which differs at the limit alone."""
