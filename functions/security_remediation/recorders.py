"""AWS Config's customer managed recorder: what it records, how often, and where that is delivered.

An account has one in a region, with one delivery channel. Service-linked recorders are others, which nobody can stop.
https://docs.aws.amazon.com/config/latest/developerguide/stop-start-recorder.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automations import aws
from security_remediation.baseline import chosen, own_tags
from security_remediation.reading import listed

# What the recorder does not record unless it is told to.
# https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingGroup.html
GLOBAL_TYPES = frozenset({"AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User"})
WITHOUT_SAYING: Mapping[str, Mapping[str, Any]] = {
    "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": False},
    "recordingMode": {"recordingFrequency": "CONTINUOUS"},
}
SERVICE_ROLE = ":role/aws-service-role/config.amazonaws.com/"
SERVICE_LINKED = "AWSConfigurationRecorderFor"


@dataclass(frozen=True)
class Recording:
    """What there is now.

    Attributes:
        recorder: the argument of PutConfigurationRecorder that makes it so; None when there is none.
        tags: of the recorder, those that AWS sets aside.
        on: whether it records.
        channel: the argument of PutDeliveryChannel; None when there is none.
    """

    recorder: Mapping[str, Any] | None = None
    tags: tuple[Mapping[str, str], ...] = ()
    on: bool = False
    channel: Mapping[str, Any] | None = None


def recording() -> Recording:
    """Look at the region's recorder and its channel."""
    client = aws.config()
    channels: list[Any] = client.describe_delivery_channels()["DeliveryChannels"]
    recorders: list[Any] = client.describe_configuration_recorders()["ConfigurationRecorders"]
    channel = channels[0] if channels else None
    found = next((one for one in recorders if not one["name"].startswith(SERVICE_LINKED)), None)
    if found is None:
        return Recording(channel=channel)
    arn, names = found.get("arn"), [found["name"]]
    status = client.describe_configuration_recorder_status(ConfigurationRecorderNames=names)
    tags = client.list_tags_for_resource(ResourceArn=arn)["Tags"] if arn else []
    return Recording(
        recorder=_arguments(found),
        tags=tuple(own_tags(tags)),
        on=any(one.get("recording") for one in status["ConfigurationRecordersStatus"]),
        channel=channel,
    )


def _arguments(recorder: Mapping[str, Any]) -> dict[str, Any]:
    """Without the empty lists that AWS answers with for the other strategies."""
    group = {
        name: value
        for name, value in recorder.get("recordingGroup", {}).items()
        if value not in ([], {}, {"resourceTypes": []})
    }
    return chosen(recorder, ("name", "roleARN", "recordingMode")) | ({"recordingGroup": group} if group else {})


def weakened(was: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, str]:
    """What the recorder of now does less than the one before, in words, by the fields that say it."""
    found = {}
    if left_out := _left_out(was, now):
        found["recordingGroup"] = f"leaves out {left_out}"
    if slower := _slower(was.get("recordingMode") or {}, now.get("recordingMode") or {}):
        found["recordingMode"] = f"records {slower} once a day only"
    role = now.get("roleARN")
    if role != was.get("roleARN") and SERVICE_ROLE not in str(role):
        found["roleARN"] = f"works with the role {role}"
    return found


def moved(was: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, str]:
    """What takes away from the readers of a delivery channel what it delivers, in words, by its fields.

    A topic where there was none takes nothing away.
    """
    found = [name for name in ("s3BucketName", "s3KeyPrefix", "s3KmsKeyArn") if was.get(name) != now.get(name)]
    found += [name for name in ("snsTopicARN",) if was.get(name) and was[name] != now.get(name)]
    return {name: f"has {name} {now.get(name) or '(none)'}" for name in found}


def _left_out(was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The resource types that are not recorded any more, in words; "" for none."""
    everything_then, then = _types(was)
    everything_now, these = _types(now)
    if everything_now:
        lost = these - then if everything_then else then & these
    elif everything_then:
        return f"all but {', '.join(sorted(these))}"
    else:
        lost = then - these
    return ", ".join(sorted(lost))


def _types(recorder: Mapping[str, Any]) -> tuple[bool, frozenset[str]]:
    """Whether all resource types are recorded, with those that are not; or else those that are.

    CloudTrail's records have the names and the forms of the API here.
    """
    group: Mapping[str, Any] = recorder.get("recordingGroup") or WITHOUT_SAYING["recordingGroup"]
    strategy = (group.get("recordingStrategy") or {}).get("useOnly")
    if strategy == "EXCLUSION_BY_RESOURCE_TYPES":
        return True, frozenset(listed((group.get("exclusionByResourceTypes") or {}).get("resourceTypes")))
    if _is_true(group.get("allSupported")) or strategy == "ALL_SUPPORTED_RESOURCE_TYPES":
        return True, frozenset() if _is_true(group.get("includeGlobalResourceTypes")) else GLOBAL_TYPES
    return False, frozenset(listed(group.get("resourceTypes")))


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"


def _slower(was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What was recorded continuously and is recorded once a day now; "" for nothing."""
    (daily_then, then), (daily_now, these) = _daily(was), _daily(now)
    if daily_now and not daily_then:
        return "everything"
    types = set(then) | set(these)
    return ", ".join(sorted(one for one in types if these.get(one, daily_now) and not then.get(one, daily_then)))


def _daily(mode: Mapping[str, Any]) -> tuple[bool, dict[str, bool]]:
    """Whether it records once a day; and by resource type, where that is overridden."""
    overrides = {
        type_: one.get("recordingFrequency") == "DAILY"
        for one in listed(mode.get("recordingModeOverrides"))
        for type_ in listed(one.get("resourceTypes"))
    }
    return mode.get("recordingFrequency") == "DAILY", overrides
