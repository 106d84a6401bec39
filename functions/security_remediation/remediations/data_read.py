"""Somebody who is not on the list reads secrets, encrypted parameters, Windows passwords or user data: tell people what to do next.

The list is the parameter SecretReaders; while it is empty, nothing is judged, and EventBridge brings no reads. It has to name
every program that reads: applications and what deploys them, the other functions of this stack among them. All reads by one actor with the same
call within 15 minutes are one message, which names what the first one read: what was read cannot be taken back, so the rest is for
CloudTrail's event history. A trail must log management events that only read, too. Each such read in the account runs the function.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.incidents import WINDOW
from security_remediation.plan import Events, Kind, Permissions, Plan, State
from security_remediation.reading import listed

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "data_read"
KIND = Kind.TELL
SEVERITY = Severity.WARNING
PARAMETERS = ("GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory")
EVENTS: Events = {
    "secretsmanager.amazonaws.com": ("GetSecretValue", "BatchGetSecretValue"),
    "ssm.amazonaws.com": PARAMETERS,
    "ec2.amazonaws.com": ("GetPasswordData", "DescribeInstanceAttribute"),
}
READ_ONLY = "TellDataReads"
# Parameters that are decrypted, user data, and the calls that have neither a parameter's name nor an attribute.
PATTERN: Mapping[str, Any] = {
    "$or": [
        {"requestParameters": {"withDecryption": [True]}},
        {"requestParameters": {"attribute": ["userData"]}},
        {"requestParameters": {one: [{"exists": False}] for one in ("name", "names", "path", "attribute")}},
    ]
}
READS: Permissions = ()
WRITES: Permissions = ()
SURE = (
    "As sure as the list is complete. Reads of objects in S3 and of other data events are not found: AWS documents that EventBridge "
    "gets reads that are management events, and says nothing of others. Root's reads are told with RootReads."
)

# What was read, as an incident names it, and what a person does about it.
SECRETS = (
    "Secrets in Secrets Manager",
    "rotate them (aws secretsmanager rotate-secret), or change them where they are used and store the new ones.",
)
ENCRYPTED = (
    "Encrypted parameters in Parameter Store",
    "change what they hold where it is used, and store the new values (aws ssm put-parameter --overwrite).",
)
PASSWORDS = (
    "Windows passwords of EC2 instances",
    "change them in Windows. They come encrypted for the instance's key pair: find out who has its private key.",
)
USER_DATA = (
    "User data of EC2 instances",
    "look into it for passwords and keys, change those that are there, and keep them in Secrets Manager from now on.",
)


def read(record: CloudTrailRecord) -> State:  # noqa: ARG001 # the same form for all
    return State(current=None)


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    readers, kind = settings.secret_readers, _kind(record)
    if not readers or not kind or record.user_identity.among(readers):
        return None
    resource, next_step = kind
    remark = (
        f"Read: {_named(record)}.\n"
        f"If nobody planned this, {next_step} Then look at what else was done, here and in the regions that you use:\n"
        f"{_look_up(record)}\n"
        f"More such reads by the same actor within {WINDOW.seconds // 60} minutes are counted and not told."
    )
    return Plan(resource, "were read by somebody who is not on the list", SEVERITY, remark=remark)


def apply(plan: Plan) -> None:
    """What was read cannot be taken back."""


def restore(before: Mapping[str, Any]) -> None:
    """Nothing was done."""


def _kind(record: CloudTrailRecord) -> tuple[str, str] | None:
    """Which of the four it is; None for a read that gives away none of them."""
    if record.event_source == "secretsmanager.amazonaws.com":
        return SECRETS
    if record.event_name in PARAMETERS:
        return ENCRYPTED if str(record.parameter("withDecryption")).lower() == "true" else None
    if record.event_name == "GetPasswordData":
        return PASSWORDS
    return USER_DATA if record.parameter("attribute") == "userData" else None


def _named(record: CloudTrailRecord) -> str:
    """The names that the caller asked for. No record holds what was read, nor is the response looked at."""
    asked = record.request_parameters or {}
    names = [
        str(name)
        for field in ("secretId", "secretIdList", "name", "names", "path", "instanceId")
        for name in listed(asked.get(field))
    ]
    filters = [
        f"all with {one.get('key')} {', '.join(map(str, listed(one.get('values'))))}"
        for one in listed(asked.get("filters"))
        if isinstance(one, Mapping)
    ]
    return ", ".join([*names, *filters]) or "something that the record does not name"


def _look_up(record: CloudTrailRecord) -> str:
    """The command that lists the same credentials' calls, or without these the calls of the same name."""
    key = record.user_identity.access_key_id
    attribute, value = ("AccessKeyId", key) if key else ("EventName", record.event_name)
    return (
        f"aws cloudtrail lookup-events --lookup-attributes AttributeKey={attribute},AttributeValue={value} "
        f"--region {record.aws_region}"
    )
