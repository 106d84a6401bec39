"""Work that grows: event_pipeline with the number of events, and three functions with the number of resources.

    python -m bench.growth [--build .aws-sam/build] [--only pipeline resources] [--write]

Needs the artifacts of `sam build`. AWS's answers are recorded from moto before; see bench.recorded.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from moto.core.responses import ActionResult
from moto.rds.responses import RDSResponse
from tests.proofs.situations import Situation, apigateway_logging, event_pipeline, office_hours
from tests.proofs.world import World
from tests.samples import sample
from tests.template_file import RESOURCES, ROOT
from tests.unit.event_pipeline.messages import application_event, batch
from tests.unit.rds_backup.databases import instance, old_snapshot

from automations import aws
from bench import document, plots
from bench.prices import ROUND_TRIP, duration, lambda_price
from bench.recorded import Measured, memory, run
from bench.runtime import Function
from bench.start_up import functions

# ---------------------------------------------------------------- events

EVENTS = (10, 1_000, 100_000)
ONE_BY_ONE = 1_000
"""How many events are really handled one by one; the rest is computed from these."""
WARM_UP = 3
MAPPING = RESOURCES["IngestMapping"]["Properties"]


def batch_size() -> int:
    """How many messages event_pipeline gets at most in an invocation."""
    return int(MAPPING["BatchSize"])


def of_events(count: int, world: World) -> Situation:
    """A batch of so many events is in the queue."""
    situation = event_pipeline.event_pipeline_batch(world)
    return replace(situation, event=batch(*(application_event() for _ in range(count))))


def of_poison(count: int, world: World) -> Situation:
    """A batch of so many messages is in the queue, and none is an event."""
    situation = event_pipeline.event_pipeline_batch(world)
    return replace(situation, event=batch(*(f"no event {number}" for number in range(count))))


@dataclass(frozen=True)
class Handled:
    """What it took to handle events.

    Attributes:
        cpu: seconds.
        run: whether all of it was measured; else it was computed from a part.
    """

    events: int
    invocations: int
    calls: int
    cpu: float
    run: bool = True

    @property
    def price(self) -> float:
        """US dollars that Lambda asks for a million events of which as many come at a time."""
        cpu, calls = self.cpu * 1000 / self.invocations, self.calls / self.invocations
        took = duration(cpu, calls * ROUND_TRIP, memory("event_pipeline"))
        return lambda_price(took, memory("event_pipeline")) * self.invocations / self.events


def handled(events: int, size: int, measured: Measured) -> Handled:
    """So many events in invocations of at most `size`, of which enough were measured."""
    invocations = math.ceil(events / size)
    counted = measured.invocations[1 + WARM_UP :]
    calls = sum(counted[-1].calls.values())
    enough = len(counted) >= invocations
    cpu = sum(one.cpu for one in counted[:invocations]) if enough else statistics.fmean(one.cpu for one in counted)
    return Handled(events, invocations, calls * invocations, cpu / 1000 * (1 if enough else invocations), enough)


def pipeline(build: Mapping[str, Function]) -> list[tuple[Handled, Handled]]:
    """For each number of events, in batches and one by one."""
    size = batch_size()

    def measure(count: int, times: int) -> Measured:
        return run(partial(of_events, count), build, 1 + WARM_UP + times)[1]

    full, alone = measure(size, math.ceil(max(EVENTS) / size)), measure(1, ONE_BY_ONE)
    found = []
    for events in EVENTS:
        batches = measure(events, 10) if events < size else full
        found.append((handled(events, size, batches), handled(events, 1, alone)))
    return found


def pipeline_rows(found: Iterable[tuple[Handled, Handled]]) -> Iterable[list[str]]:
    for batches, alone in found:
        for how, one in ((f"in batches of {batch_size():,}", batches), ("one invocation for each", alone)):
            yield [
                f"{one.events:,}",
                how + ("" if one.run else f", computed from {ONE_BY_ONE:,}"),
                f"{one.invocations:,}",
                f"{one.calls:,}",
                f"{one.cpu * 1000:,.0f}",
                f"{one.events / one.cpu:,.0f}",
                f"{one.cpu / batches.cpu:.1f}",
                f"{one.price:.3f}",
            ]


# ---------------------------------------------------------------- resources

RESOURCES_COUNTED = (10, 100, 1_000)
PAGE = 100
LOOK = ("Describe", "List", "Get", "Search")


def databases(count: int, world: World) -> Situation:
    """rds_backup: so many databases, each with yesterday's snapshot, are backed up at night."""
    world.set(moto_rds_snapshot_limit=str(4 * count))  # a quota that AWS raises
    world.environment.setattr(RDSResponse, "describe_db_snapshots", in_pages(RDSResponse.describe_db_snapshots))
    for number in range(count):
        name = f"database-{number}"
        instance(name)
        old_snapshot(f"automations-{name}-20261120-1500", 1, name)
    return Situation("rds_backup", sample("rds_backup/nightly"), lambda: None)


def in_pages(describe: Any) -> Any:
    """moto's answer in pages of 100, as RDS gives it when it is asked for no other number; moto does so with instances only.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBSnapshots.html
    """

    def page(response: RDSResponse) -> ActionResult:
        found: Any = describe(response).result
        begin = int(response.params.get("Marker") or 0)
        more = {"Marker": str(begin + PAGE)} if begin + PAGE < len(found["DBSnapshots"]) else {}
        return ActionResult({"DBSnapshots": found["DBSnapshots"][begin : begin + PAGE], **more})

    return page


