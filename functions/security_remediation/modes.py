"""Whether a remediation is off, only tells, or acts: the stack's mode, and one for each."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from security_remediation.plan import Kind

if TYPE_CHECKING:
    from security_remediation.plan import Remediation

FOLLOWS = "default"
"""The mode of its own of a remediation that follows the stack's."""


class Mode(StrEnum):
    OFF = "off"
    NOTIFY = "notify"
    ENFORCE = "enforce"


def parse_modes(text: Any) -> Any:
    """Read `{"bucket_policy": "enforce"}`.

    Raises:
        ValueError: it is not of that form.
    """
    modes = json.loads(text) if isinstance(text, str) else text
    known = [FOLLOWS, *Mode]
    if not isinstance(modes, dict) or not all(mode in known for mode in modes.values()):
        raise ValueError(f"write a JSON object of remediations and modes, each one of {', '.join(sorted(known))}")
    return modes


def mode_of(remediation: Remediation, stack: Mode, own: dict[str, str]) -> Mode:
    """What the remediation does.

    Containment follows no other mode than its own; what can only be told is never enforced.
    """
    wanted = own.get(remediation.NAME, FOLLOWS)
    follows = Mode.NOTIFY if remediation.KIND == Kind.CONTAINMENT else stack
    mode = follows if wanted == FOLLOWS else Mode(wanted)
    return Mode.NOTIFY if mode == Mode.ENFORCE and remediation.KIND == Kind.TELL else mode
