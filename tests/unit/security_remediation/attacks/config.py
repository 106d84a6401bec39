"""Attacks on AWS Config: its recorder and its delivery channel. The hourly run noted both before."""

from collections.abc import Callable
from typing import Any

from automations import aws
from security_remediation.baseline import take
from security_remediation.recorders import recording
from security_remediation.remediations import config_recorder
from tests.unit.conftest import ACCOUNT
from tests.unit.security_remediation.attacks import Attack, MakeAttack
from tests.unit.security_remediation.conftest import call, just_now

LOGS = "amzn-s3-demo-config"
NAME = "default"
GROUP: dict[str, Any] = {"allSupported": True, "includeGlobalResourceTypes": True}
CHANNEL: dict[str, Any] = {
    "name": NAME,
    "s3BucketName": LOGS,
    "s3KeyPrefix": "config",
    "snsTopicARN": f"arn:aws:sns:ap-northeast-2:{ACCOUNT}:config",
    "configSnapshotDeliveryProperties": {"deliveryFrequency": "Six_Hours"},
}


def put_recorder(group: dict[str, Any] = GROUP, role: str = "config", name: str = NAME) -> None:
    recorder: Any = {"name": name, "roleARN": f"arn:aws:iam::{ACCOUNT}:role/{role}", "recordingGroup": group}
    aws.config().put_configuration_recorder(ConfigurationRecorder=recorder)


def put_channel(**changed: str) -> None:
    aws.config().put_delivery_channel(DeliveryChannel=CHANNEL | changed)  # type: ignore[arg-type]


def start() -> None:
    aws.config().start_configuration_recorder(ConfigurationRecorderName=NAME)


def stop() -> None:
    aws.config().stop_configuration_recorder(ConfigurationRecorderName=NAME)


def delete_recorder() -> None:
    aws.config().delete_configuration_recorder(ConfigurationRecorderName=NAME)


def delete_channel() -> None:
    aws.config().delete_delivery_channel(DeliveryChannelName=NAME)


def create_recorder() -> None:
    put_recorder()
    put_channel()
    start()


def take_recorder() -> None:
    take({"recorder": config_recorder.snapshot})


def attacked(event: str, *steps: Callable[[], Any], harmless: dict[str, dict[str, Any]] | None = None) -> Attack:
    """The recorder was noted, then these steps were done."""
    create_recorder()
    take_recorder()
    before = recording()
    for step in steps:
        step()
    return Attack(
        "config_recorder",
        call(event, eventTime=just_now()),
        state=recording,
        opened=recording(),
        closed=before,
        revert=create_recorder,
        harmless=harmless or {},
    )


def recorder_stopped() -> Attack:
    return attacked("stop-configuration-recorder", stop)


def recorder_deleted() -> Attack:
    return attacked("delete-configuration-recorder", delete_recorder)


def all_of_it_deleted() -> Attack:
    return attacked("delete-configuration-recorder", stop, delete_channel, delete_recorder)


def channel_deleted() -> Attack:
    return attacked("delete-delivery-channel", stop, delete_channel)


def stopped_without_channel() -> Attack:
    return attacked("stop-configuration-recorder", stop, delete_channel)


def wide() -> dict[str, Any]:
    recorder = {"name": NAME, "roleARN": f"arn:aws:iam::{ACCOUNT}:role/config", "recordingGroup": GROUP}
    return call(
        "put-configuration-recorder", requestParameters={"configurationRecorder": recorder}, eventTime=just_now()
    )


BUCKETS_ONLY = {"allSupported": False, "resourceTypes": ["AWS::S3::Bucket"]}


def recorder_narrowed() -> Attack:
    return attacked(
        "put-configuration-recorder",
        lambda: put_recorder(BUCKETS_ONLY),
        harmless={"all that was recorded before": wide()},
    )


def recorder_narrowed_and_stopped() -> Attack:
    return attacked("put-configuration-recorder", lambda: put_recorder(BUCKETS_ONLY), stop)


def role_replaced() -> Attack:
    attack = attacked("put-configuration-recorder", lambda: put_recorder(role="nothing"))
    role = f"arn:aws:iam::{ACCOUNT}:role/nothing"
    attack.event["detail"]["requestParameters"]["configurationRecorder"] = {"name": NAME, "roleARN": role}
    return attack


def channel_moved() -> Attack:
    return attacked("put-delivery-channel", lambda: put_channel(s3BucketName="amzn-s3-demo-elsewhere"))


ATTACKS: list[MakeAttack] = [
    recorder_stopped,
    recorder_deleted,
    all_of_it_deleted,
    channel_deleted,
    stopped_without_channel,
    recorder_narrowed,
    recorder_narrowed_and_stopped,
    role_replaced,
    channel_moved,
]
