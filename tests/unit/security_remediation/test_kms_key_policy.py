import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given, settings
from hypothesis import strategies as st

from automations import aws
from automations.errors import Refused
from security_remediation.handler import lambda_handler
from security_remediation.policies import Trust, exposures, statements, without
from security_remediation.reading import listed
from security_remediation.remediations import kms_key_policy
from tests.unit.conftest import ACCOUNT
from tests.unit.security_remediation.attacks import keys as attacks
from tests.unit.security_remediation.conftest import call, record_of, writes

FOREIGN, TRUSTED = "444455556666", "222233334444"
KNOWN = Trust(frozenset({ACCOUNT, TRUSTED, "o-a1b2c3d4e5"}))
OWN = {
    "Sid": "Own",
    "Effect": "Allow",
    "Principal": {"AWS": attacks.OWN_ROOT},
    "Action": "kms:*",
    "Resource": "*",
}


def statement(principal: Any = "*", **more: Any) -> dict[str, Any]:
    named = {} if principal is None else {"Principal": principal}
    return {"Sid": "New", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", **named, **more}


def closed(*policy: dict[str, Any]) -> dict[str, Any]:
    """The policy after the remediation's plan."""
    document = {"Version": "2012-10-17", "Statement": list(policy)}
    found = kms_key_policy.closing(document, exposures(document, KNOWN), attacks.OWN_ROOT)
    return without(document, found) or {}


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"kms:CallerAccount": ACCOUNT}},
        {
            "StringEquals": {
                "kms:ViaService": "s3.ap-northeast-2.amazonaws.com",
                "kms:CallerAccount": [ACCOUNT, TRUSTED],
            }
        },
        {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
    ],
)
def test_everyone_of_the_caller_s_account_is_not_everyone(condition):
    assert exposures({"Statement": [statement(Condition=condition)]}, KNOWN) == []


@pytest.mark.parametrize(
    ("condition", "to"),
    [
        ({"StringEquals": {"kms:ViaService": "s3.ap-northeast-2.amazonaws.com"}}, "everyone"),
        ({"Bool": {"kms:GrantIsForAWSResource": "true"}}, "everyone"),
        ({"StringEquals": {"kms:EncryptionContext:app": "billing"}}, "everyone"),
        ({"StringEqualsIfExists": {"kms:CallerAccount": ACCOUNT}}, "everyone"),
        ({"StringNotEquals": {"kms:CallerAccount": FOREIGN}}, "everyone"),
        ({"StringLike": {"kms:CallerAccount": "*"}}, "everyone"),
        ({"StringEquals": {"kms:CallerAccount": FOREIGN}}, f"account {FOREIGN}"),
    ],
)
def test_other_conditions_of_kms_let_strangers_in(condition, to):
    assert [one.to for one in exposures({"Statement": [statement(Condition=condition)]}, KNOWN)] == [to]


def test_a_statement_for_strangers_is_removed_and_one_for_others_as_well_loses_the_strangers():
    mixed = statement({"AWS": [f"arn:aws:iam::{ACCOUNT}:role/app", f"arn:aws:iam::{FOREIGN}:root"]}, Sid="Mixed")
    deny = statement(Effect="Deny", Sid="Deny")

    left = closed(OWN, statement(), mixed, deny)["Statement"]

    assert left == [OWN, {**mixed, "Principal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:role/app"]}}, deny]


