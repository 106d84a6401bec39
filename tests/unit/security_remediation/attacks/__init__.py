"""Attacks: each opens something in moto's account and returns the event that tells of it.

A module here holds the attacks of some remediations and lists them as `ATTACKS`; all of them go through the tests in
test_attacks.py.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TAG = {"Key": "automations:security-exempt", "Value": "2099-12-31 a test needs it open"}


@dataclass
class Attack:
    """One attack.

    Attributes:
        remediation: NAME of the one that closes it.
        event: as CloudTrail tells of it.
        state: what there is now, reduced to what matters.
        opened, closed: the state after the attack, and after its remediation.
        revert: undoes it, as a person would.
        exempt: tags what was attacked; None where it has no tags.
        restored: the state after the remediation was undone; `opened` when not given.
        harmless: events of the same call that open nothing, each with what makes it harmless.
        undoable: whether its remediation keeps what puts the previous state back.
    """

    remediation: str
    event: dict[str, Any]
    state: Callable[[], Any]
    opened: Any
    closed: Any
    revert: Callable[[], Any]
    exempt: Callable[[], Any] | None = None
    restored: Any = None
    harmless: dict[str, dict[str, Any]] = field(default_factory=dict)
    undoable: bool = True


MakeAttack = Callable[[], Attack]


def every_attack() -> list[MakeAttack]:
    """Those of all modules of this package."""
    modules = [importlib.import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__)]
    return [attack for module in modules for attack in module.ATTACKS]
