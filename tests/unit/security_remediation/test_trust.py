"""Whom trust policies let in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security_remediation.policies import Trust, without
from security_remediation.trust import SHARED, names_unique_id, trusted_by, without_deleted
from tests.unit.security_remediation.policy_documents import FOREIGN, ONE_OR_MORE, OWN, TRUSTED, policies, unhurried

KNOWN = Trust(frozenset({OWN, TRUSTED, "o-a1b2c3d4e5"}))
GITHUB = "token.actions.githubusercontent.com"


def statement(principal: Any = None, **more: Any) -> dict[str, Any]:
    one = {"Effect": "Allow", "Action": "sts:AssumeRole", **more}
    return one if principal is None else {**one, "Principal": principal}


def let_in(*statements: dict[str, Any]) -> list[str]:
    return [one.to for one in trusted_by({"Statement": list(statements)}, KNOWN)]


def provider(issuer: str, account: str = OWN) -> str:
    return f"arn:aws:iam::{account}:oidc-provider/{issuer}"


def federated(issuer: str, condition: dict[str, Any] | None = None) -> dict[str, Any]:
    more = {"Condition": condition} if condition is not None else {}
    return statement({"Federated": issuer}, Action="sts:AssumeRoleWithWebIdentity", **more)


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": [OWN, f"arn:aws:iam::{TRUSTED}:role/R"]},
        {"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]},
        {"Federated": f"arn:aws:iam::{OWN}:saml-provider/Company"},
        {"Federated": provider("oidc.eks.ap-northeast-2.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF")},
        {"Federated": provider(f"{GITHUB}/octo-enterprise")},
    ],
)
def test_own_and_trusted_accounts_services_and_providers_of_ones_own_are_no_strangers(principal):
    assert let_in(statement(principal)) == []


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": FOREIGN},
        {"AWS": [OWN, f"arn:aws:sts::{FOREIGN}:assumed-role/R/s"]},
        {"Federated": f"arn:aws:iam::{FOREIGN}:saml-provider/x"},
        {"Federated": provider(GITHUB, FOREIGN)},
    ],
)
def test_another_account_is_foreign_with_or_without_an_external_id(principal):
    assert let_in(statement(principal)) == [f"account {FOREIGN}"]
    assert let_in(statement(principal, Condition={"StringEquals": {"sts:ExternalId": "7f3c9d"}})) == [
        f"account {FOREIGN}"
    ]


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"sts:ExternalId": "7f3c9d"}},
        {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}},
        {"StringEquals": {"aws:userid": "AIDACKCEVSQ6C2EXAMPLE"}},
        {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        {"StringLike": {"aws:PrincipalOrgID": "o-*"}},
        {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    ],
)
def test_everyone_is_let_in_by_conditions_that_do_not_say_who(condition):
    assert let_in(statement("*", Condition=condition)) == ["everyone"]
    assert let_in(statement({"AWS": "*"}, Condition=condition)) == ["everyone"]


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/*"}},
        {"StringEquals": {"aws:PrincipalAccount": [OWN, TRUSTED]}, "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/app-*"}},
    ],
)
def test_everyone_of_a_trusted_account_or_organisation_is_not_everyone(condition):
    assert let_in(statement({"AWS": "*"}, Condition=condition)) == []


@pytest.mark.parametrize("known", [True, False])
def test_another_organisation_is_foreign_once_the_own_one_is_known(known):
    one = statement("*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-strangers1"}})
    [found] = trusted_by({"Statement": one}, Trust(KNOWN.ids, knows_organization=known))
    assert (found.to, found.sure) == ("organisation o-strangers1", known)


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        {"StringEquals": {"aws:PrincipalAccount": [OWN, TRUSTED]}},
    ],
)
def test_a_foreign_account_within_a_trusted_one_or_a_trusted_organisation_is_no_stranger(condition):
    assert let_in(statement({"AWS": FOREIGN}, Condition=condition)) == []


def test_a_service_that_acts_for_a_foreign_account_is_a_stranger():
    service = {"Service": "sns.amazonaws.com"}
    foreign = {"StringEquals": {"aws:SourceAccount": FOREIGN}}
    assert let_in(statement(service, Condition=foreign)) == [f"sns.amazonaws.com for account {FOREIGN}"]
    assert let_in(statement(service, Condition={"StringEquals": {"aws:SourceAccount": OWN}})) == []


@pytest.mark.parametrize(
    "subject",
    [
        "repo:octo-org/octo-repo:ref:refs/heads/main",
        "repo:octo-org/*",
        "repo:octo-org/octo-repo:*",
        ["repo:octo-org/a:*", "repo:octo-org/b:*"],
        "repository_owner:octo-org",
    ],
)
def test_a_shared_provider_with_a_fixed_tenant_is_not_everyone(subject):
    assert let_in(federated(provider(GITHUB), {"StringLike": {f"{GITHUB}:sub": subject}})) == []
    assert let_in(federated(provider(GITHUB), {"ForAnyValue:StringLike": {f"{GITHUB.upper()}:SUB": subject}})) == []


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}},
        {"StringLike": {f"{GITHUB}:sub": "*"}},
        {"StringLike": {f"{GITHUB}:sub": "repo:*"}},
        {"StringLike": {f"{GITHUB}:sub": "repo:octo-org*"}},
        {"StringLike": {f"{GITHUB}:sub": "repo:*/octo-repo:*"}},
        {"StringLike": {f"{GITHUB}:sub": ["repo:octo-org/a:*", "repo:*"]}},
        {"StringLike": {f"{GITHUB}:sub": []}},
        {"StringNotLike": {f"{GITHUB}:sub": "repo:octo-org/*"}},
        {"StringLikeIfExists": {f"{GITHUB}:sub": "repo:octo-org/*"}},
        {"ForAllValues:StringLike": {f"{GITHUB}:sub": "repo:octo-org/*"}},
        {"StringEquals": {"gitlab.com:sub": "repo:octo-org/octo-repo"}},
    ],
)
def test_a_shared_provider_without_a_fixed_tenant_is_everyone(condition):
    assert let_in(federated(provider(GITHUB), condition)) == ["everyone"]


@pytest.mark.parametrize("issuer", SHARED)
def test_each_shared_provider_needs_its_own_claim(issuer):
    claim = f"{issuer}:{SHARED[issuer]}"
    for name in (issuer, provider(issuer)):
        assert let_in(federated(name)) == ["everyone"]
        assert let_in(federated(name, {"StringEquals": {claim: "us-east-1:12345678-abcd"}})) == []


def test_a_provider_without_an_arn_that_nobody_knows_is_everyone():
    assert let_in(federated("idp.example.com", {"StringEquals": {"idp.example.com:sub": "me"}})) == ["everyone"]


def test_principals_that_were_deleted_are_left_out_with_the_statements_for_these_alone():
    deleted = "AROACKCEVSQ6C2EXAMPLE"
    both = statement({"AWS": [deleted, OWN], "Service": "ec2.amazonaws.com"})
    policy = {"Version": "2012-10-17", "Statement": [statement({"AWS": deleted}), both, statement("*", Effect="Deny")]}

    assert names_unique_id(policy)
    left = without_deleted(policy)
    assert left["Statement"] == [
        {**both, "Principal": {"AWS": [OWN], "Service": "ec2.amazonaws.com"}},
        statement("*", Effect="Deny"),
    ]
    assert not names_unique_id(left)
    assert without_deleted(left) == left


def test_a_service_beside_a_principal_that_was_deleted_stays():
    one = statement({"AWS": "AIDACKCEVSQ6C2EXAMPLE", "Service": "ec2.amazonaws.com"})
    assert without_deleted({"Statement": one})["Statement"] == [{**one, "Principal": {"Service": "ec2.amazonaws.com"}}]


idps = st.sampled_from(
    [provider(GITHUB), provider("oidc.example.com"), "cognito-identity.amazonaws.com", provider(GITHUB, FOREIGN)]
)
principals = st.one_of(
    st.just("*"),
    st.fixed_dictionaries(
        {}, optional={"AWS": ONE_OR_MORE, "Federated": idps, "Service": st.just("ec2.amazonaws.com")}
    ).filter(bool),
)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "StringEquals": st.sampled_from(
            [
                {"sts:ExternalId": "7f3c9d"},
                {"aws:PrincipalAccount": FOREIGN},
                {"aws:PrincipalAccount": OWN},
                {f"{GITHUB}:sub": "repo:octo-org/octo-repo:ref:refs/heads/main"},
            ]
        ),
        "StringLike": st.sampled_from([{f"{GITHUB}:sub": "repo:*"}, {f"{GITHUB}:sub": "repo:octo-org/*"}]),
    },
)
some_policies = policies(statement(), principals, conditions)


@unhurried
@given(some_policies)
def test_what_is_left_of_any_trust_policy_lets_in_no_strangers_and_keeps_all_others(policy):
    exposed = trusted_by(policy, KNOWN)
    left = without(policy, exposed) or {"Statement": []}

    assert trusted_by(left, KNOWN) == []
    untouched = [one for at, one in enumerate(policy["Statement"]) if at not in {e.position for e in exposed}]
    assert [one for one in left["Statement"] if one in untouched] == untouched
    services = [one for one in policy["Statement"] if "Service" in one["Principal"]]
    assert len([one for one in left["Statement"] if "Service" in one["Principal"]]) == len(services)


@unhurried
@given(some_policies, conditions)
def test_a_condition_more_never_lets_in_more_kinds_of_strangers(policy, more):
    stricter = [
        {**one, "Condition": {**more, **one["Condition"]}} if one["Effect"] == "Allow" else one
        for one in policy["Statement"]
    ]
    before = {one.position for one in trusted_by(policy, KNOWN)}
    assert {one.position for one in trusted_by({"Statement": stricter}, KNOWN)} <= before


@unhurried
@given(some_policies)
def test_to_trust_more_accounts_never_finds_more_and_all_that_is_named_is_foreign(policy):
    found = trusted_by(policy, KNOWN)
    assert len(trusted_by(policy, Trust(KNOWN.ids | {FOREIGN}))) <= len(found)
    assert {one.to for one in found} <= {"everyone", f"account {FOREIGN}"}
