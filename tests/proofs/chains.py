"""A situation and all that follows from it: the events that the calls cause go to the rules, and the functions of the rules
that match are invoked in the same world, until nothing comes any more.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from local.stack import Rule

from tests.proofs.calls import Call
from tests.proofs.caused import READS, Caused, Deployed, Event, caused
from tests.proofs.matcher import Matcher
from tests.proofs.situations import (
    Arrange,
    Situation,
    ec2_state_alerts,
    ordering,
    partner_relay,
    security_remediation,
)
from tests.proofs.world import World, new_world
from tests.unit.event_pipeline.conftest import ENVIRONMENT, create_destinations
from tests.unit.event_pipeline.messages import batch

LONGEST = 10
"""Steps after which a chain counts as endless."""


@dataclass(frozen=True)
class Rules:
    """The deployed rules and who judges events by them.

    Attributes:
        all: in their order.
        of_reads: names of those to which EventBridge gives all management events.
        queues: automation that reads each queue, by the queue's logical id.
    """

    all: Sequence[Rule]
    of_reads: frozenset[str]
    queues: Mapping[str, str]
    matcher: Matcher

    def heard(self, events: Sequence[Caused]) -> list[list[Rule]]:
        """The rules that match, for each event."""
        patterns = [json.loads(rule.pattern) for rule in self.all]
        verdicts = self.matcher.judge(patterns, [one.event for one in events])
        return [
            [rule for rule, found in zip(self.all, verdicts, strict=True) if found[number] and self.gets(rule, one)]
            for number, one in enumerate(events)
        ]

    def gets(self, rule: Rule, one: Caused) -> bool:
        """Whether EventBridge judges the event by this rule at all."""
        return rule.bus == one.bus and rule.enabled and (rule.name in self.of_reads or not one.only_reads)

    def automation(self, rule: Rule) -> str:
        """Whose function gets what the rule matches; "" for a topic."""
        return automation(rule.function) if rule.invokes else self.queues.get(rule.function, "")


def automation(function: str) -> str:
    """The automation of the function with this logical id."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", function.removesuffix("Function")).lower()


@dataclass(frozen=True)
class Step:
    """Attributes:
    path: the automations that were invoked one after the other, up to the one that caused the event.
    heard: the rules that match.
    but_for_the_role: the rules that only leave the record alone because of the role that made the call.
    """

    path: tuple[str, ...]
    event: Caused
    heard: tuple[Rule, ...]
    but_for_the_role: tuple[str, ...]


@dataclass(frozen=True)
class Delivery:
    """Attributes:
    path: the automations that were invoked one after the other; this delivery was to the last one.
    """

    path: tuple[str, ...]
    answer: Any
    writes: list[str]


@dataclass
class Chain:
    """Attributes:
    situation: as it was arranged; its world is gone.
    state: what there is in the end.
    """

    situation: Situation
    deliveries: list[Delivery] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    state: Any = None

    @property
    def longest(self) -> tuple[str, ...]:
        return max((delivery.path for delivery in self.deliveries), key=len)

    @property
    def kept_out(self) -> list[Step]:
        """The calls that the rules would take for somebody else's, were it not for the role."""
        return [step for step in self.steps if step.but_for_the_role]

    @property
    def written_again(self) -> set[str]:
        """What a later delivery wrote that an earlier one had written already."""
        again, before = set[str](), set[str]()
        for delivery in self.deliveries:
            again |= before & set(delivery.writes)
            before |= set(delivery.writes)
        return again


