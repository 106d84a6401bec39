import json
from typing import Any

import pytest
from botocore.stub import Stubber

from automations import aws
from automations.errors import Refused
from security_remediation.handler import lambda_handler
from security_remediation.remediations import function_policy
from tests.unit.conftest import ACCOUNT, REGION
from tests.unit.security_remediation.attacks import keys as attacks
from tests.unit.security_remediation.conftest import call, record_of, writes
from tests.unit.security_remediation.function_policies import function_policies

pytestmark = pytest.mark.usefixtures("deployed")
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:billing-report"


def put(*statements: dict[str, Any], arn: str = FUNCTION) -> tuple[dict[str, str], dict[str, Any]]:
    """The policies that there are after the call, and its event."""
    policies = function_policies()
    policies[arn] = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    event = call("put-function-policy-public")
    event["detail"]["requestParameters"] = {"resourceArn": arn, "policy": policies[arn]}
    return policies, event


def allowed(principal: Any, **more: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "lambda:InvokeFunction",
        "Resource": FUNCTION,
        **more,
    }


def test_a_policy_of_which_nothing_is_left_is_deleted_and_can_be_put_back(enforce, alerts, context):
    attacks.create_function()
    policies, event = put(allowed("*"))
    opened = dict(policies)

    lambda_handler(event, context)

    assert policies == {}
    assert "Delete the policy, because nothing is left of it." in alerts.received()[0]["Message"]
    function_policy.restore({"ResourceArn": FUNCTION, "Policy": opened[FUNCTION]})
    assert policies == opened


def test_the_policy_of_an_alias_is_its_own_and_its_tags_are_the_function_s(enforce, alerts, context):
    attacks.create_function()
    policies, event = put(allowed("*"), arn=f"{FUNCTION}:live")
    policies[FUNCTION] = policies[f"{FUNCTION}:live"]

    lambda_handler(event, context)

    assert set(policies) == {FUNCTION}
    assert "Lambda function billing-report:live has a policy" in alerts.received()[0]["Subject"]


def test_denials_and_own_statements_stay(enforce, context):
    attacks.create_function()
    deny = allowed("*", Effect="Deny", Sid="deny")
    own = allowed({"AWS": [f"arn:aws:iam::{ACCOUNT}:role/app"]}, Action="lambda:GetFunction")
    policies, event = put(deny, allowed({"AWS": "444455556666"}), own)

    lambda_handler(event, context)

    assert json.loads(policies[FUNCTION])["Statement"] == [deny, own]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (allowed({"Service": "s3.amazonaws.com"}), "add it again with SourceAccount or SourceArn"),
        (
            allowed("*", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}}),
            "statement 1 lets in VPC endpoint vpce-1a2b3c4d",
        ),
        (allowed("*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}), "TrustedOrganizations"),
    ],
)
def test_what_may_be_one_s_own_is_told_and_not_touched(statement, told, enforce, alerts, calls, context):
    attacks.create_function()
    _, event = put(statement)
    calls.clear()

    for _ in range(2):
        lambda_handler(event, context)

    assert writes(calls) == []
    [message] = alerts.received()
    assert told in message["Message"]


def test_what_is_in_doubt_is_told_beside_what_is_closed(enforce, alerts, context):
    attacks.create_function()
    service = allowed({"Service": "s3.amazonaws.com"}, Sid="uploads")
    policies, event = put(allowed("*"), service)

    lambda_handler(event, context)

    assert json.loads(policies[FUNCTION])["Statement"] == [service]
    [message] = alerts.received()
    assert "statement uploads lets in s3.amazonaws.com for everyone" in message["Message"]
    assert "put right" in message["Subject"] + message["Message"]


def test_a_function_that_is_gone_is_told_and_one_of_another_region_is_refused(enforce, alerts, calls, context):
    function_policies()
    lambda_handler(call("put-function-policy-public"), context)

    assert writes(calls) == []
    assert "was given a policy that lets in everyone" in alerts.received()[0]["Subject"]
    with pytest.raises(Refused, match="eu-west-1"):
        function_policy.read(record_of("put-function-policy-public", awsRegion="eu-west-1"))


def test_a_policy_that_cannot_be_read_is_told_and_raised(enforce, alerts, context):
    with Stubber(aws.lambda_()) as stub:
        stub.add_client_error("get_resource_policy", "AccessDeniedException", http_status_code=403)
        with pytest.raises(Exception, match="AccessDenied"):
            lambda_handler(call("put-function-policy-public"), context)
    assert "could not be dealt with" in alerts.received()[0]["Subject"]
