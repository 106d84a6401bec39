from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from automations import aws
from automations.errors import Refused
from automations.notify import Severity
from security_remediation import baseline
from security_remediation.baseline import note, take
from security_remediation.handler import lambda_handler
from security_remediation.plan import Plan
from security_remediation.recorders import Recording, recording
from security_remediation.remediations import config_recorder
from tests.unit.conftest import ACCOUNT
from tests.unit.security_remediation.attacks import TAG
from tests.unit.security_remediation.attacks import config as attacks
from tests.unit.security_remediation.attacks.config import BUCKETS_ONLY, put_recorder, stop
from tests.unit.security_remediation.conftest import an_hour_later, call, just_now, record_of, writes

pytestmark = pytest.mark.usefixtures("deployed", "enforce")
EVERY_CALL = [
    "stop-configuration-recorder",
    "delete-configuration-recorder",
    "delete-delivery-channel",
    "put-configuration-recorder",
    "put-delivery-channel",
]


def event(name: str, **detail: Any) -> dict[str, Any]:
    return call(name, **{"eventTime": just_now(), "eventID": name, **detail})


# ---------------------------------------------------------------- stopped, deleted


@pytest.mark.parametrize("first", EVERY_CALL[:3])
def test_whichever_call_of_a_deletion_comes_first_puts_all_of_it_back(first, alerts, calls, context):
    attacked = attacks.all_of_it_deleted()

    lambda_handler(event(first), context)
    assert attacked.state() == attacked.closed
    calls.clear()
    for name in EVERY_CALL[:3]:
        lambda_handler(event(name), context)

    assert writes(calls) == []
    assert attacked.state() == attacked.closed


@pytest.mark.parametrize("name", EVERY_CALL[:3])
def test_what_was_never_noted_is_told_with_what_to_do(name, alerts, calls, context):
    lambda_handler(event(name), context)

    assert writes(calls) == []
    [message] = alerts.received()
    assert message["Subject"].startswith("[CRITICAL] AWS Config recorder in ap-northeast-2 ")
    assert "has no note of it from before" in message["Message"]
    assert "from your own templates, and start it" in message["Message"]


def test_a_recorder_that_was_never_noted_is_started_again(alerts, context):
    attacks.create_recorder()
    stop()

    lambda_handler(event("stop-configuration-recorder"), context)

    assert recording().on


def test_without_a_channel_a_recorder_that_was_never_noted_is_told(alerts, calls, context):
    put_recorder()
    calls.clear()

    lambda_handler(event("stop-configuration-recorder"), context)

    assert writes(calls) == []
    assert "has no note of it" in alerts.received()[0]["Message"]


def test_a_recorder_that_was_stopped_first_keeps_the_note_of_when_it_recorded(alerts, context):
    attacks.create_recorder()
    attacks.take_recorder()
    before = recording()
    stop()
    put_recorder(BUCKETS_ONLY)
    assert take({"recorder": config_recorder.snapshot}) == {"recorder": 0}
    attacks.delete_recorder()

    lambda_handler(event("delete-configuration-recorder"), context)

    assert recording() == before


def test_a_recorder_that_somebody_made_again_under_another_name_is_started(alerts, context):
    attacks.create_recorder()
    attacks.take_recorder()
    attacks.delete_recorder()
    put_recorder(name="another")

    lambda_handler(event("delete-configuration-recorder"), context)

    now = recording()
    assert now.recorder
    assert (now.recorder["name"], now.on) == ("another", True)


@pytest.mark.parametrize("quicker", ["default", "another"])
def test_somebody_quicker_is_success(quicker, alerts, context, monkeypatch):
    attacks.create_recorder()
    attacks.take_recorder()
    attacks.delete_recorder()
    put = aws.config().put_configuration_recorder

    def late(**arguments: Any) -> Any:
        put_recorder_of(quicker)
        aws.config().start_configuration_recorder(ConfigurationRecorderName=quicker)
        return put(**arguments)

    def put_recorder_of(name: str) -> None:
        recorder: Any = {"name": name, "roleARN": f"arn:aws:iam::{ACCOUNT}:role/config"}
        put(ConfigurationRecorder=recorder)

    monkeypatch.setattr(aws.config(), "put_configuration_recorder", late)

    outcome = lambda_handler(event("delete-configuration-recorder"), context)

    assert outcome["outcomes"]["config_recorder"] == "closed, and verified by reading back"


