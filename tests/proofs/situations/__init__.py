"""Situations: a world, an event that arrives in it, and what it leads to. The proofs let them go wrong.

A module here holds the situations of one function and lists them as `SITUATIONS`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.proofs.calls import Fault
from tests.proofs.world import World


@dataclass
class Situation:
    """One situation.

    Attributes:
        function: the automation whose function gets the event.
        event: what arrives.
        state: what there is now outside the function, reduced to what matters and what is the same in every run: no times
            and no ids that are made up anew. Messages are not part of it; the world has them, or `told`.
        again: the same fact told by another event, as a sender does that emits twice; None where ids are all there is.
        older: an event of the same thing that happened before and comes after; None where order does not matter.
        told: what receivers have got that the world does not know of, such as a bus, one line for each message.
        exceptions: why somebody is told more than once, or more than without a fault, by what is delivered (a name of test_deliveries.DELIVERIES)
            or by what fails (`http:POST, timeout after it took effect`). Each stands in the document.
        compared: what of a message must be the same however the event was delivered; None when it only tells of an attempt
            that failed.
        fails: how the error begins with which every delivery fails, after which the event is in the failed-events queue.
    """

    function: str
    event: dict[str, Any]
    state: Callable[[], Any]
    again: dict[str, Any] | None = None
    older: dict[str, Any] | None = None
    told: Callable[[], list[str]] = list
    exceptions: Mapping[str, str] = field(default_factory=dict)
    fails: str = ""
    compared: Callable[[str], str | None] = str


ANOTHER_ID = {"id": "b7f0c0c5-0000-4000-8000-000000000001"}
"""What differs when the same fact is told by another event."""

NOT_KNOWN = (Fault.TIMEOUT_AFTER, Fault.CRASH_AFTER)
"""The faults after which a call has taken effect, and nobody knows."""
NOT_RECORDED = (Fault.THROTTLED, Fault.SERVER_ERROR, Fault.ACCESS_DENIED, Fault.TIMEOUT_BEFORE)
"""The faults after which a call has not taken effect."""


def sent_twice(handed_over_by: str, why: str) -> dict[str, str]:
    """The exceptions of a message that was handed over, which nobody knows or could record: it is sent again, so that none is lost.

    Args:
        handed_over_by: the call that hands it over, such as `sns:Publish`.
        why: nothing prevents the second one.
    """
    unknown = {f"{handed_over_by}, {fault}": why for fault in NOT_KNOWN}
    return unknown | {f"dynamodb:UpdateItem, {fault}": "what was sent is not recorded" for fault in NOT_RECORDED}


E_MAIL_TWICE = sent_twice("sns:Publish", "SNS takes a message twice")

Arrange = Callable[[World], Situation]
"""Makes a situation in the world. Its name says what happened: `<function>_<what>`; its docstring, in a few words for a table."""


def every_situation() -> list[Arrange]:
    """Those of all modules of this package."""
    modules = [importlib.import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__)]
    return [arrange for module in modules for arrange in module.SITUATIONS]


def name(arrange: Arrange) -> str:
    """What a table calls the situation."""
    return (arrange.__doc__ or arrange.__name__).strip().splitlines()[0].rstrip(".")
