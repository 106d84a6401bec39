import pytest

from security_remediation.handler import lambda_handler
from security_remediation.remediations.guardduty_members import ADMINISTRATOR, MEMBERS
from tests.unit.security_remediation.conftest import call

pytestmark = pytest.mark.usefixtures("deployed", "enforce")


@pytest.mark.parametrize("name", MEMBERS)
def test_the_accounts_that_are_left_out_are_named_but_not_those_that_were_refused(name, alerts, calls, context):
    lambda_handler(call("stop-monitoring-members", eventName=name), context)

    assert calls == []
    [message] = alerts.received()
    assert "account 444455556666" in message["Message"]
    assert "222233334444" not in message["Message"]


@pytest.mark.parametrize("name", ADMINISTRATOR)
def test_an_account_that_leaves_its_administrator_is_told(name, alerts, context):
    event = call("delete-detector", eventName=name)

    lambda_handler(event, context)

    assert "is without its administrator account" in alerts.received()[0]["Message"]


def test_a_call_that_was_refused_for_every_account_is_harmless(alerts, context):
    parameters = {"detectorId": "12abc34d567e8fa901bc2d34e56789f0", "accountIds": ["222233334444"]}

    lambda_handler(call("stop-monitoring-members", requestParameters=parameters), context)

    assert alerts.received() == []
