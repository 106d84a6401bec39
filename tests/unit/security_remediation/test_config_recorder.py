from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from automations import aws
from security_remediation.handler import lambda_handler
from security_remediation.remediations import config_recorder
from tests.unit.security_remediation.attacks import TAG
from tests.unit.security_remediation.attacks import trail as attacks
from tests.unit.security_remediation.conftest import call, record_of, writes

pytestmark = pytest.mark.usefixtures("deployed", "enforce")


def test_a_deleted_recorder_is_told_with_what_to_do_next(alerts, calls, context):
    lambda_handler(call("delete-configuration-recorder"), context)

    assert writes(calls) == []
    [message] = alerts.received()
    assert message["Subject"].startswith("[CRITICAL] AWS Config recorder default is deleted")
    assert "create it with the role and the resource types it had" in message["Message"]


def test_a_deleted_recorder_that_somebody_created_again_is_told(alerts, calls, context):
    attacks.create_recorder()
    calls.clear()

    lambda_handler(call("delete-configuration-recorder"), context)

    assert writes(calls) == []
    assert "somebody, or an earlier attempt of this function, put it right" in alerts.received()[0]["Message"]


def test_a_deleted_recorder_that_was_created_again_is_started(alerts, context):
    attacked = attacks.recorder_stopped()

    lambda_handler(attacked.event | {"detail": call("delete-configuration-recorder")["detail"]}, context)

    assert attacked.state() == attacked.closed


def test_a_stopped_recorder_that_is_gone_is_told(alerts, calls, context):
    lambda_handler(call("stop-configuration-recorder"), context)

    assert writes(calls) == []
    assert "It does not exist any more" in alerts.received()[0]["Message"]


def test_without_a_delivery_channel_it_cannot_be_started_and_that_is_told(alerts, context):
    attacked = attacks.recorder_stopped()
    aws.config().delete_delivery_channel(DeliveryChannelName="default")

    with pytest.raises(ClientError, match="NoAvailableDeliveryChannel"):
        lambda_handler(attacked.event, context)

    assert "could not be dealt with" in alerts.received()[0]["Message"]


def test_the_recorders_tags_are_read():
    """moto's recorders have no ARN and no tags."""
    arn = "arn:aws:config:ap-northeast-2:123456789012:configuration-recorder/default/0a1b2c3d4e5f6a7b"
    names: Any = {"ConfigurationRecorderNames": ["default"]}
    with Stubber(aws.config()) as client:
        client.add_response(
            "describe_configuration_recorder_status", {"ConfigurationRecordersStatus": [{"recording": False}]}, names
        )
        client.add_response("describe_configuration_recorders", {"ConfigurationRecorders": [{"arn": arn}]}, names)
        client.add_response("list_tags_for_resource", {"Tags": [TAG, {"Key": "empty"}]}, {"ResourceArn": arn})
        state = config_recorder.read(record_of("stop-configuration-recorder"))

    assert state.tags == {TAG["Key"]: TAG["Value"], "empty": ""}
    assert state.current == {"recording": False}