def test_after_a_failure_halfway_the_next_attempt_completes_it(alerts, context, monkeypatch):
    attacked = attacks.all_of_it_deleted()
    with monkeypatch.context() as patched:

        def refused(**_: Any) -> None:
            raise ClientError({"Error": {"Code": "NoSuchBucketException", "Message": "No."}}, "PutDeliveryChannel")

        patched.setattr(aws.config(), "put_delivery_channel", refused)
        with pytest.raises(ClientError, match="NoSuchBucket"):
            lambda_handler(attacked.event, context)

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_a_recorder_is_made_again_with_its_tags_and_how_often_it_recorded():
    """moto's recorders have neither."""
    recorder = {
        "name": "default",
        "roleARN": f"arn:aws:iam::{ACCOUNT}:role/config",
        "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": False},
        "recordingMode": {"recordingFrequency": "DAILY"},
    }
    tags = [{"Key": "team", "Value": "security"}]
    channel = {"name": "default", "s3BucketName": attacks.LOGS}
    note(config_recorder.KEY, {"recorder": recorder, "tags": tags, "on": True, "channel": channel})
    record = record_of("delete-configuration-recorder", eventTime=just_now())
    with Stubber(aws.config()) as client:
        client.add_response("describe_delivery_channels", {"DeliveryChannels": [channel]}, {})
        client.add_response("describe_configuration_recorders", {"ConfigurationRecorders": []}, {})
        client.add_response("put_configuration_recorder", {}, {"ConfigurationRecorder": recorder, "Tags": tags})
        client.add_response("start_configuration_recorder", {}, {"ConfigurationRecorderName": "default"})

        state = config_recorder.read(record)
        todo = config_recorder.plan(record, state, None)  # type: ignore[arg-type]
        assert todo
        config_recorder.apply(todo)

        client.assert_no_pending_responses()
    assert state.tags == {"team": "security"}


# ---------------------------------------------------------------- changed


def test_only_what_is_weaker_is_put_back_and_the_rest_of_the_call_stays(alerts, context):
    attacks.create_recorder()
    attacks.take_recorder()
    own = "aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    put_recorder(BUCKETS_ONLY, role=own)

    lambda_handler(event("put-configuration-recorder"), context)

    now = recording().recorder
    assert now
    assert now["roleARN"].endswith(own)
    assert now["recordingGroup"]["includeGlobalResourceTypes"] is True
    assert "leaves out all but AWS::S3::Bucket" in alerts.received()[0]["Message"]


def test_what_another_call_weakened_is_for_the_event_of_that_call(alerts, calls, context):
    attacked = attacks.recorder_narrowed()
    calls.clear()

    for name, harmless in attacked.harmless.items():
        assert lambda_handler(harmless, context)["outcomes"]["config_recorder"] == "harmless", name

    assert writes(calls) == []


def test_a_call_that_does_not_name_the_group_is_looked_into(alerts, context):
    attacked = attacks.recorder_narrowed()
    attacked.event["detail"]["requestParameters"]["configurationRecorder"].pop("recordingGroup")

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_a_note_of_the_weaker_recorder_is_none_of_the_recorder_before(alerts, context, monkeypatch):
    """An event may be tried again hours later."""
    attacked = attacks.recorder_narrowed()
    with monkeypatch.context() as patched:
        patched.setattr(baseline, "datetime", an_hour_later())
        attacks.take_recorder()

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


@pytest.mark.parametrize("request_parameters", [None, {"configurationRecorder": "HIDDEN"}])
def test_a_record_that_does_not_say_what_was_put_is_looked_into(request_parameters, alerts, context):
    attacked = attacks.recorder_narrowed()
    attacked.event["detail"]["requestParameters"] = request_parameters

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_the_frequency_is_put_back_when_the_note_has_none():
    """moto's recorders have no frequency."""
    was = {"name": "default", "roleARN": "r", "recordingGroup": attacks.GROUP}
    daily = {"recordingFrequency": "DAILY"}
    channel = {"name": "default", "s3BucketName": attacks.LOGS}
    note(config_recorder.KEY, {"recorder": was, "tags": [], "on": True, "channel": channel})
    now = Recording(recorder=was | {"recordingMode": daily}, on=True, channel=channel)
    request = {"configurationRecorder": {"name": "default", "recordingMode": daily}}
    record = record_of("put-configuration-recorder", requestParameters=request, eventTime=just_now())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(config_recorder, "recording", lambda: now)
        todo = config_recorder.plan(record, config_recorder.read(record), None)  # type: ignore[arg-type]

    assert todo
    assert "records everything once a day only" in todo.finding
    assert todo.change == {
        "recorder": {"ConfigurationRecorder": was | {"recordingMode": {"recordingFrequency": "CONTINUOUS"}}}
    }


