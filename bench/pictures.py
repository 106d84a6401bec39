"""What image_resize takes for its three derivatives of a picture, against sharp and pyvips, and how good they are.

    python -m bench.pictures [--rounds 4] [--write]

Needs .venv-bench (requirements/bench.txt), and for sharp Node.js with npm: without them those columns are left out. In each round
every tool works once on every picture, one after the other, each in a process of its own; only the ratios are comparable between
machines.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from threading import Thread
from unittest.mock import patch

from rich.console import Console
from rich.progress import track
from tests.template_file import ROOT

from automations import aws
from bench import document, plots
from bench.plots import PYTHON
from bench.start_up import ratio
from image_resize.derivatives import at_once

MOST_OF_SHARP, MOST_OF_CHAINED, MOST_MEMORY = 1.0, 1.3, 65
"""The goals: parts of sharp's processor time, and MiB above the imports."""

RIVALS = ROOT / "bench" / "rivals"
OURS, SHARP, CHAINED, PYVIPS = "image_resize", "sharp", "chained sharp", "pyvips"
FORMATS = ("jpeg", "webp")
SIZES = ("1600", "800", "200")
GOALS = ("12 MP", "24 MP", "50 MP", "100 MP")
"""The pictures that the goals are about: JPEGs of the usual, baseline kind."""

TRIED = "12 MP"
VARIANTS = (
    "decoding only",
    "libjpeg leaves at least 1.3 times the largest size",
    "libjpeg leaves at least twice the largest size",
    "sharpened after libjpeg's reduction",
    "bicubic, not Lanczos",
    "JPEG not progressive",
)
LATENCY = 0.03
"""Seconds that the server waits before it answers, as S3 does."""


@dataclass(frozen=True)
class Use:
    """Attributes:
    cpu: seconds of processor time, without start and imports.
    memory: bytes at the peak, above what the imports took.
    written: bytes of the derivatives together.
    """

    cpu: float
    memory: int
    written: int


@dataclass(frozen=True)
class Case:
    """What is measured: a picture, the format of its derivatives, and the tool that makes them."""

    picture: str
    format: str
    tool: str


Uses = Mapping[Case, Sequence[Use]]
Likeness = Mapping[Case, Mapping[str, float]]
"""SSIM of each size."""


# ---------------------------------------------------------------- measurement


def tools() -> dict[str, list[str | Path]]:
    """The command of each tool that is there."""
    python: list[str | Path] = [PYTHON, "-m"]
    found: dict[str, list[str | Path]] = {OURS: [*python, "bench.rivals.image_resize"]}
    if _has_sharp():
        found |= {SHARP: ["node", RIVALS / "sharp.mjs"], CHAINED: ["node", RIVALS / "sharp.mjs"]}
    else:
        print("sharp is left out: Node.js with npm is not there, or npm could not install it.", file=sys.stderr)
    if subprocess.run([PYTHON, "-c", "import pyvips"], capture_output=True, check=False).returncode == 0:
        found[PYVIPS] = [*python, "bench.rivals.vips"]
    else:
        print("pyvips is left out: it is not in .venv-bench.", file=sys.stderr)
    return found


def _has_sharp() -> bool:
    if not shutil.which("node") or not shutil.which("npm"):
        return False
    if not (RIVALS / "node_modules").exists():
        subprocess.run(["npm", "ci", "--silent"], cwd=RIVALS, check=False)
    return (RIVALS / "node_modules" / "sharp").exists()


def measure(folder: Path, rounds: int, commands: Mapping[str, Sequence[str | Path]]) -> dict[Case, list[Use]]:
    """What each case took, round by round. The derivatives are left in the folder."""
    sources = sorted(folder.glob("*.*"), key=lambda source: source.stat().st_mtime)
    cases = [
        (source, Case(source.stem, image_format, tool), commands[tool])
        for source, image_format, tool in product(sources, FORMATS, commands)
        if image_format == "jpeg" or source.stem in GOALS
    ]
    [tried] = [source for source in sources if source.stem == TRIED]
    cases += [(tried, Case(TRIED, "jpeg", variant), commands[OURS]) for variant in VARIANTS]
    uses: dict[Case, list[Use]] = {case: [] for _, case, _ in cases}
    console = Console(stderr=True)
    for _, (source, case, command) in track(
        list(product(range(rounds), cases)), "Making derivatives", console=console, disable=not console.is_terminal
    ):
        uses[case].append(_use(source, case, command, _derivatives(folder, case)))
    return uses


