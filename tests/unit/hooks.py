"""Handlers of botocore's events at the functions' clients, until the end of a test.

The clients themselves are kept from one test to the next, because it takes long to make them.
"""

from collections.abc import Callable
from typing import Any

_hooked: dict[tuple[Any, str], Callable[..., Any]] = {}


def hook(client: Any, event: str, handler: Callable[..., Any], *, first: bool = False) -> None:
    """Let `handler` take part in the client's `event`, until `unhook`; the last one that was given for an event counts.

    `first` puts it before the handlers of others.
    """
    emitter = client.meta.events
    if earlier := _hooked.pop((emitter, event), None):
        emitter.unregister(event, earlier)
    (emitter.register_first if first else emitter.register)(event, handler)
    _hooked[emitter, event] = handler


def unhook() -> None:
    """Take all handlers away again."""
    while _hooked:
        (emitter, event), handler = _hooked.popitem()
        emitter.unregister(event, handler)
