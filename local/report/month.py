"""The month that a report is about, in UTC, as CloudWatch counts its days."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from local.cloud import LocalError

KEPT = timedelta(days=455)
"""How long CloudWatch keeps a metric:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html"""


@dataclass(frozen=True)
class Month:
    """Attributes:
    start: midnight of its first day.
    end: midnight after its last day, or now when it is under way.
    """

    start: datetime
    end: datetime

    def __str__(self) -> str:
        return f"{self.start:%B %Y}"

    @property
    def under_way(self) -> bool:
        return self.end < next_month(self.start)

    @property
    def days(self) -> list[date]:
        """All its days, those to come as well."""
        whole = next_month(self.start) - self.start
        return [self.start.date() + timedelta(days=day) for day in range(whole.days)]

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment < next_month(self.start)


def next_month(start: datetime) -> datetime:
    return (start + timedelta(days=31)).replace(day=1)


def month(text: str, now: datetime) -> Month:
    """Read `2026-11`; "" is the month of `now`.

    Raises:
        LocalError: it is no month, has not begun, or is forgotten.
    """
    if text and not re.fullmatch(r"2\d{3}-(0[1-9]|1[0-2])", text):
        raise LocalError(f"'{text}' is no month. Write it as {now:%Y-%m}: --month {now:%Y-%m}")
    now = now.astimezone(UTC)
    start = datetime.strptime(text or f"{now:%Y-%m}", "%Y-%m").replace(tzinfo=UTC)
    if start > now:
        raise LocalError(f"{start:%B %Y} has not begun.")
    if start < now - KEPT:
        raise LocalError(f"CloudWatch keeps metrics for {KEPT.days} days, and {start:%B %Y} began earlier.")
    return Month(start, min(next_month(start), now))
