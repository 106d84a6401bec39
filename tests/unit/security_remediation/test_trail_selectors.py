import pytest

from automations import aws
from security_remediation.handler import lambda_handler
from tests.unit.security_remediation.attacks import trail as attacks
from tests.unit.security_remediation.conftest import call, writes

pytestmark = pytest.mark.usefixtures("deployed", "enforce")


def test_the_recorded_shape_of_a_known_attack_is_read(alerts, context):
    """Stratus Red Team's: a selector of read-only data events, of no resources."""
    attacks.create_trail()
    put = {
        "ReadWriteType": "ReadOnly",
        "IncludeManagementEvents": False,
        "DataResources": [{"Type": "AWS::S3::Object", "Values": []}, {"Type": "AWS::Lambda::Function", "Values": []}],
        "ExcludeManagementEventSources": [],
    }
    attacks.select(attacks.TRAIL, put)

    lambda_handler(call("put-event-selectors-narrowed"), context)

    now = aws.cloudtrail().get_event_selectors(TrailName=attacks.TRAIL)["EventSelectors"]
    assert now == [attacks.ALL_MANAGEMENT_EVENTS, put]
    assert "Trail management-events does not log management events" in alerts.received()[0]["Message"]


def test_a_trail_beside_one_that_logs_everything_is_told_of_and_left_alone(alerts, calls, context):
    attacked = attacks.selectors_without_management_events()
    attacks.add_trail("all-events")
    calls.clear()

    lambda_handler(attacked.event, context)

    assert writes(calls) == []
    assert attacked.state() == attacked.opened
    [message] = alerts.received()
    assert "Trail all-events logs all management events" in message["Message"]


@pytest.mark.parametrize("other", ["stopped", "narrow", "of one region"])
def test_another_trail_that_logs_less_does_not_count(other, alerts, context):
    attacked = attacks.selectors_without_writes()
    attacks.add_trail("other", multi_region=other != "of one region")
    if other == "stopped":
        aws.cloudtrail().stop_logging(Name="other")
    if other == "narrow":
        attacks.select("other", attacks.ALL_MANAGEMENT_EVENTS | {"ReadWriteType": "WriteOnly"})

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_a_record_without_selectors_is_judged_by_the_trail(alerts, context):
    attacked = attacks.selectors_without_kms()
    attacked.event["detail"]["requestParameters"] = {"trailName": attacks.TRAIL}

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_a_trail_that_is_gone_is_told(alerts, calls, context):
    lambda_handler(call("put-event-selectors-advanced"), context)

    assert writes(calls) == []
    assert "It does not exist any more" in alerts.received()[0]["Message"]
