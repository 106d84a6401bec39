"""An access control list gives a bucket or an object to everyone: remove these grants, and keep the others.

Amazon S3 calls an ACL public when it grants anything to one of two groups: everyone, or everyone who has any AWS account.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#specifying-grantee-predefined-groups
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.permissions import ANY_BUCKET, READ_BUCKET_TAGS
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import bucket_tags, unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "public_acl"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"s3.amazonaws.com": ("PutBucketAcl", "PutObjectAcl")}
READS: Permissions = (
    Allow(("s3:GetBucketAcl", "s3:GetObjectAcl", "s3:GetObjectVersionAcl"), ANY_BUCKET),
    READ_BUCKET_TAGS,
)
WRITES: Permissions = (Allow(("s3:PutBucketAcl", "s3:PutObjectAcl", "s3:PutObjectVersionAcl"), ANY_BUCKET),)
SURE = "Certain. `PutObjectAcl` is a data event: it is seen only where a trail logs the bucket's data events."

PUBLIC_GROUPS = {
    "http://acs.amazonaws.com/groups/global/AllUsers": "everyone",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "everyone with an AWS account",
}
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
PUBLIC_CANNED_ACLS = {"public-read", "public-read-write", "authenticated-read"}
ASKED_BY = ("x-amz-acl", "x-amz-grant-", "accesscontrol")
GONE = ("NoSuchBucket", "NoSuchKey", "NoSuchVersion")


def read(record: CloudTrailRecord) -> State:
    thing = _thing(record)
    call = aws.s3().get_object_acl if "Key" in thing else aws.s3().get_bucket_acl
    answer = unless_absent(lambda: call(**thing), *GONE)
    current = {"Owner": answer["Owner"], "Grants": answer["Grants"]} if answer else None
    return State(current, tags=bucket_tags(thing["Bucket"]))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    thing = _thing(record)
    resource = f"S3 object {thing['Key']} in {thing['Bucket']}" if "Key" in thing else f"S3 bucket {thing['Bucket']}"
    grants = state.current["Grants"] if state.current else []
    public = [grant for grant in grants if grant["Grantee"].get("URI") in PUBLIC_GROUPS]
    if not _opened(record, unknown=bool(public)):
        return None
    if not public:
        return settled(resource, "was given a public access control list", state)
    return Plan(
        resource,
        "has a public access control list",
        SEVERITY,
        steps=tuple(
            f"Remove the grant of {one['Permission']} to {PUBLIC_GROUPS[one['Grantee']['URI']]} from its access control list."
            for one in public
        ),
        change={
            **thing,
            "AccessControlPolicy": {
                "Owner": state.current["Owner"],
                "Grants": [grant for grant in grants if grant not in public],
            },
        },
        before={**thing, "AccessControlPolicy": {"Owner": state.current["Owner"], "Grants": grants}},
    )


def apply(plan: Plan) -> None:
    call = aws.s3().put_object_acl if "Key" in plan.change else aws.s3().put_bucket_acl
    unless_absent(lambda: call(**plan.change), *GONE)


def restore(before: Mapping[str, Any]) -> None:
    call = aws.s3().put_object_acl if "Key" in before else aws.s3().put_bucket_acl
    call(**before)


def _thing(record: CloudTrailRecord) -> dict[str, Any]:
    """The arguments that name the bucket, or the object or the version of it."""
    thing = {"Bucket": record.required("bucketName")}
    if record.event_name == "PutObjectAcl":
        thing["Key"] = record.required("key")
        if version := record.parameter("versionId"):
            thing["VersionId"] = str(version)
    return thing


def _opened(record: CloudTrailRecord, *, unknown: bool) -> bool:
    """Whether the call asked for a public ACL: a canned one, or by headers or a list of grants.

    Args:
        unknown: the answer when the record does not show what was asked for.
    """
    asked = [value for name, value in (record.request_parameters or {}).items() if name.lower().startswith(ASKED_BY)]
    words = [word for value in asked for word in _words(value)]
    if not words:
        return unknown
    return any(word in PUBLIC_CANNED_ACLS or any(group in word for group in PUBLIC_GROUPS) for word in words)


def _words(value: Any) -> Iterator[str]:
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    if isinstance(value, str):
        yield value
    for part in parts:
        yield from _words(part)
