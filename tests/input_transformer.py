"""EventBridge's input transformer, as AWS documents it, for the tests of what it writes."""

import re
from collections.abc import Mapping
from typing import Any

_MISSING = object()


def render(transformer: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    """What the target gets of the event. Only for templates of strings in quotes, which is what e-mails are made of.

    In a string a value stands as it is, without any escaping; objects and arrays lose their quotes, and a variable whose path the event
    does not have is left out.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html#eb-transform-input-issues
    """
    values = {name: _text(_at(event, path)) for name, path in transformer["InputPathsMap"].items()}
    return re.sub(r"<([^<>]+)>", lambda found: values[found[1]], transformer["InputTemplate"])


def _at(event: Any, path: str) -> Any:
    """The value at a path of dots and array indices, such as `$.detail.eventDescription[0].latestDescription`."""
    found = event
    for name, index in re.findall(r"\.([\w-]+)|\[(\d+)\]", path.removeprefix("$")):
        try:
            found = found[name] if name else found[int(index)]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return found


def _text(value: Any) -> str:
    match value:
        case dict():
            return "{" + ",".join(f"{key}:{_text(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ",".join(_text(item) for item in value) + "]"
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case _:
            return "" if value is _MISSING else str(value)
