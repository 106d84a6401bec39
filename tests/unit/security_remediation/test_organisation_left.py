import pytest

from security_remediation.handler import lambda_handler
from tests.unit.security_remediation.conftest import call

pytestmark = pytest.mark.usefixtures("deployed")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("leave-organization", "Account 123456789012 has left its organisation"),
        ("remove-account-from-organization", "Account 444455556666 was removed from the organisation"),
    ],
)
def test_it_is_told_with_what_to_do_and_never_acted_on(name, told, enforce, alerts, calls, context):
    lambda_handler(call(name), context)

    assert calls == []
    [message] = alerts.received()
    assert message["Subject"] == f"[CRITICAL] {told}"
    assert "invite it back" in message["Message"]


def test_an_attempt_that_failed_and_one_that_is_delivered_again_are_not_told(enforce, alerts, context):
    for name in ("leave-organization-failed", "leave-organization", "leave-organization"):
        lambda_handler(call(name), context)

    assert len(alerts.received()) == 1


def test_a_record_without_its_account_is_told_still(alerts, context):
    lambda_handler(call("remove-account-from-organization", requestParameters=None), context)

    assert "Account ? was removed" in alerts.received()[0]["Subject"]
