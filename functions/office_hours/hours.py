"""When the office is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
"""In the order of a cron expression: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html"""


@dataclass(frozen=True)
class OfficeHours:
    """Attributes:
    opens, closes: of the clock on the office's wall, so daylight saving needs no thought. It is closed at `closes`.
    days: as `DAYS` calls them.
    holidays: closed all day.
    """

    zone: ZoneInfo
    opens: time
    closes: time
    days: frozenset[str]
    holidays: frozenset[date] = frozenset()

    def today(self, now: datetime) -> date:
        """The date in the office."""
        return now.astimezone(self.zone).date()

    def is_open(self, now: datetime) -> bool:
        here = now.astimezone(self.zone)
        works = DAYS[here.isoweekday() % 7] in self.days and here.date() not in self.holidays
        return works and self.opens <= here.time() < self.closes


def read_days(text: str) -> frozenset[str]:
    """Read the days of a cron expression: `MON-FRI`, or `SUN-WED,FRI`.

    Raises:
        ValueError: a day has another name, or a range ends before it begins.
    """
    days: set[str] = set()
    for part in text.upper().split(","):
        first, _, last = (day.strip() for day in part.partition("-"))
        last = last or first
        if first not in DAYS or last not in DAYS:
            raise ValueError(f"a day must be one of {', '.join(DAYS)}")
        if DAYS.index(first) > DAYS.index(last):
            raise ValueError("a range of days must not end before it begins, and the week begins with SUN")
        days.update(DAYS[DAYS.index(first) : DAYS.index(last) + 1])
    return frozenset(days)


def read_zone(name: str) -> ZoneInfo:
    """Find a time zone in the system's IANA database, which Lambda's Python 3.13 has (Amazon Linux 2023, since 2023.3).

    https://github.com/aws/aws-lambda-dotnet/issues/1620

    Raises:
        ValueError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("the IANA time zone database of this system has no such time zone") from None