def instances(count: int, world: World) -> Situation:
    """office_hours: so many instances are stopped in the evening."""
    office_hours._deployed(world, "all")
    tags: Any = [{"Key": "automations:office-hours", "Value": "true"}]
    for _ in range(count - 3):  # three are there; each by itself, because moto's pages are of reservations
        aws.ec2().run_instances(
            ImageId="ami-12c6146b",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )
    return Situation("office_hours", sample("office_hours/evening"), lambda: None)


def log_groups(count: int, world: World) -> Situation:
    """apigateway_logging: a stage is created where there are so many log groups."""
    situation = apigateway_logging.apigateway_logging_rest(world)
    for number in range(count - 1):
        aws.logs().create_log_group(logGroupName=f"/aws/vendedlogs/apigateway/api{number}/prod")
    return situation


@dataclass(frozen=True)
class Grown:
    """Attributes:
    look, change: calls that only read, and the others, by their names.
    """

    function: str
    resources: int
    look: Counter[str]
    change: Counter[str]
    cpu: float
    peak: float


def grown(arrange: Any, count: int, build: Mapping[str, Function]) -> Grown:
    function, measured = run(partial(arrange, count), build, 2)
    later = measured.invocations[-1]
    look, change = parted(later.calls)
    return Grown(function, count, look, change, later.cpu, measured.peak)


def parted(calls: Mapping[str, int]) -> tuple[Counter[str], Counter[str]]:
    """Those that only read, and the others."""
    look = Counter({call: times for call, times in calls.items() if call.partition(".")[2].startswith(LOOK)})
    return look, Counter(calls) - look


def resource_rows(found: Iterable[Grown]) -> Iterable[list[str]]:
    for one in found:
        yield [
            one.function,
            f"{one.resources:,}",
            f"{one.look.total():,}",
            f"{one.change.total():,}",
            f"{one.cpu:,.0f}",
            f"{one.peak:.0f}",
            _named(one.look) + "; " + _named(one.change),
        ]


def _named(calls: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {call.partition('.')[2]}" for call, count in sorted(calls.items()))


# ---------------------------------------------------------------- the report


def events_report(found: Sequence[tuple[Handled, Handled]], poison: Measured, load: float) -> str:
    heads = ["events", "how", "invocations", "calls", "CPU ms", "events for a CPU second", "times the CPU"]
    heads.append("$ for a million")
    size = batch_size()
    calls = sum(poison.invocations[-1].calls.values())
    return (
        f"The machine's load was {load:.1f} when they began. A batch of {size:,} messages of which none is an event: {calls} "
        f"call{'s' * (calls != 1)}, {poison.invocations[-1].logged:,} bytes in the log.\n\n"
        + document.table(heads, pipeline_rows(found))
    )


def resources_report(found: Sequence[Grown]) -> str:
    heads = ["function", "resources", "calls that look", "calls that change", "CPU ms", "peak MB", "which"]
    return document.table(heads, resource_rows(found))


def draw_events(found: Sequence[tuple[Handled, Handled]]) -> str:
    return plots.lines(
        "growing-events",
        "event_pipeline: CPU time for events",
        "events",
        "CPU milliseconds",
        {
            f"in batches of {batch_size():,}": [(one.events, one.cpu * 1000) for one, _ in found],
            "one invocation for each": [(one.events, one.cpu * 1000) for _, one in found],
        },
    )


def draw_resources(found: Sequence[Grown]) -> str:
    points: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for one in found:
        points[f"{one.function}, look"].append((one.resources, one.look.total()))
        points[f"{one.function}, change"].append((one.resources, one.change.total()))
    return plots.lines("growing-resources", "Calls of one run", "resources", "calls", points)


def main(arguments: Sequence[str]) -> None:
    options = argparse.ArgumentParser(prog="python -m bench.growth")
    options.add_argument("--build", type=Path, default=ROOT / ".aws-sam" / "build")
    options.add_argument("--only", choices=["events", "resources"], help="one of the two sections")
    options.add_argument("--write", action="store_true", help="write docs/performance.md")
    given = options.parse_args(arguments)
    build = {one.name: one for one in functions(given.build.resolve())}
    texts: dict[str, str] = {}
    pictures: dict[str, Callable[[], str]] = {}
    if given.only != "resources":
        load = os.getloadavg()[0]
        poison = run(partial(of_poison, batch_size()), build, 2)[1]
        both = pipeline(build)
        texts["growing events"] = events_report(both, poison, load)
        pictures["growing events"] = partial(draw_events, both)
    if given.only != "events":
        found = [
            grown(arrange, count, build)
            for arrange in (databases, instances, log_groups)
            for count in RESOURCES_COUNTED
        ]
        texts["growing resources"] = resources_report(found)
        pictures["growing resources"] = partial(draw_resources, found)
    for section, text in texts.items():
        print(text + "\n")
        if given.write:
            document.write(section, f"{text}\n\n{pictures[section]()}")


if __name__ == "__main__":
    main(sys.argv[1:])
