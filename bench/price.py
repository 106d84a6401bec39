"""What each function calls and costs for one event, and at which memory size.

    python -m bench.price [--times 30] [--build .aws-sam/build] [--only NAME ...] [--write]

Needs the artifacts of `sam build`. Each function runs from its artifact on the template's Python, with a situation of the proofs;
AWS's answers are recorded from moto before and served on this machine, so that only the function and botocore are measured.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

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
from tests.template_file import RESOURCES, ROOT, TEMPLATE
from tests.unit.event_pipeline.messages import application_event, batch

from automations import aws
from bench import document
from bench.recorded import Measured, memory, run
from bench.runtime import Function
from bench.start_up import functions

ROUND_TRIP = 10.0
"""Milliseconds that a call is assumed to take beside the function's own work. Not measured: there is no AWS here."""
ONE_VCPU = 1769
"""MB at which a function has the equivalent of one vCPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
SIZES = (128, 192, 256, 320, 384, 512, 768, 1024, 1536, ONE_VCPU, 2048, 3008)
HEADROOM = 1.25
WARM_UP = 3
"""Invocations after the first that are not counted."""

# ---------------------------------------------------------------- prices

MILLION = 1_000_000
GB_SECOND = {"arm64": 0.0000133334, "x86_64": 0.0000166667}
REQUESTS = 0.20
"""For a million invocations."""
LOGS = 0.76
"""For a GB that CloudWatch Logs takes in."""
WRITE_UNIT, READ_UNIT = 0.68, 0.1355
"""For a million of DynamoDB's request units, on demand."""
S3_WRITE, S3_READ = 4.50, 0.35
SECRET = 5.00
PRICES: dict[str, float] = {
    "dynamodb.PutItem": WRITE_UNIT,
    "dynamodb.UpdateItem": WRITE_UNIT,
    "dynamodb.DeleteItem": WRITE_UNIT,
    "dynamodb.GetItem": READ_UNIT,
    "dynamodb.Query": READ_UNIT,
    "s3.PutObject": S3_WRITE,
    "s3.ListObjectsV2": S3_WRITE,
    "s3.GetObject": S3_READ,
    "s3.HeadObject": S3_READ,
    "secrets-manager.GetSecretValue": SECRET,
}
"""For a million calls, each of one item of at most 1 kB (written) or 4 kB (read consistently)."""
UNPRICED = frozenset({"sqs", "sns", "eventbridge", "kinesis", "firehose", "rds-data"})
"""Services that charge for calls too, and for which no price of this region with its date was found."""


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
    shapes = Image.effect_mandelbrot((4000, 3000), (-2.2, -1.2, 1.0, 1.2), 40)
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


def batch_size() -> int:
    """How many messages event_pipeline gets at most in an invocation."""
    return int(RESOURCES["IngestMapping"]["Properties"]["BatchSize"])


def full_batch(world: World) -> Situation:
    """A full batch of events is in the queue."""
    situation = event_pipeline.event_pipeline_batch(world)
    return replace(situation, event=batch(*(application_event() for _ in range(batch_size()))))


def _attack(name: str) -> Arrange:
    [arrange] = [one for one in security_remediation.SITUATIONS if one.__name__ == f"security_remediation_{name}"]
    return arrange


SITUATIONS: Sequence[Arrange] = (
    slack_sender.slack_sender_posted,
    photo,
    ec2_state_alerts.ec2_state_alerts_terminated,
    codebuild_slack.codebuild_slack_failed,
    _attack("policy_for_everyone"),
    partner_relay.partner_relay_webhook,
    rds_backup.rds_backup_night,
    office_hours.office_hours_evening,
    app_notifications.app_notifications_payment,
    full_batch,
    api_caller.api_caller_called,
    apigateway_logging.apigateway_logging_rest,
    basket.basket_put,
    basket.basket_checked_out,
    ordering.ordering_placed,
    webhook_receiver.webhook_receiver_taken,
)


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
        return statistics.median(one.cpu for one in self.measured.invocations[1 + WARM_UP :])

    @property
    def waits(self) -> float:
        """Milliseconds in which such a one does nothing: for its calls, which are made one after the other, and of its own will."""
        return sum(self.calls.values()) * ROUND_TRIP + self.measured.invocations[-1].waited * 1000


def measure(arrange: Arrange, build: Mapping[str, Function], times: int) -> Result:
    """Invoke the function of the situation so many times after those that are not counted."""
    function, measured = run(arrange, build, 1 + WARM_UP + times)
    return Result(function, name(arrange), measured)


