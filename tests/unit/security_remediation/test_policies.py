from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security_remediation.policies import Trust, exposures, sure, without
from security_remediation.strangers import doubts
from tests.unit.security_remediation.policy_documents import FOREIGN, ONE_OR_MORE, OWN, TRUSTED, policies, unhurried

OURS, STRANGE = "o-a1b2c3d4e5", "o-strangers1"
KNOWN = Trust(frozenset({OWN, TRUSTED, OURS}), knows_organization=True)
UNKNOWN = Trust(frozenset({OWN, TRUSTED}))


def statement(principal: Any = None, **more: Any) -> dict[str, Any]:
    one = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", **more}
    return one if principal is None else {**one, "Principal": principal}


def let_in(*statements: dict[str, Any], trust: Trust = KNOWN) -> list[str]:
    """Strangers for sure."""
    return [one.to for one in sure(exposures({"Statement": list(statements)}, trust))]


def told(*statements: dict[str, Any], trust: Trust = KNOWN) -> list[str]:
    """Whoever may be one's own."""
    return [one.to for one in exposures({"Statement": list(statements)}, trust) if not one.sure]


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
    assert let_in(statement(principal)) == told(statement(principal)) == []


def test_denials_are_no_exposure():
    assert let_in(statement("*", Effect="Deny")) == []


