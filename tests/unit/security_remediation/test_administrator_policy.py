import pytest

from automations import aws
from security_remediation.handler import lambda_handler
from security_remediation.remediations import administrator_policy
from tests.unit.security_remediation.attacks import first
from tests.unit.security_remediation.attacks import iam as attacks
from tests.unit.security_remediation.conftest import call, writes

pytestmark = pytest.mark.usefixtures("deployed", "enforce")


def test_a_policy_is_judged_by_its_default_version(alerts, calls, context):
    """What it said in an earlier version makes nobody an administrator."""
    attacked = attacks.attached_policy_of_ones_own()
    arn = attacked.event["detail"]["requestParameters"]["policyArn"]
    lesser = attacks.policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    aws.iam().create_policy_version(PolicyArn=arn, PolicyDocument=lesser, SetAsDefault=True)
    calls.clear()

    assert lambda_handler(attacked.event, context)["outcomes"]["administrator_policy"] == "harmless"
    assert attacked.state() == attacked.opened


def test_administrator_access_is_known_without_reading_it(alerts, calls, context):
    attacked = first.administrator_user()
    calls.clear()
    lambda_handler(attacked.event, context)
    assert attacked.state() == attacked.closed
    assert not {"GetPolicy", "GetPolicyVersion"} & {*calls}


def test_a_user_that_is_gone_is_told_of_a_policy_of_ones_own_too(alerts, calls, context):
    attacked = attacks.attached_policy_of_ones_own()
    attacked.revert()
    aws.iam().delete_user(UserName="Bob")
    calls.clear()

    lambda_handler(attacked.event, context)

    assert writes(calls) == []
    assert "It does not exist any more" in alerts.received()[0]["Message"]


def test_a_role_of_identity_center_is_told(alerts, calls, context):
    first.know_aws_policies()
    name = "AWSReservedSSO_Admins_0123456789abcdef"
    attacks.create("Role", name)
    aws.iam().attach_role_policy(RoleName=name, PolicyArn=first.ADMIN)
    calls.clear()

    lambda_handler(call("attach-role-policy-admin", {"ReportingRole": name}), context)

    assert writes(calls) == []
    assert "Only IAM Identity Center" in alerts.received()[0]["Message"]


def test_what_it_restores_is_what_it_detached(alerts, context):
    attacked = attacks.attached_policy_of_ones_own()
    arn = attacked.event["detail"]["requestParameters"]["policyArn"]
    lambda_handler(attacked.event, context)
    administrator_policy.restore({"kind": "User", "UserName": "Bob", "PolicyArn": arn})
    assert attacked.state() == attacked.opened
