"""The local cloud's own judgement of patterns, in bulk.

`TestEventPattern` takes a call for each pattern and event; this asks the code behind it, in a process of the local cloud's
Python, where it is installed.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from local.cloud import PYTHON

CODE = """
import json, sys
from ministack.services.eventbridge import _event_from_test_payload, _matches_pattern, _parse_pattern_text

for line in sys.stdin:
    asked = json.loads(line)
    for pattern in asked["patterns"]:
        if refused := _parse_pattern_text(pattern)[1]:
            sys.exit(f"{pattern}: {refused}")
    events = [_event_from_test_payload(event) for event in asked["events"]]
    print(json.dumps([[_matches_pattern(pattern, event) for event in events] for pattern in asked["patterns"]]), flush=True)
"""


class Matcher:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def judge(self, patterns: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]) -> list[list[bool]]:
        """For each pattern, whether each of the events matches it.

        Raises:
            ValueError: EventBridge would refuse a pattern.
        """
        asked = {"patterns": [json.dumps(pattern) for pattern in patterns], "events": events}
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            _, why = self._process.communicate()
            raise ValueError(why)
        verdicts: list[list[bool]] = json.loads(answer)
        return verdicts


@contextmanager
def matcher() -> Iterator[Matcher]:
    """A matcher for the length of a `with` block."""
    pipe = subprocess.PIPE
    with subprocess.Popen([PYTHON, "-c", CODE], stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield Matcher(process)
        finally:
            process.communicate()
