"""EC2 instances in moto, as the unit tests and the proofs arrange them."""

from datetime import UTC, datetime
from typing import Any

from moto.ec2.models import ec2_backends

from automations import aws
from tests.samples import sample
from tests.unit.conftest import ACCOUNT, REGION

IMAGE = "ami-12c6146b"  # as moto names one
OPTED_IN = {"automations:auto-restart": "true"}


def backend(instance: str) -> Any:
    """The instance in moto, to make it what no API call makes it."""
    return ec2_backends[ACCOUNT][REGION].get_instance(instance)


def launch(**tags: str) -> str:
    ec2 = aws.ec2()
    named = [{"Key": key, "Value": value} for key, value in {"Name": "web-1", **tags}.items()]
    [instance] = ec2.run_instances(
        ImageId=IMAGE,
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": named}],  # type: ignore[list-item,misc]
    )["Instances"]
    backend(instance["InstanceId"]).launch_time = datetime(2026, 11, 20, tzinfo=UTC)  # before the events
    return instance["InstanceId"]


def launch_and_stop(**tags: str) -> str:
    instance = launch(**tags)
    aws.ec2().stop_instances(InstanceIds=[instance])
    return instance


def state(instance: str) -> str:
    answer = aws.ec2().describe_instances(InstanceIds=[instance])
    return answer["Reservations"][0]["Instances"][0]["State"]["Name"]


def stopped(instance: str, time: str = "2026-11-22T03:00:00Z") -> dict[str, Any]:
    return sample("ec2_state_alerts/stopped", instance_id=instance) | {"time": time}
