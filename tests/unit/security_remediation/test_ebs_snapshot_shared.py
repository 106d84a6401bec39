from typing import Any

import pytest
from botocore.exceptions import ClientError

from automations import aws
from automations.errors import Refused
from security_remediation.handler import lambda_handler
from tests.unit.security_remediation.attacks.ec2 import (
    FOREIGN,
    FOREIGN_TOO,
    changed,
    items,
    snapshot_shared_with_an_account,
    snapshot_shared_with_both,
)
from tests.unit.security_remediation.conftest import writes

pytestmark = pytest.mark.usefixtures("deployed", "enforce")


def test_trusted_accounts_keep_it(alerts, context, monkeypatch):
    monkeypatch.setenv("TRUSTED_ACCOUNTS", FOREIGN)
    attacked = snapshot_shared_with_both()

    lambda_handler(attacked.event, context)

    assert attacked.state() == [FOREIGN]
    assert f"is shared with everyone, account {FOREIGN_TOO}" in alerts.received()[0]["Message"]


def test_of_several_those_that_somebody_took_out_already_are_no_matter(alerts, context):
    attacked = snapshot_shared_with_an_account()
    grants = [{"userId": FOREIGN}, {"userId": "666677778888"}]

    lambda_handler(changed(attacked.event, createVolumePermission={"add": items(*grants)}), context)

    assert attacked.state() == attacked.closed
    assert "666677778888" not in alerts.received()[0]["Message"]


def test_a_snapshot_that_is_gone_is_told(alerts, calls, context):
    event = snapshot_shared_with_an_account().event
    aws.ec2().delete_snapshot(SnapshotId=event["detail"]["requestParameters"]["snapshotId"])
    calls.clear()

    lambda_handler(event, context)

    assert writes(calls) == []
    assert "It does not exist any more" in alerts.received()[0]["Message"]


def test_a_snapshot_that_goes_before_it_is_changed_is_success(alerts, context, monkeypatch):
    attacked = snapshot_shared_with_an_account()

    def late(**arguments: Any) -> None:
        aws.ec2().delete_snapshot(SnapshotId=arguments["SnapshotId"])
        raise ClientError({"Error": {"Code": "InvalidSnapshot.NotFound", "Message": "No."}}, "ModifySnapshotAttribute")

    monkeypatch.setattr(aws.ec2(), "modify_snapshot_attribute", late)

    outcome = lambda_handler(attacked.event, context)

    assert outcome["outcomes"]["ebs_snapshot_shared"] == "closed, and verified by reading back"


def test_a_snapshot_of_another_region_is_refused(alerts, calls, context):
    event = snapshot_shared_with_an_account().event
    event["detail"]["awsRegion"] = "eu-west-1"
    calls.clear()

    with pytest.raises(Refused, match="in eu-west-1"):
        lambda_handler(event, context)

    assert calls == []
