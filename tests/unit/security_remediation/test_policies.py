from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security_remediation.policies import exposures, without

OWN, TRUSTED, FOREIGN = "111122223333", "222233334444", "444455556666"
KNOWN = frozenset({OWN, TRUSTED})


def statement(principal: Any = None, **more: Any) -> dict[str, Any]:
    one = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", **more}
    return one if principal is None else {**one, "Principal": principal}


def let_in(*statements: dict[str, Any]) -> list[str]:
    return [one.to for one in exposures({"Statement": list(statements)}, KNOWN)]


@pytest.mark.parametrize(
    "principal",
    ["*", {"AWS": "*"}, {"AWS": ["*"]}, {"AWS": [OWN, "*"]}, {"Federated": "graph.facebook.com"}, {"Service": "*"}],
)
def test_everyone_in_each_spelling(principal):
    assert let_in(statement(principal)) == ["everyone"]


def test_everyone_but_somebody_is_everyone():
    assert let_in(statement(NotPrincipal={"AWS": OWN})) == ["everyone"]


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": FOREIGN},
        {"AWS": f"arn:aws:iam::{FOREIGN}:root"},
        {"AWS": f"arn:aws-cn:iam::{FOREIGN}:user/Mallory"},
        {"AWS": [f"arn:aws:iam::{OWN}:root", f"arn:aws:sts::{FOREIGN}:assumed-role/R/s"]},
        {"Federated": f"arn:aws:iam::{FOREIGN}:saml-provider/x"},
    ],
)
def test_another_account_in_each_spelling(principal):
    assert let_in(statement(principal)) == [f"account {FOREIGN}"]


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": f"arn:aws:iam::{OWN}:role/R"},
        {"AWS": [OWN, TRUSTED]},
        {"Service": ["cloudfront.amazonaws.com", "logging.s3.amazonaws.com"]},
        {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1EXAMPLE"},
        {"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},
    ],
)
def test_own_and_trusted_accounts_services_and_cloudfront_are_no_strangers(principal):
    assert let_in(statement(principal)) == []


def test_denials_are_no_exposure():
    assert let_in(statement("*", Effect="Deny")) == []


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}},
        {"StringEquals": {"AWS:sourcevpc": ["vpc-91237329", "vpc-2"]}},
        {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/*"}},
        {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "10.0.0.0/8"]}},
        {"StringEquals": {"aws:PrincipalAccount": [OWN, TRUSTED]}},
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/app-*"}},
        {"StringLike": {"s3:DataAccessPointArn": f"arn:aws:s3:us-west-2:{OWN}:accesspoint/*"}},
        {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::another-bucket"}},
        {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:SourceAccount": OWN}},
    ],
)
def test_everyone_under_a_fixed_condition_is_not_public(condition):
    assert let_in(statement("*", Condition=condition)) == []


@pytest.mark.parametrize(
    "condition",
    [
        {"Bool": {"aws:SecureTransport": "true"}},
        {"StringLike": {"aws:SourceVpc": "vpc-*"}},
        {"StringEquals": {"aws:SourceVpce": "${aws:PrincipalTag/vpce}"}},
        {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1a2b3c4d"}},
        {"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        {"StringNotEquals": {"aws:PrincipalAccount": FOREIGN}},
        {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}},
        {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}},
        {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"IpAddress": {"aws:SourceIp": "${aws:x}"}},
        {"StringLike": {"aws:Referer": "https://example.com/"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/app"}},
        {"StringLike": {"aws:PrincipalArn": f"arn:aws:*::{OWN}:role/app"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}},
        {"StringEquals": {"aws:SourceVpce": []}},
    ],
)
def test_everyone_under_a_condition_that_strangers_can_meet_is_public(condition):
    assert let_in(statement("*", Condition=condition)) == ["everyone"]


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalAccount": [OWN, FOREIGN]}},
        {"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{FOREIGN}:role/R"}},
        {"StringEquals": {"aws:PrincipalAccount": FOREIGN, "aws:SourceVpce": "vpce-1"}},
    ],
)
def test_everyone_of_a_foreign_account_is_foreign(condition):
    assert let_in(statement("*", Condition=condition)) == [f"account {FOREIGN}"]


def test_only_the_strangers_are_taken_out_and_the_rest_stays_in_its_order():
    own, deny = statement({"AWS": OWN}, Sid="Own"), statement("*", Effect="Deny", Sid="Deny")
    mixed = statement({"AWS": [OWN, FOREIGN], "Service": "cloudtrail.amazonaws.com"}, Sid="Mixed")
    policy = {"Version": "2012-10-17", "Id": "P", "Statement": [own, statement("*", Sid="All"), mixed, deny]}

    left = without(policy, exposures(policy, KNOWN))

    kept = {**mixed, "Principal": {"AWS": [OWN], "Service": ["cloudtrail.amazonaws.com"]}}
    assert left == {"Version": "2012-10-17", "Id": "P", "Statement": [own, kept, deny]}


def test_of_a_policy_that_only_lets_in_strangers_nothing_is_left():
    policy = {"Version": "2012-10-17", "Statement": statement("*")}
    assert without(policy, exposures(policy, KNOWN)) is None


values = st.sampled_from(["*", OWN, TRUSTED, FOREIGN, f"arn:aws:iam::{FOREIGN}:root", f"arn:aws:iam::{OWN}:role/R"])
principals = st.one_of(
    st.just("*"),
    st.dictionaries(st.just("AWS"), st.one_of(values, st.lists(values, min_size=1, max_size=3)), min_size=1),
    st.just({"Service": "cloudtrail.amazonaws.com"}),
)
conditions = st.sampled_from(
    [
        {},
        {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
        {"StringEquals": {"aws:PrincipalAccount": FOREIGN}},
        {"StringEquals": {"aws:PrincipalAccount": OWN}},
        {"Bool": {"aws:SecureTransport": "true"}},
    ]
)
policies = st.lists(
    st.builds(
        lambda principal, effect, condition: statement(principal, Effect=effect, Condition=condition),
        principals,
        st.sampled_from(["Allow", "Deny"]),
        conditions,
    ),
    max_size=4,
).map(lambda some: {"Version": "2012-10-17", "Statement": some})


@given(policies)
def test_what_is_left_of_any_policy_exposes_nothing_and_loses_nothing_else(policy):
    exposed = exposures(policy, KNOWN)
    left = without(policy, exposed) or {"Statement": []}

    assert exposures(left, KNOWN) == []
    untouched = [one for at, one in enumerate(policy["Statement"]) if at not in {e.position for e in exposed}]
    assert [one for one in left["Statement"] if one in untouched] == untouched


@given(policies)
def test_to_trust_more_accounts_never_finds_more(policy):
    assert len(exposures(policy, KNOWN | {FOREIGN})) <= len(exposures(policy, KNOWN))
