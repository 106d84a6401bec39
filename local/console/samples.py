"""The sample events, by automation, and an event as a person types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local.cloud import ROOT, LocalError
from local.event_file import PARTS, check

SAMPLES = ROOT / "events"


def by_automation(folder: Path = SAMPLES) -> dict[str, dict[str, str]]:
    """The text of each sample event by its situation, by automation; without samples of what is no event, such as a batch."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted(folder.glob("*/*.json")):
        text = file.read_text(encoding="utf-8")
        if json.loads(text).keys() >= PARTS.keys():
            found.setdefault(file.parent.name, {})[file.stem] = text
    return found


def typed(text: str) -> dict[str, Any]:
    """The event that somebody typed.

    Raises:
        LocalError: it is none; the message says why, and where.
    """
    try:
        event = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LocalError(f"This is no JSON yet: {error}") from None
    return check(event, "This")
