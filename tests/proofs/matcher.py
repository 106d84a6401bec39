"""The local cloud's own judgement of patterns, in bulk: `TestEventPattern` takes a call for each pattern and event."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tests.proofs.ministack import Ask, asking

CODE = """
import sys
from ministack.services.eventbridge import _event_from_test_payload, _matches_pattern, _parse_pattern_text

def answer(asked):
    for pattern in asked["patterns"]:
        if refused := _parse_pattern_text(pattern)[1]:
            sys.exit(f"{pattern}: {refused}")
    events = [_event_from_test_payload(event) for event in asked["events"]]
    return [[_matches_pattern(pattern, event) for event in events] for pattern in asked["patterns"]]
"""


class Matcher:
    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def judge(self, patterns: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]) -> list[list[bool]]:
        """For each pattern, whether each of the events matches it.

        Raises:
            ValueError: EventBridge would refuse a pattern.
        """
        verdicts: list[list[bool]] = self._ask(
            {"patterns": [json.dumps(pattern) for pattern in patterns], "events": events}
        )
        return verdicts


@contextmanager
def matcher() -> Iterator[Matcher]:
    """A matcher for the length of a `with` block."""
    with asking(CODE) as ask:
        yield Matcher(ask)