@pytest.mark.parametrize(
    "other",
    [
        [],
        [OWN | {"Action": "kms:Decrypt"}],
        [OWN | {"Effect": "Deny"}],
        [OWN | {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}],
        [OWN | {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/KeyAdmin"}}],
    ],
)
def test_where_only_everyone_could_change_the_policy_the_account_takes_their_place(other):
    everything = statement(Action="kms:*")

    assert closed(*other, everything)["Statement"] == [
        *other,
        {**everything, "Principal": {"AWS": [attacks.OWN_ROOT]}},
    ]


def test_everyone_but_somebody_becomes_the_account_alone():
    open_ = statement(None, NotPrincipal={"AWS": f"arn:aws:iam::{FOREIGN}:root"}, Action="kms:*")
    assert closed(open_)["Statement"] == [statement({"AWS": [attacks.OWN_ROOT]}, Action="kms:*")]


@pytest.mark.parametrize("principal", [attacks.OWN_ROOT, ACCOUNT, [f"arn:aws:iam::{ACCOUNT}:role/R", attacks.OWN_ROOT]])
@pytest.mark.parametrize("action", ["kms:*", "*", "kms:Put*", ["kms:Decrypt", "kms:PutKeyPolicy"]])
def test_the_account_that_can_change_the_policy_is_not_let_in_again(principal, action):
    own = OWN | {"Principal": {"AWS": principal}, "Action": action}
    assert closed(own, statement())["Statement"] == [own]


@pytest.mark.usefixtures("deployed")
def test_a_policy_for_everyone_alone_is_closed_to_the_account_and_can_be_put_back(enforce, alerts, context):
    key = attacks.create_key()
    policy = {"Version": "2012-10-17", "Statement": [statement(Action="kms:*")]}
    attacks.put_key_policy(key, policy)
    event = attacks.key_policy_event(key, policy)

    lambda_handler(event, context)

    assert attacks.key_policy(key)["Statement"] == [statement({"AWS": [attacks.OWN_ROOT]}, Action="kms:*")]
    assert "Let the account itself in instead" in alerts.received()[0]["Message"]
    kms_key_policy.restore({"KeyId": key, "PolicyName": "default", "Policy": json.dumps(policy)})
    assert attacks.key_policy(key) == policy


@pytest.mark.usefixtures("deployed")
def test_a_policy_that_aws_does_not_take_is_a_failure_that_people_are_told_of(enforce, alerts, context):
    attacked = attacks.key_for_everyone()
    policy = {"Policy": json.dumps(attacked.opened)}
    with Stubber(aws.kms()) as kms:
        kms.add_response("get_key_policy", policy)
        kms.add_response("list_resource_tags", {"Tags": []})
        kms.add_client_error("put_key_policy", "MalformedPolicyDocumentException", "would lock out")
        with pytest.raises(ClientError, match="would lock out"):
            lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.opened
    assert "would lock out" in alerts.received()[0]["Message"]


@pytest.mark.usefixtures("deployed")
def test_a_key_that_is_gone_is_told_and_one_of_another_region_is_refused(enforce, alerts, calls, context):
    lambda_handler(call("put-key-policy-public"), context)

    assert writes(calls) == []
    assert "It does not exist any more" in alerts.received()[0]["Message"]
    with pytest.raises(Refused, match="The key is in eu-west-1"):
        kms_key_policy.read(record_of("put-key-policy-public", awsRegion="eu-west-1"))


values = st.sampled_from(
    ["*", ACCOUNT, FOREIGN, attacks.OWN_ROOT, f"arn:aws:iam::{ACCOUNT}:role/R", f"arn:aws:iam::{FOREIGN}:root"]
)
principals = st.one_of(
    st.just("*"), st.fixed_dictionaries({"AWS": st.one_of(values, st.lists(values, min_size=1, max_size=3))})
)
policies = st.lists(
    st.builds(
        lambda principal, effect, action, condition: statement(
            principal, Effect=effect, Action=action, Condition=condition
        ),
        principals,
        st.sampled_from(["Allow", "Deny"]),
        st.sampled_from(["kms:*", "kms:Decrypt", ["kms:DescribeKey", "kms:PutKeyPolicy"]]),
        st.sampled_from(
            [{}, {"StringEquals": {"kms:CallerAccount": ACCOUNT}}, {"Bool": {"kms:GrantIsForAWSResource": "true"}}]
        ),
    ),
    min_size=1,
    max_size=4,
)


@settings(deadline=None)
@given(policies)
def test_what_is_left_of_any_policy_lets_in_no_stranger_and_changes_nothing_else(policy):
    document = {"Statement": policy}
    exposed = {one.position for one in exposures(document, KNOWN)}
    left = closed(*policy)

    assert exposures(left, KNOWN) == []
    untouched = [one for at, one in enumerate(policy) if at not in exposed]
    in_order = iter(statements(left))
    assert all(one in in_order for one in untouched)  # a changed one may have become like an untouched one


def lets_change(one: Mapping[str, Any]) -> bool:
    return one["Effect"] == "Allow" and one["Action"] != "kms:Decrypt" and not one["Condition"]


@settings(deadline=None)
@given(policies)
def test_nobody_is_locked_out(policy):
    """Where everyone could change the policy, the account itself still can."""
    exposed = {one.position for one in exposures({"Statement": policy}, KNOWN)}
    if any(lets_change(one) for at, one in enumerate(policy) if at in exposed):
        left = [one for one in statements(closed(*policy)) if lets_change(one)]
        assert {attacks.OWN_ROOT, ACCOUNT} & {name for one in left for name in listed(one["Principal"]["AWS"])}
