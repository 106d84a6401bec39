"""A command of the AWS CLI, read by botocore's models of the services, as the CLI itself reads it; the CLI is not installed here."""

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import botocore.session
import jmespath  # type: ignore[import-untyped]
from botocore import xform_name
from botocore.model import Shape
from botocore.validate import ParamValidator

SERVICES = {"s3api": "s3"}
COMMON = frozenset({"profile", "region", "query", "output"})
"""Options of every command."""
RENAMED = {("sns", "subscribe", "notification-endpoint"): "endpoint"}
"""Options that the CLI names otherwise than the API: https://docs.aws.amazon.com/cli/latest/reference/sns/subscribe.html"""
INNER = re.compile(r"\$\((aws [^()]*?)(?: \| [^()]*)?\)")
"""A command whose output is part of another one, without what it goes through."""


@dataclass(frozen=True)
class Call:
    """What a command asks of AWS: `arguments` as boto3 takes them, `options` those of every command."""

    service: str
    operation: str
    arguments: dict[str, Any]
    options: dict[str, str]


def read(command: str) -> Call:
    """What the command asks for.

    Raises:
        ValueError: there is no such service, operation or option, one is missing, or has another type.
    """
    _, service, operation, *words = shlex.split(command)
    session = botocore.session.get_session()
    model = session.get_service_model(SERVICES.get(service, service))
    named = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in named:
        raise ValueError(f"{service} has no operation {operation}")
    shape = model.operation_model(named[operation]).input_shape
    members = {xform_name(name, "-"): (name, member) for name, member in shape.members.items()} if shape else {}
    arguments, options = {}, {}
    for option, values in _options(words):
        if option in COMMON:
            options[option] = " ".join(values)
            continue
        own = RENAMED.get((service, operation, option), option)
        if own not in members:
            raise ValueError(f"{service} {operation} has no option --{option}")
        name, member = members[own]
        arguments[name] = _value(member, values)
    if shape and (report := ParamValidator().validate(arguments, shape)).has_errors():
        raise ValueError(f"{command}: {report.generate_report()}")
    return Call(model.service_name, xform_name(named[operation]), arguments, options)


def _options(words: list[str]) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for word in words:
        if word.startswith("--"):
            found.append((word.removeprefix("--"), []))
        elif not found:
            raise ValueError(f"{word} belongs to no option")
        else:
            found[-1][1].append(word)
    return found


def _value(shape: Shape, values: list[str]) -> Any:
    match shape.type_name:
        case "boolean":
            return True
        case "integer" | "long":
            return int(values[0])
        case "list" if not values[0].startswith("["):
            return values
        case "structure" | "map" | "list":
            return json.loads(values[0])
    return values[0]


def run(command: str, client: Callable[[str], Any]) -> str:
    """Run the command, after those inside it, by a client of the service; returns what it would print.

    Raises:
        ValueError: as `read`.
    """
    whole = INNER.sub(lambda inner: run(inner[1], client), command)
    call = read(whole)
    answer = getattr(client(call.service), call.operation)(**call.arguments)
    answer.pop("ResponseMetadata", None)
    found = jmespath.search(call.options["query"], answer) if "query" in call.options else answer
    if call.options.get("output") == "text":
        return "\t".join(found) if isinstance(found, list) else str(found)
    return json.dumps(found, default=str)
