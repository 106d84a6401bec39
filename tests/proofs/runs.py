"""How the proofs run a situation: in a world of its own each time, and with what it leads to read back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.proofs.calls import Call, Fault
from tests.proofs.situations import Arrange, Situation
from tests.proofs.world import World, new_world

Deliver = Callable[[World, Situation], None]


@dataclass(frozen=True)
class Outcome:
    """Attributes:
    state: what there is outside the function.
    told: what people and other receivers got, one line for each message.
    """

    state: Any
    told: list[str]

    def tells_more_than(self, other: Outcome) -> bool:
        """Whether the state is the same, and all is told that the other outcome has, and more."""
        missing = Counter(other.told) - Counter(self.told)
        return self.state == other.state and not missing and len(self.told) > len(other.told)


@dataclass(frozen=True)
class Run:
    """Attributes:
    situation: as it was arranged; its world is gone.
    outcome: what came of it.
    calls: those of the function, in their order.
    """

    situation: Situation
    outcome: Outcome
    calls: list[Call]


def run(arrange: Arrange, deliver: Deliver) -> Run:
    """Arrange the situation in a new world, and deliver."""
    with new_world() as world:
        situation = arrange(world)
        world.begin()
        deliver(world, situation)
        calls = list(world.calls.made)
        world.calls.forget()
        messages = [*world.told(), *situation.told()]
        told = sorted(said for message in messages if (said := situation.compared(message)) is not None)
        return Run(situation, Outcome(situation.state(), told), calls)


def once(world: World, situation: Situation) -> None:
    """The delivery to which all others are compared."""
    also(world, situation, situation.event)


def also(world: World, situation: Situation, event: Mapping[str, Any]) -> None:
    """Deliver this event, which ends as the situation's own does."""
    failure = world.deliver(situation.function, event)
    assert failure.startswith(situation.fails) if situation.fails else failure == "", failure


def with_fault(arrange: Arrange, call: Call, fault: Fault) -> tuple[bool, Outcome]:
    """Deliver with this fault and, if that fails, once more without it, when the first one's time is over.

    Returns:
        Whether the first delivery failed, and what came of it in the end.
    """
    failed = False

    def deliver(world: World, situation: Situation) -> None:
        nonlocal failed
        world.calls.fail = (call, fault)
        failed = bool(world.deliver(situation.function, situation.event))
        assert world.calls.failed, f"{call} was not made again: the function does not do the same in every run"
        world.calls.forget()
        if failed:
            world.let_time_out()
            also(world, situation, world.left_of(situation.event))

    got = run(arrange, deliver).outcome
    return failed, got
