"""What each function calls and costs for one event, and at which memory size.

    python -m bench.price [--times 20] [--build .aws-sam/build] [--only NAME ...] [--write]

Needs the artifacts of `sam build`. Each function runs from its artifact on the template's Python, with a situation of the proofs;
AWS's answers are recorded from moto before and served on this machine, so that only the function and botocore are measured.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from local.prices import GB_SECOND
from PIL import Image
from tests.proofs.situations import (
    Arrange,
    Situation,
    api_caller,
    apigateway_logging,
    app_notifications,
    basket,
    codebuild_slack,
    ec2_state_alerts,
    event_pipeline,
    image_resize,
    name,
    office_hours,
    ordering,
    partner_relay,
    rds_backup,
    security_remediation,
    slack_sender,
    webhook_receiver,
)
from tests.proofs.world import World
from tests.template_file import ROOT, TEMPLATE
from tests.unit.event_pipeline.messages import application_event, batch
from tests.unit.shared.messages import EVENT

from automations import aws
from automations.notify import Message, Severity
from automations.notify.slack import put
from bench import document, plots
from bench.growth import batch_size, of_events
from bench.prices import (
    LIST,
    ONE_VCPU,
    ROUND_TRIP,
    UNPRICED,
    calls_price,
    duration,
    lambda_price,
    logs_price,
    smallest,
)
from bench.recorded import Invocation, Measured, memory, run
from bench.runtime import Function
from bench.start_up import functions

WARM_UP = 3
"""Invocations after the first that are not counted."""
SHOWN = (128, 256, 512, 1024, ONE_VCPU)
LARGEST_PAYLOAD = 6 * 2**20
"""Bytes that Lambda hands over at most: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


# ---------------------------------------------------------------- situations


def photo(world: World) -> Situation:
    """A photo of 12 megapixels is uploaded."""
    image_resize._deployed(world)
    sizes = TEMPLATE["Parameters"]
    world.set(
        image_sizes=sizes["ImageSizes"]["Default"],
        max_image_pixels=str(sizes["MaxImagePixels"]["Default"]),
        max_image_bytes=str(sizes["MaxImageBytes"]["Default"]),
    )
    # Smooth shapes with some noise, so that the file is as large as a camera's.
    shapes = Image.radial_gradient("L").resize((4000, 3000))
    noise = Image.effect_noise((4000, 3000), 24)
    file = BytesIO()
    Image.merge("RGB", (shapes, noise, Image.blend(shapes, noise, 0.5))).save(file, "JPEG", quality=85)
    answer = aws.s3().put_object(Bucket=image_resize.UPLOADS, Key=image_resize.KEY, Body=file.getvalue())
    event = image_resize._upload("red")
    event["detail"]["object"] |= {
        "size": len(file.getvalue()),
        "etag": answer["ETag"].strip('"'),
        "version-id": answer["VersionId"],
    }
    aws.s3().put_object(Bucket=image_resize.UPLOADS, Key=image_resize.KEY, Body=file.getvalue())
    return Situation("image_resize", event, lambda: None)


def full_batch(world: World) -> Situation:
    """A full batch of events is in the queue."""
    return of_events(batch_size(), world)


def largest_batch(world: World) -> Situation:
    """The largest batch of events that Lambda hands over, of many fields."""
    return replace(event_pipeline.event_pipeline_batch(world), event=many_fields())


