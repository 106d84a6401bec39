"""How long to wait, and how long there is, before another attempt. Apart from `http`, because that imports requests."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

LONGEST_BACKOFF = 20.0
RESERVE = 3.0
"""Seconds kept back at the end of an invocation to record what was done and to fail in an orderly way."""


def time_left(context: LambdaContext) -> Callable[[], float]:
    """A clock of the seconds that may still be spent in this invocation."""
    return lambda: context.get_remaining_time_in_millis() / 1000 - RESERVE


def backoff(attempt: int) -> float:
    """Seconds to wait after the given attempt (1, 2, ...): exponential, with full jitter so that senders spread out."""
    return random.uniform(0.2, min(LONGEST_BACKOFF, 0.5 * 2**attempt))  # noqa: S311 # spreads load, keeps no secret
