import pytest

from automations import aws
from automations.errors import Refused
from security_remediation.handler import lambda_handler
from security_remediation.remediations import guardduty_detector
from tests.unit.security_remediation.attacks import trail as attacks
from tests.unit.security_remediation.conftest import audit_records, call, record_of, writes

pytestmark = pytest.mark.usefixtures("deployed", "enforce")


def test_a_new_detector_that_is_suspended_already_is_enabled(alerts, context):
    attacked = attacks.detector_deleted()
    aws.guardduty().create_detector(Enable=False)

    lambda_handler(attacked.event, context)

    assert attacked.state() == ["ENABLED"]


def test_the_message_names_the_detector_that_is_gone(alerts, context):
    attacked = attacks.detector_deleted()

    lambda_handler(attacked.event, context)

    [message] = alerts.received()
    assert message["Subject"].startswith("[WARNING] GuardDuty detector in ap-northeast-2 is deleted")
    assert attacked.event["detail"]["requestParameters"]["detectorId"] in message["Message"]


def test_undo_deletes_no_detector_that_somebody_else_created(alerts, context):
    attacked = attacks.detector_deleted()
    lambda_handler(attacked.event, context)
    client = aws.guardduty()
    client.delete_detector(DetectorId=client.list_detectors()["DetectorIds"][0])
    client.create_detector(Enable=True)

    guardduty_detector.restore(audit_records()[0]["before"])

    assert attacked.state() == ["ENABLED"]


def test_a_detector_that_somebody_created_between_reading_and_acting_is_enough(alerts, calls):
    attacked = attacks.detector_deleted()
    record = record_of("delete-detector", requestParameters=attacked.event["detail"]["requestParameters"])
    todo = guardduty_detector.plan(record, guardduty_detector.read(record), None)  # type: ignore[arg-type]
    attacked.revert()
    calls.clear()

    assert todo
    guardduty_detector.apply(todo)

    assert writes(calls) == []
    assert attacked.state() == ["ENABLED"]


def test_a_suspended_detector_that_is_gone_is_for_the_event_of_its_deletion(alerts, calls, context):
    lambda_handler(call("update-detector-suspended"), context)

    assert writes(calls) == []
    assert "It does not exist any more" in alerts.received()[0]["Message"]


def test_truth_as_text_is_read(alerts, context):
    attacked = attacks.detector_suspended()
    attacked.event["detail"]["requestParameters"]["enable"] = "False"

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_a_detector_of_another_region_is_refused(alerts, context):
    attacked = attacks.detector_suspended()
    attacked.event["detail"]["awsRegion"] = "eu-west-1"

    with pytest.raises(Refused, match="detector is in eu-west-1"):
        lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.opened
