"""The baseline: settings that the record of a deletion does not carry, noted every hour while they are in force.

What is gone keeps its last note, which is what the note is for, until it expires.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from automations import aws
from automations.errors import AutomationError
from automations.notify import Severity
from automations.settings import EnvSettings
from security_remediation.plan import Plan
from security_remediation.reading import tags_of

KEPT = timedelta(days=90)

Snapshot = Callable[[], Mapping[str, Mapping[str, Any]]]
"""The settings of all things of a kind, by the keys of their notes."""


class Incomplete(AutomationError):
    """Something could not be noted. The rest was."""


@dataclass(frozen=True)
class Note:
    """Attributes:
    settings: as they were, as JSON knows them.
    taken_at: when, in UTC, as people write it.
    """

    settings: Mapping[str, Any]
    taken_at: str


class _Environment(EnvSettings):
    baseline_table: str


def take(snapshots: Mapping[str, Snapshot]) -> dict[str, int]:
    """Note what there is of each kind; returns how many. A kind that fails does not stop the others.

    Raises:
        Incomplete: names the kinds that failed, and why.
    """
    noted, failed = {}, {}
    for kind, snapshot in snapshots.items():
        try:
            found = snapshot()
            for key, settings in found.items():
                note(key, settings)
            noted[kind] = len(found)
        except Exception as error:
            failed[kind] = str(error)
    if failed:
        reasons = " ".join(f"{kind}: {reason}" for kind, reason in failed.items())
        raise Incomplete(f"The baseline lacks what could not be read or written just now. {reasons}")
    return noted


def note(key: str, settings: Mapping[str, Any]) -> None:
    """Note the settings. When they are others than before, the last note stays beside them."""
    now, text, last = datetime.now(UTC), json.dumps(settings, sort_keys=True), _item(key)
    item: dict[str, Any] = {
        "settings": {"S": text},
        "taken_at": {"S": f"{now:%Y-%m-%d %H:%M} UTC"},
        "since": {"N": str(int(now.timestamp()))},
    }
    if last and last["settings"]["S"] == text:
        item |= {name: last[name] for name in ("since", "before") if name in last}
    elif last:
        item["before"] = {"M": {name: last[name] for name in item if name in last}}
    expires = {"N": str(int((now + KEPT).timestamp()))}
    aws.dynamodb().put_item(TableName=_table(), Item={"id": {"S": key}, **item, "expiration": expires})


def known(key: str, at: datetime | None = None) -> Note | None:
    """What was noted last; None when it was never seen.

    Args:
        at: the time of a call that may have changed it: what was first noted after that does not say what was there before.
    """
    item = _item(key)
    while item and at and int(item.get("since", {"N": "0"})["N"]) > at.timestamp():
        item = item.get("before", {}).get("M", {})
    return Note(json.loads(item["settings"]["S"]), item["taken_at"]["S"]) if item else None


def _item(key: str) -> dict[str, Any]:
    """The item of the table, empty when there is none."""
    answer = aws.dynamodb().get_item(TableName=_table(), Key={"id": {"S": key}}, ConsistentRead=True)
    return dict(answer.get("Item", {}))


def _table() -> str:
    return _Environment.from_env().baseline_table


# ---------------------------------------------------------------- what the remediations that stand on it share


def chosen(settings: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Those of the settings that have these names and a value: AWS refuses empty ones where it makes a thing."""
    return {name: settings[name] for name in names if settings.get(name) not in (None, "", [])}


def own_tags(tags: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Without the tags that AWS sets, as CloudFormation has it do: nobody else may."""
    return [
        {"Key": key, "Value": value}
        for key, value in tags_of({"Value": "", **tag} for tag in tags).items()
        if not key.lower().startswith("aws:")
    ]


def there_again(resource: str, finding: str) -> Plan:
    """It was deleted, and nothing is missing now."""
    remark = "It is there again, as it was: somebody, or an earlier attempt of this function, made it anew."
    return Plan(resource, finding, Severity.WARNING, remark=remark)


def never_noted(resource: str, finding: str, severity: Severity, by_hand: str) -> Plan:
    """It was deleted or changed, and nobody knows what it was like."""
    remark = (
        "The hourly baseline has no note of it from before: it was made within the hour before the call, or the call came "
        f"before the first run. {by_hand}"
    )
    return Plan(resource, finding, severity, remark=remark)
