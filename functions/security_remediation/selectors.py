"""Which management events a trail logs, by its event selectors, and how to make it log all of them again.

A trail has basic or advanced selectors, never both. An event is logged when one of them selects it, so what is missing is what
none of them selects. https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Selector = Mapping[str, Any]

MOST_BASIC_SELECTORS = 5
ALL_MANAGEMENT_EVENTS = {"ReadWriteType": "All", "IncludeManagementEvents": True, "ExcludeManagementEventSources": []}
ALL_MANAGEMENT_EVENTS_ADVANCED = {
    "Name": "Management events",
    "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
}


@dataclass(frozen=True)
class Logged:
    """What one selector logs of the management events.

    Attributes:
        kinds: of `read` and `write`, those that it logs.
        without: what it leaves out of these.
    """

    kinds: frozenset[str]
    without: frozenset[str]


def missing(basic: Iterable[Selector], advanced: Iterable[Selector]) -> tuple[str, ...]:
    """What is not logged, in words; nothing when all management events are."""
    logged = [one for selector in basic for one in _basic(selector)]
    logged += [one for selector in advanced for one in _advanced(selector)]
    if not logged:
        return ("management events",)
    by_kind = {kind: [one.without for one in logged if kind in one.kinds] for kind in ("read", "write")}
    unlogged = tuple(f"management events that {kind}" for kind, some in by_kind.items() if not some)
    left_out = {name for some in by_kind.values() if some for name in frozenset.intersection(*some)}
    return unlogged + tuple(f"management events {name}" for name in sorted(left_out))


def _basic(selector: Selector) -> Iterable[Logged]:
    """All defaults are the wide ones. CloudTrail's API takes the numbers and truth of strings, too."""
    if str(selector.get("IncludeManagementEvents", True)).lower() == "false":
        return
    kinds = {"ReadOnly": {"read"}, "WriteOnly": {"write"}}.get(
        selector.get("ReadWriteType") or "All", {"read", "write"}
    )
    sources = selector.get("ExcludeManagementEventSources") or ()
    yield Logged(frozenset(kinds), frozenset(f"of {source}" for source in sources))


def _advanced(selector: Selector) -> Iterable[Logged]:
    """Every field but the category narrows it: `readOnly` to one kind, `eventSource` and others by leaving out."""
    fields = list(selector.get("FieldSelectors") or ())
    if not any(one.get("Field") == "eventCategory" and "Management" in (one.get("Equals") or ()) for one in fields):
        return
    kinds, without = {"read", "write"}, set()
    for one in fields:
        match one.get("Field"):
            case "eventCategory":
                continue
            case "readOnly" if one.get("Equals"):
                kinds &= {"read" if str(value).lower() == "true" else "write" for value in one["Equals"]}
            case "eventSource" if one.get("NotEquals"):
                without |= {f"of {source}" for source in one["NotEquals"]}
            case field:
                without.add(f"that the field {field} keeps out")
    yield Logged(frozenset(kinds), frozenset(without))


def widened_basic(selectors: Iterable[Selector]) -> list[Selector]:
    """All management events, and the data events as they are.

    `ReadWriteType` counts for a selector's data events too, so the management events get a selector of their own. Where there
    is no room for it, one of the others takes them in: one that has both kinds already, if there is one.
    """
    data = [
        {**one, "IncludeManagementEvents": False, "ExcludeManagementEventSources": []}
        for one in selectors
        if one.get("DataResources")
    ]
    if len(data) < MOST_BASIC_SELECTORS:
        return [{**ALL_MANAGEMENT_EVENTS, "DataResources": []}, *data]
    host = next((one for one in data if one.get("ReadWriteType", "All") == "All"), data[0])
    return [{**one, **ALL_MANAGEMENT_EVENTS} if one is host else one for one in data]


def widened_advanced(selectors: Iterable[Selector]) -> list[Selector]:
    """All management events, and every other selector as it is."""
    return [ALL_MANAGEMENT_EVENTS_ADVANCED, *(one for one in selectors if not list(_advanced(one)))]
