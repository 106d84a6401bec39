import json
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from automations import aws
from security_remediation.handler import Settings, lambda_handler
from security_remediation.remediations.role_trust import apply, plan, read
from tests.unit.conftest import ACCOUNT
from tests.unit.security_remediation.attacks import iam as attacks
from tests.unit.security_remediation.conftest import call, record_of, writes

pytestmark = pytest.mark.usefixtures("deployed", "enforce")

FOREIGN = {"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "sts:AssumeRole"}
DELETED = "AROACKCEVSQ6C2EXAMPLE"


def test_only_the_strangers_are_taken_out_of_a_statement_for_others(alerts, context):
    mixed = {
        **FOREIGN,
        "Principal": {"AWS": [ACCOUNT, "444455556666"], "Service": "ec2.amazonaws.com"},
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    }
    attacks.create_role("SupportAccess", attacks.policy(mixed))
    event = attacks.with_request(call("create-role-foreign-trust"), assumeRolePolicyDocument=attacks.policy(mixed))

    lambda_handler(event, context)

    [left] = attacks.trust_of("SupportAccess")
    assert left == {**mixed, "Principal": {"AWS": [ACCOUNT], "Service": ["ec2.amazonaws.com"]}}


def test_a_role_that_nobody_may_assume_any_more_can_be_opened_again(alerts, context):
    attacked = attacks.role_created_for_a_foreign_account()
    lambda_handler(attacked.event, context)

    message = alerts.received()[0]["Message"]
    assert "Let nobody assume the role, because nothing is left of the trust policy." in message
    attacked.revert()
    assert attacked.state() == [attacks.OWN_TRUST]


@pytest.mark.parametrize(
    "encode", [lambda text: quote(text, safe=""), json.loads, lambda text: None, lambda text: "..."]
)
def test_each_form_of_the_document_in_a_record_is_read(encode, alerts, context):
    attacked = attacks.trust_of_a_foreign_account()
    put = attacked.event["detail"]["requestParameters"]["policyDocument"]

    lambda_handler(attacks.with_request(attacked.event, policyDocument=encode(put)), context)

    assert attacked.state() == attacked.closed


def test_trusted_accounts_may_assume_a_role(alerts, calls, context, monkeypatch):
    monkeypatch.setenv("TRUSTED_ACCOUNTS", "444455556666")
    attacked = attacks.trust_of_a_foreign_account()

    outcome = lambda_handler(attacked.event, context)

    assert outcome["outcomes"]["role_trust"] == "harmless"
    assert attacked.state() == attacked.opened


def test_principals_that_were_deleted_do_not_keep_a_policy_from_being_closed(alerts, context):
    """IAM takes no policy that names one, so it goes with the strangers."""
    gone = {**FOREIGN, "Principal": {"AWS": DELETED}}
    attacks.create_role("ReportingRole", attacks.policy(gone, attacks.OWN_TRUST, FOREIGN))

    lambda_handler(call("update-assume-role-policy-foreign-account"), context)

    assert attacks.trust_of("ReportingRole") == [attacks.OWN_TRUST]


def test_principals_that_were_deleted_let_in_nobody(alerts, calls, context):
    """Somebody took the strangers out already; what is left names one that does not exist any more."""
    trust = [{**FOREIGN, "Principal": {"AWS": DELETED}}, attacks.OWN_TRUST]
    attacks.create_role("ReportingRole", attacks.policy(*trust))
    calls.clear()

    lambda_handler(call("update-assume-role-policy-foreign-account"), context)

    assert writes(calls) == []
    assert attacks.trust_of("ReportingRole") == trust
    assert "It is not so any more" in alerts.received()[0]["Message"]


def test_a_unique_id_is_judged_by_what_iam_makes_of_it(alerts, calls, context):
    """IAM shows the ARN of a principal that was given by its unique ID."""
    attacks.create_role("ReportingRole", attacks.policy(attacks.OWN_TRUST))
    by_id = attacks.with_request(
        call("update-assume-role-policy-foreign-account"),
        policyDocument=attacks.policy({**FOREIGN, "Principal": {"AWS": DELETED}}),
    )
    assert lambda_handler(by_id, context)["outcomes"]["role_trust"] == "harmless"
    assert alerts.received() == []

    foreign = {**FOREIGN, "Principal": {"AWS": "arn:aws:iam::444455556666:role/Mallory"}}
    aws.iam().update_assume_role_policy(
        RoleName="ReportingRole", PolicyDocument=attacks.policy(attacks.OWN_TRUST, foreign)
    )
    lambda_handler(by_id, context)
    assert attacks.trust_of("ReportingRole") == [attacks.OWN_TRUST]


@pytest.mark.parametrize(
    ("name", "path", "who"),
    [
        ("AWSReservedSSO_Admins_0123456789abcdef", "/aws-reserved/sso.amazonaws.com/", "IAM Identity Center"),
        ("AWSServiceRoleForSupport", "/aws-service-role/support.amazonaws.com/", "AWS service"),
    ],
)
def test_a_role_that_only_aws_can_change_is_told(name, path, who, alerts, calls, context):
    attacks.create_role(name, attacks.policy(FOREIGN), path)
    event = call("update-assume-role-policy-foreign-account", {"ReportingRole": name})
    calls.clear()

    assert lambda_handler(event, context)["outcomes"]["role_trust"] == "nothing to do"

    assert writes(calls) == []
    assert who in alerts.received()[0]["Message"]


def test_a_role_that_is_gone_is_told(alerts, calls, context):
    lambda_handler(call("update-assume-role-policy-foreign-account"), context)
    assert writes(calls) == []
    assert "It does not exist any more" in alerts.received()[0]["Message"]


def test_a_role_that_is_deleted_meanwhile_is_success_and_any_other_error_a_failure():
    attacked = attacks.trust_of_a_foreign_account()
    record = record_of("update-assume-role-policy-foreign-account")
    todo = plan(record, read(record), Settings.from_env())
    assert todo
    aws.iam().delete_role(RoleName="ReportingRole")
    apply(todo)
    with Stubber(aws.iam()) as stubber:
        stubber.add_client_error("update_assume_role_policy", "UnmodifiableEntity", expected_params=dict(todo.change))
        with pytest.raises(ClientError, match="UnmodifiableEntity"):
            apply(todo)
    assert attacked.closed == json.loads(todo.change["PolicyDocument"])["Statement"]