def many_fields() -> dict[str, Any]:
    """A batch of events whose names grow when they are flattened; it has nearly as many bytes as Lambda hands over."""
    fields = {f"r{number:03}": number for number in range((LARGEST_PAYLOAD // batch_size() - 900) // 15)}
    event = application_event(environment={"station": {"instrument": {"channel": {"readings": fields}}}})
    return batch(*({**event, "id": str(uuid4())} for _ in range(batch_size())))


def largest_poison(world: World) -> Situation:
    """The largest batch of messages that are no events."""
    situation = event_pipeline.event_pipeline_batch(world)
    text = "글" * (LARGEST_PAYLOAD // batch_size() // 3 - 50)
    return replace(situation, event=batch(*(text for _ in range(batch_size()))))


def longest_messages(world: World) -> Situation:
    """Ten messages for Slack, all as long as they can be."""
    world.slack()
    facts = {f"Fact {number}": "x" * 1800 for number in range(100)}
    for number in range(10):
        message = Message(Severity.WARNING, f"Disk {number} full", EVENT, facts=facts, text="x" * 130_000)
        put(message, "secretsmanager:slack-webhook", queue=world.slack_queue.queue, key=str(number))
    return Situation("slack_sender", slack_sender._batch(world), lambda: None)


def _attack(name: str) -> Arrange:
    [arrange] = [one for one in security_remediation.SITUATIONS if one.__name__ == f"security_remediation_{name}"]
    return arrange


SITUATIONS: Mapping[str, Sequence[Arrange]] = {
    "slack_sender": [slack_sender.slack_sender_posted],
    "image_resize": [photo],
    "ec2_state_alerts": [ec2_state_alerts.ec2_state_alerts_terminated],
    "codebuild_slack": [codebuild_slack.codebuild_slack_failed],
    "security_remediation": [_attack("policy_for_everyone")],
    "partner_relay": [partner_relay.partner_relay_webhook],
    "rds_backup": [rds_backup.rds_backup_night],
    "office_hours": [office_hours.office_hours_evening],
    "app_notifications": [app_notifications.app_notifications_payment],
    "event_pipeline": [full_batch],
    "api_caller": [api_caller.api_caller_called],
    "apigateway_logging": [apigateway_logging.apigateway_logging_rest],
    "basket": [basket.basket_put, basket.basket_checked_out],
    "ordering": [ordering.ordering_placed],
    "webhook_receiver": [webhook_receiver.webhook_receiver_taken],
}
"""What is typical, by function."""
LARGEST: Mapping[str, Sequence[Arrange]] = {
    "slack_sender": [longest_messages],
    "event_pipeline": [largest_batch, largest_poison],
}
"""What takes the most memory, of the functions whose events have very different sizes."""
LEAST: Mapping[str, int] = {"image_resize": 320}
"""MB with which a function does its work at all, by its own limit: with less, the photo is refused by its header."""


# ---------------------------------------------------------------- measuring


@dataclass(frozen=True)
class Result:
    """Attributes:
    event: what happened, in a few words.
    """

    function: str
    event: str
    measured: Measured

    @property
    def first(self) -> Counter[str]:
        """Calls of the first invocation of an environment."""
        return Counter(self.measured.invocations[0].calls)

    @property
    def calls(self) -> Counter[str]:
        """Calls of one after it."""
        return Counter(self.measured.invocations[-1].calls)

    @property
    def cpu(self) -> float:
        """Milliseconds of one after it."""
        return statistics.median(one.cpu for one in self.later)

    @property
    def later(self) -> list[Invocation]:
        """The invocations that are counted."""
        return self.measured.invocations[1 + WARM_UP :]

    @property
    def waits(self) -> float:
        """Milliseconds in which such a one does nothing: for its calls, which are made one after the other, and of its own will."""
        return sum(self.calls.values()) * ROUND_TRIP + self.measured.invocations[-1].waited * 1000


def measure(arrange: Arrange, build: Mapping[str, Function], times: int) -> Result:
    """Invoke the function of the situation so many times after those that are not counted."""
    function, measured = run(arrange, build, 1 + WARM_UP + times)
    return Result(function, name(arrange), measured)


# ---------------------------------------------------------------- the report


def named(calls: Mapping[str, int]) -> str:
    """`2 s3:PutObject, sns:Publish`"""
    return ", ".join(
        f"{f'{count} ' if count > 1 else ''}{call.replace('.', ':')}" for call, count in sorted(calls.items()) if count
    )


def work_rows(results: Iterable[Result]) -> Iterable[list[str]]:
    for one in results:
        measured, first = one.measured, one.measured.invocations[0]
        only_first = one.first - one.calls
        yield [
            one.function,
            one.event,
            f"{measured.start:.0f}",
            f"{first.cpu:.0f}",
            f"{one.cpu:.1f}",
            f"{measured.peak:.0f}",
            str(one.calls.total()),
            named(one.calls) + (f"; at first also {named(only_first)}" if only_first else ""),
        ]


def price_rows(results: Iterable[Result]) -> Iterable[list[str]]:
    for one in results:
        size = memory(one.function)
        took = duration(one.cpu, one.waits, size)
        on_lambda = [lambda_price(took, size, architecture) for architecture in GB_SECOND]
        calls, logs = calls_price(one.calls), logs_price(one.measured.invocations[-1].logged)
        yield [
            one.function,
            one.event,
            str(size),
            f"{took:,.0f}",
            *(f"{price:.2f}" for price in (*on_lambda, calls, logs, on_lambda[0] + calls + logs)),
            named({call: count for call, count in one.calls.items() if call.partition(".")[0] in UNPRICED}) or "-",
        ]


def memory_rows(results: Sequence[Result], largest: Sequence[Result]) -> Iterable[list[str]]:
    """A row for each function: what Lambda costs and how long a first event takes, at some sizes."""
    typical: dict[str, Result] = {}
    for one in results:
        typical.setdefault(one.function, one)
    for function, one in typical.items():
        peak = max(each.measured.peak for each in (*results, *largest) if each.function == function)
        least = max(smallest(peak), LEAST.get(function, 0))
        yield [
            function,
            f"{peak:.0f}",
            str(least),
            str(memory(function)),
            *(
                f"{lambda_price(duration(one.cpu, one.waits, size), size):.2f}, {first_event(one, size):.1f} s"
                if size >= least
                else "-"
                for size in SHOWN
            ),
        ]


def first_event(one: Result, size: int) -> float:
    """Seconds until the first event of an environment is done, of which the start is one part."""
    first = one.measured.invocations[0]
    waits = sum(first.calls.values()) * ROUND_TRIP + first.waited * 1000
    return duration(one.measured.start + first.cpu, waits, size) / 1000


def report(results: Sequence[Result], largest: Sequence[Result], load: float) -> str:
    """The section of the document."""
    work = document.table(
        ["function", "event", "start, CPU ms", "first, CPU ms", "later, CPU ms", "peak MB", "calls", "which"],
        work_rows([*results, *largest]),
    )
    prices = document.table(
        ["price", "US dollars", "as of"],
        ([what, f"{price:.10f}".rstrip("0").rstrip("."), at] for what, price, at in LIST),
    )
    heads = ["function", "event", "MB", "ms", "arm64", "x86_64", "calls", "logs", "all, on arm64", "not priced"]
    sizes = document.table(
        ["function", "peak MB", "smallest", "template's", *(f"{size:,} MB" for size in SHOWN)],
        memory_rows(results, largest),
    )
    times = len(results[0].later)
    return (
        f"{times} later events of each; the machine's load was {load:.1f} when they began.\n\n"
        f"**Work of one event**\n\n{work}\n\n"
        f"**Prices of ap-northeast-2**\n\n{prices}\n\n"
        f"**US dollars for a million events**\n\n{document.table(heads, price_rows(results))}\n\n"
        f"**Lambda on arm64 for a million events, and the time of a first event, by memory**\n\n{sizes}"
    )


def draw(results: Sequence[Result]) -> str:
    """What a million typical events cost, with the spread that the measured CPU time gives it."""
    prices: dict[str, list[float]] = {}
    for one in results:
        size, beside = memory(one.function), calls_price(one.calls) + logs_price(one.measured.invocations[-1].logged)
        prices.setdefault(
            one.function,
            [beside + lambda_price(duration(each.cpu, one.waits, size), size) for each in one.later],
        )
    return plots.bars("price", "A million events: Lambda on arm64, priced calls and logs", "US dollars", prices)


def main(arguments: Sequence[str]) -> None:
    options = argparse.ArgumentParser(prog="python -m bench.price")
    options.add_argument("--times", type=int, default=20)
    options.add_argument("--build", type=Path, default=ROOT / ".aws-sam" / "build")
    options.add_argument("--only", nargs="*", default=[], help="folders of functions")
    options.add_argument("--write", action="store_true", help="write docs/performance.md")
    given = options.parse_args(arguments)
    build = {one.name: one for one in functions(given.build.resolve())}
    load = os.getloadavg()[0]
    results, largest = (
        [
            measure(arrange, build, times)
            for function, every in arranged.items()
            for arrange in every
            if not given.only or function in given.only
        ]
        for arranged, times in ((SITUATIONS, given.times), (LARGEST, 1))
    )
    text = report(results, largest, load)
    print(text)
    if given.write:
        document.write("price", f"{text}\n\n{draw(results)}")


if __name__ == "__main__":
    main(sys.argv[1:])
