"""The one way to make an event of the application's own: checked as those who hear of it will check it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations.errors import AutomationError
from automations.events import Event

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

MAX_ENTRY_BYTES = 1_000_000
"""An entry must be smaller: PutEvents demands less than 1 MB, and does not say of which megabyte, so this is the smaller one.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html; until January 2026 it was 256 KB:
https://aws.amazon.com/blogs/compute/more-room-to-build-serverless-services-now-support-payloads-up-to-1-mb
"""

# What EventBridge adds, or whoever puts the event does not choose; any value that the envelope allows.
_ADDED = {"version": "0", "id": "", "account": "", "time": "2026-11-01T00:00:00Z", "region": "", "resources": ()}


class EntryTooLarge(AutomationError):
    """EventBridge would refuse the event."""


def entry(
    model: type[Event], bus: str, source: str, detail_type: str, detail: Mapping[str, Any]
) -> PutEventsRequestEntryTypeDef:
    """The entry for PutEvents of an event that its model accepts: what the model knows of the detail, and nothing else.

    Raises:
        ValidationError: the model refuses the source, the detail type or the detail.
        EntryTooLarge: EventBridge would refuse it.
    """
    event = model.model_validate({**_ADDED, "source": source, "detail-type": detail_type, "detail": detail})
    detail = event.model_dump(mode="json", by_alias=True)["detail"]
    text = json.dumps(detail, ensure_ascii=False, separators=(",", ":"))
    size = len((source + detail_type + text).encode())
    if size >= MAX_ENTRY_BYTES:
        raise EntryTooLarge(f"{detail_type} is too large an event: {size} bytes, of less than {MAX_ENTRY_BYTES}.")
    return {"EventBusName": bus, "Source": source, "DetailType": detail_type, "Detail": text}
