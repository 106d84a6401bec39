"""What Amazon EC2 knows about the instances that keep office hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from automations.stopped_by import STOPPED_BY

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import InstanceTypeDef


@dataclass(frozen=True)
class Instance:
    """An instance as `DescribeInstances` shows it, reduced to what the decision and the report need.

    Attributes:
        launched: when it was last started.
        managed_by: the AWS service that manages it, such as EKS Auto Mode, and that alone may stop it.
        hibernates: whether it was launched with hibernation configured.
    """

    id: str
    state: str
    launched: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    spot: bool = False
    instance_store: bool = False
    hibernates: bool = False
    managed_by: str = ""

    @property
    def called(self) -> str:
        name = self.tags.get("Name", "")
        return f"{name} ({self.id})" if name else self.id

    @property
    def auto_scaling_group(self) -> str:
        return self.tags.get("aws:autoscaling:groupName", "")


def read(answer: InstanceTypeDef) -> Instance:
    """Reduce one instance of a `DescribeInstances` answer."""
    operator = answer.get("Operator", {})
    return Instance(
        id=answer["InstanceId"],
        state=answer["State"]["Name"],
        launched=answer["LaunchTime"],
        tags={tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])},
        spot=answer.get("InstanceLifecycle") == "spot",
        instance_store=answer.get("RootDeviceType") == "instance-store",
        hibernates=answer.get("HibernationOptions", {}).get("Configured", False),
        managed_by=operator.get("Principal", "an AWS service") if operator.get("Managed") else "",
    )


def describe(ec2: EC2Client, schedule_tag: str) -> list[Instance]:
    """All instances that carry the tag and still exist, with as many calls as AWS makes pages.

    Their size is left to AWS, which refuses `MaxResults` beside tag filters.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
    """
    pages = ec2.get_paginator("describe_instances").paginate(
        Filters=[
            {"Name": "tag-key", "Values": [schedule_tag]},
            {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
        ]
    )
    return [read(item) for page in pages for group in page["Reservations"] for item in group["Instances"]]


def is_marked(instance: Instance, by: str) -> bool:
    """Whether its tag names this automation, be the mark out of date or not."""
    return instance.tags.get(STOPPED_BY) == by
