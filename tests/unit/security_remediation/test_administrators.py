"""Which policies make administrators."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security_remediation.administrators import makes_administrators

ROLE = "arn:aws:iam::111122223333:role/remediation"


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def found(*statements: Any) -> bool:
    return makes_administrators({"Version": "2012-10-17", "Statement": list(statements)}, ROLE)


@pytest.mark.parametrize(
    "statement",
    [
        allow(),
        allow(["s3:*", "*"]),
        allow("*:*"),
        allow("IAM:*"),
        allow("iam:*"),
        allow("i?m:**"),
        allow(["iam:Put*", "iam:Create*"]),
        allow("iam:*Policy"),
        allow(["iam:AttachUserPolicy", "iam:PutRolePolicy"]),
        allow(resource=["arn:aws:s3:::b", "*"]),
        allow(resource="arn:aws:iam::111122223333:*"),
        allow(resource=["arn:aws:iam::*:user/*", "arn:*:iam::111122223333:role/*"]),
        {"Effect": "allow", "NotAction": "s3:*", "Resource": "*"},
        {"Effect": "Allow", "NotAction": ["iam:PutUserPolicy", "iam:PutRolePolicy"], "Resource": "*"},
        {"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:iam::111122223333:role/protected"},
        allow(Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        allow(Condition={"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}),
        allow(Condition={"StringLike": {"aws:PrincipalArn": "*"}}),
        allow(Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
        allow(Condition={"ArnNotEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}}),
        allow(Condition={"StringEqualsIfExists": {"iam:PassedToService": "ec2.amazonaws.com"}}),
        allow(Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}),
        allow(Condition={"StringLike": {"iam:PolicyARN": "*"}}),
        allow(Condition={"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}}),
        allow(Condition={"ArnLike": {"iam:PolicyARN": ["arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::*"]}}),
        allow(Condition={"StringLike": {"aws:ResourceTag/team": "**"}}),
    ],
)
def test_a_policy_that_lets_its_holder_give_any_rights_makes_administrators(statement):
    assert found(statement)
    assert makes_administrators({"Statement": statement}, ROLE)
    assert found(allow("s3:GetObject"), statement, {"Effect": "Deny", "Action": "s3:*", "Resource": "*"})


@pytest.mark.parametrize(
    "statement",
    [
        allow("s3:*"),
        allow("iam:Get*"),
        allow("iam:PassRole"),
        allow(["iam:PutUserPolicy", "iam:AttachUserPolicy"]),
        allow(["iam:PutRolePolicy", "iam:AttachRolePolicy"]),
        allow(resource="arn:aws:s3:::*"),
        allow(resource="arn:aws:iam::111122223333:user/*"),
        allow(resource="arn:aws:iam::111122223333:role/app-*"),
        allow(resource="arn:aws:iam::111122223333:user/${aws:username}"),
        allow(resource="arn:aws:iam::444455556666:*"),
        {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"},
        {"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:iam::*:*"},
        {"Effect": "Deny", "Action": "*", "Resource": "*"},
        {"Effect": "Allow", "Action": "*"},
        allow(Condition={"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/limit"}}),
        allow(Condition={"ArnEquals": {"IAM:PolicyARN": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}}),
        allow(Condition={"StringEquals": {"aws:ResourceTag/team": "web"}}),
        allow(Condition={"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}}),
    ],
)
def test_a_policy_that_does_not_makes_none(statement):
    assert not found(statement)


def test_statements_count_together():
    assert found(allow("iam:AttachUserPolicy"), allow("s3:*"), allow("iam:AttachRolePolicy"))
    assert not found(
        allow("iam:AttachUserPolicy"),
        allow("iam:AttachRolePolicy", Condition={"ArnLike": {"iam:PolicyARN": "arn:aws:iam::*:policy/web-*"}}),
    )


def test_an_empty_policy_makes_none():
    assert not makes_administrators({}, ROLE)
    assert not found()


actions = st.sampled_from(
    [
        "*",
        "s3:*",
        "iam:*",
        "iam:Put*",
        "iam:Attach?olePolicy",
        "iam:PutUserPolicy",
        "iam:Get*",
        "iam:AttachRolePolicy",
        "[!]:x",
    ]
)
resources = st.sampled_from(
    ["*", "arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:user/*", "arn:aws:s3:::b/*"]
)
statements = st.lists(st.builds(allow, st.lists(actions, max_size=3), st.lists(resources, max_size=2)), max_size=4)


@given(statements, st.builds(allow, actions, resources))
def test_to_allow_more_never_makes_fewer_administrators(some, more):
    assert found(*some, more) >= found(*some)


@given(statements)
def test_denials_and_the_order_change_nothing(some):
    assert found(*reversed(some), {"Effect": "Deny", "Action": "*", "Resource": "*"}) == found(*some)


@given(statements)
def test_whatever_makes_an_administrator_does_not_without_iam(some):
    assert not found(*[{**one, "Action": [a for a in one["Action"] if a != "*" and "iam" not in a]} for one in some])
