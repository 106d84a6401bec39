import json
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from automations import aws
from security_remediation.handler import Settings, lambda_handler
from security_remediation.remediations.inline_administrator_policy import apply, plan, read
from tests.unit.security_remediation.attacks import iam as attacks
from tests.unit.security_remediation.conftest import call, record_of, writes

pytestmark = pytest.mark.usefixtures("deployed", "enforce")


@pytest.mark.parametrize("encode", [lambda text: quote(text, safe=""), json.loads, lambda text: None])
def test_each_form_of_the_document_in_a_record_is_read(encode, alerts, context):
    attacked = attacks.inline_policy_of_a_user()

    lambda_handler(attacks.with_request(attacked.event, policyDocument=encode(attacks.EVERYTHING)), context)

    assert attacked.state() == attacked.closed


def test_a_policy_that_was_put_anew_since_is_judged_by_what_it_says_now(alerts, calls, context):
    """Somebody took the rights out of it; that the call had put them in is told."""
    attacked = attacks.inline_policy_of_a_user()
    attacked.revert()

    assert lambda_handler(attacked.event, context)["outcomes"]["inline_administrator_policy"] == "nothing to do"

    assert attacked.state() == attacked.opened
    assert "It is not so any more" in alerts.received()[0]["Message"]


def test_what_is_gone_is_told(alerts, calls, context):
    for kind in ("user", "group", "role"):
        lambda_handler(call(f"put-{kind}-policy-admin"), context)
    messages = alerts.received()
    assert len(messages) == 3
    assert all("It does not exist any more" in message["Message"] for message in messages)


def test_a_role_of_identity_center_is_told(alerts, calls, context):
    name = "AWSReservedSSO_Admins_0123456789abcdef"
    attacks.create("Role", name)
    aws.iam().put_role_policy(RoleName=name, PolicyName="helper", PolicyDocument=attacks.EVERYTHING)
    calls.clear()

    lambda_handler(call("put-role-policy-admin", {"ReportingRole": name}), context)

    assert writes(calls) == []
    assert "Only IAM Identity Center" in alerts.received()[0]["Message"]


def test_that_somebody_else_was_quicker_is_success():
    attacked = attacks.inline_policy_of_a_role()
    record = record_of("put-role-policy-admin")
    todo = plan(record, read(record), Settings.from_env())
    assert todo
    apply(todo)
    apply(todo)
    assert attacked.state() == attacked.closed


def test_an_error_that_says_something_else_is_raised(alerts, context, monkeypatch):
    attacked = attacks.inline_policy_of_a_user()
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "DeleteUserPolicy")

    def refused(**_: object) -> None:
        raise denied

    monkeypatch.setattr(aws.iam(), "delete_user_policy", refused)
    with pytest.raises(ClientError, match="AccessDenied"):
        lambda_handler(attacked.event, context)
    assert attacked.state() == attacked.opened
    assert "could not be dealt with" in json.dumps(alerts.received())
