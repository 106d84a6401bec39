"""Evenings and mornings of an office."""

import re
from datetime import UTC, datetime
from typing import Any

from moto.ec2.models import ec2_backends

from automations import aws
from office_hours import handler
from tests.proofs.calls import Fault
from tests.proofs.situations import E_MAIL_TWICE, Situation
from tests.proofs.world import World
from tests.samples import sample
from tests.unit.conftest import ACCOUNT, REGION


def _without_ids(text: str) -> str:
    """moto makes up new ones in each world."""
    return re.sub(r"\bi-[0-9a-f]{17}\b", "i-...", text)


AGAIN = {"id": "b7f0c0c5e1e24f77"}
TOLD = "people are told at once what failed; the next try makes up for it"
FAILED = {
    f"ec2:{operation}, {fault}": TOLD
    for operation in ("CreateTags", "StopInstances", "StartInstances", "DeleteTags")
    for fault in (Fault.THROTTLED, Fault.SERVER_ERROR, Fault.ACCESS_DENIED)
}


def _deployed(world: World, report: str) -> None:
    """Two instances keep the hours of an office in Seoul; a third has been stopped by a person."""
    world.set(time_zone="Asia/Seoul", opens="9:00", closes="20:00", days="MON-FRI", report=report)
    world.environment.setattr(handler, "clock", lambda: datetime(2026, 11, 23, tzinfo=UTC))
    for name in ("web", "batch", "theirs"):
        tags: Any = [{"Key": "Name", "Value": name}, {"Key": "automations:office-hours", "Value": "true"}]
        [instance] = aws.ec2().run_instances(
            ImageId="ami-12c6146b",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )["Instances"]
        ec2_backends[ACCOUNT][REGION].get_instance(instance["InstanceId"]).launch_time = datetime(
            2026, 11, 2, tzinfo=UTC
        )
    aws.ec2().stop_instances(InstanceIds=[instance["InstanceId"]])


def _instances() -> Any:
    groups = aws.ec2().describe_instances()["Reservations"]
    found = [(item["State"]["Name"], item["Tags"]) for group in groups for item in group["Instances"]]
    return sorted((state, sorted((tag["Key"], tag["Value"]) for tag in tags)) for state, tags in found)


def office_hours_evening(world: World) -> Situation:
    """The office closes."""
    _deployed(world, "all")
    event = sample("office_hours/evening")
    return Situation(
        "office_hours", event, _instances, again=event | AGAIN, exceptions=FAILED | E_MAIL_TWICE, compared=_without_ids
    )


def office_hours_morning(world: World) -> Situation:
    """The office opens; only failures are told."""
    _deployed(world, "failures")
    world.deliver("office_hours", sample("office_hours/evening"))
    event = sample("office_hours/morning")
    world.environment.setattr(handler, "clock", lambda: datetime(2026, 11, 24, tzinfo=UTC))
    return Situation("office_hours", event, _instances, again=event | AGAIN, exceptions=FAILED)


SITUATIONS = (office_hours_evening, office_hours_morning)
