"""The map: what sends events to what, and what each function may touch. Nothing here asks the cloud.

Rules and schedules are those of a deployment; descriptions, permissions, queues and alarms are the template's. The overview is an
option of ECharts, the drawing of one station a flow chart of Mermaid.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from local.explain import wants
from local.left_out import names
from local.stack import Rule, Schedule

ALARM, BUCKET, MAPPING = "AWS::CloudWatch::Alarm", "AWS::S3::Bucket", "AWS::Lambda::EventSourceMapping"
MOST = 7
"""Lines of a node in the drawing; what it stands for is said whole when one opens it."""
COLOURS = ("#4f83c2", "#c2703d", "#7f8a93")
"""Of what sends events, of what gets them, of the services: seen on white and on black."""


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
        inputs: what else invokes it: a queue, a REST API, its URL.
        queues: where what failed on the way to it or in it waits, and what that is.
        alarms: description by logical id of those about each of these queues, or about itself.
    """

    name: str
    description: str
    folder: str
    rules: Sequence[Rule]
    schedules: Sequence[Schedule]
    permissions: Sequence[Permission]
    inputs: Sequence[str] = ()
    queues: Mapping[str, str] = field(default_factory=dict)
    alarms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

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
    rules, schedules, deployed = list(rules), list(schedules), dict.fromkeys(deployed)
    resources = decided(template["Resources"], creates_buckets(template["Resources"], deployed))
    template = {**template, "Resources": resources}
    functions = [name for name in deployed if resources.get(name, {}).get("Type") == "AWS::Serverless::Function"]
    others = dict.fromkeys(rule.function for rule in rules if rule.function not in functions)
    alarms = {name: item for name, item in resources.items() if name in deployed and item.get("Type") == ALARM}
    return [
        _station(name, template, rules, schedules, alarms, is_function=name in functions)
        for name in [*sorted(functions), *sorted(others)]
    ]


def creates_buckets(resources: Mapping[str, Any], deployed: Container[str]) -> dict[str, bool]:
    """Whether the conditions under which the template creates buckets hold, by their names.

    A bucket tells: it keeps its logical id, unlike a layer, and local clouds have it, unlike some other resources.
    """
    return {
        item["Condition"]: name in deployed
        for name, item in resources.items()
        if item.get("Type") == BUCKET and "Condition" in item
    }


def decided(value: Any, holds: Mapping[str, bool]) -> Any:
    """A part of the template with the branch that counts in place of each `Fn::If` whose condition is known."""
    match value:
        case {"Fn::If": [str(condition), then, otherwise]} if condition in holds:
            return decided(then if holds[condition] else otherwise, holds)
        case dict():
            return {key: decided(inner, holds) for key, inner in value.items()}
        case list():
            return [decided(inner, holds) for inner in value]
    return value


def _station(
    name: str,
    template: Mapping[str, Any],
    rules: Iterable[Rule],
    schedules: Iterable[Schedule],
    alarms: Mapping[str, Any],
    *,
    is_function: bool,
) -> Station:
    resources = template["Resources"]
    its_rules = [rule for rule in rules if rule.function == name]
    its_schedules = [schedule for schedule in schedules if schedule.function == name]
    if not is_function:
        queues = failures(name, template, delivered=True, invoked=False)
        return Station(name, "", "", its_rules, its_schedules, [], (), queues, about(alarms, queues))
    is_sent_events = bool(its_rules or its_schedules)
    queues = failures(name, template, delivered=is_sent_events, invoked=is_sent_events)
    groups = [f"{name.removesuffix('Function')}{schedule.name}Group" for schedule in its_schedules]
    function = resources[name]
    return Station(
        name,
        function["Properties"].get("Description", ""),
        folder(function),
        its_rules,
        its_schedules,
        list(permissions(function, resources)),
        list(inputs(name, resources)),
        queues,
        about(alarms, [*queues, *queues_of(name, resources)], {name: name} | dict.fromkeys(groups, name)),
    )


def inputs(name: str, resources: Mapping[str, Any]) -> Iterator[str]:
    """What invokes the function beside rules and schedules."""
    properties = resources[name]["Properties"]
    yield from (f"queue {queue}" for queue in queues_of(name, resources))
    if any(event["Type"] == "Api" for event in properties.get("Events", {}).values()):
        yield "REST API"
    if "FunctionUrlConfig" in properties:
        yield "function URL"


