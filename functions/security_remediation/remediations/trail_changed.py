"""A trail's settings are weakened: put those back as they were noted within the hour before.

Weaker is a trail that leaves out regions, the global services or the organisation's accounts, that does not validate its log
files, that delivers to another bucket or prefix, encrypts with another key or none, or does not send to its topic or its log
group any more. What the call improved stays, and so does what it did not name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation import trails
from security_remediation.baseline import Note, known, never_noted
from security_remediation.permissions import ANY_TRAIL
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import name_of, unless_absent
from security_remediation.trails import READ_TRAILS, WRITE_AS_NOTED, arguments_of, key_of
from security_remediation.watching import find_trail, trail_tags

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "trail_changed"
KIND = Kind.BASELINE
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"cloudtrail.amazonaws.com": ("UpdateTrail",)}
READS: Permissions = READ_TRAILS
WRITES: Permissions = (Allow(("cloudtrail:UpdateTrail",), ANY_TRAIL), *WRITE_AS_NOTED)
SURE = (
    "Certain that the trail is not as it was noted, which is up to an hour before the call; not whether that was meant: who "
    "moves a trail belongs to the principals that are allowed. Its bucket, topic, key and role must be there still. A trail "
    "that does not log is not noted."
)

SWITCHES = ("IncludeGlobalServiceEvents", "IsMultiRegionTrail", "EnableLogFileValidation", "IsOrganizationTrail")
"""Whoever switches one on improves the trail."""
LOG_GROUP = ("CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn")
"""One of them is not put without the other."""
DELIVERY = ("S3BucketName", "S3KeyPrefix", "KmsKeyId", "SnsTopicName", *LOG_GROUP)
MOVED = ("S3BucketName", "S3KeyPrefix")
"""One where there was none moves the logs as well."""
TOGETHER = (SWITCHES, MOVED, ("KmsKeyId",), ("SnsTopicName",), LOG_GROUP)
BY_HAND = "Look whether it is meant to be as it is now, and put it right by hand where it is not."


@dataclass(frozen=True)
class Trail:
    """Attributes:
    noted: what is known of it from before the call.
    now: the arguments of UpdateTrail that would make it as it is.
    """

    noted: Note | None
    now: Mapping[str, Any]


snapshot = trails.snapshot


def read(record: CloudTrailRecord) -> State:
    trail = find_trail(record, "name")
    if trail is None:
        return State(current=None)
    noted = known(key_of(trail["Name"]), record.event_time)
    return State(Trail(noted, arguments_of(trail) | {"Name": trail["TrailARN"]}), tags=trail_tags(trail["TrailARN"]))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:
    trail: Trail | None = state.current
    resource, asked = f"Trail {name_of(record.required('name'))}", _asked(record)
    if trail is None or trail.noted is None:
        doubtful = [name for name in asked if name in DELIVERY or _is_off(record, name)]
        if not doubtful:
            return None
        finding = f"was changed: {', '.join(doubtful)}"
        return never_noted(resource, finding, SEVERITY, BY_HAND) if trail else settled(resource, finding, state)
    was, now = trail.noted.settings["create"], trail.now
    weak = [name for name in asked if _weaker(name, was.get(name), now.get(name), settings)]
    if not weak:
        said = [name for name in asked if _said_weaker(record, name, was.get(name))]
        return settled(resource, f"was weakened: {', '.join(said)}", state) if said else None
    if set(LOG_GROUP) & set(weak):
        weak = [*dict.fromkeys([*weak, *LOG_GROUP])]
    return Plan(
        resource,
        f"is weakened: {', '.join(weak)}",
        SEVERITY,
        steps=tuple(f"{_step(name, was.get(name))}, as at {trail.noted.taken_at}." for name in weak),
        change={"Name": now["Name"], **_arguments(weak, was)},
        before={"Name": now["Name"], **_arguments(weak, now)},
    )


def apply(plan: Plan) -> None:
    """What CloudTrail refuses, such as a bucket that is gone, must not keep the rest from being put back. It is raised then."""
    refused = []
    for names in TOGETHER:
        some = {name: plan.change[name] for name in names if name in plan.change}
        try:
            if some:
                _update({"Name": plan.change["Name"], **some})
        except ClientError as error:
            refused.append(error)
    if refused:
        raise refused[0]


def restore(before: Mapping[str, Any]) -> None:
    _update(before)


def _update(arguments: Mapping[str, Any]) -> None:
    unless_absent(lambda: aws.cloudtrail().update_trail(**arguments), "TrailNotFoundException")


def _arguments(names: list[str], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of UpdateTrail for these settings. An empty text takes one away.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-encryption-cli.html
    """
    return {name: settings.get(name, False if name in SWITCHES else "") for name in names}


def _recorded(name: str) -> str:
    """The setting's name in a record."""
    return name[0].lower() + name[1:]


def _asked(record: CloudTrailRecord) -> list[str]:
    """The settings that the call named. A record that names none does not say, so it may be any."""
    request, every = record.request_parameters or {}, [*SWITCHES, *DELIVERY]
    return [name for name in every if _recorded(name) in request] or every


def _is_off(record: CloudTrailRecord, switch: str) -> bool:
    return str(record.parameter(_recorded(switch))).lower() == "false"


def _weaker(name: str, was: Any, now: Any, settings: Settings) -> bool:
    """Whether the setting is weaker now than it was; None is none."""
    if name in SWITCHES:
        return bool(was) and not now
    if name == "KmsKeyId" and not was and now:  # a key of the account can be read with, a stranger's cannot
        return now.split(":")[4] not in settings.trusted
    return bool(was != now and (was or name in MOVED))


def _said_weaker(record: CloudTrailRecord, name: str, was: Any) -> bool:
    """Whether the call made it weaker, whatever it is now. A record may have the name of what is noted by its ARN."""
    if not was:
        return False
    if name in SWITCHES:
        return _is_off(record, name)
    value = record.parameter(_recorded(name))
    return isinstance(value, str) and (not value or not str(was).endswith(value))


def _step(name: str, was: Any) -> str:
    if name in SWITCHES:
        return f"Switch {name} on again"
    return f"Set {name} to {was} again" if was else f"Take {name} away again"
