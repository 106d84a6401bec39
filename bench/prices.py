"""What AWS asks for, and how long Lambda takes: prices with their dates, and a model with its assumptions. Nothing is measured here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from local.prices import GB_SECOND, INVOCATIONS, MILLION, of_lambda
from local.prices import READ as OCTOBER

ROUND_TRIP = 10.0
"""Milliseconds that a call is assumed to take beside the function's own work. Not measured: there is no AWS here."""
ONE_VCPU = 1769
"""MB at which a function has the equivalent of one vCPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
SIZES = (128, 192, 256, 320, 384, 512, 768, 1024, 1536, ONE_VCPU, 2048, 3008)
HEADROOM = 1.25

# ---------------------------------------------------------------- prices

LOGS = 0.76
"""For a GB that CloudWatch Logs takes in."""
JUNE = "2026-06-12"
"""When these prices were read, as `OCTOBER` is; see `local.prices.READ`. The other services have a list like Lambda's."""
S3_WRITE, S3_READ, SECRETS, WRITE_UNIT, READ_UNIT = 4.50, 0.35, 5.00, 0.68, 0.1355
"""For a million. A unit of DynamoDB, on demand, writes an item of at most 1 kB or reads one of at most 4 kB consistently; here each
call takes one."""
LIST: Sequence[tuple[str, float, str]] = (
    ("Lambda, a GB second on arm64", GB_SECOND["arm64"], OCTOBER),
    ("Lambda, a GB second on x86_64", GB_SECOND["x86_64"], OCTOBER),
    ("Lambda, a million invocations", INVOCATIONS, OCTOBER),
    ("CloudWatch Logs, a GB taken in", LOGS, OCTOBER),
    ("S3, a million PUT, COPY, POST and LIST", S3_WRITE, OCTOBER),
    ("S3, a million GET and all others", S3_READ, OCTOBER),
    ("Secrets Manager, a million calls", SECRETS, OCTOBER),
    ("DynamoDB on demand, a million write units", WRITE_UNIT, JUNE),
    ("DynamoDB on demand, a million read units", READ_UNIT, JUNE),
)
PRICES: dict[str, float] = {
    "dynamodb.PutItem": WRITE_UNIT,
    "dynamodb.UpdateItem": WRITE_UNIT,
    "dynamodb.DeleteItem": WRITE_UNIT,
    "dynamodb.GetItem": READ_UNIT,
    "dynamodb.Query": READ_UNIT,
    "s3.PutObject": S3_WRITE,
    "s3.PutBucketPolicy": S3_WRITE,
    "s3.GetObject": S3_READ,
    "s3.HeadObject": S3_READ,
    "s3.GetBucketPolicy": S3_READ,
    "s3.GetBucketTagging": S3_READ,
    "secrets-manager.GetSecretValue": SECRETS,
}
UNPRICED = frozenset({"sqs", "sns", "eventbridge", "kinesis", "firehose", "rds-data"})
"""Services that charge for calls too, and for which no price of this region with its date was found."""


# ---------------------------------------------------------------- the model


def duration(cpu: float, waits: float, size: int) -> float:
    """Milliseconds at a memory size: the CPU time at that share of a vCPU, and the waits."""
    return cpu * max(1.0, ONE_VCPU / size) + waits


def lambda_price(milliseconds: float, size: int, architecture: str = "arm64") -> float:
    """For a million invocations; Lambda bills whole milliseconds."""
    return of_lambda(MILLION * math.ceil(milliseconds) / 1000 * size / 1024, MILLION, architecture)


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
