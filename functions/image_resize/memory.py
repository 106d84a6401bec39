"""How much memory there is for a picture, and a limit to what it takes. Nothing here knows of pictures."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

FOR_CODE = 96
"""Megabytes for what the limit does not count: the code of Python and of libraries, the stack, Lambda's own."""

FOR_OBJECTS = 128
"""Megabytes that the function has allocated before it has a picture: `VmData` in /proc/self/status after its imports and its first
calls, which was 92 to 115. Of these, up to 40 are stacks of threads that have ended, which glibc keeps for the next ones."""


def room(megabytes: int | None) -> int | None:
    """The bytes that a picture may take of a function's memory."""
    return None if megabytes is None else max(0, megabytes - FOR_CODE - FOR_OBJECTS) * 2**20


@contextmanager
def at_most(megabytes: int | None) -> Iterator[None]:
    """Let an allocation fail that the function has no memory for.

    Lambda kills a function that takes more than it has, and nobody is told which picture it was. Linux counts all private
    writable memory, whether it is used yet or not: https://man7.org/linux/man-pages/man2/getrlimit.2.html (RLIMIT_DATA)

    Args:
        megabytes: of the function's memory; None for no limit.
    """
    if megabytes is None:
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, ((megabytes - FOR_CODE) * 2**20, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