@pytest.mark.parametrize("name", EVERY_CALL[3:])
def test_the_first_recorder_and_channel_of_an_account_are_nobodys_attack(name, alerts, calls, context):
    put_recorder(BUCKETS_ONLY)
    calls.clear()

    assert lambda_handler(event(name), context)["outcomes"]["config_recorder"] == "harmless"

    assert writes(calls) == []


def test_a_channel_of_another_bucket_is_put_back_and_its_other_settings_too(alerts, context):
    attacked = attacks.channel_moved()

    lambda_handler(attacked.event, context)

    assert attacked.state().channel == attacks.CHANNEL
    assert "has s3BucketName amzn-s3-demo-elsewhere" in alerts.received()[0]["Message"]


def test_a_channel_that_is_put_as_it_was_is_no_attack(alerts, calls, context):
    attacks.create_recorder()
    attacks.take_recorder()
    calls.clear()
    request = {"deliveryChannel": attacks.CHANNEL | {"configSnapshotDeliveryProperties": {"deliveryFrequency": "x"}}}

    outcome = lambda_handler(event("put-delivery-channel", requestParameters=request), context)

    assert outcome["outcomes"]["config_recorder"] == "harmless"
    assert writes(calls) == []


@pytest.mark.parametrize(
    ("name", "request_parameters"),
    [
        ("put-configuration-recorder", {"configurationRecorder": {"name": "default"}}),
        ("put-delivery-channel", {"deliveryChannel": {"name": "default", "s3BucketName": attacks.LOGS}}),
    ],
)
def test_what_a_call_does_not_name_and_leaves_as_it_was_is_not_weakened(
    name, request_parameters, alerts, calls, context
):
    attacks.create_recorder()
    attacks.take_recorder()
    calls.clear()

    outcome = lambda_handler(event(name, requestParameters=request_parameters), context)

    assert outcome["outcomes"]["config_recorder"] == "harmless"
    assert writes(calls) == []


@pytest.mark.parametrize("name", EVERY_CALL[3:])
def test_what_was_weakened_and_is_right_again_is_told(name, alerts, calls, context):
    attacks.create_recorder()
    attacks.take_recorder()
    calls.clear()

    lambda_handler(event(name), context)

    assert writes(calls) == []
    [message] = alerts.received()
    assert message["Subject"].startswith("[WARNING]")
    assert "It is not so any more" in message["Message"]


# ---------------------------------------------------------------- reading, undoing


def test_the_recorders_tags_are_read_and_those_linked_to_services_are_left_out():
    """moto's recorders have no ARN and no tags."""
    arn = "arn:aws:config:ap-northeast-2:123456789012:configuration-recorder/default/0a1b2c3d4e5f6a7b"
    linked = {"name": "AWSConfigurationRecorderForOther_1", "servicePrincipal": "other.amazonaws.com"}
    own = {"arn": arn, "name": "default", "roleARN": "r", "recordingScope": "PAID"}
    with Stubber(aws.config()) as client:
        client.add_response("describe_delivery_channels", {"DeliveryChannels": []}, {})
        client.add_response("describe_configuration_recorders", {"ConfigurationRecorders": [linked, own]}, {})
        client.add_response(
            "describe_configuration_recorder_status",
            {"ConfigurationRecordersStatus": [{"recording": False}]},
            {"ConfigurationRecorderNames": ["default"]},
        )
        client.add_response("list_tags_for_resource", {"Tags": [TAG, {"Key": "empty"}]}, {"ResourceArn": arn})
        state = config_recorder.read(record_of("stop-configuration-recorder"))

    assert state.tags == {TAG["Key"]: TAG["Value"], "empty": ""}
    assert state.current.now.recorder == {"name": "default", "roleARN": "r"}


def test_a_recorder_that_is_gone_cannot_be_started_and_that_is_left_to_the_reading_back():
    config_recorder.apply(Plan("", "", Severity.CRITICAL, change={"start": "default"}))


def test_undo_leaves_a_recorder_that_is_gone(alerts, context):
    attacked = attacks.recorder_narrowed()
    lambda_handler(attacked.event, context)
    attacks.delete_recorder()

    config_recorder.restore({"recorder": attacked.opened.recorder, "tags": [], "on": True, "channel": None})

    assert recording().recorder is None


def test_a_denied_reading_is_not_taken_for_a_recorder_that_is_gone(alerts, context):
    with Stubber(aws.config()) as client:
        client.add_client_error("describe_delivery_channels", "AccessDeniedException")
        with pytest.raises(ClientError, match="AccessDenied"):
            lambda_handler(event("delete-configuration-recorder"), context)


def test_a_recorder_of_another_region_is_refused(alerts, context):
    with pytest.raises(Refused, match="recorder is in eu-west-1"):
        lambda_handler(event("stop-configuration-recorder", awsRegion="eu-west-1"), context)
