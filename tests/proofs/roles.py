"""The role that template.yaml gives to a function, in the deployment whose environment variables a situation has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from local.security import camel
from local.template import Loader, Values

from tests.template_file import RESOURCES, TEMPLATE, TEXT
from tests.unit.conftest import ACCOUNT, REGION

Branch = tuple[tuple[str, bool], ...]
NOTHING = {"Ref": "AWS::NoValue"}

ARNS = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{}}",
    "AWS::Events::EventBus": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{{}}",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{}}",
    "AWS::Kinesis::Stream": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{{}}",
    "AWS::KinesisFirehose::DeliveryStream": f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/{{}}",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:{{}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{}}",
}
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::StackName": "stack"}
EVERYTHING = {name: "true" for name in TEMPLATE["Parameters"] if name.startswith("Enable")}
"""The parameters that switch automations on."""
FUNCTIONS = sorted(
    item["Properties"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
    for item in RESOURCES.values()
    if item["Type"] == "AWS::Serverless::Function"
)
"""The automations that have a function."""


@dataclass(frozen=True)
class Grant:
    """A statement of the template; all of them allow.

    Attributes:
        when: the template's conditions on which the role has it, and whether they must hold.
        actions: such as `s3:GetObject`.
        resources: expressions, each with its own conditions.
        limits: the statement's `Condition`, an expression.
    """

    when: Branch
    actions: tuple[str, ...]
    resources: tuple[tuple[Branch, Any], ...]
    limits: Any


@cache
def grants(function: str) -> list[Grant]:
    """What the function's policies in the template allow, whatever is switched on.

    SAM adds what Lambda itself needs for the function: its logs, its traces, the failed-events queue.
    """
    found = []
    for when, policy in _parts(_properties(function)["Policies"]):
        document = policy if "Statement" in policy else RESOURCES[policy["Ref"]]["Properties"]["PolicyDocument"]
        text = document.get("Fn::Sub")  # a document that needs a parameter in a key is written as JSON
        for also, said in _parts(json.loads(text)["Statement"] if text else document["Statement"]):
            assert said["Effect"] == "Allow", said
            assert said.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}, said
            resources, limits = said["Resource"], said.get("Condition", {})
            if text:
                resources, limits = {"Fn::Sub": resources}, {"Fn::Sub": json.dumps(limits)}
            found.append(Grant((*when, *also), _words(said["Action"]), tuple(_parts(resources, of_one=True)), limits))
    return found


def _words(said: str | list[str]) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said)


def _parts(expression: Any, when: Branch = (), *, of_one: bool = False) -> Iterator[tuple[Branch, Any]]:
    """The parts of a list, each with the conditions of `Fn::If` on which it is there.

    Args:
        of_one: whether an `Fn::If` that always gives something is one part, such as the one topic that there is in any case.
    """
    match expression:
        case list():
            for part in expression:
                yield from _parts(part, when, of_one=of_one)
        case {"Fn::If": [_, then, otherwise]} if of_one and NOTHING not in (then, otherwise):
            yield when, expression
        case {"Fn::If": [str(condition), then, otherwise]}:
            yield from _parts(then, (*when, (condition, True)), of_one=of_one)
            yield from _parts(otherwise, (*when, (condition, False)), of_one=of_one)
        case {"Ref": "AWS::NoValue"}:
            return
        case _:
            yield when, expression


def wildcards() -> Iterator[tuple[str, tuple[str, ...], str]]:
    """For each statement on any resource: the automation or the shared policy, the actions, and the comment above it."""
    lines = TEXT.splitlines()
    template: Any = yaml.compose(TEXT, Loader)
    [resources] = [value for key, value in template.value if key.value == "Resources"]
    for key, resource in resources.value:
        for node in _mappings(resource):
            said = {name.value: value for name, value in node.value}
            if {"Effect", "Action", "Resource"} <= said.keys() and said["Resource"].value == "*":
                actions = said["Action"].value
                names = actions if isinstance(actions, str) else [one.value for one in actions]
                yield _owner(key.value), _words(names), lines[node.start_mark.line - 1].strip().removeprefix("# ")


def _owner(logical_id: str) -> str:
    owners = [function for function in FUNCTIONS if logical_id.startswith(camel(function))]
    return owners[0] if owners else logical_id


def _mappings(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _mappings(value)


def _properties(function: str) -> dict[str, Any]:
    properties: dict[str, Any] = RESOURCES[f"{camel(function)}Function"]["Properties"]
    return properties


class Deployment(Values):
    """The template's expressions, worth what they must be for the function to have these environment variables."""

    def __init__(self, function: str, environment: Mapping[str, str]) -> None:
        self._holding: dict[str, bool] = {}
        names: dict[str, str] = {}
        variables = (
            TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
            | _properties(function)["Environment"]["Variables"]
        )
        for name, expression in variables.items():
            if environment.get(name):
                found = _known(expression, environment[name])
                if found is not None:  # else it is the tests' own, such as the namespace of the metrics
                    names |= found[0]
                    self._holding |= found[1]
        super().__init__(TEMPLATE, names | PSEUDO, EVERYTHING | names)
        self._refs = _Names(self._refs)

    def statement(self, grant: Grant) -> dict[str, list[str]] | None:
        """The statement as IAM has it, its resources in the order of the grant's, "" for one that is not there; None when it has none."""
        if not self._all_hold(grant.when):
            return None
        limits = self.of(grant.limits)
        return {
            "Action": list(grant.actions),
            "Resource": [self.of(one) if self._all_hold(when) else "" for when, one in grant.resources],
            "Condition": json.loads(limits) if isinstance(limits, str) else limits,
        }

    def _all_hold(self, when: Branch) -> bool:
        return all(self.holds(condition) == wanted for condition, wanted in when)

    def holds(self, condition: str) -> bool:
        if condition not in self._holding:
            self._holding[condition] = super().holds(condition)
        return self._holding[condition]

    def of(self, expression: Any) -> Any:
        match expression:
            case {"Fn::GetAtt": str(name)}:
                return self._refs[name]
            case {"Fn::Sub": [str(text), {**own}]}:
                for variable, part in own.items():
                    text = text.replace(f"${{{variable}}}", str(self.of(part)))
                return super().of({"Fn::Sub": text})
        return super().of(expression)


class _Names(dict[str, Any]):
    """What is not known is called as in the template."""

    def __missing__(self, name: str) -> str:
        resource, _, attribute = name.partition(".")
        physical = str(self.get(resource, resource))
        if attribute == "Arn" or RESOURCES[resource]["Type"] == "AWS::SNS::Topic":
            return ARNS[RESOURCES[resource]["Type"]].format(re.split("[/:]", physical)[-1])
        return physical


def _known(expression: Any, value: str) -> tuple[dict[str, str], dict[str, bool]] | None:
    """What `Ref`s, attributes and conditions are worth when the expression is worth `value`; None when it never is."""
    match expression:
        case {"Ref": str(name)} | {"Fn::GetAtt": str(name)}:
            return {name: value}, {}
        case {"Fn::Sub": str(text)}:
            literal, *rest = re.split(r"\$\{([^}]+)\}", text)
            pattern = re.escape(literal) + "".join(f"(.*){re.escape(part)}" for part in rest[1::2])
            found = re.fullmatch(pattern, value)
            return (dict(zip(rest[::2], found.groups(), strict=True)), {}) if found else None
        case {"Fn::If": [str(condition), then, otherwise]}:
            for branch, holds in ((then, True), (otherwise, False)):
                if (inner := _known(branch, value)) is not None:
                    return inner[0], inner[1] | {condition: holds}
            return None
    return ({}, {}) if expression == value else None
