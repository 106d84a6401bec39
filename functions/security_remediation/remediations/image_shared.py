"""A machine image is shared with everyone, or with a foreign account or organization: stop sharing it with these.

Only those that the call added, and that still may launch it. What somebody launched or copied meanwhile is theirs, and a share
that was there before and is added once more cannot be told from a new one. Of organizations only one's own is not foreign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.permissions import ANY_ONE, NO_RESOURCES
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import name_of, own_region, tags_of, unless_absent
from security_remediation.sharing import HOW_SURE, ORGANIZATION, UNIT, Grantee, added, foreign, grantees, named

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "image_shared"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"ec2.amazonaws.com": ("ModifyImageAttribute",)}
READS: Permissions = (
    Allow(("ec2:DescribeImages", "organizations:DescribeOrganization"), why=NO_RESOURCES),
    Allow(("ec2:DescribeImageAttribute",), why=ANY_ONE),
)
# The ARN of an image has no account.
WRITES: Permissions = (Allow(("ec2:ModifyImageAttribute",), "arn:${AWS::Partition}:ec2:${AWS::Region}::image/*"),)
SURE = HOW_SURE

GONE = ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")


@dataclass(frozen=True)
class Image:
    """Attributes:
    shared_with: who may launch it.
    organization: id of the own one; "" when there is none, or nobody asked for it.
    """

    shared_with: frozenset[Grantee] = frozenset()
    organization: str = ""


def read(record: CloudTrailRecord) -> State:
    client, image = aws.ec2(), _image(record)
    own_region(record, client, "image")
    found = unless_absent(lambda: client.describe_images(ImageIds=[image], IncludeDisabled=True), *GONE)
    shared = unless_absent(
        lambda: client.describe_image_attribute(ImageId=image, Attribute="launchPermission") if _one(found) else None,
        *GONE,
    )
    if not found or not shared:
        return State(current=None)
    asked = {one.kind for one in added(record, "launchPermission")} & {ORGANIZATION, UNIT}
    return State(
        Image(frozenset(grantees(shared["LaunchPermissions"])), _organization() if asked else ""),
        tags=tags_of(found["Images"][0].get("Tags")),
    )


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
    image: Image = state.current or Image()
    opened = foreign(added(record, "launchPermission"), settings.trusted | {image.organization})
    if not opened:
        return None
    resource = f"AMI {_image(record)}"
    still = [one for one in opened if one in image.shared_with]
    if not still:
        return settled(resource, f"was shared with {named(opened)}", state)
    items = [{one.kind: one.name} for one in still]
    return Plan(
        resource,
        f"is shared with {named(still)}",
        SEVERITY,
        steps=tuple(f"Stop sharing it with {one}." for one in still),
        change={"ImageId": _image(record), "LaunchPermission": {"Remove": items}},
        before={"ImageId": _image(record), "LaunchPermission": {"Add": items}},
    )


def apply(plan: Plan) -> None:
    unless_absent(lambda: aws.ec2().modify_image_attribute(**plan.change), *GONE)


def restore(before: Mapping[str, Any]) -> None:
    aws.ec2().modify_image_attribute(**before)


def _image(record: CloudTrailRecord) -> str:
    return name_of(record.required("imageId"))


def _one(found: Any) -> bool:
    return bool(found and found["Images"])


def _organization() -> str:
    answer = unless_absent(lambda: aws.organizations().describe_organization(), "AWSOrganizationsNotInUseException")
    return answer["Organization"]["Id"] if answer else ""
