import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from automations import aws
from security_remediation.handler import lambda_handler
from security_remediation.remediations import federation_token
from tests.unit.security_remediation.attacks.sessions import federation_with_all_rights
from tests.unit.security_remediation.conftest import call, record_of

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
NARROW = [
    {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"},
    {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::amzn-s3-demo-website/*"},
    {"Effect": "Deny", "Action": "*", "Resource": "*"},
    {"Effect": "Allow"},
]


def judged(**parameters: Any) -> bool:
    record = record_of("get-federation-token-all-rights", requestParameters={"name": "support", **parameters})
    return federation_token._all_rights(record)


@pytest.mark.parametrize(
    "statement",
    [
        ALL,
        ALL | {"Effect": "allow"},
        ALL | {"Action": ["s3:GetObject", "*:*"], "Resource": ["*"]},
        ALL | {"Condition": {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}},
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::amzn-s3-demo-website/*"},
    ],
)
def test_a_statement_that_allows_everything_is_found_among_others_in_each_form(statement):
    policy = {"Version": "2012-10-17", "Statement": [NARROW[0], statement]}
    assert judged(policy=json.dumps(policy, indent=2))
    assert judged(policy=policy)
    assert judged(policy=json.dumps({"Statement": statement}))


@given(some.lists(some.sampled_from(NARROW)), some.sampled_from(["ReadOnlyAccess", "job-function/ViewOnlyAccess"]))
def test_statements_and_policies_that_allow_less_are_not_found(statements, name):
    policy = json.dumps({"Statement": statements})
    assert not judged(policy=policy, policyArns=[{"arn": f"arn:aws:iam::aws:policy/{name}"}])


def test_policy_arns_are_read_alone_in_a_list_and_as_items():
    arn = {"arn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    for arns in (arn, [arn], {"items": [arn]}, [arn["arn"]], [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, arn]):
        assert judged(policyArns=arns)


@pytest.mark.usefixtures("deployed")
def test_root_has_no_policies_to_put_and_is_told_of_as_root(enforce, alerts, calls, context):
    event = call("get-federation-token-all-rights")
    event["detail"]["userIdentity"] = call("root-api-call")["detail"]["userIdentity"]

    lambda_handler(event, context)

    assert calls == []
    assert [one["Subject"] for one in alerts.received()] == ["[CRITICAL] The root user called GetFederationToken"]


@pytest.mark.usefixtures("deployed")
def test_a_later_token_is_revoked_too(enforce, alerts, context):
    attacked = federation_with_all_rights()
    lambda_handler(attacked.event, context)
    first = _until()
    later = attacked.event | {
        "detail": attacked.event["detail"] | {"eventTime": "2099-01-01T00:00:00Z", "eventID": "2"}
    }

    outcome = lambda_handler(later, context)

    assert outcome["outcomes"]["federation_token"] == "closed, and verified by reading back"
    assert first < _until() == "2099-01-01T00:00:01Z"


def _until() -> Any:
    policy: Any = aws.iam().get_user_policy(UserName="Alice", PolicyName=federation_token.POLICY)["PolicyDocument"]
    return policy["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"]
