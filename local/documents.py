"""The pages of docs/automations: each is the automation's README, and what template.yaml, the metrics and the sample events say of it.

`python -m local documents write` writes them anew.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from local.cloud import ROOT
from local.console.chart import statements, words
from local.dashboard import TEMPLATE
from local.metrics import METRICS, NAMESPACE
from local.security import camel
from local.template import Loader

PAGES = ROOT / "docs" / "automations"
NOTE = "<!-- Written by `python -m local documents write` from {sources}: change those. -->"
SHARED = frozenset(
    {
        *("AlertsEmail", "SlackWebhookSecret", "SlackWebhookParameter", "Alarms", "Dashboard", "ForwardedEvents"),
        *("ArchiveEvents", "ArchiveRetentionDays", "Architecture", "AwsEndpointUrl", "LogLevel", "LogRetentionDays"),
    }
)
"""The parameters of all automations, which docs/deploy.md has."""
REASON = "# why"
ALARM = "AWS::CloudWatch::Alarm"
LONGEST_CONDITION = 200
"""Characters; a longer one is only named."""
SETTINGS = ("MemorySize", "Timeout")


# ---------------------------------------------------------------- what the template says


class Commented(Loader):
    """Keeps the comment above a policy's statement, or above the condition around it, with the statement, as `REASON`."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        value = super().construct_mapping(node, deep)
        if "Effect" in value:
            value[REASON] = comment_above(lines()[: node.start_mark.line])
        return value


@cache
def lines() -> list[str]:
    return TEMPLATE.read_text().splitlines()


def comment_above(before: list[str]) -> str:
    """The comment at the end of the lines, but for a condition around what comes next."""
    end = len(before)
    if not before[-1].lstrip().startswith("#") and before[-2].strip() == "- Fn::If:":
        end -= 2
    begin = end
    while before[begin - 1].lstrip().startswith("#"):
        begin -= 1
    return " ".join(line.strip().removeprefix("# ") for line in before[begin:end])


@cache
def template() -> Mapping[str, Any]:
    found: dict[str, Any] = yaml.load(TEMPLATE.read_text(), Commented)  # noqa: S506 # a SafeLoader
    return found


@cache
def comments() -> Mapping[str, str]:
    """The comment above each resource, without those that say where a generated part begins."""
    found = re.findall(r"((?:^  # .*\n)+)  (\w+):\n    Type:", TEMPLATE.read_text(), re.MULTILINE)
    return {
        name: " ".join(line.strip() for line in re.findall(r"^  # (?!@ |\w+: |-{9})(.*)$", text, re.MULTILINE))
        for text, name in found
    }


@dataclass(frozen=True)
class Automation:
    """A folder of functions/, and the resources that exist only with it.

    Attributes:
        folder: below functions/.
        resources: those whose condition demands the automation's, by logical id, in the order of the template.
    """

    folder: str
    resources: Mapping[str, Mapping[str, Any]]

    @property
    def name(self) -> str:
        """As conditions and parameters name it."""
        return camel(self.folder)

    @property
    def readme(self) -> Path:
        return ROOT / "functions" / self.folder / "README.md"

    @property
    def function(self) -> Mapping[str, Any]:
        """The function's properties; empty where rules do all."""
        properties: Mapping[str, Any] = self.resources.get(f"{self.name}Function", {}).get("Properties", {})
        return properties

    @property
    def parameters(self) -> list[str]:
        """The parameters that decide about it or are read by it, but for those of all functions; others where its README names them."""
        own = named(self.resources) - SHARED | rows_of_parameters(self.readme.read_text()).keys()
        return [name for name in template()["Parameters"] if name in own]


def automations() -> list[Automation]:
    return [_automation(path.parent.name) for path in sorted((ROOT / "functions").glob("*/README.md"))]


def _automation(folder: str) -> Automation:
    own = {
        name: item
        for name, item in template()["Resources"].items()
        if _demands({"Condition": item.get("Condition", "")}, camel(folder))
    }
    return Automation(folder, own)


