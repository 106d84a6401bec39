"""An event in a file, as a person gives it to a command."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from local.cloud import ROOT, LocalError

STDIN = "-"
PARTS = {"source": str, "detail-type": str, "detail": dict}
"""What makes it an event, and what each of these is in Python."""


def read(path: str, command: str) -> dict[str, Any]:
    """The event in the file, or in standard input for `-`.

    Raises:
        LocalError: there is no event in it; the message says why.
    """
    if not path:
        samples = sorted(str(file.relative_to(ROOT)) for file in (ROOT / "events").glob("*/*.json"))
        raise LocalError(
            f"Name a file: make {command} EVENT=events/<automation>/<situation>.json\n" + "\n".join(samples)
        )
    name = "Standard input" if path == STDIN else path
    try:
        event = json.loads(sys.stdin.read() if path == STDIN else Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise LocalError(f"{name} cannot be read as an event: {error}") from None
    return check(event, name)


def check(event: Any, name: str) -> dict[str, Any]:
    """The event, which has what makes it one.

    Raises:
        LocalError: what `name` says holds no event; the message says why.
    """
    if not isinstance(event, dict):
        raise LocalError(f"{name} is no event: it is no JSON object")
    if missing := sorted(PARTS.keys() - event):
        raise LocalError(f"{name} is no event: it has no {', '.join(missing)}")
    for part, kind in PARTS.items():
        if not isinstance(event[part], kind):
            raise LocalError(f"{name} is no event: its {part} is no {'text' if kind is str else 'JSON object'}")
    return event


def complete(event: Mapping[str, Any], account: str, region: str) -> tuple[dict[str, Any], list[str]]:
    """The event with every field that `TestEventPattern` wants, and the names of those that it did not have.

    They get what `PutEvents` would give them.
    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html
    """
    given = {"id": str(uuid4()), "account": account, "time": now(), "region": region, "resources": []}
    return {**given, **event}, [name for name in given if name not in event]


def renew(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event as if it happened again now: with another id and time, and another id of CloudTrail's record."""
    detail = event["detail"] | ({"eventID": str(uuid4())} if "eventID" in event["detail"] else {})
    return {**event, "id": str(uuid4()), "time": now(), "detail": detail}


def now() -> str:
    """The time as events carry it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
