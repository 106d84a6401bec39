"""Every call that a function makes, of AWS or by HTTP, is made to fail: throttled, answered with 500, refused, timed out before
it took effect and after it, and with the process ended right after it. The calls are found by botocore's event hooks and by
the adapter of `requests` in a run without a fault; nobody lists them. When the function fails, Lambda (or SQS) delivers the
event again, and if it goes on failing the event is in the failed-events queue. After that next delivery everything is as it
would have been without the fault ("made up"). A function that answers that all is well, though a call failed, must have
brought that about by itself ("no need"). In an exception, somebody is told more than that; the rest is the same, and nothing is lost.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.proofs.calls import Call, Fault
from tests.proofs.conftest import Row
from tests.proofs.runs import Run, once, run, with_fault
from tests.proofs.situations import Arrange, every_situation, name


@pytest.mark.parametrize("arrange", every_situation(), ids=lambda arrange: arrange.__name__)
def test_after_a_fault_at_any_call_the_next_delivery_makes_up_for_it(arrange: Arrange, row: Row) -> None:
    alone = run(arrange, once)
    situation = alone.situation
    found = {fault: Counter(judged(arrange, call, fault, alone) for call in alone.calls) for fault in Fault}

    told = {fault: "; ".join(f"{count} {what}" for what, count in sorted(found[fault].items())) for fault in Fault}
    row("Faults", function=situation.function, situation=name(arrange), calls=len(alone.calls), **told)


def judged(arrange: Arrange, call: Call, fault: Fault, alone: Run) -> str:
    """What became of the event; a failed assertion when it is not what the same event leads to alone."""
    failed, got = with_fault(arrange, call, fault)
    exception = alone.situation.exceptions.get(f"{call.service}:{call.operation}, {fault}")
    if exception and got.tells_more_than(alone.outcome):
        return f"exception: {exception}"
    assert got == alone.outcome, f"{call}, {fault}"
    return "made up" if failed else "no need"
