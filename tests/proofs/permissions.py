"""Which permissions situations need, and which of them and of those in a role are without the other."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import boto3

from automations import aws
from tests.proofs.calls import Call, Fault
from tests.proofs.judge import Judge
from tests.proofs.needs import Tags, needs
from tests.proofs.rare import RARE
from tests.proofs.roles import Deployment, Grant, grants
from tests.proofs.situations import Arrange, every_situation
from tests.proofs.world import World, new_world
from tests.unit.conftest import REGION
from tests.unit.rds_backup.databases import ABROAD

READS = ("Get", "List", "Describe")
Change = Callable[[World, dict[str, Any]], Mapping[str, Any]]
"""Changes the world of a situation; returns the event to deliver."""


@dataclass
class Played:
    """What one delivery did, and where.

    Attributes:
        tags: of what there was before it and of what it left.
    """

    environment: Mapping[str, str]
    calls: list[Call]
    tags: Tags

    def until_a_change(self) -> list[Call]:
        """The calls that only read and come before all others."""
        return [*takewhile(lambda call: call.operation.startswith(READS), self.calls)]


@dataclass
class Findings:
    """Attributes:
    needed: by number of the grant, the actions and the numbers of the resources that were needed.
    operations: what was called.
    refused: calls that the role does not allow.
    """

    granted: list[Grant]
    needed: dict[int, set[str | int]] = field(default_factory=dict)
    operations: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    def take_in(self, function: str, played: Played, judge: Judge) -> None:
        deployment = Deployment(function, played.environment)
        role = {
            number: said
            for number, grant in enumerate(self.granted)
            if (said := deployment.statement(grant)) is not None
        }
        for call in played.calls:
            if call.service == "http":
                continue
            self.operations.add(f"{call.service}:{call.operation}")
            asked = list(needs(call, played.tags))
            for need, allowed in zip(asked, judge.allowed_by(role, asked), strict=True):
                if not allowed:
                    self.refused.add(f"{call}: {need.action} on {need.resource} {dict(need.context)}")
                for number, resource in allowed:
                    self.needed.setdefault(number, set()).update({need.action, resource})

    def superfluous(self) -> set[str]:
        """The actions and the resources that nothing needed so far."""
        return set(self._superfluous())

    def _superfluous(self) -> Iterator[str]:
        for number, grant in enumerate(self.granted):
            needed = self.needed.get(number, set())
            resources = [said(one) for _, one in grant.resources]
            yield from (f"{one} on {resources[0]}" for one in grant.actions if one not in needed)
            if needed:  # else it is the actions that are not needed
                yield from (f"{grant.actions[0]} on {one}" for at, one in enumerate(resources) if at not in needed)


def said(resource: Any) -> str:
    """A resource of a statement as a table says it, without account and region."""
    match resource:
        case {"Ref": str(text)} | {"Fn::GetAtt": str(text)} | {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), *_]}:
            return re.sub(r"\$\{AWS::\w+\}", "", text).removesuffix(".Arn")
        case {"Fn::If": [_, then, _]}:
            return said(then)
    return str(resource)


def play(
    function: str, arrange: Arrange, change: Change = lambda _, event: event, refused: Call | None = None
) -> Played:
    """Deliver the situation's event in a world of its own, both changed, where AWS or the receiver refuses one call."""
    with new_world() as world:
        situation = arrange(world)
        event = change(world, situation.event)
        limited = any("aws:ResourceTag/" in str(grant.limits) for grant in grants(function))
        before = tags() if limited else {}
        world.begin()
        world.calls.fail = (refused, Fault.ACCESS_DENIED) if refused else None
        world.deliver(function, event)
        calls = list(world.calls.made)
        world.calls.forget()
        return Played(dict(os.environ), calls, {**tags(), **before} if limited else {})


def tags() -> Tags:
    """The tags of what there is."""
    found = {}
    for region in (REGION, ABROAD):
        pages = boto3.client("resourcegroupstaggingapi", region).get_paginator("get_resources").paginate()
        for one in (one for page in pages for one in page["ResourceTagMappingList"]):
            found[one["ResourceARN"]] = {tag["Key"]: tag["Value"] for tag in one["Tags"]}
    return found


def with_slack(world: World, event: dict[str, Any]) -> dict[str, Any]:
    if "SLACK_WEBHOOK" not in os.environ:
        world.slack()
    return event


def with_slack_in_a_parameter(world: World, event: dict[str, Any]) -> dict[str, Any]:
    with_slack(world, event)
    secret, parameter = os.environ["SLACK_WEBHOOK"], "ssm:/slack-webhook"
    aws.ssm().put_parameter(Name="/slack-webhook", Value=f"{world.web.url}/slack", Type="SecureString")
    world.set(slack_webhook=parameter)
    changed: dict[str, Any] = json.loads(json.dumps(event).replace(secret, parameter))
    return changed


def plays(function: str, situations: list[Arrange]) -> Iterator[Played]:
    """All situations as they are; then one after the other with messages to Slack, and with each call refused."""
    plain = []
    for arrange in situations:
        plain.append(play(function, arrange))
        yield plain[-1]
    for arrange, played in zip(situations, plain, strict=True):
        for refused in (None, *reversed(played.calls)):  # messages come last
            for slack in (with_slack, with_slack_in_a_parameter):
                yield play(function, arrange, slack, refused)


def situations_of(function: str) -> list[Arrange]:
    return [arrange for arrange in (*RARE, *every_situation()) if arrange.__name__.startswith(f"{function}_")]
