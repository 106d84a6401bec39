"""Runs of Amazon EventBridge Scheduler.

The template gives each schedule an input of the shape that Scheduler sends by itself, but with the time for which the run was
scheduled instead of the time at which it came, which differs after a retry.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""

from typing import Any, Literal

from pydantic import Field

from automations.events import Event


class ScheduledRun(Event):
    """It is time. `time` is the scheduled one, the same for every attempt; `id` is Scheduler's for this attempt."""

    source: Literal["aws.scheduler"]
    detail_type: Literal["Scheduled Event"] = Field(alias="detail-type")
    detail: dict[str, Any] = Field(default_factory=dict)
