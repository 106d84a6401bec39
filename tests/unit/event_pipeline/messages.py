"""Messages as Lambda hands them over from the queue."""

import json
from typing import Any
from uuid import uuid4

from tests.samples import EVENTS, sample


def application_event(**detail: Any) -> dict[str, Any]:
    """An event of its own id."""
    return sample("event_pipeline/application-event", **detail) | {"id": str(uuid4())}


def batch(*bodies: Any) -> dict[str, Any]:
    """A batch of messages `message-0`, `message-1`, ... with these bodies; what is no text is sent as JSON."""
    records = [
        {"messageId": f"message-{number}", "body": body if isinstance(body, str) else json.dumps(body)}
        for number, body in enumerate(bodies)
    ]
    return {"Records": records}


def sample_batch() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / "event_pipeline/batch.json").read_text())
    return found


def failed(result: dict[str, Any]) -> list[str]:
    """The ids of the messages that must come again."""
    assert set(result) == {"batchItemFailures"}
    return [item["itemIdentifier"] for item in result["batchItemFailures"]]
