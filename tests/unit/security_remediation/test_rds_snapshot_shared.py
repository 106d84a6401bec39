from typing import Any

import pytest
from botocore.exceptions import ClientError

from automations import aws
from automations.errors import Refused
from security_remediation.handler import lambda_handler
from security_remediation.remediations.rds_snapshot_shared import _target
from tests.unit.security_remediation.attacks.ec2 import (
    FOREIGN,
    FOREIGN_TOO,
    changed,
    cluster_snapshot_shared_with_everyone,
    db_snapshot_shared_with_an_account,
)
from tests.unit.security_remediation.conftest import record_of, writes

pytestmark = pytest.mark.usefixtures("deployed", "enforce")


def test_only_the_foreign_ones_of_those_that_were_added_lose_it(alerts, context, monkeypatch):
    monkeypatch.setenv("TRUSTED_ACCOUNTS", "666677778888")
    attacked = db_snapshot_shared_with_an_account()
    aws.rds().modify_db_snapshot_attribute(
        DBSnapshotIdentifier="orders-before-migration",
        AttributeName="restore",
        ValuesToAdd=["all", "666677778888"],
    )

    lambda_handler(changed(attacked.event, valuesToAdd={"items": ["all", FOREIGN, "666677778888"]}), context)

    assert attacked.state() == [FOREIGN_TOO, "666677778888"]
    assert (
        f"RDS snapshot orders-before-migration is shared with everyone, account {FOREIGN}"
        in (alerts.received()[0]["Message"])
    )


@pytest.mark.parametrize("name", ["orders", "rds:orders-2026-11-18-02-18", "awsbackup:job-1"])
@pytest.mark.parametrize("prefix", ["", "arn:aws:rds:ap-northeast-2:123456789012:snapshot:"])
def test_names_may_have_a_colon_and_come_as_an_arn(prefix, name):
    sample = "modify-db-snapshot-attribute-foreign-account"
    record = record_of(sample, requestParameters={"dBSnapshotIdentifier": prefix + name})

    assert _target(record) == ("DBSnapshot", name)


def test_a_snapshot_that_is_gone_is_told(alerts, calls, context):
    attacked = cluster_snapshot_shared_with_everyone()
    aws.rds().delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="ledger-before-migration")
    calls.clear()

    lambda_handler(attacked.event, context)

    assert writes(calls) == []
    assert "RDS cluster snapshot ledger-before-migration was shared with everyone" in (
        message := alerts.received()[0]["Message"]
    )
    assert "It does not exist any more" in message


def test_a_snapshot_that_goes_before_it_is_changed_is_success(alerts, context, monkeypatch):
    attacked = db_snapshot_shared_with_an_account()

    def late(**arguments: Any) -> None:
        aws.rds().delete_db_snapshot(DBSnapshotIdentifier=arguments["DBSnapshotIdentifier"])
        raise ClientError({"Error": {"Code": "DBSnapshotNotFound", "Message": "No."}}, "ModifyDBSnapshotAttribute")

    monkeypatch.setattr(aws.rds(), "modify_db_snapshot_attribute", late)

    outcome = lambda_handler(attacked.event, context)

    assert outcome["outcomes"]["rds_snapshot_shared"] == "closed, and verified by reading back"


def test_a_snapshot_of_another_region_is_refused(alerts, calls, context):
    event = db_snapshot_shared_with_an_account().event
    event["detail"]["awsRegion"] = "eu-west-1"
    calls.clear()

    with pytest.raises(Refused, match="in eu-west-1"):
        lambda_handler(event, context)

    assert calls == []
