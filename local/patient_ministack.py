"""Run MiniStack with more patience for what functions log; only the local cloud's own environment can import it.

MiniStack takes what a function has logged by the time it answers, and waits 50 ms for a first line. On a machine that has much to do the
lines come later now and then, and would be missing in the log group for ever.
"""

import runpy

from ministack.core.lambda_runtime import Worker

SECONDS = {"first_line_wait": 2.0, "idle_confirm": 0.02, "hard_cap": 3.0}

whole = Worker._drain_stderr_bounded
Worker._drain_stderr_bounded = lambda worker, **given: whole(worker, **{**given, **SECONDS})

runpy.run_module("ministack.app", run_name="__main__", alter_sys=True)