def _demands(expression: Any, automation: str) -> bool:
    """Whether the condition holds only with the automation."""
    match expression:
        case {"Condition": str(name)}:
            return name == automation or _demands(template()["Conditions"].get(name), automation)
        case {"Fn::And": parts}:
            return any(_demands(part, automation) for part in parts)
        case {"Fn::Or": parts}:
            return all(_demands(part, automation) for part in parts)
    return False


def named(value: Any) -> set[str]:
    """The parameters in an expression, and in the conditions that it is under."""
    parameters = template()["Parameters"].keys()
    match value:
        case {"Ref": str(name)}:
            return {name} & parameters
        case {"Fn::Sub": [str(text), variables]}:
            return named({"Fn::Sub": text}) | named(variables)
        case {"Fn::Sub": str(text)}:
            return set(re.findall(r"\$\{(\w+)", text)) & parameters
        case {"Fn::If": [str(condition), *parts]}:
            return named({"Condition": condition}) | named(parts)
        case {"Condition": str(name), **rest}:
            return named(template()["Conditions"][name]).union(*map(named, rest.values()))
        case Mapping():
            return set().union(*map(named, value.values()))
        case list():
            return set().union(*map(named, value))
    return set()


# ---------------------------------------------------------------- in words


def when(condition: Any, automation: str = "") -> str:
    """A condition as people read it, without the part that the automation is there; empty when nothing is left."""
    match condition:
        case {"Condition": str(name)} if name == automation:
            return ""
        case {"Condition": str(name)}:
            text = when(template()["Conditions"][name], automation)
            return text if len(text) < LONGEST_CONDITION else f"the condition `{name}` of the template holds"
        case {"Fn::Equals": [value, ""]}:
            return f"`{_one(value)}` is not given"
        case {"Fn::Not": [{"Fn::Equals": [value, ""]}]}:
            return f"`{_one(value)}` is given"
        case {"Fn::Equals": [value, other]}:
            return f"`{_one(value)}` is `{_one(other)}`"
        case {"Fn::Not": [{"Fn::Equals": [value, other]}]}:
            return f"`{_one(value)}` is not `{_one(other)}`"
        case {"Fn::Not": [{"Fn::Not": [part]}]}:
            return when(part, automation)
        case {"Fn::Not": [{"Condition": str(name)}]}:
            return when({"Fn::Not": [template()["Conditions"][name]]}, automation)
        case {"Fn::And": parts}:
            return " and ".join(filter(None, (when(part, automation) for part in parts)))
        case {"Fn::Or": parts}:
            return ", or ".join(filter(None, (when(part, automation) for part in parts)))
    raise ValueError(f"A condition has a form that nobody has put into words yet: {condition}")


def _one(value: Any) -> str:
    """A parameter's name, also of one with several values, or a value."""
    match value:
        case {"Fn::Select": [_, inner]}:
            return _one(inner)
        case {"Ref": str(name)}:
            return name
    return str(value)


def plain(value: Any) -> Any:
    """A part of the template with what it refers to by its name, in braces."""
    match value:
        case {"Fn::If": _} | {"Ref": _} | {"Fn::GetAtt": _} | {"Fn::Sub": _}:
            return " or ".join(words(value))
        case Mapping():
            return {plain(key): plain(part) for key, part in value.items()}
        case list():
            return [plain(part) for part in value]
        case str():
            return next(words(value))
    return value


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown; empty without rows. A bar in a cell is escaped, as GitHub wants it."""
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    if len(lines) == 2:
        return ""
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "".join(f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in line)}|\n" for line in cells)


def codes(texts: Iterable[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts)


# ---------------------------------------------------------------- the README


def rows_of_parameters(readme: str) -> dict[str, tuple[str, str]]:
    """The default and the words that the README's table has for each parameter; several may share a row."""
    found = {}
    own = re.search(r"^\| parameter \| default \|.*\n((?:\|.*\n)*)", readme, re.MULTILINE)
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (.*?) ?\| ?(.*?) ?\|$", own[1] if own else "", re.MULTILINE)
    for names, default, text in rows:
        several = re.findall(r"`(\w+)`", names)
        values = default.split(", ") if default.count(", ") == len(several) - 1 else [default] * len(several)
        found.update({name: (value.strip("`"), text) for name, value in zip(several, values, strict=True)})
    return found


