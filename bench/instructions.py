"""How many instructions each function's start executes, held against what was recorded, and which import grew.

    python -m bench.instructions [--write] [--build .aws-sam/build] [--only NAME ...]

Time differs from run to run, the count of instructions hardly: callgrind counts the same start again within a millionth. It
needs valgrind, the artifacts of `sam build`, and some three minutes. Counts of another Python or another processor are
others: record them first there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.template_file import ROOT

from bench import document
from bench.runtime import PYTHON, Function, environment
from bench.start_up import functions

RECORDED = Path(__file__).with_suffix(".json")
MORE = 0.01
"""A growth by more than this part is told."""
IMPORTS = (
    "awslambdaric.bootstrap",  # the floor: Python and Lambda's client
    "aws_lambda_powertools",
    "aws_lambda_powertools.utilities.parser",
    "aws_xray_sdk.core",
    "botocore.session",
    "automations.aws",
    "automations.events",
    "aws_lambda_powertools.utilities.idempotency",
    "automations.notify",
    "automations.http",
)
"""What functions share, each after those before it, which it may stand on."""


@dataclass(frozen=True)
class Start:
    """Attributes:
    instructions: in millions.
    modules: how many it imports, by package.
    """

    instructions: float
    modules: Mapping[str, int]


def count(function: Function, imports: Sequence[str]) -> Start:
    """Import these modules, one after the other, in the function's environment.

    Raises:
        RuntimeError: what failed, as Python told it.
    """
    code = f"import sys, {', '.join(imports)}; print(*sys.modules)"
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", PYTHON, "-c", code],
        cwd=function.code[0],
        env={**environment(function), "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    counted = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not counted:
        raise RuntimeError(f"{imports[-1]} could not be counted.\n{done.stderr}")
    modules = Counter(module.partition(".")[0] for module in done.stdout.split() if not module.startswith("_"))
    return Start(round(int(counted[1]) / 1e6, 1), {name: modules[name] for name in sorted(modules)})


def measure(every: Sequence[Function]) -> dict[str, Any]:
    """The instructions, in millions, of each shared import by itself and of each function's whole start."""
    chains = [IMPORTS[: length + 1] for length in range(len(IMPORTS))]
    starts = [(function, (IMPORTS[0], function.handler.rpartition(".")[0])) for function in every]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda one: count(*one), [*((every[0], chain) for chain in chains), *starts]))
    shared, whole = found[: len(chains)], found[len(chains) :]
    before = [0.0, *(start.instructions for start in shared)]
    return {
        "python": platform_of(PYTHON),
        "imports": {
            name: round(start.instructions - less, 1)
            for name, start, less in zip(IMPORTS, shared, before, strict=False)
        },
        "functions": {function.name: start.instructions for function, start in zip(every, whole, strict=True)},
        "modules": {function.name: start.modules for function, start in zip(every, whole, strict=True)},
    }


def platform_of(python: Path) -> str:
    """Which Python and processor are counted, such as `Python 3.13.0 x86_64`."""
    version = subprocess.run([python, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{version} {platform.machine()}"


def grown(now: Mapping[str, Any], recorded: Mapping[str, Any]) -> list[str]:
    """A line for each shared import and each function that executes more than was recorded, and the packages that it imports now."""
    lines = []
    for kind in ("imports", "functions"):
        for name, millions in now[kind].items():
            before = recorded[kind].get(name)
            if before is None:
                lines.append(f"{name}: {millions:.1f} million instructions, not recorded yet")
            elif millions > before * (1 + MORE) and millions - before > 1:
                lines.append(f"{name}: {before:.1f} -> {millions:.1f} million instructions")
                had = recorded["modules"].get(name, {})
                lines += [
                    f"  imports {modules} modules of {package} instead of {had.get(package, 0)}"
                    for package, modules in now["modules"].get(name, {}).items()
                    if modules > had.get(package, 0)
                ]
    return lines


def report(counted: Mapping[str, Any]) -> str:
    """The section of the document: what the shared imports execute, against the median of the functions' whole starts."""
    whole = statistics.median(counted["functions"].values())
    rows = [[name, f"{millions:.0f}", f"{millions / whole:.0%}"] for name, millions in counted["imports"].items()]
    return document.table(
        ["import, each after those above it", "million instructions", "of the median start"],
        [*rows, ["the median of the functions", f"{whole:.0f}", "100%"]],
    )


def main(arguments: Sequence[str]) -> str | int:
    options = argparse.ArgumentParser(prog="python -m bench.instructions")
    options.add_argument("--write", action="store_true", help="record the counts, and write docs/performance.md")
    options.add_argument("--build", type=Path, default=ROOT / ".aws-sam" / "build")
    options.add_argument("--only", nargs="*", default=[], help="folders of functions")
    given = options.parse_args(arguments)
    if not shutil.which("valgrind"):
        print("There is no valgrind on this machine: the instructions of the starts were not counted.")
        return 0
    recorded = (
        json.loads(RECORDED.read_text()) if RECORDED.exists() else {"imports": {}, "functions": {}, "modules": {}}
    )
    now = measure([each for each in functions(given.build.resolve()) if not given.only or each.name in given.only])
    if given.write:
        flat = re.sub(r"\{[^{}]*\}", lambda inner: " ".join(inner[0].split()), json.dumps(now, indent=1))
        RECORDED.write_text(flat + "\n")
        document.write("instructions", report(now))
        return 0
    if recorded.get("python", now["python"]) != now["python"]:
        return f"Recorded with {recorded['python']}, counted with {now['python']}: these do not compare. Record them first with --write."
    lines = grown(now, recorded)
    print("\n".join(lines) or "No start executes more instructions than recorded.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