def queues_of(name: str, resources: Mapping[str, Any]) -> list[str]:
    """The queues whose messages the function takes."""
    mappings = [item["Properties"] for item in resources.values() if item.get("Type") == MAPPING]
    return sorted(
        {queue for one in mappings if name in names(one["FunctionName"]) for queue in names(one["EventSourceArn"])}
    )


def failures(name: str, template: Mapping[str, Any], *, delivered: bool, invoked: bool) -> dict[str, str]:
    """The queues in which something waits for people, by what it is.

    Args:
        delivered: rules or schedules hand events over.
        invoked: Lambda keeps the events that fail.
    """
    resources, found = template["Resources"], {}
    if delivered:
        found["UndeliveredEventsQueue"] = "Events that EventBridge could not hand over"
    if invoked:
        kept = template["Globals"]["Function"]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"]
        found |= dict.fromkeys(names(kept), "Events that failed three times")
    for queue in queues_of(name, resources):
        kept = resources[queue]["Properties"].get("RedrivePolicy", {}).get("deadLetterTargetArn")
        found |= dict.fromkeys(names(kept), f"Messages of {queue} that failed")
    return found


def about(
    alarms: Mapping[str, Any], queues: Iterable[str], others: Mapping[str, str] = MappingProxyType({})
) -> dict[str, dict[str, str]]:
    """The alarms by what they are about: each of the queues, and what `others` gives another name."""
    called = {**{queue: queue for queue in queues}, **others}
    found: dict[str, dict[str, str]] = {}
    for name, alarm in alarms.items():
        properties = alarm["Properties"]
        for watched in names([properties.get("Dimensions"), properties.get("Metrics")]) & called.keys():
            found.setdefault(called[watched], {})[name] = properties["AlarmDescription"]
    return found


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


# ---------------------------------------------------------------- all of them


def overview(found: Sequence[Station]) -> dict[str, Any]:
    """All stations between what sends them events and the services that they call, as an option of ECharts.

    https://echarts.apache.org/en/option.html#series-sankey
    """
    links = [(sender, one.name) for one in found for sender in senders(one)]
    links += [(one.name, service) for one in found for service in one.touches]
    columns = (
        dict.fromkeys(sender for one in found for sender in senders(one)),
        dict.fromkeys(one.name for one in found),
        dict.fromkeys(service for one in found for service in one.touches),
    )
    nodes = [
        {"name": name, "depth": depth, "itemStyle": {"color": colour}}
        for depth, (column, colour) in enumerate(zip(columns, COLOURS, strict=True))
        for name in column
    ]
    return {
        "animation": False,
        "series": {
            "type": "sankey",
            "data": nodes,
            "links": [{"source": source, "target": target, "value": 1} for source, target in links],
            "draggable": False,
            "left": 10,
            "right": 120,
            "top": 10,
            "bottom": 10,
            "nodeGap": 6,
            "label": {"color": "inherit", "fontSize": 12},
            "lineStyle": {"color": "gradient", "opacity": 0.25},
            "emphasis": {"focus": "adjacency", "lineStyle": {"opacity": 0.7}},
        },
    }


def senders(station: Station) -> list[str]:
    """What sends it events."""
    return [*(f"bus {bus}" for bus in station.buses), *["schedules"] * bool(station.schedules), *station.inputs]


# ---------------------------------------------------------------- one of them


@dataclass(frozen=True)
class Node:
    """A node of the drawing.

    Attributes:
        id: letters and digits, the first of which say what it is.
        lines: below its title.
        says: what one reads when one opens it: headings, and a text for each.
        to: ids of the nodes to which lines lead from it; `beside` those to which broken ones do.
    """

    id: str
    title: str
    lines: Sequence[str] = ()
    says: Sequence[tuple[str, str]] = ()
    to: Sequence[str] = ()
    beside: Sequence[str] = ()


STATION = "station"


def nodes(station: Station) -> list[Node]:
    """What leads to the station, itself, what it calls, where its failures wait, and the alarms about them."""
    services, queues, alarms = _services(station), _queues(station), _alarms(station)
    beside = [*(one.id for one in queues), *(one.id for one in alarms if one.id == f"alarm{STATION}")]
    itself = Node(STATION, station.name, [], [("", station.description)], [one.id for one in services], beside)
    return [*_senders(station), itself, *services, *queues, *alarms]


