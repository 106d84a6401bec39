"""Code of the local cloud that is asked directly, in bulk, in a process of the local cloud's Python, where it is installed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from local.cloud import PYTHON

Ask = Callable[[Any], Any]
"""Hands over a question and returns the answer, both as JSON has them; ValueError with what the process said when it ended."""

LOOP = """
import json, sys
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
"""


@contextmanager
def asking(code: str) -> Iterator[Ask]:
    """For the length of a `with` block, a process whose `code` defines the function `answer` of a question."""
    pipe = subprocess.PIPE
    with subprocess.Popen([PYTHON, "-c", code + LOOP], stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:

        def ask(question: Any) -> Any:
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            if line := process.stdout.readline():
                return json.loads(line)
            raise ValueError(process.communicate()[1])

        try:
            yield ask
        finally:
            process.communicate()
