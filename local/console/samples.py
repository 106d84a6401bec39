"""The sample events, by automation, and an event as a person types it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from local.cloud import ROOT, LocalError
from local.event_file import PARTS, check

SAMPLES = ROOT / "events"


def by_automation(folder: Path = SAMPLES) -> dict[str, dict[str, str]]:
    """The text of each sample event by its situation, by automation; without samples of what is no event, such as a batch.

    Those of which something comes, a rule's or a schedule's by index.toml, are before those of which nothing does.
    """
    index = tomllib.loads((folder / "index.toml").read_text(encoding="utf-8"))
    does = {name for name, entry in index.items() if entry.get("matches") or "schedule" in entry}
    found: dict[str, dict[str, str]] = {}
    for file in sorted(folder.glob("*/*.json"), key=lambda file: (f"{file.parent.name}/{file.name}" not in does, file)):
        text = file.read_text(encoding="utf-8")
        if json.loads(text).keys() >= PARTS.keys():
            found.setdefault(file.parent.name, {})[file.stem] = text
    return dict(sorted(found.items()))


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