TO_THE_TRUSTED = [
    {"StringEquals": {"aws:PrincipalOrgID": OURS}},
    {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{OURS}/r-ab12/*"}},
    {"StringEquals": {"aws:SourceOrgID": OURS}},
    {"ForAnyValue:StringLike": {"aws:SourceOrgPaths": f"{OURS}/*"}},
    {"StringEquals": {"aws:VpceOrgID": OURS}},
    {"StringEquals": {"aws:VpceAccount": OWN}},
    {"ArnEquals": {"aws:SourceVpcArn": f"arn:aws:ec2:ap-northeast-2:{OWN}:vpc/vpc-91237329"}},
    {"StringEquals": {"aws:PrincipalAccount": [OWN, TRUSTED]}},
    {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/app-*"}},
    {"StringLike": {"s3:DataAccessPointArn": f"arn:aws:s3:us-west-2:{OWN}:accesspoint/*"}},
    {"StringEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": f"arn:aws:kms:us-east-1:{OWN}:key/1"}},
    {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::another-bucket"}, "StringEquals": {"aws:SourceAccount": OWN}},
    {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:SourceAccount": OWN}},
    {"StringEquals": {"aws:SourceVpce": "vpce-1", "aws:PrincipalOrgID": OURS}},
    {"StringEquals": {"aws:PrincipalAccount": FOREIGN, "aws:PrincipalOrgID": OURS}},
    {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "fd00::/8"]}},
    {"StringEquals": {"aws:PrincipalAccount": "nobody"}},
]


@pytest.mark.parametrize("condition", TO_THE_TRUSTED)
def test_everyone_under_one_condition_that_only_the_trusted_meet_is_no_stranger(condition):
    assert let_in(statement("*", Condition=condition)) == told(statement("*", Condition=condition)) == []


@pytest.mark.parametrize(
    ("condition", "to"),
    [
        ({"StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}}, "VPC endpoint vpce-1a2b3c4d"),
        ({"StringEquals": {"AWS:sourcevpc": ["vpc-91237329", "vpc-2"]}}, "VPC vpc-2, VPC vpc-91237329"),
        ({"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "10.0.0.0/8"]}}, "address 203.0.113.0/24"),
        ({"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}, "address 2001:db8::/32"),
        ({"StringEquals": {"aws:userid": "AIDACKCEVSQ6C2EXAMPLE"}}, "user ID AIDACKCEVSQ6C2EXAMPLE"),
        ({"StringEquals": {"aws:userid": FOREIGN}}, f"user ID {FOREIGN}"),
        ({"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::another-bucket"}}, "the owner of arn:aws:s3:::another-bucket"),
        ({"ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{OWN}"}}, f"the owner of arn:aws:s3:::{OWN}"),
        (
            {"StringEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "1234abcd"}},
            "the owner of 1234abcd",
        ),
    ],
)
@pytest.mark.parametrize("trust", [KNOWN, UNKNOWN])
def test_what_may_be_one_s_own_is_told_and_stays(condition, to, trust):
    one = statement("*", Condition=condition)
    assert let_in(one, trust=trust) == []
    assert told(one, trust=trust) == [to]
    assert without({"Statement": one}, exposures({"Statement": one}, trust)) == {"Statement": [one]}


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalOrgID": STRANGE}},
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{STRANGE}/r-ab12/*"}},
        {"StringEquals": {"aws:SourceOrgID": STRANGE}},
        {"StringEquals": {"aws:VpceOrgID": [OURS, STRANGE]}},
        {"StringEquals": {"aws:PrincipalOrgID": STRANGE, "aws:SourceVpce": "vpce-1"}},
    ],
)
def test_another_organisation_is_foreign_once_the_own_one_is_known(condition):
    one = statement("*", Condition=condition)
    assert let_in(one) == [f"organisation {STRANGE}"]
    assert let_in(one, trust=UNKNOWN) == []
    [unsure] = told(one, trust=UNKNOWN)
    assert f"organisation {STRANGE}" in unsure


def test_people_are_told_where_to_look_and_how_to_trust_an_organisation():
    vpc = statement("*", Sid="Office", Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}})
    organisation = statement("*", Condition={"StringEquals": {"aws:PrincipalOrgID": STRANGE}})
    text = doubts(exposures({"Statement": [vpc, organisation]}, UNKNOWN))
    assert f"statement Office lets in VPC vpc-1; statement 2 lets in organisation {STRANGE}." in text
    assert "TrustedOrganizations" in text
    assert "TrustedOrganizations" not in doubts(exposures({"Statement": vpc}, UNKNOWN))
    assert doubts(exposures({"Statement": statement("*")}, UNKNOWN)) == ""


@pytest.mark.parametrize(
    ("condition", "to"),
    [
        ({"StringEquals": {"aws:SourceAccount": FOREIGN}}, f"account {FOREIGN}"),
        ({"StringEquals": {"AWS:SourceArn": f"arn:aws:cloudfront::{FOREIGN}:distribution/E1"}}, f"account {FOREIGN}"),
        ({"StringEquals": {"aws:SourceOrgID": STRANGE}}, f"organisation {STRANGE}"),
    ],
)
def test_a_service_that_acts_for_a_stranger_is_one(condition, to):
    service = {"Service": "cloudfront.amazonaws.com"}
    assert let_in(statement(service, Condition=condition)) == [f"cloudfront.amazonaws.com for {to}"]


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:SourceAccount": OWN}},
        {"StringEquals": {"aws:SourceAccount": [OWN, TRUSTED]}, "ArnLike": {"aws:SourceArn": "arn:aws:s3:::b"}},
        {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
        {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"StringEquals": {"aws:PrincipalAccount": FOREIGN}},
    ],
)
def test_a_service_that_acts_for_the_trusted_or_for_nobody_in_particular_is_none(condition):
    one = statement({"Service": "logging.s3.amazonaws.com"}, Condition=condition)
    assert let_in(one) == told(one) == []


@pytest.mark.parametrize(
    ("condition", "foreign"),
    [
        ({"StringEquals": {"aws:PrincipalOrgID": OURS}}, False),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{TRUSTED}:role/*"}}, False),
        ({"StringEquals": {"aws:SourceVpce": "vpce-1"}}, True),
        ({"StringEquals": {"aws:VpceAccount": OWN}}, True),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, True),
        ({"StringEquals": {"aws:PrincipalOrgID": STRANGE}}, True),
    ],
)
def test_a_named_account_is_no_stranger_where_a_condition_says_that_it_is_trusted(condition, foreign):
    one = statement({"AWS": FOREIGN}, Condition=condition)
    assert bool(let_in(one)) == bool(let_in(one, trust=Trust(KNOWN.ids))) == foreign


def test_of_a_statement_the_strangers_go_and_those_who_may_be_one_s_own_stay():
    one = statement({"AWS": [FOREIGN, "*"]}, Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}})
    assert let_in(one) == [f"account {FOREIGN}"]
    assert told(one) == ["VPC endpoint vpce-1"]
    left = without({"Statement": one}, exposures({"Statement": one}, KNOWN))
    assert left == {"Statement": [{**one, "Principal": {"AWS": ["*"]}}]}


def test_everyone_but_somebody_is_held_by_conditions_too():
    ours = {"StringEquals": {"aws:PrincipalOrgID": OURS}}
    assert let_in(statement(NotPrincipal={"AWS": OWN}, Condition=ours)) == []


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
        {"StringEquals": {"aws:ResourceOrgID": OURS}},
        {"StringEquals": {"aws:ResourceAccount": OWN}},
        {"Null": {"aws:PrincipalOrgID": "false"}},
        {"StringLike": {"aws:PrincipalOrgID": "o-*"}},
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/r-ab12/*"}},
        {"StringLike": {"aws:userid": "AROACKCEVSQ6C2EXAMPLE:*"}},
        {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "128.0.0.0/2"]}},
        {"IpAddress": {"aws:SourceIp": []}},
        {"IpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}},
        {"StringEquals": {"aws:SourceIp": "203.0.113.0/24"}},
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


principals = st.one_of(
    st.just("*"),
    st.fixed_dictionaries({}, optional={"AWS": ONE_OR_MORE, "Service": st.just("cloudtrail.amazonaws.com")}).filter(
        bool
    ),
)
some = st.lists(st.sampled_from([OWN, TRUSTED, FOREIGN]), min_size=1, max_size=2)
organisations = st.lists(st.sampled_from([OURS, STRANGE]), min_size=1, max_size=2)
texts = st.fixed_dictionaries(
    {},
    optional={
        "aws:SourceVpce": st.just("vpce-1"),
        "aws:PrincipalAccount": some,
        "aws:SourceAccount": some,
        "aws:VpceAccount": some,
        "aws:PrincipalOrgID": organisations,
        "aws:SourceOrgID": organisations,
        "aws:SourceArn": st.sampled_from(["arn:aws:s3:::b", f"arn:aws:sns:us-east-1:{FOREIGN}:t", "*"]),
        "aws:ResourceOrgID": organisations,
    },
)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "StringEquals": texts,
        "StringEqualsIfExists": texts,
        "Bool": st.just({"aws:SecureTransport": "true"}),
        "IpAddress": st.fixed_dictionaries(
            {"aws:SourceIp": st.sampled_from(["203.0.113.0/24", "10.0.0.0/8", "0.0.0.0/0"])}
        ),
    },
)
some_policies = policies(statement(), principals, conditions)
trusts = st.sampled_from([KNOWN, UNKNOWN, Trust(KNOWN.ids), Trust(UNKNOWN.ids, knows_organization=True)])


@unhurried
@given(some_policies, trusts)
def test_what_is_left_of_any_policy_exposes_nothing_for_sure_and_loses_nothing_else(policy, trust):
    exposed = exposures(policy, trust)
    left = without(policy, exposed) or {"Statement": []}

    assert sure(exposures(left, trust)) == []
    assert sorted(one.to for one in exposures(left, trust)) == sorted(one.to for one in exposed if not one.sure)
    closed = {one.position for one in sure(exposed)}
    untouched = [one for at, one in enumerate(policy["Statement"]) if at not in closed]
    in_order = iter(left["Statement"])
    assert all(one in in_order for one in untouched)


@unhurried
@given(some_policies, trusts)
def test_to_trust_more_never_finds_more(policy, trust):
    for more in (FOREIGN, OURS, STRANGE):
        trusting = Trust(trust.ids | {more}, trust.knows_organization)
        assert positions(policy, trusting) <= positions(policy, trust)


@unhurried
@given(some_policies, trusts, conditions)
def test_a_condition_more_never_finds_more(policy, trust, more):
    """But for a service: it is nobody's until a condition says that it acts for a stranger."""
    people = [one for one in policy["Statement"] if "Service" not in one["Principal"]]
    stricter = [{**one, "Condition": both(one["Condition"], more)} for one in people]
    assert positions({"Statement": stricter}, trust) <= positions({"Statement": people}, trust)


@unhurried
@given(some_policies, st.sampled_from([KNOWN.ids, UNKNOWN.ids]))
def test_to_know_the_own_organisation_finds_the_same_and_is_surer(policy, ids):
    known, unknown = Trust(ids, knows_organization=True), Trust(ids)
    assert positions(policy, known) == positions(policy, unknown)
    closed = {one.position for one in sure(exposures(policy, unknown))}
    assert closed <= {one.position for one in sure(exposures(policy, known))}


@unhurried
@given(some_policies, trusts, conditions)
def test_nothing_is_closed_that_everyone_of_the_trusted_alone_may_use(policy, trust, more):
    ids = sorted(trust.ids)
    held = both({"StringEquals": {"aws:PrincipalAccount": ids, "aws:SourceAccount": ids}}, more)
    ours = [{**one, "Condition": held} for one in policy["Statement"]]
    assert exposures({"Statement": ours}, trust) == []


@unhurried
@given(principals, trusts)
def test_how_a_statement_is_written_does_not_matter(principal, trust):
    """A single value or a list of one, in any order; AWS gives back another spelling than was put."""
    found = {(one.to, one.sure) for one in exposures({"Statement": statement(principal)}, trust)}
    spelled = (
        {kind: [*reversed(values if isinstance(values, list) else [values])] for kind, values in principal.items()}
        if isinstance(principal, dict)
        else {"AWS": [principal]}
    )
    again = statement(spelled, Effect="ALLOW")
    assert {(one.to, one.sure) for one in exposures({"Statement": [again]}, trust)} == found


def positions(policy: dict[str, Any], trust: Trust) -> set[int]:
    """Of all statements that people hear of."""
    return {one.position for one in exposures(policy, trust)}


def both(conditions: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """All of the conditions, and those of the others whose operator and key the former do not have."""
    return {
        operator: {**more.get(operator, {}), **conditions.get(operator, {})}
        for operator in [*conditions, *[operator for operator in more if operator not in conditions]]
    }
