"""A machine image is deregistered: tell people whether the Recycle Bin still has it, and what to do next.

Only an image that a retention rule of the Recycle Bin covers can be had back as it was. Without one it is gone, with its launch
permissions; its snapshots stay, unless the call deleted them too, and from these it can be registered again.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/deregister-ami.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State
from security_remediation.reading import name_of, own_region, unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "image_deregistered"
KIND = Kind.TELL
SEVERITY = Severity.WARNING
EVENTS: Events = {"ec2.amazonaws.com": ("DeregisterImage",)}
READS: Permissions = (
    Allow(("ec2:ListImagesInRecycleBin",), why="Any image of the account may be the one that was deregistered."),
)
WRITES: Permissions = ()
SURE = "Certain. Whether it was cleaned up on purpose is not known: list those who do that in AllowedPrincipals."


def read(record: CloudTrailRecord) -> State:
    """When the Recycle Bin deletes the image; None when it does not have it."""
    client, image = aws.ec2(), _image(record)
    own_region(record, client, "image")
    answer = unless_absent(
        lambda: client.list_images_in_recycle_bin(ImageIds=[image]), "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"
    )
    kept = answer["Images"] if answer else []
    return State(kept[0]["RecycleBinExitTime"] if kept else None)


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    remark = _in_the_bin(record, state.current) if state.current else _gone(record)
    return Plan(f"AMI {_image(record)}", "was deregistered", SEVERITY, remark=remark)


def apply(plan: Plan) -> None:
    """Nothing is done: an image can be restored from the Recycle Bin alone, and whether that is wanted only people know."""


def restore(before: Mapping[str, Any]) -> None:
    """Nothing was done."""


def _image(record: CloudTrailRecord) -> str:
    return name_of(record.required("imageId"))


def _in_the_bin(record: CloudTrailRecord, until: datetime) -> str:
    return (
        f"The Recycle Bin keeps it until {until:%Y-%m-%d %H:%M} UTC. If nobody meant to remove it: "
        f"aws ec2 restore-image-from-recycle-bin --image-id {_image(record)} --region {record.aws_region}"
    )


def _gone(record: CloudTrailRecord) -> str:
    if str(record.parameter("deleteAssociatedSnapshots")).lower() == "true":
        snapshots = "The call deleted its snapshots too: look for them in the Recycle Bin, and for copies of the image."
    else:
        snapshots = (
            "Its snapshots are left, and from these it can be registered again (aws ec2 register-image). To find them: "
            f"aws ec2 describe-snapshots --owner-ids self --filters Name=description,Values=*{_image(record)}* "
            f"--region {record.aws_region}"
        )
    return (
        f"The Recycle Bin does not have it: no retention rule covered it, or somebody restored it. {snapshots}\n"
        "What names it cannot start instances any more: look at launch templates and Auto Scaling groups. "
        "A retention rule for images in the Recycle Bin makes the next one recoverable."
    )