def relinked(text: str, folder: str) -> str:
    """The README's text with its relative links as they are from its page; other READMEs become their pages."""

    def link(found: re.Match[str]) -> str:
        path, mark, heading = found[1].partition("#")
        if not path or "://" in path:
            return found[0]
        target = os.path.normpath(f"functions/{folder}/{path}")
        if page := re.fullmatch(r"functions/(\w+)/README\.md", target):
            return f"]({page[1]}.md{mark}{heading})"
        return f"]({os.path.relpath(target, 'docs/automations')}{mark}{heading})"

    return re.sub(r"\]\(([^)]+)\)", link, text)


# ---------------------------------------------------------------- the page


def page(one: Automation) -> str:
    """The whole page: the README with the template's table of parameters in the place of its own, and the rest of the template."""
    title, _, text = relinked(one.readme.read_text(), one.folder).partition("\n")
    own = re.compile(r"(\*\*Parameters\*\*\n\n)(?:\|.*\n)+")
    text = own.sub(lambda found: found[1] + parameters(one), text)
    note = NOTE.format(sources=f"functions/{one.folder}/README.md and template.yaml")
    sections = {
        "Events": events(one),
        "Permissions": permissions(one),
        "Metrics": metrics(one.folder),
        "Resources": resources(one),
        "Alarms": alarms(one),
        "Outputs": outputs(one),
    }
    parts = [f"### {name}\n\n{section}" for name, section in sections.items() if section]
    return "\n".join([title, "", note, text, f"## In the template\n\n{size(one)}", *parts])


def parameters(one: Automation) -> str:
    ours = rows_of_parameters(one.readme.read_text())
    rows = []
    for name in one.parameters:
        declared = template()["Parameters"][name]
        default, description = str(declared.get("Default", "")), declared.get("Description", "")
        _, note = ours.get(name, ("", ""))
        rows.append([f"`{name}`", f"`{default}`" if default else "", takes(declared), description, note])
    return table(["parameter", "default", "takes", "description", "note"], rows)


def takes(declared: Mapping[str, Any]) -> str:
    """Which values a parameter may have."""
    match declared:
        case {"AllowedValues": values}:
            return codes(map(str, values))
        case {"AllowedPattern": str(pattern)}:
            return f"text like `{pattern}`"
        case {"Type": "Number"}:
            limits = [
                (word, declared[key]) for word, key in (("from", "MinValue"), ("to", "MaxValue")) if key in declared
            ]
            return " ".join(["a number", *(f"{word} {value}" for word, value in limits)])
        case {"Type": "CommaDelimitedList"}:
            return "a list with commas"
    return "text"


def size(one: Automation) -> str:
    usual = template()["Globals"]["Function"]
    what = "What stands in braces is a resource or a parameter of [template.yaml](../../template.yaml)."
    if not one.function:
        return f"{what}\n"
    memory, seconds = (one.function.get(name, usual[name]) for name in SETTINGS)
    cost = "[what that costs, and why](../performance.md)"
    common = "[parameters that all share](../deploy.md#parameters-that-all-share)"
    return f"{memory} MB of memory and at most {seconds} seconds for a run: {cost}. It also has the {common}. {what}\n"


# ---------------------------------------------------------------- events


@cache
def samples() -> Mapping[str, Mapping[str, Any]]:
    found: dict[str, dict[str, Any]] = tomllib.loads((ROOT / "events" / "index.toml").read_text())
    return found


def _links(names: Iterable[str]) -> str:
    return ", ".join(f"[{Path(name).stem}](../../events/{name})" for name in names)


