"""The tags with which an automation marks an EC2 instance that it stopped on purpose, so that another one can tell.

They are set before the stop, so that whoever hears of the stop finds them, and removed after the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

STOPPED_BY = "automations:stopped-by"
STOPPED_AT = "automations:stopped-at"
"""The time as ISO 8601. A person who sets `automations:stopped-by` by hand need not give it."""

OFFICE_HOURS = "office-hours"
"""What the automation office_hours calls itself in the tag."""
SECURITY_REMEDIATION = "security-remediation"
"""Likewise."""


def stopped_at(tags: Mapping[str, str]) -> datetime | None:
    """When the instance was marked; None when that is not said, or unreadable."""
    try:
        moment = datetime.fromisoformat(tags[STOPPED_AT])
    except (KeyError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def stopped_by(tags: Mapping[str, str], launched: datetime | None) -> str:
    """Who stopped the instance on purpose; "" when no tag says so, or when it was started again after it was marked.

    Args:
        launched: `LaunchTime` of `DescribeInstances`, "the time that the instance was last launched":
            https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
    """
    marked = stopped_at(tags)
    if marked and launched and launched > marked:
        return ""
    return tags.get(STOPPED_BY, "")