def follow(arrange: Arrange, rules: Rules, deployed: Deployed) -> Chain:
    """Deliver the situation's event, and all that follows from it.

    Raises:
        AssertionError: there is no end.
    """
    with new_world() as world:
        situation = arrange(world)
        world.begin()
        chain, environments = Chain(situation), {situation.function: dict(os.environ)}
        front: list[tuple[tuple[str, ...], Event]] = [((situation.function,), situation.event)]
        while front:
            path, event = front.pop(0)
            assert len(path) <= LONGEST, f"no end: {' -> '.join(path)}"
            calls, answer = _deliver(world, situation, path, event, environments, deployed)
            chain.deliveries.append(Delivery(path, answer, [_text(call) for call in calls if _writes(call)]))
            steps = _steps(path, caused(calls, path[-1], deployed), rules)
            chain.steps += steps
            front += [((*path, function), event) for step in steps for function, event in _deliveries(step, rules)]
            _leaves_alone(world, steps, rules, environments, deployed)
        chain.state = situation.state()
        return chain


def _deliver(
    world: World,
    situation: Situation,
    path: tuple[str, ...],
    event: Event,
    environments: dict[str, dict[str, str]],
    deployed: Deployed,
) -> tuple[list[Call], Any]:
    """Deliver as to a function of its own, with its environment; returns its calls and its answer.

    What the first function answered stays: it is the situation's.
    """
    function, first = path[-1], world.answer
    if function not in environments:
        with patch.dict(os.environ):
            deploy_beside(world, function, deployed)
            environments[function] = dict(os.environ)
    world.calls.forget()
    with patch.dict(os.environ, environments[function], clear=True):
        failure = world.deliver(function, event)
    calls, answer = list(world.calls.made), world.answer
    if len(path) > 1:
        world.answer = first
    assert failure.startswith(situation.fails) if len(path) == 1 and situation.fails else failure == "", failure
    return calls, answer


def _leaves_alone(
    world: World,
    steps: Sequence[Step],
    rules: Rules,
    environments: dict[str, dict[str, str]],
    deployed: Deployed,
) -> None:
    """The function that a rule spares its own calls leaves them alone by itself, too."""
    own = {rule.name for rule in rules.all if rules.automation(rule) == "security_remediation"}
    for step in steps:
        if own.intersection(step.but_for_the_role):
            environment = environments["security_remediation"] | {
                "OWN_ROLE_ARN": deployed.roles["security_remediation"]
            }
            first = world.answer
            with patch.dict(os.environ, environment, clear=True):
                assert world.deliver("security_remediation", step.event.event) == ""
            assert world.answer["ignored"] == "It is this function's own call."
            world.answer = first


def deploy_beside(world: World, function: str, deployed: Deployed) -> None:
    """Deploy another automation in the situation's world."""
    make: dict[str, Callable[[World], None]] = {
        "ec2_state_alerts": ec2_state_alerts._deployed,
        "event_pipeline": _event_pipeline,
        "ordering": ordering._deployed,
        "partner_relay": partner_relay._deployed,
        "security_remediation": security_remediation.deployed,
    }
    make[function](world)
    if function == "security_remediation":
        world.set(own_role_arn=deployed.roles[function], secret_readers="arn:aws:iam::111122223333:role/Operators")


def _event_pipeline(world: World) -> None:
    create_destinations()
    world.set(**ENVIRONMENT)


def _steps(path: tuple[str, ...], events: Sequence[Caused], rules: Rules) -> list[Step]:
    others = [one.by_somebody_else if one.kind == "CloudTrail record" else one for one in events]
    heard = rules.heard([*events, *others])
    return [
        Step(path, one, tuple(some), tuple(rule.name for rule in heard[len(events) + number] if rule not in some))
        for number, (one, some) in enumerate(zip(events, heard[: len(events)], strict=True))
    ]


def _deliveries(step: Step, rules: Rules) -> list[tuple[str, Event]]:
    return [
        (function, step.event.event if rule.invokes else batch(step.event.event))
        for rule in step.heard
        if (function := rules.automation(rule))
    ]


def _writes(call: Call) -> bool:
    """Whether the call changes something but the deliveries' own record."""
    own = call.arguments.get("TableName") == "IdempotencyTable"
    return call.service != "http" and not own and not call.operation.startswith((*READS, "Query", "Scan"))


def _text(call: Call) -> str:
    return f"{call.service}:{call.operation} {call.arguments}"
