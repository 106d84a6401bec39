"""Events of Amazon EC2.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instance-state-changes.html
"""

from typing import Literal

from pydantic import Field

from automations.events import Detail, Event

InstanceState = Literal["pending", "running", "stopping", "stopped", "shutting-down", "terminated"]


class InstanceStateChange(Detail):
    instance_id: str = Field(alias="instance-id", pattern=r"^i-[0-9a-f]{8,17}$")
    state: InstanceState


class InstanceStateChanged(Event):
    """An instance is in another state now. The event says no more than its id and the state."""

    source: Literal["aws.ec2"]
    detail_type: Literal["EC2 Instance State-change Notification"] = Field(alias="detail-type")
    detail: InstanceStateChange
