"""The EC2 calls: stop and start many instances, without letting one that AWS refuses hold up the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from automations.errors import AutomationError
from automations.stopped_by import OFFICE_HOURS, STOPPED_AT, STOPPED_BY
from office_hours.instance import Instance
from office_hours.plan import Plan, hours_saved

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

BATCH = 100
"""Instances in one call. `CreateTags` takes up to 1,000 and recommends smaller batches."""

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
NOT_OF_ONE_INSTANCE = frozenset({"InternalError", "InternalFailure", "RequestLimitExceeded", "Unavailable"})
"""Codes that say nothing about an instance, so that smaller batches would only add to the calls."""

Call = Callable[[Sequence[str]], None]


class NotSwitched(AutomationError):
    """AWS refused to stop or to start some instances; the others went through."""

    def __init__(self, failed: Mapping[str, str]) -> None:
        refused = "; ".join(f"{instance}: {reason}" for instance, reason in sorted(failed.items()))
        super().__init__(
            f"Not every instance could be stopped or started ({len(failed)} could not; the others were). {refused}"
        )


@dataclass(frozen=True)
class Outcome:
    """Attributes:
    failed: AWS's reason by the id of each instance that could not be stopped, started or unmarked.
    hours_saved: of the instances that run again.
    """

    stopped: list[Instance]
    started: list[Instance]
    failed: dict[str, str]
    hours_saved: float


def switch(ec2: EC2Client, todo: Plan, now: datetime, time_left: Callable[[], float]) -> Outcome:
    """Do what is planned. Doing it again changes nothing."""

    def stop(ids: Sequence[str], hibernate: bool) -> None:
        # The mark comes first, so that whoever hears of the stop finds it.
        ec2.create_tags(
            Resources=ids,
            Tags=[
                {"Key": STOPPED_BY, "Value": OFFICE_HOURS},
                {"Key": STOPPED_AT, "Value": now.astimezone(UTC).isoformat(timespec="seconds")},
            ],
        )
        ec2.stop_instances(InstanceIds=ids, Hibernate=hibernate)

    def unmark(ids: Sequence[str]) -> None:
        ec2.delete_tags(Resources=ids, Tags=[{"Key": STOPPED_BY}, {"Key": STOPPED_AT}])

    def start(ids: Sequence[str]) -> None:
        # The mark goes last: one that were lost before the start would leave the instance stopped for good.
        ec2.start_instances(InstanceIds=ids)
        unmark(ids)

    in_batches = partial(call_in_batches, time_left=time_left)
    not_stopped: dict[str, str] = {}
    for hibernate in (False, True):
        ids = [instance.id for instance in todo.stop if instance.hibernates == hibernate]
        not_stopped |= in_batches(partial(stop, hibernate=hibernate), ids)
    # They run on. Their failure is told already, and a mark that stays is removed or renewed by a later run.
    in_batches(unmark, list(not_stopped))
    failed = not_stopped | in_batches(start, [instance.id for instance in todo.start])
    failed |= in_batches(unmark, [instance.id for instance in todo.unmark])
    run_again = [item for item in [*todo.start, *todo.unmark, *todo.stop] if item.id not in failed]
    return Outcome(
        stopped=[item for item in todo.stop if item.id not in failed],
        started=[item for item in todo.start if item.id not in failed],
        failed=failed,
        hours_saved=sum(hours_saved(item, now) for item in run_again),
    )


def call_in_batches(call: Call, ids: Sequence[str], time_left: Callable[[], float]) -> dict[str, str]:
    """Make a call for all instances; a batch that AWS refuses is halved until the rest went through.

    Args:
        call: changes nothing when it is made again for an instance.
        time_left: seconds; without any, the instances that are left fail, so that the run can still say what it did.

    Returns:
        The reason by the id of each instance that failed.
    """
    failed: dict[str, str] = {}
    waiting = [ids[first : first + BATCH] for first in range(0, len(ids), BATCH)]
    while waiting:
        batch = waiting.pop(0)
        if time_left() <= 0:
            failed |= dict.fromkeys(batch, "There was no time left for it in this run.")
            continue
        try:
            call(batch)
        except ClientError as error:
            if len(batch) > 1 and error.response["Error"]["Code"] not in NOT_OF_ONE_INSTANCE:
                middle = len(batch) // 2
                waiting += [batch[:middle], batch[middle:]]
            else:
                failed |= dict.fromkeys(batch, _reason(error))
    return failed


def _reason(error: ClientError) -> str:
    """AWS's code and the beginning of its message, which can hold pages of an encoded policy decision."""
    said = error.response["Error"].get("Message", "")
    return f"{error.response['Error']['Code']}: {said if len(said) <= 200 else said[:199] + '…'}"
