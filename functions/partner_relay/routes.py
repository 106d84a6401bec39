"""Which partner events go where: the routes, and the decision for one event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    Tag,
    model_validator,
)

from automations import http
from automations.events.partner import PartnerEvent
from automations.secrets import Reference, reference
from automations.settings import Configured, read_configuration

STACKS_OWN = "default"
"""In place of a reference: the Slack webhook of the whole stack."""


def _slack_reference(text: str) -> str:
    return text if text == STACKS_OWN else reference(text)


def _safe_url(text: str) -> str:
    if not http.is_safe_url(text):
        raise ValueError("write an address that begins with https://")
    return text


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class SlackDestination(Configured):
    name: Name
    slack: Annotated[str, AfterValidator(_slack_reference)]


class WebhookDestination(Configured):
    name: Name
    webhook: Annotated[str, AfterValidator(_safe_url)]
    secret: Reference


def _kind(destination: Any) -> str | None:
    return next(
        (kind for kind in ("slack", "webhook") if isinstance(destination, Mapping) and kind in destination), None
    )


Destination = Annotated[
    Annotated[SlackDestination, Tag("slack")] | Annotated[WebhookDestination, Tag("webhook")],
    Discriminator(
        _kind,
        custom_error_type="destination",
        custom_error_message="give a name with slack, or with webhook and secret",
    ),
]


class Route(Configured):
    """Where the events of a source and detail type go; each of the two may end in `*`.

    Attributes:
        site: the partner's web site that one's people use, for links: `https://example.zendesk.com`.
    """

    source: str = Field(pattern=r"^(aws\.partner/|webhook\.)[^*]*\*?$")
    detail_type: str = Field(default="*", pattern=r"^([^*]+\*?|\*)$")
    destinations: tuple[Destination, ...] = Field(min_length=1)
    site: Annotated[str, AfterValidator(_safe_url)] | None = None

    def takes(self, event: PartnerEvent) -> bool:
        return _matches(self.source, event.source) and _matches(self.detail_type, event.detail_type)


def _matches(pattern: str, text: str) -> bool:
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


class Routes(RootModel[tuple[Route, ...]]):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    @model_validator(mode="after")
    def _names_differ(self) -> Routes:
        different = {destination for route in self.root for destination in route.destinations}
        names = [destination.name for destination in different]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"different destinations need different names; not so {', '.join(twice)}")
        return self


def read_routes(text: str, parameter: str) -> Routes:
    """Read the routes from JSON.

    Raises:
        SettingsError: names the parameter, each bad route by its index and field, and why; it shows no value.
    """
    return read_configuration(Routes, text, name="routes", parameter=parameter)


@dataclass(frozen=True)
class Stop:
    """One destination of an event, with the site of the route that leads there."""

    destination: SlackDestination | WebhookDestination
    site: str | None


def plan(event: PartnerEvent, routes: Routes) -> Sequence[Stop]:
    """Each destination of all routes that take the event, once; none is no error."""
    stops: dict[str, Stop] = {}
    for route in routes.root:
        if route.takes(event):
            for destination in route.destinations:
                stops.setdefault(destination.name, Stop(destination, route.site))
    return tuple(stops.values())
