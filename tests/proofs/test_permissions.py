"""What each function calls is what its role allows, and no more, as IAM's policies in template.yaml say it.

The situations of the other proofs are played once more, all attacks of the unit tests among them, and some that need what nothing
else does. The role is the one that template.yaml gives in a deployment with the situation's environment variables. Each AWS call
becomes the questions that AWS would put to IAM: the action, the ARN of everything that the call names, the tags; the names of
actions and the forms of ARNs are those of AWS's Service Authorization Reference, as cfn-lint packs it, and the verdict is that of
the local cloud's evaluator of policies. Where something in a role was not needed yet, the situations are played with messages to
Slack, with secrets in the other of the two places where they may be, and with each call refused once, because some calls are only
made after a failure. Every action and every resource of every statement, also of those that a parameter must switch on, was needed
by a call, or stands in a table with the reason. What SAM itself adds for Lambda (logs, traces, the failed-events queue) is not looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest

from automations import aws
from tests.proofs.calls import Call, Fault
from tests.proofs.conftest import Row
from tests.proofs.judge import Judge, judge
from tests.proofs.needs import Tags, needs
from tests.proofs.rare import RARE
from tests.proofs.roles import FUNCTIONS, Deployment, Grant, grants
from tests.proofs.situations import Arrange, every_situation
from tests.proofs.world import World, new_world
from tests.unit.conftest import REGION
from tests.unit.rds_backup.databases import ABROAD

LAMBDA = "Lambda calls it for the function, which polls the queue."
IDEMPOTENCY = "Powertools reads the record where DynamoDB's refusal of the second one does not bring it."
MISSING = "Without it S3 answers 403, and not 404, for a key that does not exist."
NOT_NEEDED: dict[tuple[str, str], str] = {}
"""By function (`*` for each that has it) and action or resource: why it is in the role though no situation needs it."""


@dataclass
class Played:
    """What one delivery did, and where.

    Attributes:
        tags: of what there was before it and of what it left.
    """

    environment: Mapping[str, str]
    calls: list[Call]
    tags: Tags


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

    def superfluous(self) -> Iterator[str]:
        """The actions and the resources that nothing needed so far."""
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


def play(function: str, arrange: Arrange, change: Callable[[World], Any] = lambda _: None) -> Played:
    """Deliver the situation's event in a world of its own, changed by `change`."""
    with new_world() as world:
        situation = arrange(world)
        change(world)
        before = tags()
        world.begin()
        world.deliver(function, situation.event)
        calls = list(world.calls.made)
        world.calls.forget()
        return Played(dict(os.environ), calls, {**tags(), **before})


def tags() -> Tags:
    """The tags of what there is."""
    found = {}
    for region in (REGION, ABROAD):
        pages = boto3.client("resourcegroupstaggingapi", region).get_paginator("get_resources").paginate()
        for one in (one for page in pages for one in page["ResourceTagMappingList"]):
            found[one["ResourceARN"]] = {tag["Key"]: tag["Value"] for tag in one["Tags"]}
    return found


def with_slack(world: World) -> None:
    if "SLACK_WEBHOOK" not in os.environ:
        world.slack()


def with_slack_in_a_parameter(world: World) -> None:
    with_slack(world)
    aws.ssm().put_parameter(Name="/slack-webhook", Value=f"{world.web.url}/slack", Type="SecureString")
    world.set(slack_webhook="ssm:/slack-webhook")


def refused(call: Call) -> Callable[[World], None]:
    def change(world: World) -> None:
        begin = world.begin

        def begin_and_refuse() -> None:
            begin()
            world.calls.fail = (call, Fault.ACCESS_DENIED)

        world.begin = begin_and_refuse  # type: ignore[method-assign]

    return change


def plays(function: str, situations: list[Arrange]) -> Iterator[Played]:
    """As they are; then changed, first all in one way, then in the next."""
    plain = []
    for arrange in situations:
        plain.append(play(function, arrange))
        yield plain[-1]
    for change in (with_slack, with_slack_in_a_parameter):
        for arrange in situations:
            yield play(function, arrange, change)
    for arrange, played in zip(situations, plain, strict=True):
        for call in played.calls:
            yield play(function, arrange, refused(call))


def situations_of(function: str) -> list[Arrange]:
    return [arrange for arrange in (*every_situation(), *RARE) if arrange.__name__.startswith(f"{function}_")]


@pytest.fixture
def iam() -> Iterator[Judge]:
    with judge() as running:
        yield running


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_allows_what_its_function_calls_and_nothing_that_no_situation_needs(
    function: str, iam: Judge, row: Row
) -> None:
    found = Findings(grants(function))
    reasons = {what: why for (who, what), why in NOT_NEEDED.items() if who in (function, "*")}
    situations = situations_of(function)
    for number, played in enumerate(plays(function, situations), 1):
        if number > len(situations) and set(found.superfluous()) <= reasons.keys():
            break
        found.take_in(function, played, iam)

    left = set(found.superfluous())
    assert found.refused == set()
    assert left - reasons.keys() == set()