def events(one: Automation) -> str:
    """What brings it events: rules, schedules, requests, queues, pipes."""
    lines: list[str] = []
    shown: list[tuple[str, Any]] = []
    for name, rule, condition in rules(one):
        same = next((other for other, pattern in shown if pattern == rule["pattern"]), "")
        only = f" Exists only when {condition}." if condition else ""
        lines.append(f"**`{name}`**, a rule of the bus `{rule['bus']}`, hands events to {rule['targets']}.{only}")
        if same:
            lines += [f"Its pattern is that of `{same}`.", ""]
            continue
        shown.append((name, rule["pattern"]))
        matching = [sample for sample, entry in samples().items() if name in entry["matches"]]
        near = [sample for sample, entry in samples().items() if entry.get("near") == name]
        lines += [f"Samples that match: {_links(matching)}."] if matching else []
        lines += [f"Samples that nearly do: {_links(near)}."] if near else []
        text = yaml.safe_dump(rule["pattern"], sort_keys=False, default_flow_style=None, width=120, allow_unicode=True)
        lines += ["", "```yaml", text.rstrip(), "```", ""]
    for sentence in other_triggers(one):
        lines += [sentence, ""]
    return "\n".join(lines)


def rules(one: Automation) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Name, bus, pattern and targets of each rule, and the condition on which it exists."""
    for name, event in one.function.get("Events", {}).items():
        if event["Type"] == "EventBridgeRule":
            yield name, _rule(event["Properties"], "Pattern", "the function"), ""
    for name, item in one.resources.items():
        if item["Type"] == "AWS::Events::Rule":
            targets = codes(plain(target["Arn"]) for target in item["Properties"]["Targets"])
            yield name, _rule(item["Properties"], "EventPattern", targets), when(item, one.name)


def _rule(properties: Mapping[str, Any], key: str, targets: str) -> dict[str, Any]:
    return {
        "bus": plain(properties.get("EventBusName", "default")),
        "pattern": plain(properties[key]),
        "targets": targets,
    }


def other_triggers(one: Automation) -> Iterator[str]:
    """A sentence for each schedule, path of an API, queue and pipe."""
    for name, event in one.function.get("Events", {}).items():
        properties = event["Properties"]
        if event["Type"] == "ScheduleV2":
            matching = [sample for sample, entry in samples().items() if entry.get("schedule") == name]
            expression, zone = plain(properties["ScheduleExpression"]), plain(properties["ScheduleExpressionTimezone"])
            yield f"**`{name}`**, a schedule: `{expression}` in the time zone `{zone}`. Sample: {_links(matching)}."
        elif event["Type"] == "Api":
            api, method = plain(properties["RestApiId"]), properties["Method"].upper()
            yield f"**`{name}`**, a request: `{method} {properties['Path']}` of `{api}`."
    if "FunctionUrlConfig" in one.function:
        yield "A request to its function URL."
    for name, item in one.resources.items():
        properties = item.get("Properties", {})
        if item["Type"] == "AWS::Lambda::EventSourceMapping":
            yield (
                f"**`{name}`**: messages on `{plain(properties['EventSourceArn'])}`, at most {properties['BatchSize']} at a time."
            )
        elif item["Type"] == "AWS::Pipes::Pipe":
            source, target = plain(properties["Source"]), plain(properties["Target"])
            only = when(item, one.name)
            yield f"**`{name}`**, a pipe from `{source}` to `{target}`{f', when {only}' if only else ''}."


# ---------------------------------------------------------------- permissions, metrics, resources


def permissions(one: Automation) -> str:
    """What each role allows: of the function, then of pipes and the like."""
    holders = {"": one.function} | {
        name: item["Properties"] for name, item in one.resources.items() if item["Type"] == "AWS::IAM::Role"
    }
    parts = []
    for name, holder in holders.items():
        found = statements(holder.get("Policies", []), template()["Resources"])
        rows = [_permission(statement, conditions, one.name) for statement, conditions in found]
        shown = table(["may", "on", "when", "why so"], rows)
        parts += [f"The role `{name}`:\n\n{shown}" if name else shown] if shown else []
    return "\n".join(parts)


def _permission(statement: Mapping[str, Any], conditions: Iterable[str], automation: str) -> list[str]:
    only = statement.get("Condition")
    on = codes(dict.fromkeys(words(statement["Resource"])))
    return [
        codes(words(statement["Action"])),
        f"{on}, if `{json.dumps(plain(only))}`" if only else on,
        " and ".join(filter(None, (when({"Condition": name}, automation) for name in narrowest(conditions)))),
        statement.get(REASON, ""),
    ]


def narrowest(conditions: Iterable[str]) -> list[str]:
    """Those of the conditions of which no other one is an alternative, so that it says the same already."""

    def alternatives(expression: Any) -> set[str]:
        match expression:
            case {"Condition": str(name)}:
                return {name}
            case {"Fn::Or": parts}:
                return set().union(*map(alternatives, parts))
        return set()

    names = list(conditions)
    return [name for name in names if not alternatives(template()["Conditions"][name]) & set(names)]


def metrics(folder: str) -> str:
    rows = [[f"`{metric.name}`", metric.label, metric.unit] for metric in METRICS.get(folder, ())]
    text = f"In the namespace `{NAMESPACE}`, with the dimension `service`, which is `{folder}`.\n\n"
    return text + table(["metric", "what it counts", "unit"], rows) if rows else ""


def resources(one: Automation) -> str:
    rows = []
    for name, item in one.resources.items():
        if item["Type"] in {ALARM, "AWS::Events::Rule", "AWS::Lambda::Permission"}:
            continue
        text = comments().get(name, "") or item.get("Properties", {}).get("Description", "")
        kept = "It stays when the stack is deleted." if "DeletionPolicy" in item else ""
        rows.append([f"`{name}`", f"`{item['Type']}`", when(item, one.name), " ".join(filter(None, (text, kept)))])
    return table(["resource", "type", "when", ""], rows)


def alarms(one: Automation) -> str:
    found = {name: item for name, item in one.resources.items() if item["Type"] == ALARM}
    rows = [[f"`{name}`", item["Properties"]["AlarmDescription"], when(item, one.name)] for name, item in found.items()]
    text = "What to do about each: [dashboard and alarms](../dashboard.md#the-alarms).\n\n"
    return text + table(["alarm", "tells", "when"], rows) if rows else ""


def outputs(one: Automation) -> str:
    rows = [
        [f"`{name}`", item.get("Description", "")]
        for name, item in template()["Outputs"].items()
        if _demands({"Condition": item.get("Condition", "")}, one.name)
    ]
    return table(["output", ""], rows)


# ---------------------------------------------------------------- writing


def index() -> str:
    """The list of the pages."""
    rows = []
    for one in automations():
        switch = template()["Parameters"].get(f"Enable{one.name}")
        turned_on = (
            f"`Enable{one.name}` ({'on' if switch['Default'] == 'true' else 'off'})"
            if switch
            else when({"Condition": one.name})
        )
        does = one.function.get("Description", "Rules mail events, without a function")
        rows.append([f"[{one.folder}]({one.folder}.md)", does, turned_on])
    note = NOTE.format(sources="template.yaml")
    text = "Each page is the automation's README with what template.yaml says of it: parameters, events, permissions, metrics, resources."
    return f"# The automations\n\n{note}\n\n{text}\n\n" + table(["automation", "does", "exists when"], rows)


def pages() -> dict[Path, str]:
    """Each page's text by its file."""
    return {PAGES / "README.md": index()} | {PAGES / f"{one.folder}.md": page(one) for one in automations()}


def write() -> list[Path]:
    """Write the pages, and delete those of automations that are no more; returns the files that changed."""
    PAGES.mkdir(exist_ok=True)
    wanted = pages()
    changed = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    for path in changed:
        path.write_text(wanted[path])
    gone = [path for path in PAGES.glob("*.md") if path not in wanted]
    for path in gone:
        path.unlink()
    return changed + gone
