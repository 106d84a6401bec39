"""The recorder of AWS Config is stopped or deleted: start it again, and tell of a deleted one.

A deleted recorder is not created again: which resources it recorded, and with which role, is not in the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import own_region, tags_of, unless_absent
from security_remediation.watching import ANY_RECORDER

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "config_recorder"
KIND = Kind.UNDO
SEVERITY = Severity.CRITICAL
EVENTS: Events = {"config.amazonaws.com": ("StopConfigurationRecorder", "DeleteConfigurationRecorder")}
READS: Permissions = (
    Allow(
        (
            "config:DescribeConfigurationRecorders",
            "config:DescribeConfigurationRecorderStatus",
            "config:ListTagsForResource",
        ),
        ANY_RECORDER,
    ),
)
WRITES: Permissions = (Allow(("config:StartConfigurationRecorder",), ANY_RECORDER),)
SURE = "Certain. What a recorder leaves out (`PutConfigurationRecorder`) and a deleted delivery channel are not judged."

GONE = "NoSuchConfigurationRecorderException"


def read(record: CloudTrailRecord) -> State:
    client, names = aws.config(), [record.required("configurationRecorderName")]
    own_region(record, client, "recorder")
    status = unless_absent(
        lambda: client.describe_configuration_recorder_status(ConfigurationRecorderNames=names), GONE
    )
    if status is None:
        return State(current=None)
    [recorder] = client.describe_configuration_recorders(ConfigurationRecorderNames=names)["ConfigurationRecorders"]
    arn = recorder.get("arn")
    tags = client.list_tags_for_resource(ResourceArn=arn)["Tags"] if arn else []
    recording = status["ConfigurationRecordersStatus"][0].get("recording", False)
    return State({"recording": recording}, tags=tags_of({"Value": "", **tag} for tag in tags))


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    name = record.required("configurationRecorderName")
    resource, deleted = f"AWS Config recorder {name}", record.event_name == "DeleteConfigurationRecorder"
    if state.current is None and deleted:
        remark = (
            "Nothing is recorded until there is one again: create it with the role and the resource types it had, from your "
            "own templates or from an older record of PutConfigurationRecorder, and start it."
        )
        return Plan(resource, "is deleted", SEVERITY, remark=remark)
    if state.current is None or state.current["recording"]:
        return settled(resource, f"was {'deleted' if deleted else 'stopped'}", state)
    recorder = {"ConfigurationRecorderName": name}
    return Plan(resource, "is stopped", SEVERITY, steps=("Start it again.",), change=recorder, before=recorder)


def apply(plan: Plan) -> None:
    unless_absent(lambda: aws.config().start_configuration_recorder(**plan.change), GONE)


def restore(before: Mapping[str, Any]) -> None:
    aws.config().stop_configuration_recorder(**before)
