import pytest

from security_remediation.handler import lambda_handler
from tests.unit.security_remediation.attacks.sessions import sign_in_without_mfa
from tests.unit.security_remediation.conftest import call, writes

pytestmark = pytest.mark.usefixtures("deployed")


def test_a_sign_in_that_failed_is_left_alone_even_without_a_name(enforce, alerts, calls, context):
    event = call("console-sign-in-without-mfa", responseElements={"ConsoleLogin": "Failure"})
    for field in ("arn", "userName"):
        del event["detail"]["userIdentity"][field]

    lambda_handler(event, context)

    assert calls == []
    assert alerts.received() == []


def test_a_record_without_a_user_name_is_judged_by_its_arn(enforce, alerts, context):
    attacked = sign_in_without_mfa()
    del attacked.event["detail"]["userIdentity"]["userName"]

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_root_is_told_once_and_not_contained(enforce, alerts, calls, context):
    lambda_handler(call("root-console-sign-in"), context)

    assert calls == []
    assert [one["Subject"] for one in alerts.received()] == ["[CRITICAL] The root user signed in to the console"]


def test_it_follows_no_mode_but_its_own(alerts, calls, context, monkeypatch):
    monkeypatch.setenv("MODE", "enforce")
    attacked = sign_in_without_mfa()
    calls.clear()

    lambda_handler(attacked.event, context)

    assert writes(calls) == []
    assert "In enforce mode this would be done" in alerts.received()[0]["Message"]
