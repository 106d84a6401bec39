"""An event of any source, whole, for what is told by configuration which of its fields to use."""

from typing import Any

from pydantic import ConfigDict, Field

from automations.events import Event


class AnyEvent(Event):
    """Fields that are not known here are kept. EventBridge makes the id, a UUID."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(pattern=r"^[A-Za-z0-9-]+$")
    detail: dict[str, Any]

    def whole(self) -> dict[str, Any]:
        """The event as EventBridge delivered it."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)