def _senders(station: Station) -> Iterator[Node]:
    kinds = list(dict.fromkeys((rule.bus, listens(rule.pattern)) for rule in station.rules))
    for number, bus in enumerate(station.buses):
        its = [f"rule{index}" for index, (of, _) in enumerate(kinds) if of == bus]
        yield Node(
            f"bus{number}", f"bus {bus}", [], [("", f"{len(its)} kinds of events go from it to {station.name}.")], its
        )
    for number, kind in enumerate(kinds):
        rules = [rule for rule in station.rules if (rule.bus, listens(rule.pattern)) == kind]
        says = [(f"Rule {rule.name}, on the bus {rule.bus}", pretty(rule.pattern)) for rule in rules]
        yield Node(f"rule{number}", kind[1], [rule.name for rule in rules], says, [STATION])
    for number, schedule in enumerate(station.schedules):
        yield Node(
            f"schedule{number}", f"schedule {schedule.name}", [], [("Its event", pretty(schedule.input))], [STATION]
        )
    for number, sender in enumerate(station.inputs):
        watched = sender.removeprefix("queue ")
        beside = [f"alarm{watched}"] if watched in station.alarms else []
        yield Node(f"input{number}", sender, [], [("", f"It invokes {station.name}.")], [STATION], beside)


def _services(station: Station) -> list[Node]:
    found = []
    for number, service in enumerate(station.touches):
        allowed = [
            one for one in station.permissions if any(action.startswith(f"{service}:") for action in one.actions)
        ]
        resources = dict.fromkeys(plain(resource) for one in allowed for resource in one.resources)
        says = [(", ".join(one.actions), "on " + ", ".join(one.resources)) for one in allowed]
        found.append(Node(f"service{number}", service, list(resources), says))
    return found


def _queues(station: Station) -> list[Node]:
    return [
        Node(
            f"queue{number}",
            queue,
            [what],
            [("", f"{what} wait here, for 14 days. The page Failed shows them.")],
            [],
            [f"alarm{queue}"] if queue in station.alarms else [],
        )
        for number, (queue, what) in enumerate(station.queues.items())
    ]


def _alarms(station: Station) -> list[Node]:
    return [
        Node(f"alarm{STATION if watched == station.name else watched}", "alarms", list(alarms), list(alarms.items()))
        for watched, alarms in station.alarms.items()
    ]


def listens(pattern: str) -> str:
    """The kind of events that a rule's pattern, as JSON, is about: `source: detail-type`."""
    read = json.loads(pattern)
    source, kind = (", ".join(map(_told, read.get(name, []))) for name in ("source", "detail-type"))
    return f"{source or 'any source'}: {kind or 'any detail type'}"


def _told(value: Any) -> str:
    return value if isinstance(value, str) else wants([value])


def pretty(text: str) -> str:
    """JSON as a person reads it."""
    return json.dumps(json.loads(text), indent=2, ensure_ascii=False)


def plain(resource: str) -> str:
    """A resource of a permission without what every name of AWS begins with; one of the stack by its logical id.

    >>> plain("arn:{Partition}:ec2:{Region}:{AccountId}:instance/*")  # "instance/*"
    >>> plain("{AuditBucket.Arn}/audit/*")  # "AuditBucket/audit/*"
    """
    name = resource.split(":", 5)[-1] if resource.startswith("arn:") else resource
    return re.sub(r"\{(\w+)(?:\.Arn)?\}", r"\1", name)


def drawing(found: Iterable[Node]) -> str:
    """The nodes as a flow chart of Mermaid, in the colours of the page on which it stands."""
    found = list(found)
    lines = [
        "flowchart LR",
        "classDef default fill:none,stroke:#808890,color:inherit",
        "linkStyle default stroke:#808890",
    ]
    lines += [f'{one.id}["{_label(one)}"]' for one in found]
    lines += [f"{one.id} --> {other}" for one in found for other in one.to]
    lines += [f"{one.id} -.-> {other}" for one in found for other in one.beside]
    lines.append(f"style {STATION} stroke:{COLOURS[1]},stroke-width:3px")
    return "\n".join(lines)


def _label(node: Node) -> str:
    more = len(node.lines) - MOST
    lines = [*node.lines[:MOST], *([f"and {more} more"] if more > 0 else [])]
    return "<br/>".join([f"<b>{_quoted(node.title)}</b>", *map(_quoted, lines)])


def _quoted(text: str) -> str:
    """Text that Mermaid shows as it is. https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters"""
    return re.sub(r"[^\w ./-]", lambda found: f"#{ord(found[0])};", text)
