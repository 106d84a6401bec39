"""The sample events, by automation, and an event as a person types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local.cloud import ROOT, LocalError
from local.event_file import check

SAMPLES = ROOT / "events"


def by_automation(folder: Path = SAMPLES) -> dict[str, list[str]]:
    """The situations of which there are samples, by automation, both in alphabetical order."""
    found: dict[str, list[str]] = {}
    for file in sorted(folder.glob("*/*.json")):
        found.setdefault(file.parent.name, []).append(file.stem)
    return found


def sample(automation: str, situation: str, folder: Path = SAMPLES) -> str:
    """The text of a sample."""
    return (folder / automation / f"{situation}.json").read_text(encoding="utf-8")


def typed(text: str) -> dict[str, Any]:
    """The event that somebody typed.

    Raises:
        LocalError: it is none; the message says why, and where.
    """
    try:
        return check(json.loads(text), "This")
    except (ValueError, RecursionError) as error:
        raise LocalError(f"This is no JSON yet: {error}") from None
