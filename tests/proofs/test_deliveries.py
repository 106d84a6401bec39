"""Every function gets the same event in all the ways in which EventBridge, SQS and Lambda deliver it: twice, twice at the same
time, replayed from an archive, as another event that tells the same, and with an older event of the same thing after it.
What is there afterwards, and what people and other receivers got, is what one delivery leads to. (Proof 3 has the delivery
after a process that ended in the middle.)
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.proofs.conftest import Row
from tests.proofs.runs import Deliver, also, once, run
from tests.proofs.situations import Arrange, Situation, every_situation, name
from tests.proofs.world import World


def twice(world: World, situation: Situation) -> None:
    once(world, situation)
    once(world, situation)


def at_the_same_time(world: World, situation: Situation) -> None:
    with ThreadPoolExecutor(2) as pool:
        failures = [*pool.map(lambda event: world.deliver(situation.function, event), [situation.event] * 2)]
    if any(failures):  # the one that came second is to come again, and does
        once(world, situation)


def replayed(world: World, situation: Situation) -> None:
    once(world, situation)
    also(world, situation, situation.event | {"replay-name": "proof"})


def told_again(world: World, situation: Situation) -> None:
    once(world, situation)
    also(world, situation, situation.again or {})


def after_a_newer_one(world: World, situation: Situation) -> None:
    once(world, situation)
    also(world, situation, situation.older or {})


DELIVERIES: dict[str, Deliver] = {
    "twice": twice,
    "at the same time": at_the_same_time,
    "replayed": replayed,
    "told again": told_again,
    "older one after it": after_a_newer_one,
}


@pytest.mark.parametrize("arrange", every_situation(), ids=lambda arrange: arrange.__name__)
def test_however_an_event_is_delivered_it_has_the_effect_of_one_delivery(arrange: Arrange, row: Row) -> None:
    alone = run(arrange, once)
    situation, expected = alone.situation, alone.outcome
    found: dict[str, str] = {}
    for delivery, deliver in DELIVERIES.items():
        if (deliver is told_again and not situation.again) or (deliver is after_a_newer_one and not situation.older):
            found[delivery] = "-"
        elif reason := situation.exceptions.get(delivery):
            assert run(arrange, deliver).outcome.tells_more_than(expected), f"{delivery} is another exception, or none"
            found[delivery] = reason
        else:
            assert run(arrange, deliver).outcome == expected, delivery
            found[delivery] = "one effect"

    row("Deliveries", function=situation.function, situation=name(arrange), **found)
