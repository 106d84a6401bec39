import json

import pytest

from automations import aws
from automations.errors import InvalidEvent, Refused
from security_remediation.handler import lambda_handler
from tests.unit.security_remediation.attacks import trail as attacks
from tests.unit.security_remediation.conftest import call, writes

pytestmark = pytest.mark.usefixtures("deployed", "enforce")


def test_a_trail_that_is_gone_is_told(alerts, calls, context):
    lambda_handler(call("stop-logging"), context)

    assert writes(calls) == []
    assert "It does not exist any more" in alerts.received()[0]["Message"]


def test_the_trail_is_named_alike_by_its_name_and_by_its_arn(alerts, context, monkeypatch):
    entry = {"remediation": "*", "resource": "Trail management-events", "reason": "a drill", "until": "2099-12-31"}
    aws.ssm().put_parameter(Name="/exemptions", Value=json.dumps([entry]), Type="String")
    monkeypatch.setenv("EXEMPTIONS_PARAMETER", "/exemptions")
    attacked = attacks.trail_stopped()

    lambda_handler(attacked.event, context)
    attacked.event["detail"]["requestParameters"]["name"] = attacks.TRAIL
    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.opened


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"awsRegion": "us-east-1"}, "trail is in us-east-1"),
        (
            {"requestParameters": {"name": "arn:aws:cloudtrail:ap-northeast-2:444455556666:trail/management-events"}},
            "belongs to account 444455556666",
        ),
    ],
)
def test_a_trail_elsewhere_is_refused_and_told(change, says, alerts, context):
    attacked = attacks.trail_stopped()

    with pytest.raises(Refused, match=says):
        lambda_handler(attacked.event | {"detail": attacked.event["detail"] | change}, context)

    assert attacked.state() == attacked.opened
    assert "could not be dealt with" in alerts.received()[0]["Message"]


def test_a_record_that_names_no_trail_is_told(alerts, context):
    event = call("stop-logging", requestParameters={"Name": None})

    with pytest.raises(InvalidEvent, match=r"requestParameters\.name"):
        lambda_handler(event, context)

    assert alerts.received()