# ---------------------------------------------------------------- the model


def duration(cpu: float, waits: float, size: int) -> float:
    """Milliseconds at a memory size: the CPU time at that share of a vCPU, and the waits."""
    return cpu * max(1.0, ONE_VCPU / size) + waits


def lambda_price(milliseconds: float, size: int, architecture: str) -> float:
    """For a million invocations; Lambda bills whole milliseconds."""
    return MILLION * math.ceil(milliseconds) / 1000 * size / 1024 * GB_SECOND[architecture] + REQUESTS


def calls_price(calls: Mapping[str, int]) -> float:
    """For a million invocations, of the calls that have a price here."""
    return sum(PRICES.get(call, 0.0) * count for call, count in calls.items())


def logs_price(logged: int) -> float:
    """For a million invocations that log so many bytes each."""
    return logged * MILLION / 1e9 * LOGS


def smallest(peak: float) -> int:
    """The smallest size that holds so many MB with headroom. It is the cheapest, too: the CPU time costs the same at each
    size up to one vCPU, and waiting costs less where there is less memory."""
    return next(size for size in SIZES if size >= peak * HEADROOM)


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
            str(sum(one.calls.values())),
            named(one.calls) + (f"; at first also {named(only_first)}" if only_first else ""),
        ]


def price_rows(results: Iterable[Result]) -> Iterable[list[str]]:
    for one in results:
        size, least = memory(one.function), smallest(one.measured.peak)
        took = duration(one.cpu, one.waits, size)
        beside = calls_price(one.calls) + logs_price(one.measured.invocations[-1].logged)
        yield [
            one.function,
            str(size),
            f"{took:.0f}",
            *(f"{lambda_price(took, size, architecture):.2f}" for architecture in GB_SECOND),
            f"{beside:.2f}",
            f"{lambda_price(took, size, 'arm64') + beside:.2f}",
            str(least),
            f"{lambda_price(duration(one.cpu, one.waits, least), least, 'arm64') + beside:.2f}",
            f"{_start(one, least):.1f}",
            f"{_start(one, size):.1f}",
        ]


def _start(one: Result, size: int) -> float:
    """Seconds until the first event of an environment is done, of which the start is one part."""
    first = one.measured.invocations[0]
    calls = sum(first.calls.values()) * ROUND_TRIP + first.waited * 1000
    return duration(one.measured.start + first.cpu, calls, size) / 1000


def unpriced(results: Iterable[Result]) -> Counter[str]:
    """The calls that AWS charges for and that have no price here."""
    found: Counter[str] = Counter()
    for one in results:
        found.update(call for call in one.calls if call.partition(".")[0] in UNPRICED)
    return found


def report(results: Sequence[Result], load: float) -> str:
    """The section of the document."""
    work = document.table(
        ["function", "event", "start, ms", "first, ms", "later, ms", "peak MB", "calls", "which"], work_rows(results)
    )
    heads = ["function", "MB", "ms", "arm64 $", "x86_64 $", "calls and logs $", "all, arm64 $"]
    price = document.table([*heads, "smallest MB", "all there $", "first s there", "first s"], price_rows(results))
    return (
        f"{len(results[0].measured.invocations) - 1 - WARM_UP} later events each; the machine's load was {load:.1f} when they "
        f"began.\n\n**Work**\n\n{work}\n\n**Price of a million events**\n\n{price}\n\n"
        f"Without a price here: {named(dict.fromkeys(unpriced(results), 1))}."
    )


def main(arguments: Sequence[str]) -> None:
    options = argparse.ArgumentParser(prog="python -m bench.price")
    options.add_argument("--times", type=int, default=30)
    options.add_argument("--build", type=Path, default=ROOT / ".aws-sam" / "build")
    options.add_argument("--only", nargs="*", default=[], help="folders of functions")
    options.add_argument("--write", action="store_true", help="write docs/performance.md")
    given = options.parse_args(arguments)
    build = {one.name: one for one in functions(given.build.resolve())}
    load = os.getloadavg()[0]
    chosen: list[Callable[[World], Situation]] = [
        one for one in SITUATIONS if not given.only or any(name in one.__module__ + one.__name__ for name in given.only)
    ]
    text = report([measure(arrange, build, given.times) for arrange in chosen], load)
    print(text)
    if given.write:
        document.write("price", text)


if __name__ == "__main__":
    main(sys.argv[1:])
