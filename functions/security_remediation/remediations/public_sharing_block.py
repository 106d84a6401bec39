"""The block on sharing snapshots or machine images with everyone is switched off for a region: tell people.

It is not switched on again by a machine. A record does not say which of its two modes the block on snapshots had; the one on images
takes up to ten minutes to be as it was told, so that nothing here could verify it. What is shared with everyone meanwhile is for
`ebs_snapshot_shared` and `image_shared`.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableImageBlockPublicAccess.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.plan import Events, Kind, Permissions, Plan, State

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "public_sharing_block"
KIND = Kind.TELL
SEVERITY = Severity.WARNING
EVENTS: Events = {"ec2.amazonaws.com": ("DisableSnapshotBlockPublicAccess", "DisableImageBlockPublicAccess")}
READS: Permissions = ()
WRITES: Permissions = ()
SURE = "Certain that the call was made. Whether the block was on before, or is on again, is not looked up."

SNAPSHOTS = (
    "Snapshots that were shared with everyone before are public again, if the block was for all sharing. If nobody meant "
    "this, switch it on: aws ec2 enable-snapshot-block-public-access --state block-all-sharing"
)
IMAGES = (
    "If nobody meant this, switch it on: "
    "aws ec2 enable-image-block-public-access --image-block-public-access-state block-new-sharing"
)


def read(record: CloudTrailRecord) -> State:  # noqa: ARG001 # the same form for all
    return State(current=None)


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    what, remark = ("EBS snapshots", SNAPSHOTS) if "Snapshot" in record.event_name else ("AMIs", IMAGES)
    return Plan(
        f"Block on public {what} in {record.aws_region}",
        "was switched off",
        SEVERITY,
        remark=f"{remark} --region {record.aws_region}",
    )


def apply(plan: Plan) -> None:
    """Nothing is done."""


def restore(before: Mapping[str, Any]) -> None:
    """Nothing was done."""
