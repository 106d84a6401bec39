"""Login profiles that others make or change."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from automations import aws
from security_remediation import logins
from security_remediation.handler import lambda_handler
from tests.unit.conftest import ACCOUNT
from tests.unit.security_remediation.attacks import iam as attacks
from tests.unit.security_remediation.conftest import audit_records, writes

pytestmark = pytest.mark.usefixtures("deployed")
BOTH = pytest.mark.parametrize("attack", [attacks.login_profile, attacks.password])


def ago(**time: float) -> str:
    return f"{datetime.now(UTC) - timedelta(**time):%Y-%m-%dT%H:%M:%SZ}"


@BOTH
def test_a_profile_that_was_made_after_the_call_is_another_one(attack, enforce, alerts, calls, context):
    """As when an event that failed is delivered again after somebody gave the user a new password."""
    attacked = attack()
    attacked.event["detail"]["eventTime"] = ago(hours=2)
    calls.clear()

    lambda_handler(attacked.event, context)

    assert attacked.state()
    assert writes(calls) == []
    assert "It does not exist any more" in alerts.received()[0]["Message"]


@BOTH
@pytest.mark.parametrize("seconds", [30, None])
def test_clocks_may_differ_and_a_record_need_not_have_a_time(attack, seconds, enforce, alerts, context):
    attacked = attack()
    attacked.event["detail"]["eventTime"] = ago(seconds=seconds) if seconds else None
    lambda_handler(attacked.event, context)
    assert attacked.state() == attacked.closed


@BOTH
def test_people_are_told_that_nobody_can_undo_it(attack, enforce, alerts, context):
    lambda_handler(attack().event, context)

    [message] = alerts.received()
    assert "an administrator gives the user a new one" in message["Message"]
    assert "security undo" not in message["Message"]
    assert all(record["remark"] == logins.GONE for record in audit_records())


@BOTH
def test_a_session_that_calls_itself_as_the_user_is_somebody_else(attack, enforce, alerts, context):
    attacked = attack()
    attacked.event["detail"]["userIdentity"] = {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/IAM/Bob",
        "sessionContext": {"sessionIssuer": {"arn": f"arn:aws:iam::{ACCOUNT}:role/IAM", "userName": "IAM"}},
    }
    lambda_handler(attacked.event, context)
    assert attacked.state() == attacked.closed


@BOTH
def test_a_user_that_is_gone_is_told(attack, enforce, alerts, calls, context):
    attacked = attack()
    attacked.revert()
    aws.iam().delete_user(UserName="Bob")
    calls.clear()
    lambda_handler(attacked.event, context)
    assert writes(calls) == []
    assert "It does not exist any more" in alerts.received()[0]["Message"]


def test_containment_does_not_follow_the_stacks_mode(alerts, context, monkeypatch):
    monkeypatch.setenv("MODE", "enforce")
    attacked = attacks.password()
    lambda_handler(attacked.event, context)
    assert attacked.state()
    assert "In enforce mode this would be done" in alerts.received()[0]["Message"]


def test_a_new_password_by_the_console_with_a_reset_counts_too(enforce, alerts, context):
    attacked = attacks.password()
    event = attacks.with_request(attacked.event, passwordResetRequired=True)
    lambda_handler(event, context)
    assert attacked.state() == attacked.closed


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "AGAIN_AFTER", (0.0, 0.0))


def test_a_user_that_iam_still_makes_is_tried_again(cloud, at_once):
    with Stubber(aws.iam()) as stubber:
        for _ in range(2):
            stubber.add_client_error("delete_login_profile", "EntityTemporarilyUnmodifiable", http_status_code=409)
        stubber.add_response("delete_login_profile", {}, {"UserName": "Bob"})
        logins.delete_login("Bob")
        stubber.assert_no_pending_responses()


def test_a_user_that_iam_does_not_finish_and_every_other_error_is_a_failure(cloud, at_once):
    with Stubber(aws.iam()) as stubber:
        for _ in range(3):
            stubber.add_client_error("delete_login_profile", "EntityTemporarilyUnmodifiable", http_status_code=409)
        with pytest.raises(ClientError, match="EntityTemporarilyUnmodifiable"):
            logins.delete_login("Bob")
        stubber.add_client_error("delete_login_profile", "AccessDenied", http_status_code=403)
        with pytest.raises(ClientError, match="AccessDenied"):
            logins.delete_login("Bob")
        stubber.assert_no_pending_responses()


def test_an_access_key_of_the_same_call_is_not_touched(enforce, alerts, context):
    attacked = attacks.login_profile()
    key = aws.iam().create_access_key(UserName="Bob")["AccessKey"]["AccessKeyId"]
    lambda_handler(attacked.event, context)
    assert attacks.keys_of("Bob") == {key: "Active"}
