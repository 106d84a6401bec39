"""The recorder of AWS Config is stopped, deleted or weakened, or its channel is: let it record again as it was noted.

The recorder that is stopped is started again. The recorder or the delivery channel that is deleted is made again as it was noted
within the hour before; of one that is changed, what is weaker is put back: resource types, frequency, role, and where the channel
delivers to. Each of these calls is judged for itself, in any order, and whichever comes first puts back all that is missing. Only
a recorder that records is noted, so stopping it first does not spoil its note.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.baseline import Note, known, never_noted
from security_remediation.permissions import ANY_ROLE, NO_RESOURCES
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import own_region, tags_of, unless_absent
from security_remediation.recorders import WITHOUT_SAYING, Recording, moved, recording, weakened
from security_remediation.watching import ANY_RECORDER

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "config_recorder"
KIND = Kind.BASELINE
SEVERITY = Severity.CRITICAL
FINDINGS = {
    "StopConfigurationRecorder": "was stopped",
    "DeleteConfigurationRecorder": "was deleted",
    "DeleteDeliveryChannel": "lost its delivery channel",
    "PutConfigurationRecorder": "was weakened",
    "PutDeliveryChannel": "was made to deliver elsewhere",
}
EVENTS: Events = {"config.amazonaws.com": tuple(FINDINGS)}
READS: Permissions = (
    Allow(
        ("config:DescribeConfigurationRecorders", "config:DescribeConfigurationRecorderStatus"),
        why="It asks for the region's recorder, whatever its name.",
    ),
    Allow(("config:DescribeDeliveryChannels",), why=NO_RESOURCES),
    Allow(("config:ListTagsForResource",), ANY_RECORDER),
)
WRITES: Permissions = (
    Allow(("config:StartConfigurationRecorder", "config:PutConfigurationRecorder", "config:TagResource"), ANY_RECORDER),
    Allow(("config:PutDeliveryChannel",), why=NO_RESOURCES),
    Allow(
        ("iam:PassRole",),
        ANY_ROLE,
        "The role is in the note, which a template cannot know; only AWS Config can be given it.",
        {"StringEquals": {"iam:PassedToService": "config.amazonaws.com"}},
    ),
)
SURE = (
    "Certain that it is not as it was noted, which is up to an hour before the call; not whether that was meant. The role, the "
    "bucket, the topic and the key must be there still. What a role may do, rules and aggregators are not judged, nor is a "
    "recorder that was never noted, unless it is stopped."
)

ASKED = {"PutConfigurationRecorder": "configurationRecorder", "PutDeliveryChannel": "deliveryChannel"}
KEY = "config-recorder"
GONE = "NoSuchConfigurationRecorderException"
# Somebody was quicker, and made it under another name.
ANOTHER_RECORDER = "MaxNumberOfConfigurationRecordersExceededException"
ANOTHER_CHANNEL = "MaxNumberOfDeliveryChannelsExceededException"
BY_HAND = "Create the recorder and its delivery channel by hand, from your own templates, and start it."


@dataclass(frozen=True)
class Config:
    """Attributes:
    noted: what is known of it from before the call.
    now: what there is now.
    """

    noted: Note | None
    now: Recording


def snapshot() -> dict[str, dict[str, Any]]:
    """The recorder of this region, when it records."""
    now = recording()
    return {KEY: asdict(now)} if now.on else {}


def read(record: CloudTrailRecord) -> State:
    own_region(record, aws.config(), "recorder")
    now, noted = recording(), known(KEY, record.event_time)
    tags = noted.settings["tags"] if noted and not now.recorder else now.tags
    return State(Config(noted, now), tags=tags_of(tags))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    noted, now = state.current.noted, state.current.now
    was = Recording(**noted.settings) if noted else None
    resource, finding = f"AWS Config recorder in {record.aws_region}", FINDINGS[record.event_name]
    said, weak = _weaker(record, was, now) if was else ({}, {})
    if record.event_name in ASKED and not said | weak:
        return None
    if said | weak:
        finding += f": it {', and '.join((said | weak).values())}"
    change = _back(record, was, now, weak)
    if was is None and not (now.recorder and now.channel):
        return never_noted(resource, finding, SEVERITY, BY_HAND)
    if not change:
        return settled(resource, finding, state)
    steps = {
        "recorder": f"{'Put the recorder back' if now.recorder else 'Create the recorder again'}, as it was noted",
        "channel": f"{'Put the delivery channel back' if now.channel else 'Create the delivery channel again'}, as it was noted",
        "start": "Start the recorder again",
    }
    at = f" at {noted.taken_at}" if noted else ""
    return Plan(
        resource,
        finding,
        SEVERITY,
        steps=tuple(f"{words}{at if what != 'start' else ''}." for what, words in steps.items() if what in change),
        change=change,
        before=asdict(now),
    )


def apply(plan: Plan) -> None:
    """A channel cannot be put without a recorder, nor a recorder be started without a channel."""
    client, change = aws.config(), plan.change
    if "recorder" in change:
        unless_absent(lambda: client.put_configuration_recorder(**change["recorder"]), ANOTHER_RECORDER)
    if "channel" in change:
        unless_absent(lambda: client.put_delivery_channel(DeliveryChannel=change["channel"]), ANOTHER_CHANNEL)
    if "start" in change:
        unless_absent(lambda: client.start_configuration_recorder(ConfigurationRecorderName=change["start"]), GONE)


def restore(before: Mapping[str, Any]) -> None:
    """The recorder first: while it records, its channel cannot be deleted."""
    client, was, now = aws.config(), Recording(**before), recording()
    if now.recorder and not was.recorder:
        client.delete_configuration_recorder(ConfigurationRecorderName=now.recorder["name"])
    elif now.recorder and was.recorder:
        if now.recorder != was.recorder:
            recorder: Any = was.recorder
            client.put_configuration_recorder(ConfigurationRecorder=recorder)
        if now.on and not was.on:
            client.stop_configuration_recorder(ConfigurationRecorderName=now.recorder["name"])
    if now.channel and not was.channel:
        client.delete_delivery_channel(DeliveryChannelName=now.channel["name"])
    elif was.channel and now.channel != was.channel:
        channel: Any = was.channel
        client.put_delivery_channel(DeliveryChannel=channel)


def _weaker(record: CloudTrailRecord, was: Recording, now: Recording) -> tuple[dict[str, str], dict[str, str]]:
    """What the call made weaker than it was noted, and what of it is weaker now; in words, by their fields.

    A field that the call does not name may have been left as it was, or be reset: then what it is now decides.
    """
    parameter = ASKED.get(record.event_name)
    if not parameter:
        return {}, {}
    compare = weakened if parameter == "configurationRecorder" else moved
    before, there = (
        (one.recorder if parameter == "configurationRecorder" else one.channel) or {} for one in (was, now)
    )
    named = record.parameter(parameter)
    asked = named if isinstance(named, Mapping) else {}
    said = compare(before, {**before, **asked})
    weak = compare(before, there) if there else {}
    return said, {field: words for field, words in weak.items() if field in said or field not in asked}


def _back(record: CloudTrailRecord, was: Recording | None, now: Recording, weak: Mapping[str, str]) -> dict[str, Any]:
    """What is to be put: all that is missing, and the fields that the call made weaker."""
    change: dict[str, Any] = {}
    recorder = now.recorder or (was and was.recorder)
    if was and was.recorder and not now.recorder:
        change["recorder"] = {"ConfigurationRecorder": was.recorder, **({"Tags": was.tags} if was.tags else {})}
    elif was and was.recorder and now.recorder and weak and ASKED[record.event_name] == "configurationRecorder":
        fields = {field: was.recorder.get(field) or WITHOUT_SAYING[field] for field in weak}
        change["recorder"] = {"ConfigurationRecorder": {**now.recorder, **fields}}
    if was and was.channel and not now.channel:
        change["channel"] = was.channel
    elif was and was.channel and now.channel and weak and ASKED[record.event_name] == "deliveryChannel":
        change["channel"] = {**was.channel, "name": now.channel["name"]}
    if recorder and not now.on:
        change["start"] = recorder["name"]
    return change
