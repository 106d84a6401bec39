"""The map: what sends events to what, and what each function may touch. Nothing here asks the cloud.

Rules and schedules are those of a deployment; descriptions and permissions are the template's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.stack import Rule, Schedule


@dataclass(frozen=True)
class Permission:
    """One statement of a role. A resource is written as the template writes it, without CloudFormation's functions."""

    actions: Sequence[str]
    resources: Sequence[str]


@dataclass(frozen=True)
class Station:
    """What gets events: a function, or the topic, queue or bus of a rule.

    Attributes:
        name: its logical id.
        description: the template's, of a function.
        folder: of its code, below functions/; empty when it is no function.
    """

    name: str
    description: str
    folder: str
    rules: Sequence[Rule]
    schedules: Sequence[Schedule]
    permissions: Sequence[Permission]

    @property
    def touches(self) -> list[str]:
        """The services that it may call, by the prefix of their actions."""
        return sorted({action.split(":")[0] for one in self.permissions for action in one.actions})

    @property
    def buses(self) -> list[str]:
        return sorted({rule.bus for rule in self.rules})


def stations(
    template: Mapping[str, Any], rules: Iterable[Rule], schedules: Iterable[Schedule], deployed: Iterable[str]
) -> list[Station]:
    """What the deployed resources, given by their logical ids, get events from; functions first."""
    rules, schedules, resources = list(rules), list(schedules), template["Resources"]
    functions = [name for name in deployed if resources.get(name, {}).get("Type") == "AWS::Serverless::Function"]
    others = dict.fromkeys(rule.function for rule in rules if rule.function not in functions)
    return [
        Station(
            name,
            resources.get(name, {}).get("Properties", {}).get("Description", "") if name in functions else "",
            folder(resources[name]) if name in functions else "",
            [rule for rule in rules if rule.function == name],
            [schedule for schedule in schedules if schedule.function == name],
            list(permissions(resources[name], resources)) if name in functions else [],
        )
        for name in [*sorted(functions), *sorted(others)]
    ]


def folder(function: Mapping[str, Any]) -> str:
    """The folder of a function's code, which its handler names."""
    return str(function["Properties"]["Handler"]).split(".")[0]


def permissions(function: Mapping[str, Any], resources: Mapping[str, Any]) -> Iterator[Permission]:
    """What the function's role allows, those of the policies that it shares with others too."""
    for statement, _ in statements(function["Properties"].get("Policies", []), resources):
        if statement.get("Effect") == "Allow":
            yield Permission(list(words(statement["Action"])), list(words(statement["Resource"])))


def statements(
    policy: Any, resources: Mapping[str, Any], when: tuple[str, ...] = ()
) -> Iterator[tuple[Mapping[str, Any], tuple[str, ...]]]:
    """Each statement of a policy, or of a list of policies, and the template's conditions that it is under."""
    match policy:
        case list():
            for part in policy:
                yield from statements(part, resources, when)
        case {"Fn::If": [condition, then, otherwise]}:
            yield from statements(then, resources, (*when, condition))
            yield from statements(otherwise, resources, when)
        case {"Ref": str(name)} if name in resources:
            yield from statements(resources[name]["Properties"]["PolicyDocument"], resources, when)
        case {"Fn::Sub": str(text)}:  # JSON as text, where a key holds an expression
            yield from statements(json.loads(text), resources, when)
        case {"PolicyDocument": inner} | {"Statement": inner}:
            yield from statements(inner, resources, when)
        case {"Effect": _}:
            yield policy, when


def words(value: Any) -> Iterator[str]:
    """The texts in an expression of the template; what it refers to by its name, in braces."""
    match value:
        case str():
            yield re.sub(r"\$\{(?:AWS::)?([^}]+)\}", r"{\1}", value)
        case list():
            for part in value:
                yield from words(part)
        case {"Ref": "AWS::NoValue"}:
            return
        case {"Ref": str(name)}:
            yield f"{{{name}}}"
        case {"Fn::GetAtt": name}:
            yield f"{{{name.split('.')[0] if isinstance(name, str) else name[0]}}}"
        case {"Fn::If": [_, then, otherwise]}:
            yield from dict.fromkeys([*words(then), *words(otherwise)])
        case {"Fn::Sub": [str(text), variables]}:
            several = [text]
            for name, inner in variables.items():
                named = list(words(inner)) or [f"{{{name}}}"]
                several = [one.replace(f"${{{name}}}", word) for one in several for word in named]
            yield from words(several)
        case {"Fn::Sub": str(text)}:
            yield from words(text)
        case {"Fn::Split": [_, inner]}:
            yield from words(inner)


def drawing(found: Sequence[Station]) -> str:
    """The stations as a flow chart of Mermaid: buses and schedules, what gets their events, and the services that it calls."""
    buses = dict.fromkeys(bus for station in found for bus in station.buses)
    services = dict.fromkeys(service for station in found for service in station.touches)
    ids = {name: f"n{number}" for number, name in enumerate([*(f"bus {bus}" for bus in buses), *services])}
    lines = ["flowchart LR"]
    lines += [f'{ids[f"bus {bus}"]}(["bus {_quoted(bus)}"])' for bus in buses]
    lines += [f'{ids[service]}("{_quoted(service)}")' for service in services]
    for number, station in enumerate(found):
        own = f"s{number}"
        lines.append(f'{own}["{_quoted(station.name)}"]')
        for bus in station.buses:
            count = sum(rule.bus == bus for rule in station.rules)
            lines.append(f'{ids[f"bus {bus}"]} -->|"{count} {"rule" if count == 1 else "rules"}"| {own}')
        for schedule in station.schedules:
            lines.append(f'{own}{_quoted(schedule.name)}{{{{"{_quoted(schedule.name)}"}}}} --> {own}')
        lines += [f"{own} -.-> {ids[service]}" for service in station.touches]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """Text that Mermaid shows as it is. https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters"""
    return re.sub(r"[^\w ./-]", lambda found: f"#{ord(found[0])};", text)