def _use(source: Path, case: Case, command: Sequence[str | Path], derivatives: Path) -> Use:
    derivatives.mkdir(parents=True, exist_ok=True)
    how = {SHARP: ["separate"], CHAINED: ["chained"], OURS: [], PYVIPS: []}.get(case.tool, [case.tool])
    done = _run([*command, source, case.format, derivatives, *how])
    return Use(**json.loads(done), written=sum(file.stat().st_size for file in derivatives.iterdir()))


def _derivatives(folder: Path, case: Case) -> Path:
    return folder / "derivatives" / case.picture / case.format / case.tool


def _run(command: Sequence[str | Path]) -> str:
    path = os.pathsep.join(str(ROOT / part) for part in (".", "functions", "layers/shared"))
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed.\n{done.stderr}")
    return done.stdout


def likeness(folder: Path, cases: Iterable[Case]) -> dict[Case, dict[str, float]]:
    """SSIM of each size, against the picture decoded in full and reduced by Lanczos."""
    folders = {_derivatives(folder, case): case for case in cases}
    pictures = dict.fromkeys(case.picture for case in folders.values())

    def of_picture(picture: str) -> dict[str, dict[str, float]]:
        [source] = folder.glob(f"{picture}.*")
        own = [derivatives for derivatives, case in folders.items() if case.picture == picture]
        return json.loads(_run([PYTHON, "-m", "bench.likeness", source, *own]))

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = threads.map(of_picture, pictures)
        return {folders[Path(derivatives)]: sizes for one in found for derivatives, sizes in one.items()}


class _Slow(BaseHTTPRequestHandler):
    """Takes what is put, and answers as late as S3."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:  # http.server's name
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(LATENCY)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # http.server's name
        """Say nothing."""


@contextmanager
def _slow_s3() -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    Thread(target=server.serve_forever, daemon=True).start()
    place = {
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{server.server_port}",
        "AWS_DEFAULT_REGION": "ap-northeast-2",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
    }
    aws.forget_clients()
    try:
        with patch.dict(os.environ, place):
            yield
    finally:
        aws.forget_clients()
        server.shutdown()
        server.server_close()


def uploads(rounds: int = 9) -> tuple[list[float], list[float]]:
    """Seconds that it takes to write three objects: one after the other, and as image_resize does."""
    after, together = [], []

    def put(key: str) -> None:
        aws.s3().put_object(Bucket="bench", Key=key, Body=bytes(200_000))

    with _slow_s3():
        at_once(put, SIZES)
        for _ in range(rounds):
            begin = time.perf_counter()
            for size in SIZES:
                put(size)
            between = time.perf_counter()
            at_once(put, SIZES)
            after.append(between - begin)
            together.append(time.perf_counter() - between)
    return after, together


# ---------------------------------------------------------------- report


def cpu_rows(uses: Uses, rivals: Sequence[str]) -> Iterator[list[str]]:
    """A row for each picture and format: median, middle half, and the medians of the ratios within each round."""
    for case, own in uses.items():
        if case.tool != OURS:
            continue
        low, middle, high = (1000 * value for value in statistics.quantiles([use.cpu for use in own], n=4))
        parts = {rival: _part(uses, case, rival) for rival in rivals}
        yield [
            case.picture,
            case.format,
            f"{middle:.0f}",
            f"{low:.0f}-{high:.0f}",
            *(f"{part:.2f}" for part in parts.values()),
            _goal(case, parts),
        ]


def _part(uses: Uses, case: Case, tool: str) -> float:
    """The median of the parts that this case takes of the processor time of another tool."""
    other = uses[Case(case.picture, case.format, tool)]
    return ratio([use.cpu for use in uses[case]], [use.cpu for use in other])


def _goal(case: Case, parts: Mapping[str, float]) -> str:
    """Which of the two goals are met, where there are any and sharp is there."""
    if case.picture not in GOALS or SHARP not in parts:
        return ""
    goals = {SHARP: MOST_OF_SHARP, CHAINED: MOST_OF_CHAINED}
    return " and ".join(tool for tool, most in goals.items() if parts[tool] <= most) or "none"


def memory_rows(uses: Uses, every: Sequence[str]) -> Iterator[list[str]]:
    """A row for each picture and format: the highest peak of each tool in MiB."""
    for case in uses:
        if case.tool == OURS:
            peaks = [max(use.memory for use in uses[Case(case.picture, case.format, tool)]) / 2**20 for tool in every]
            jpeg = case.picture in GOALS or case.picture == "10 MP, square"
            met = ("yes" if peaks[0] <= MOST_MEMORY else "no") if jpeg else ""
            yield [case.picture, case.format, *(f"{peak:.0f}" for peak in peaks), met]


def likeness_rows(found: Likeness, every: Sequence[str]) -> Iterator[list[str]]:
    """A row for each picture, format and size: the SSIM of each tool's derivative."""
    for case, size in product([case for case in found if case.tool == OURS], SIZES):
        values = [found[Case(case.picture, case.format, tool)][size] for tool in every]
        rival = values[every.index(SHARP)] if SHARP in every else None
        # To the digits that are shown: what differs less is noise of rounding.
        difference = None if rival is None else round(values[0], 4) - round(rival, 4)
        met = "" if difference is None else "yes" if difference >= 0 else f"{difference:.4f}"
        yield [case.picture, case.format, size, *(f"{value:.4f}" for value in values), met]


