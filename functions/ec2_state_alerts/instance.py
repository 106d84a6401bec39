"""What Amazon EC2 knows about an instance that changed its state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from automations.stopped_by import stopped_by

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import InstanceTypeDef

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html
REASONS = {
    "Client.UserInitiatedShutdown": "Somebody stopped or terminated it through the API or the console.",
    "Client.UserInitiatedHibernate": "Somebody hibernated it through the API or the console.",
    "Client.InstanceInitiatedShutdown": "It was shut down from inside, by its operating system.",
    "Client.InstanceTerminated": "It was terminated before it had started.",
    "Client.InternalError": "It could not start: often its volumes' KMS key is not usable, or the image is damaged.",
    "Client.InvalidSnapshot.NotFound": "It could not start: the snapshot of a volume was not found.",
    "Client.VolumeLimitExceeded": "It could not start: the limit on EBS volumes is exceeded.",
    "Server.InsufficientInstanceCapacity": "It could not start: AWS has no capacity for this type there now.",
    "Server.InternalError": "AWS had an internal error while it started.",
    "Server.ScheduledStop": "AWS stopped it, because its host is to be retired.",
    "Server.SpotInstanceShutdown": "AWS stopped it: the Spot capacity or price was gone.",
    "Server.SpotInstanceTermination": "AWS terminated it: the Spot capacity or price was gone.",
}
STOPPED_BY_USER = frozenset({"Client.UserInitiatedShutdown", "Client.UserInitiatedHibernate"})


@dataclass(frozen=True)
class Instance:
    """An instance as `DescribeInstances` shows it, reduced to what the decision and the message need."""

    id: str
    state: str
    type: str
    tags: Mapping[str, str] = field(default_factory=dict)
    launched: datetime | None = None
    zone: str = ""
    spot: bool = False
    reason_code: str = ""
    reason_message: str = ""
    transition: str = ""

    @property
    def name(self) -> str:
        return self.tags.get("Name", "")

    @property
    def auto_scaling_group(self) -> str:
        return self.tags.get("aws:autoscaling:groupName", "")

    @property
    def stopped_by(self) -> str:
        """Who stopped it on purpose, as a tag says; "" when none does."""
        return stopped_by(self.tags, self.launched)

    @property
    def reason(self) -> str:
        """Why it is in its state, as a sentence where AWS's code is known, else as AWS says it."""
        return REASONS.get(self.reason_code) or self.reason_message or self.transition or "AWS gives no reason."


def read(answer: InstanceTypeDef) -> Instance:
    """Reduce one instance of a `DescribeInstances` answer."""
    reason = answer.get("StateReason", {})
    return Instance(
        id=answer["InstanceId"],
        state=answer["State"]["Name"],
        type=answer.get("InstanceType", ""),
        tags={tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])},
        launched=answer.get("LaunchTime"),
        zone=answer.get("Placement", {}).get("AvailabilityZone", ""),
        spot=answer.get("InstanceLifecycle") == "spot",
        reason_code=reason.get("Code", ""),
        reason_message=reason.get("Message", ""),
        transition=answer.get("StateTransitionReason", ""),
    )


def describe(ec2: EC2Client, instance_id: str) -> Instance | None:
    """Look the instance up; None when it is gone from the API, which happens about an hour after its termination."""
    try:
        answer = ec2.describe_instances(InstanceIds=[instance_id])
    except ClientError as error:
        if error.response["Error"]["Code"] == "InvalidInstanceID.NotFound":
            return None
        raise
    return next((read(item) for group in answer["Reservations"] for item in group["Instances"]), None)
