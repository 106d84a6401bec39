"""The sample events, as tests use them."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parent.parent / "events"


def put(document: dict[str, Any], **changes: Any) -> None:
    """Change the document: `path__to__field=value` puts a value there, and None takes the field away."""
    for path, value in changes.items():
        *parents, field = path.split("__")
        place = document
        for parent in parents:
            place = place[parent]
        if value is None:
            del place[field]
        else:
            place[field] = value


def sample(name: str, **detail: Any) -> dict[str, Any]:
    """The sample event `<automation>/<situation>`, with the given fields of its detail replaced (`_` stands for `-`)."""
    event: dict[str, Any] = deepcopy(json.loads((EVENTS / f"{name}.json").read_text()))
    event["detail"].update({field.replace("_", "-"): value for field, value in detail.items()})
    return event
