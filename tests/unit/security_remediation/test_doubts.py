"""Statements that may let in one's own are told and stay, whatever the policy is of."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from automations import aws
from security_remediation.handler import lambda_handler
from tests.unit.conftest import ACCOUNT
from tests.unit.security_remediation.attacks import first, iam, keys
from tests.unit.security_remediation.attacks.ec2 import image_shared_with_a_foreign_organization
from tests.unit.security_remediation.conftest import BUCKET, call, writes

pytestmark = pytest.mark.usefixtures("deployed")
Put = Callable[..., tuple[dict[str, Any], Callable[[], Any]]]
"""Puts a policy of statements; the event that tells of it, and a way to read the statements again."""

ORGANISATION = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
ENDPOINT = {"StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}}
FOREIGN = {"Sid": "Foreign", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}}
OWN = {"Sid": "Own", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}


def doubtful(condition: dict[str, Any]) -> dict[str, Any]:
    return {"Sid": "Doubtful", "Effect": "Allow", "Principal": {"AWS": "*"}, "Condition": condition}


def bucket(*statements: dict[str, Any]) -> tuple[dict[str, Any], Callable[[], Any]]:
    attacked = first.policy_for_everyone()
    objects = {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    policy = {"Version": "2012-10-17", "Statement": [one | objects for one in statements]}
    attacked.event["detail"]["requestParameters"]["bucketPolicy"] = policy
    aws.s3().put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    return attacked.event, attacked.state


def key(*statements: dict[str, Any]) -> tuple[dict[str, Any], Callable[[], Any]]:
    name = keys.create_key()
    statements = tuple(one | {"Action": "kms:*", "Resource": "*"} for one in statements)
    policy = {"Version": "2012-10-17", "Statement": [*statements]}
    keys.put_key_policy(name, policy)
    return keys.key_policy_event(name, policy), lambda: keys.key_policy(name)["Statement"]


def role(*statements: dict[str, Any]) -> tuple[dict[str, Any], Callable[[], Any]]:
    policy = iam.policy(*(one | {"Action": "sts:AssumeRole"} for one in statements))
    iam.create_role("ReportingRole", policy)
    event = iam.with_request(call("update-assume-role-policy-foreign-account"), policyDocument=policy)
    return event, lambda: iam.trust_of("ReportingRole")


def names(statements: list[dict[str, Any]]) -> list[str]:
    return [one["Sid"] for one in statements]


EACH = pytest.mark.parametrize(
    ("put", "condition", "to"),
    [
        (bucket, ENDPOINT, "VPC endpoint vpce-1a2b3c4d"),
        (bucket, ORGANISATION, "organisation o-a1b2c3d4e5"),
        (key, ENDPOINT, "VPC endpoint vpce-1a2b3c4d"),
        (key, ORGANISATION, "organisation o-a1b2c3d4e5"),
        (role, ORGANISATION, "organisation o-a1b2c3d4e5"),
    ],
)


@EACH
def test_what_may_be_one_s_own_is_told_once_and_not_touched(put: Put, condition, to, enforce, alerts, calls, context):
    event, state = put(OWN, doubtful(condition))
    calls.clear()

    for _ in range(2):
        lambda_handler(event, context)

    assert writes(calls) == []
    assert names(state()) == ["Own", "Doubtful"]
    [message] = alerts.received()
    assert f"Left as it is, because it may be your own: statement Doubtful lets in {to}." in message["Message"]
    assert ("TrustedOrganizations" in message["Message"]) == (condition == ORGANISATION)


@EACH
def test_it_is_told_beside_what_is_closed(put: Put, condition, to, enforce, alerts, context):
    event, state = put(OWN, FOREIGN, doubtful(condition))

    outcomes = lambda_handler(event, context)["outcomes"]

    assert "closed, and verified by reading back" in outcomes.values()
    assert names(state()) == ["Own", "Doubtful"]
    [message] = alerts.received()
    assert "put right" in message["Subject"] + message["Message"]
    assert f"statement Doubtful lets in {to}" in message["Message"]


@pytest.mark.parametrize("put", [bucket, key, role])
def test_an_organisation_that_is_trusted_is_harmless(put: Put, enforce, calls, context, monkeypatch):
    monkeypatch.setenv("TRUSTED_ORGANIZATIONS", "o-a1b2c3d4e5")
    event, _ = put(OWN, doubtful(ORGANISATION))
    calls.clear()

    assert set(lambda_handler(event, context)["outcomes"].values()) == {"harmless"}
    assert writes(calls) == []


def test_an_image_may_be_shared_with_an_organisation_that_is_trusted(enforce, context, monkeypatch):
    monkeypatch.setenv("TRUSTED_ORGANIZATIONS", "o-a1b2c3d4e5")
    attacked = image_shared_with_a_foreign_organization()

    assert lambda_handler(attacked.event, context)["outcomes"]["image_shared"] == "harmless"