def variant_rows(uses: Uses, found: Likeness) -> Iterator[list[str]]:
    """A row for each variant of what is deployed: its part of that one's processor time, its memory, what it writes and its SSIM."""
    deployed = Case(TRIED, "jpeg", OURS)
    for name in (OURS, *VARIANTS):
        case = Case(TRIED, "jpeg", name)
        part = ratio([use.cpu for use in uses[case]], [use.cpu for use in uses[deployed]])
        peak = max(use.memory for use in uses[case]) / 2**20
        values = [f"{found[case][size]:.4f}" if case in found else "" for size in SIZES]
        written = uses[case][0].written / 1000
        yield [
            "as it is" if name == OURS else name,
            f"{part:.2f}",
            f"{peak:.0f}",
            f"{written:.0f}" if written else "",
            *values,
        ]


def report(uses: Uses, found: Likeness, waited: tuple[Sequence[float], Sequence[float]], load: float) -> str:
    """The section of the document."""
    every = [tool for tool in (OURS, SHARP, CHAINED, PYVIPS) if Case(TRIED, "jpeg", tool) in uses]
    rivals = every[1:]
    rounds = len(uses[Case(TRIED, "jpeg", OURS)])
    cpu = ["picture", "to", "median ms", "middle half", *(f"of {rival}" for rival in rivals), "goals met"]
    after, together = (1000 * statistics.median(seconds) for seconds in waited)
    return f"""\
{rounds} rounds on {os.cpu_count()} cores; the machine's load was {load:.1f} when they began.

Processor time. Goals, for JPEGs of 12 to 100 megapixels: at most {MOST_OF_SHARP} of sharp's three pipelines, and at most
{MOST_OF_CHAINED} of chained sharp.

{document.table(cpu, cpu_rows(uses, rivals))}

Memory at the peak, in MiB above the imports. Goal, for a baseline JPEG of any size: at most {MOST_MEMORY}.

{document.table(["picture", "to", *every, "goal met"], memory_rows(uses, every))}

SSIM. Goal: at least that of sharp's three pipelines, to four digits; where it is not met, the difference.

{document.table(["picture", "to", "size", *every, "goal met"], likeness_rows(found, every))}

What was tried, with the JPEG of {TRIED} to JPEG, one thing at a time:

{document.table(["", "part of the time", "peak MiB", "kB written", *(f"SSIM at {size}" for size in SIZES)], variant_rows(uses, found))}

Writing three derivatives to a server that answers after {1000 * LATENCY:.0f} ms took {together:.0f} ms at the same time, and {after:.0f} ms
one after the other."""


def plotted(uses: Uses, every: Iterable[str]) -> dict[str, list[float]]:
    """Milliseconds, round by round, of each tool for each picture that the goals are about."""
    bars = {f"{picture}, {tool}": uses[Case(picture, "jpeg", tool)] for picture, tool in product(GOALS, every)}
    return {name: [1000 * use.cpu for use in own] for name, own in bars.items()}


def main(arguments: Sequence[str]) -> None:
    options = argparse.ArgumentParser(prog="python -m bench.pictures")
    options.add_argument("--rounds", type=int, default=4)
    options.add_argument("--write", action="store_true", help="write docs/performance.md")
    given = options.parse_args(arguments)
    load = os.getloadavg()[0]
    commands = tools()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run([PYTHON, "-m", "bench.drawn", folder])
        uses = measure(folder, given.rounds, commands)
        compared = [case for case in uses if case.picture in GOALS and case.tool != VARIANTS[0]]
        rivals = {f"{picture}, {tool}" for picture in GOALS for tool in commands if tool != OURS}
        text = report(uses, likeness(folder, compared), uploads(), load)
    print(text)
    if given.write:
        title = "Three derivatives of a JPEG, to JPEG"
        picture = plots.bars("pictures", title, "milliseconds of processor time", plotted(uses, commands), rivals)
        document.write("pictures", f"{text}\n\n{picture}")


if __name__ == "__main__":
    main(sys.argv[1:])
