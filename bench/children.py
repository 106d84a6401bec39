"""What processes that are measured say of themselves."""

from __future__ import annotations

import resource
from pathlib import Path


def cpu() -> float:
    """Seconds of processor time of all threads, the system's for this process included."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak() -> int:
    """The most memory that this process has had, in bytes: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html

    It is not `ru_maxrss`, which begins with that of the process that started this one.
    """
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024
