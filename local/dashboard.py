"""The dashboard and the alarms, made of what template.yaml says of the functions, their triggers and their queues.

Each part stands in template.yaml between two comments; `python -m local dashboard write` writes it anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from local import generated
from local.cloud import ROOT
from local.metrics import METRICS, NAMESPACE, Metric
from local.template import Loader

OWNER = "dashboard"
TEMPLATE = ROOT / "template.yaml"
HOUR = 3600
DAY = 24 * HOUR

SILENCE: Mapping[str, str] = {
    "SecurityRemediationTakeBaseline": "3",
    "RdsBackupNightly": "27",  # a day may have 25 hours
    "OfficeHoursMorning": "!If [OfficeOnWeekdays, 75, 168]",  # from Friday to Monday 73; 168 is the most of an alarm
    "OfficeHoursEvening": "!If [OfficeOnWeekdays, 75, 168]",
}
"""By schedule, the hours without a run after which one was missed: the longest time between two runs, and some."""


# ---------------------------------------------------------------- what the template says


@dataclass(frozen=True)
class Function:
    """Attributes:
    automation: as conditions and parameters name it.
    folder: of its code, which is also the service of its metrics.
    description: the template's.
    events: EventBridge or Scheduler invokes it, and Lambda tries again.
    api: a REST API invokes it, and somebody waits for the answer.
    url: so does its function URL.
    schedules: that invoke it, with the automation's name before each.
    queue: whose messages it takes, if it does.
    kept: the queue where its failures wait for people; empty where nothing waits.
    """

    automation: str
    folder: str
    description: str
    events: bool
    api: bool
    url: bool
    schedules: tuple[str, ...]
    queue: str
    kept: str

    @property
    def name(self) -> str:
        """Its logical id."""
        return f"{self.automation}Function"

    @property
    def waited_for(self) -> bool:
        """Whether an error reaches somebody who waits, instead of a retry."""
        return self.api or self.url


@cache
def template() -> Mapping[str, Any]:
    """template.yaml without the parts that are written here, which may be those of another day."""
    others = re.sub(rf"# {OWNER}: (?!end of)(.+)\n.*?# {OWNER}: end of \1\n", "", TEMPLATE.read_text(), flags=re.DOTALL)
    return yaml.load(others, Loader)  # noqa: S506 # a SafeLoader


def resources() -> Mapping[str, Mapping[str, Any]]:
    return template()["Resources"]


def of_type(kind: str) -> dict[str, Mapping[str, Any]]:
    return {name: item for name, item in resources().items() if item["Type"] == kind}


def folder_of(automation: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", automation).lower()


def functions() -> list[Function]:
    return [_function(name, item) for name, item in of_type("AWS::Serverless::Function").items()]


def _function(name: str, item: Mapping[str, Any]) -> Function:
    properties = item["Properties"]
    triggers = {key: event["Type"] for key, event in properties.get("Events", {}).items()}
    automation = name.removesuffix("Function")
    events = bool({"EventBridgeRule", "ScheduleV2"} & set(triggers.values()))
    queue = _queue_of(name)
    return Function(
        automation=automation,
        folder=folder_of(automation),
        description=properties["Description"],
        events=events,
        api="Api" in triggers.values(),
        url="FunctionUrlConfig" in properties,
        schedules=tuple(f"{automation}{key}" for key, kind in triggers.items() if kind == "ScheduleV2"),
        queue=queue,
        kept="FailedEventsQueue" if events else _dead_letters_of(queue) if queue else "",
    )


def _queue_of(function: str) -> str:
    mappings = of_type("AWS::Lambda::EventSourceMapping").values()
    sources = [
        one["Properties"]["EventSourceArn"]
        for one in mappings
        if one["Properties"]["FunctionName"] == {"Ref": function}
    ]
    return _logical_id(sources[0]) if sources else ""


def _dead_letters_of(queue: str) -> str:
    return _logical_id(resources()[queue]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"])


def _logical_id(arn: Mapping[str, str]) -> str:
    return arn["Fn::GetAtt"].split(".")[0]


def rules_without_function() -> dict[str, list[str]]:
    """The automations that are only rules of the default bus, by their condition."""
    with_function = {one.automation for one in functions()}
    found: dict[str, list[str]] = {}
    for name, item in of_type("AWS::Events::Rule").items():
        if item.get("Condition", "") not in with_function and "EventBusName" not in item["Properties"]:
            found.setdefault(item["Condition"], []).append(name)
    return {condition: names for condition, names in found.items() if f"Enable{condition}" in template()["Parameters"]}


# ---------------------------------------------------------------- the alarms


@dataclass(frozen=True)
class Alarm:
    """One of the alarms that are written.

    Attributes:
        condition: on which it exists.
        description: what people read; in single quotes of YAML, so without one.
        dimension: of the metric, and its value as the template writes it.
        statistic: over each period.
        period: in seconds.
        periods: so many in a row, as the template writes it.
        below: it is for a number that is below 1, instead of above 0.
        silence: it also tells when the metric stops.
    """

    name: str
    condition: str
    description: str
    namespace: str
    metric: str
    dimension: tuple[str, str]
    statistic: str = "Sum"
    period: int = 300
    periods: str = "1"
    below: bool = False
    silence: bool = False


def alarms() -> list[Alarm]:
    found = [alarm for function in functions() for alarm in _of_function(function)]
    found += _of_apis()
    found += [_missed(schedule, one.automation) for one in functions() for schedule in one.schedules]
    return found + [_forgotten(queue) for queue in kept_queues()]


def _of_function(function: Function) -> Iterator[Alarm]:
    name, condition = function.automation, f"{function.automation}Alarms"
    dimension = ("FunctionName", f"!Ref {function.name}")
    if function.url:
        text = f"{function.folder} answered a request with 5xx; its log says why"
        yield Alarm(f"{name}ErrorsAlarm", condition, text, "AWS/Lambda", "Url5xxCount", dimension)
    elif function.events or function.queue:
        text = f"{function.folder} has failed for a quarter of an hour, retries included; its log says why"
        yield Alarm(f"{name}ErrorsAlarm", condition, text, "AWS/Lambda", "Errors", dimension, periods="3")
    if function.waited_for:
        text = f"Lambda turned requests of {function.folder} away, because too many ran at once"
        yield Alarm(f"{name}ThrottlesAlarm", condition, text, "AWS/Lambda", "Throttles", dimension)
    else:
        text = f"Lambda has put {function.folder} off for a quarter of an hour, because too many ran at once"
        yield Alarm(f"{name}ThrottlesAlarm", condition, text, "AWS/Lambda", "Throttles", dimension, periods="3")


def _of_apis() -> list[Alarm]:
    """SAM names every REST API after the stack, and the metrics know an API by its name only: one alarm for all."""
    folders = " or ".join(one.folder for one in functions() if one.api)
    text = f"{folders} answered a request with 5xx; the function''s log says why"
    dimension = ("ApiName", "!Ref AWS::StackName")
    return [Alarm("RestApisAlarm", "RestApisAlarms", text, "AWS/ApiGateway", "5XXError", dimension)]


def _missed(schedule: str, automation: str) -> Alarm:
    text = f"The schedule {schedule} did not run when it should have; see that it exists and is enabled"
    return Alarm(
        f"{schedule}MissedAlarm",
        f"{automation}Alarms",
        text,
        "AWS/Scheduler",
        "InvocationAttemptCount",
        ("ScheduleGroup", f"!Ref {schedule}Group"),
        period=HOUR,
        periods=SILENCE[schedule],
        below=True,
        silence=True,
    )


def kept_queues() -> dict[str, str]:
    """The queues where events wait for people, and the condition on which each exists."""
    named = ["FailedEventsQueue", "UndeliveredEventsQueue", *(one.kept for one in functions() if one.kept)]
    return {name: resources()[name].get("Condition", "") for name in dict.fromkeys(named)}


def _forgotten(queue: str) -> Alarm:
    condition = kept_queues()[queue]
    return Alarm(
        f"{queue}ForgottenAlarm",
        f"{condition}Alarms" if condition else "HasAlarms",
        f"Something has been in {queue} on each of seven days; SQS deletes it after 14. Look: python -m local failed list",
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        ("QueueName", f"!GetAtt {queue}.QueueName"),
        statistic="Maximum",
        period=DAY,
        periods="7",
    )


def alarm_resources() -> str:
    lines: list[str] = []
    for alarm in alarms():
        key, value = alarm.dimension
        lines += [
            f"{alarm.name}:",
            "  Type: AWS::CloudWatch::Alarm",
            f"  Condition: {alarm.condition}",
            "  Properties:",
            f"    AlarmDescription: '{alarm.description}'",
            f"    Namespace: {alarm.namespace}",
            f"    MetricName: {alarm.metric}",
            "    Dimensions:",
            f"      - {{Name: {key}, Value: {value}}}",
            f"    Statistic: {alarm.statistic}",
            f"    Period: {alarm.period}",
            f"    EvaluationPeriods: {alarm.periods}",
            f"    Threshold: {int(alarm.below)}",
            f"    ComparisonOperator: {'LessThanThreshold' if alarm.below else 'GreaterThanThreshold'}",
            f"    TreatMissingData: {'missing' if alarm.silence else 'notBreaching'}",
            "    AlarmActions: [!Ref AlertsTopic]",
            *(["    InsufficientDataActions: [!Ref AlertsTopic]"] if alarm.silence else []),
        ]
    return "\n".join(lines) + "\n"


def schedule_groups() -> str:
    lines = []
    for one in functions():
        for schedule in one.schedules:
            lines += [f"{schedule}Group:", "  Type: AWS::Scheduler::ScheduleGroup", f"  Condition: {one.automation}"]
    return "\n".join(lines) + "\n"


def conditions() -> str:
    lines = [f"{one.automation}Alarms: !And [!Condition HasAlarms, !Condition {one.automation}]" for one in functions()]
    apis = ", ".join(f"!Condition {one.automation}Alarms" for one in functions() if one.api)
    return "\n".join([*lines, f"RestApisAlarms: !Or [{apis}]"]) + "\n"


# ---------------------------------------------------------------- the dashboard

Widget = dict[str, Any]
Line = list[Any]
"""A metric as a widget takes it: namespace, name, dimensions, options."""

REGION = "${AWS::Region}"
HEIGHT = 5


def text(markdown: str, height: int = 1) -> Widget:
    return {"type": "text", "width": 24, "height": height, "properties": {"markdown": markdown}}


def graph(title: str, lines: Iterable[Line], stat: str = "Sum", **more: Any) -> Widget:
    """A graph; CloudWatch takes longer periods for a long time range by itself."""
    properties = {"title": title, "region": REGION, "stat": stat, "period": 300, "metrics": list(lines), **more}
    return {"type": "metric", "height": HEIGHT, "properties": properties}


def rows() -> list[tuple[str, list[Widget]]]:
    """The widgets of each automation, after the condition on which it exists."""
    found = [(one.automation, row(one)) for one in functions()]
    return found + [(name, row_of_rules(name, rules)) for name, rules in rules_without_function().items()]


def row(function: Function) -> list[Widget]:
    shown = [_events(function), _duration(function), *_failures(function), done(function.folder)]
    width = 24 // len(shown)
    heading = text(f"**{function.folder}**: {function.description}")
    # No x and y: each widget takes the next free place, so a row that is left out leaves no gap.
    return [heading, *({**widget, "width": width} for widget in shown)]


def row_of_rules(automation: str, rules: Iterable[str]) -> list[Widget]:
    lines = [
        ["AWS/Events", metric, "RuleName", f"${{{rule}}}", {"label": f"{rule}: {label}"}]
        for rule in rules
        for metric, label in (("Invocations", "mailed"), ("FailedInvocations", "failed"))
    ]
    return [
        text(f"**{folder_of(automation)}**: mails events, without a function"),
        {**graph("Events", lines), "width": 24},
    ]


def _of_lambda(function: Function, name: str, label: str) -> Line:
    return ["AWS/Lambda", name, "FunctionName", f"${{{function.name}}}", {"label": label}]


def _events(function: Function) -> Widget:
    lines = [_of_lambda(function, "AsyncEventsReceived", "events")] if function.events else []
    lines += [
        ["AWS/Scheduler", "InvocationAttemptCount", "ScheduleGroup", f"${{{schedule}Group}}", {"label": schedule}]
        for schedule in function.schedules
    ]
    lines += [
        _of_lambda(function, "Invocations", "runs"),
        _of_lambda(function, "Errors", "errors"),
        _of_lambda(function, "Throttles", "throttled"),
    ]
    return graph("Events and errors", lines)


def _duration(function: Function) -> Widget:
    lines = []
    for stat, label in (("p50", "half are faster"), ("Maximum", "slowest")):
        line = _of_lambda(function, "Duration", label)
        line[-1]["stat"] = stat
        lines.append(line)
    return graph("Duration", lines, stat="Maximum")


def _failures(function: Function) -> Iterator[Widget]:
    if function.events:
        dropped = _of_lambda(function, "AsyncEventsDropped", "given up")
        lost = _of_lambda(function, "DestinationDeliveryFailures", "could not be kept")
        yield graph("Failed events", [dropped, lost, _age(function.kept, "oldest of all functions")])
    elif function.queue:
        waiting = _in_queue(function.queue, "ApproximateNumberOfMessagesVisible", "waiting")
        failed = _in_queue(function.kept, "ApproximateNumberOfMessagesVisible", "failed")
        yield graph("Messages", [waiting, failed, _age(function.kept, "oldest failed")], stat="Maximum")
    if function.url:
        counts = (("UrlRequestCount", "requests"), ("Url4xxCount", "4xx"), ("Url5xxCount", "5xx"))
        yield graph("Answers", [_of_lambda(function, name, label) for name, label in counts])
    if function.api:
        counts = (("Count", "requests"), ("4XXError", "4xx"), ("5XXError", "5xx"))
        lines = [["AWS/ApiGateway", name, "ApiName", "${AWS::StackName}", {"label": label}] for name, label in counts]
        yield graph("Answers of the REST APIs", lines)


def _in_queue(queue: str, metric: str, label: str, **options: Any) -> Line:
    return ["AWS/SQS", metric, "QueueName", f"${{{queue}.QueueName}}", {"label": label, **options}]


def _age(queue: str, label: str) -> Line:
    return _in_queue(queue, "ApproximateAgeOfOldestMessage", f"{label} (s)", stat="Maximum", yAxis="right")


def done(service: str) -> Widget:
    """What it did in the time that the dashboard shows: a number for each of its own metrics."""
    lines = [_own(service, metric) for metric in METRICS[service]]
    return graph("What it did", lines, view="singleValue", setPeriodToTimeRange=True)


def _own(service: str, metric: Metric) -> Line:
    return [NAMESPACE, metric.name, "service", service, {"label": metric.label, "stat": metric.stat}]


def top() -> list[Widget]:
    return [
        text(
            "# ${AWS::StackName}\nWritten by template.yaml: what is changed here is lost with the next deployment. "
            "What to do about an alarm: docs/dashboard.md",
            height=2,
        ),
        {
            **graph(
                "Events that wait for people",
                [
                    line
                    for queue, label in (("FailedEventsQueue", "failed"), ("UndeliveredEventsQueue", "undelivered"))
                    for line in (
                        _in_queue(queue, "ApproximateNumberOfMessagesVisible", label),
                        _age(queue, f"oldest {label}"),
                    )
                ],
                stat="Maximum",
            ),
            "width": 24,
        },
    ]


def alarms_shown() -> list[tuple[str, str]]:
    """Every alarm of the template, those first that always exist, and the condition on which it exists."""
    shown = [(name, item.get("Condition", "")) for name, item in of_type("AWS::CloudWatch::Alarm").items()]
    shown += [(alarm.name, alarm.condition) for alarm in alarms()]
    return sorted(shown, key=lambda one: bool(one[1]))


def dashboard() -> str:
    """The property `DashboardBody`. Each part of the list is text that stands alone, so that any may be left out."""
    first, *more = alarms_shown()
    lines = [
        "DashboardBody: !Join",
        "  - ''",
        "  - - !Sub |",
        '      {"widgets": [',
        *_indented([_json(widget) + "," for widget in top()], 6),
        '      {"type":"alarm","width":24,"height":6,"properties":{"title":"Alarms","alarms":[',
        f'      "${{{first[0]}.Arn}}"',
    ]
    for name, condition in more:
        part = f"""!Sub ',"${{{name}.Arn}}"'"""
        lines.append(f"    - !If [{condition}, {part}, '']" if condition else f"    - {part}")
    lines.append("    - ']}}'")
    for condition, widgets in rows():
        lines += [
            "    - Fn::If:",
            f"        - {condition}",
            "        - !Sub |",
            *_indented(["," + _json(widget) for widget in widgets], 10),
            "        - ''",
        ]
    return "\n".join([*lines, "    - ']}'"]) + "\n"


def _json(widget: Widget) -> str:
    return json.dumps(widget, ensure_ascii=False, separators=(",", ":"))


def _indented(lines: Iterable[str], by: int) -> list[str]:
    return [" " * by + line for line in lines]


# ---------------------------------------------------------------- the document


def sizes() -> str:
    """How much there is of what AWS counts for its bill, with all automations and with those that are on by default."""
    switches = {name.removeprefix("Enable"): item for name, item in template()["Parameters"].items()}
    usual = {name for name, item in switches.items() if item["Default"] == "true"}
    lines = ["| | metrics on the dashboard | alarms of `Alarms` |", "| --- | --- | --- |"]
    for label, on in (("what is on by default", usual), ("all automations", {name for name, _ in rows()})):
        shown = [*top(), *(widget for name, widgets in rows() if name in on for widget in widgets)]
        metrics = sum(len(widget["properties"].get("metrics", [])) for widget in shown)
        made = [alarm for alarm in alarms() if _exists(alarm, on)]
        lines.append(f"| {label} | {metrics} | {len(made)} |")
    return "\n".join(lines) + "\n"


def _exists(alarm: Alarm, on: set[str]) -> bool:
    apis = {one.automation for one in functions() if one.api}
    needed = apis if alarm.condition == "RestApisAlarms" else {alarm.condition.removesuffix("Alarms")}
    return alarm.condition == "HasAlarms" or bool(needed & on)


def metrics_table() -> str:
    lines = ["| function | metric | what it counts | unit |", "| --- | --- | --- | --- |"]
    lines += [
        f"| `{service}` | `{metric.name}` | {metric.label} | {metric.unit} |"
        for service, some in METRICS.items()
        for metric in some
    ]
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------- writing

PARTS: generated.Parts = {
    TEMPLATE: {
        "conditions": conditions,
        "schedule groups": schedule_groups,
        "alarms": alarm_resources,
        "body": dashboard,
    },
    ROOT / "docs" / "dashboard.md": {"sizes": sizes, "metrics": metrics_table},
}


def written(path: Path) -> str:
    """The file with its generated parts as they should be."""
    return generated.written(path, OWNER, PARTS)


def write() -> list[Path]:
    """Write the generated parts; returns the files that changed."""
    return generated.write(OWNER, PARTS)
