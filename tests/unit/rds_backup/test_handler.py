import json
from collections import Counter
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.stub import Stubber
from moto.rds.models import rds_backends

from automations import aws
from automations.errors import InvalidEvent, SettingsError
from rds_backup.handler import lambda_handler
from rds_backup.report import BackupFailed
from rds_backup.snapshot import TAG
from tests.samples import sample
from tests.unit.conftest import ACCOUNT, REGION
from tests.unit.rds_backup.databases import (
    ABROAD,
    LEDGER,
    MIDNIGHT,
    ORDERS,
    cluster,
    instance,
    old_snapshot,
    set_status,
    snapshots,
)


@pytest.fixture
def account(idempotency_table, alerts):
    """An account with the alerts topic; gives the client for its databases."""
    return boto3.client("rds")


@pytest.fixture
def abroad(account, monkeypatch):
    """Copies are switched on; gives the client of their region."""
    monkeypatch.setenv("BACKUP_COPY_REGION", ABROAD)
    return boto3.client("rds", ABROAD)


def nightly() -> dict[str, Any]:
    return sample("rds_backup/nightly")


def finished(name: str = "rds_backup/snapshot-created", **detail: Any) -> dict[str, Any]:
    return sample(name, **detail)


def refuse(monkeypatch: pytest.MonkeyPatch, call: str, code: str, database: str, region: str | None = None) -> None:
    """Make AWS refuse the call for one database, and let it be for the others."""
    client = aws.rds(region) if region else aws.rds()
    real = getattr(client, call)

    def refusing(**given: Any) -> Any:
        if any(database in str(value) for value in given.values()):
            raise ClientError({"Error": {"Code": code, "Message": "AWS's own words."}}, call)
        return real(**given)

    monkeypatch.setattr(client, call, refusing)


def count_calls(region: str | None = None) -> Counter[str]:
    calls: Counter[str] = Counter()
    client = aws.rds(region) if region else aws.rds()
    client.meta.events.register("before-call.rds", lambda model, **_: calls.update([model.name]))
    return calls


def test_each_tagged_database_gets_a_snapshot_with_the_name_and_the_tag(account, alerts, context):
    instance("orders")
    instance("scratch", tags=[])
    cluster("ledger")
    cluster("test-ledger", tags=[])

    lambda_handler(nightly(), context)

    assert snapshots(account) == [LEDGER, ORDERS]
    [mine] = account.describe_db_snapshots(DBSnapshotIdentifier=ORDERS)["DBSnapshots"]
    [cluster_s] = account.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=LEDGER)["DBClusterSnapshots"]
    assert mine["TagList"] == cluster_s["TagList"] == [TAG]


def test_a_good_night_is_a_line_in_the_log_and_no_message(account, alerts, context, logs):
    instance("orders")

    result = lambda_handler(nightly(), context)

    assert result == {"created": 1, "copied": 0, "deleted": 0, "skipped": 0, "broken": 0, "failed": 0}
    assert alerts.received() == []
    [line] = [json.loads(text) for text in logs.getvalue().splitlines() if "Backed up the databases" in text]
    assert line["snapshots"] == {"created": [ORDERS]}


def test_all_databases_get_a_snapshot_when_the_parameter_says_so(account, alerts, context, monkeypatch):
    monkeypatch.setenv("BACKUP_SELECTION", "all")
    instance("orders", tags=[])

    lambda_handler(nightly(), context)

    assert snapshots(account) == [ORDERS]


def test_the_instances_of_a_cluster_get_no_snapshot_of_their_own(account, alerts, context):
    cluster("ledger")
    instance("ledger-1", DBClusterIdentifier="ledger", engine="aurora-postgresql")

    lambda_handler(nightly(), context)

    assert snapshots(account) == [LEDGER]
    assert alerts.received() == []


def test_a_second_delivery_makes_nothing_new(account, alerts, context):
    instance("orders")
    cluster("ledger")

    lambda_handler(nightly(), context)
    lambda_handler(nightly() | {"id": "5a1c9d53-8f40-4f3c-b5a3-4a1d3f7e2c11"}, context)

    assert snapshots(account) == [LEDGER, ORDERS]
    assert alerts.received() == []


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("create_db_snapshot", "DBSnapshotAlreadyExists"),
        ("create_db_cluster_snapshot", "DBClusterSnapshotAlreadyExistsFault"),
    ],
)
def test_a_snapshot_that_another_run_makes_at_the_same_time_is_success(
    call, code, account, alerts, context, monkeypatch
):
    instance("orders")
    cluster("ledger")
    refuse(monkeypatch, call, code, "automations-")

    lambda_handler(nightly(), context)

    assert alerts.received() == []


def test_what_is_skipped_is_told_with_its_reason_in_one_message(account, alerts, context):
    instance("orders")
    instance("archive")
    set_status("archive", "modifying")
    cluster("graph", engine="neptune")

    lambda_handler(nightly(), context)
    lambda_handler(nightly(), context)

    assert snapshots(account) == [ORDERS]
    [message] = alerts.received()
    assert message["Subject"] == "[WARNING] RDS backup of 2026-11-21 15:00 UTC: 2 skipped"
    assert "- instance archive: Its status is modifying." in message["Message"]
    assert "- cluster graph: It belongs to Amazon Neptune" in message["Message"]


def test_slack_is_told_as_well_when_it_is_configured(account, alerts, slack, context):
    instance("archive")
    set_status("archive", "stopped")

    lambda_handler(nightly(), context)

    [post] = slack.to("/slack")
    assert "1 skipped" in post.json()["text"]


def test_a_database_that_changes_its_state_meanwhile_is_skipped(account, alerts, context, monkeypatch):
    instance("orders")
    refuse(monkeypatch, "create_db_snapshot", "InvalidDBInstanceState", "orders")

    lambda_handler(nightly(), context)

    assert "snapshot of instance orders: InvalidDBInstanceState: AWS's own words." in alerts.received()[0]["Message"]


def test_the_quota_of_snapshots_is_a_reason_to_skip(account, alerts, context, monkeypatch):
    instance("orders")
    instance("payments")
    monkeypatch.setenv("MOTO_RDS_SNAPSHOT_LIMIT", "3")  # moto counts the two automated ones, too

    lambda_handler(nightly(), context)

    assert snapshots(account) == [ORDERS]
    [message] = alerts.received()
    assert "snapshot of instance payments: SnapshotQuotaExceeded" in message["Message"]


def test_a_failure_does_not_stop_the_others_and_fails_the_run_in_the_end(account, alerts, context, monkeypatch):
    for name in ("archive", "orders", "payments"):
        instance(name)
    cluster("ledger")
    refuse(monkeypatch, "create_db_snapshot", "KMSKeyNotAccessibleFault", "archive")
    refuse(monkeypatch, "create_db_cluster_snapshot", "AccessDenied", "ledger")

    with pytest.raises(
        BackupFailed,
        match=r"2 parts of the backup failed, the rest is done\. "
        r"snapshot of cluster ledger: AccessDenied: .*; snapshot of instance archive: KMSKeyNotAccessibleFault: .*",
    ):
        lambda_handler(nightly(), context)

    assert snapshots(account) == [ORDERS, "automations-payments-20261121-1500"]
    [message] = alerts.received()
    assert message["Subject"] == "[CRITICAL] RDS backup of 2026-11-21 15:00 UTC: 2 failed"


def test_the_retry_after_a_failure_makes_only_what_is_missing(account, alerts, context, monkeypatch):
    instance("archive")
    instance("orders")
    with monkeypatch.context() as outage:
        refuse(outage, "create_db_snapshot", "InternalFailure", "archive")
        with pytest.raises(BackupFailed):
            lambda_handler(nightly(), context)
    set_status("orders", "backing-up")  # its snapshot is being made

    assert lambda_handler(nightly(), context)["created"] == 1

    assert snapshots(account) == ["automations-archive-20261121-1500", ORDERS]
    assert len(alerts.received()) == 1


def test_no_answer_is_a_failure_like_any_other(account, alerts, context, monkeypatch):
    instance("archive")
    instance("orders")
    real = aws.rds().create_db_snapshot

    def slow(**given: Any) -> Any:
        if given["DBInstanceIdentifier"] == "archive":
            raise ReadTimeoutError(endpoint_url="https://rds")
        return real(**given)

    monkeypatch.setattr(aws.rds(), "create_db_snapshot", slow)

    with pytest.raises(BackupFailed, match="instance archive: ReadTimeoutError"):
        lambda_handler(nightly(), context)

    assert snapshots(account) == [ORDERS]


def test_old_own_snapshots_are_deleted_and_no_others(account, alerts, context, monkeypatch):
    monkeypatch.setenv("BACKUP_MINIMUM_COPIES", "2")
    instance("orders")
    kept = [
        old_snapshot("automations-orders-20261120-1500", 1),
        old_snapshot("automations-orders-20261101-1500", 20),
        old_snapshot("automations-renamed-by-a-person", 90, tags=[]),
        old_snapshot("before-migration", 90),  # a person's copy, with our tag
    ]
    old_snapshot("automations-orders-20261031-1500", 21)

    assert lambda_handler(nightly(), context)["deleted"] == 1

    assert snapshots(account) == sorted([*kept, ORDERS])


def test_the_last_snapshots_of_a_database_that_is_gone_are_kept(account, alerts, context, monkeypatch):
    monkeypatch.setenv("BACKUP_MINIMUM_COPIES", "1")
    instance("orders")
    last = old_snapshot("automations-orders-20260901-1500", 80)
    old_snapshot("automations-orders-20260831-1500", 81)
    account.delete_db_instance(DBInstanceIdentifier="orders", SkipFinalSnapshot=True)

    lambda_handler(nightly(), context)

    assert snapshots(account) == [last]


def test_a_snapshot_that_is_gone_already_counts_as_deleted(account, alerts, context, monkeypatch):
    monkeypatch.setenv("BACKUP_MINIMUM_COPIES", "1")
    instance("orders")
    old_snapshot("automations-orders-20261101-1500", 20)
    old_snapshot("automations-orders-20261031-1500", 21)
    refuse(monkeypatch, "delete_db_snapshot", "DBSnapshotNotFound", "orders")

    lambda_handler(nightly(), context)

    assert alerts.received() == []


def test_a_deletion_that_aws_refuses_fails_the_run(account, alerts, context, monkeypatch):
    monkeypatch.setenv("BACKUP_MINIMUM_COPIES", "1")
    instance("orders")
    old_snapshot("automations-orders-20261101-1500", 20)
    old_snapshot("automations-orders-20261031-1500", 21)
    refuse(monkeypatch, "delete_db_snapshot", "AccessDenied", "orders")

    with pytest.raises(
        BackupFailed, match="deletion of instance snapshot automations-orders-20261031-1500: AccessDenied"
    ):
        lambda_handler(nightly(), context)

    assert ORDERS in snapshots(account)


def test_a_broken_snapshot_of_an_earlier_night_is_told(account, alerts, context):
    instance("orders", tags=[])
    name = old_snapshot("automations-orders-20261120-1500", 1)
    rds_backends[ACCOUNT][REGION].database_snapshots[name].status = "failed"

    lambda_handler(nightly(), context)

    [message] = alerts.received()
    assert message["Subject"] == "[CRITICAL] RDS backup of 2026-11-21 15:00 UTC: 1 broken"
    assert name in message["Message"]


def test_the_number_of_calls_does_not_depend_on_the_number_of_snapshots(account, alerts, context):
    instance("orders")
    for number in range(250):
        old_snapshot(f"automations-orders-2026{number:04}-1500", 1)
    calls = count_calls()

    lambda_handler(nightly(), context)

    assert calls == {
        "DescribeDBInstances": 1,
        "DescribeDBClusters": 1,
        "DescribeDBSnapshots": 1,  # moto has one page
        "DescribeDBClusterSnapshots": 1,
        "CreateDBSnapshot": 1,
    }


def test_250_snapshots_are_read_in_as_many_calls_as_they_have_pages(account, alerts, context):
    """RDS gives at most 100 on a page."""
    everything = [
        {
            "DBSnapshotIdentifier": f"automations-orders-2026{number:04}-1500",
            "DBSnapshotArn": f"arn:aws:rds:{REGION}:111122223333:snapshot:automations-orders-2026{number:04}-1500",
            "DBInstanceIdentifier": "orders",
            "SnapshotCreateTime": MIDNIGHT - timedelta(days=1 if number < 248 else 100),
            "Status": "available",
            "TagList": [TAG],
        }
        for number in range(250)
    ]
    pages = [everything[:100], everything[100:200], everything[200:]]
    with Stubber(aws.rds()) as rds:  # answers these calls, in this order, and no others
        for number, page in enumerate(pages):
            rds.add_response(
                "describe_db_snapshots",
                {"DBSnapshots": page} | ({"Marker": str(number + 1)} if number < 2 else {}),
                {"SnapshotType": "manual"} | ({"Marker": str(number)} if number else {}),
            )
        rds.add_response("describe_db_cluster_snapshots", {"DBClusterSnapshots": []}, {"SnapshotType": "manual"})
        rds.add_response("describe_db_instances", {"DBInstances": []}, {})
        rds.add_response("describe_db_clusters", {"DBClusters": []}, {})
        for old in reversed(everything[248:]):
            rds.add_response("delete_db_snapshot", {}, {"DBSnapshotIdentifier": old["DBSnapshotIdentifier"]})

        assert lambda_handler(nightly(), context)["deleted"] == 2

        rds.assert_no_pending_responses()


def test_a_complete_snapshot_is_a_line_in_the_log(account, alerts, context, logs):
    instance("orders")
    lambda_handler(nightly(), context)

    assert lambda_handler(finished(), context) == {"snapshot": ORDERS, "outcome": "complete"}

    assert alerts.received() == []
    assert '"outcome":"complete"' in logs.getvalue()


def test_a_complete_snapshot_of_a_cluster_is_looked_up_among_those_of_clusters(account, alerts, context):
    cluster("ledger")
    lambda_handler(nightly(), context)

    assert lambda_handler(finished("rds_backup/cluster-snapshot-created"), context)["outcome"] == "complete"


def test_somebody_elses_snapshot_is_left_alone(account, abroad, alerts, context):
    instance("orders")
    old_snapshot(ORDERS, 0, tags=[])

    assert lambda_handler(finished(), context)["outcome"] == "not ours"
    assert lambda_handler(finished("rds_backup/snapshot-export-failed"), context)["outcome"] == "not ours"

    assert snapshots(abroad) == []
    assert alerts.received() == []


def test_a_snapshot_that_is_deleted_already_is_left_at_that(account, abroad, alerts, context):
    assert lambda_handler(finished(), context)["outcome"] == "deleted already"

    assert alerts.received() == []


def test_a_failure_of_an_own_snapshot_is_told_once(account, abroad, alerts, context):
    instance("orders")
    old_snapshot(ORDERS, 0)

    lambda_handler(finished("rds_backup/snapshot-export-failed"), context)
    lambda_handler(finished("rds_backup/snapshot-export-failed"), context)

    [message] = alerts.received()
    assert message["Subject"] == f"[CRITICAL] RDS reports a failure of instance snapshot {ORDERS}"
    for fact in ("instance orders", "available", "RDS-EVENT-0484", "Table extraction failed"):
        assert fact in message["Message"]
    assert snapshots(abroad) == []


def test_a_failure_is_told_even_when_the_snapshot_is_gone(account, alerts, context):
    lambda_handler(finished("rds_backup/snapshot-export-failed"), context)

    assert "not in the API any more" in alerts.received()[0]["Message"]


def test_a_snapshot_that_is_in_the_state_failed_is_told_whatever_the_event_says(account, abroad, alerts, context):
    instance("orders")
    old_snapshot(ORDERS, 0)
    rds_backends[ACCOUNT][REGION].database_snapshots[ORDERS].status = "failed"

    assert lambda_handler(finished(), context)["outcome"] == "failed"

    assert len(alerts.received()) == 1
    assert snapshots(abroad) == []


def test_a_complete_snapshot_is_copied_to_the_other_region_under_its_name_with_the_tag(
    account, abroad, alerts, context
):
    instance("orders")
    cluster("ledger")
    lambda_handler(nightly(), context)

    lambda_handler(finished(), context)
    lambda_handler(finished(), context)
    lambda_handler(finished("rds_backup/cluster-snapshot-created"), context)

    assert snapshots(abroad) == [LEDGER, ORDERS]
    [copy] = abroad.describe_db_snapshots()["DBSnapshots"]
    assert copy["TagList"] == [TAG]
    assert not copy["Encrypted"]


def test_the_copy_of_an_encrypted_snapshot_is_encrypted_with_a_key_of_the_other_region(
    account, abroad, alerts, context, monkeypatch
):
    here = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
    there = boto3.client("kms", ABROAD).create_key()["KeyMetadata"]["Arn"]
    monkeypatch.setenv("BACKUP_COPY_KMS_KEY", there)
    instance("orders", StorageEncrypted=True, KmsKeyId=here)
    cluster("ledger", StorageEncrypted=True, KmsKeyId=here)
    lambda_handler(nightly(), context)

    lambda_handler(finished(), context)
    lambda_handler(finished("rds_backup/cluster-snapshot-created"), context)

    assert abroad.describe_db_snapshots()["DBSnapshots"][0]["KmsKeyId"] == there
    assert abroad.describe_db_cluster_snapshots()["DBClusterSnapshots"][0]["KmsKeyId"] == there


def test_a_copy_is_asked_for_with_a_presigned_request_to_the_source_region(account, abroad, alerts, context):
    instance("orders")
    lambda_handler(nightly(), context)
    sent: list[dict[str, Any]] = []
    aws.rds(ABROAD).meta.events.register("before-call.rds", lambda params, **_: sent.append(params["body"]))

    lambda_handler(finished(), context)

    assert sent[0]["SourceDBSnapshotIdentifier"].startswith(f"arn:aws:rds:{REGION}:")
    assert f"https://rds.{REGION}.amazonaws.com" in sent[0]["PreSignedUrl"]


def test_a_copy_that_aws_refuses_fails_the_event(account, abroad, alerts, context, monkeypatch):
    instance("orders")
    lambda_handler(nightly(), context)
    refuse(monkeypatch, "copy_db_snapshot", "SnapshotQuotaExceeded", "orders", ABROAD)

    with pytest.raises(ClientError, match="SnapshotQuotaExceeded"):
        lambda_handler(finished(), context)


def test_a_replayed_event_copies_a_young_snapshot_and_none_that_the_next_night_would_delete(
    account, abroad, alerts, context
):
    instance("orders")
    lambda_handler(nightly(), context)
    old = old_snapshot("automations-orders-20261106-1500", 15)

    for name in (old, ORDERS):
        lambda_handler(finished(SourceIdentifier=name) | {"replay-name": "again"}, context)

    assert snapshots(abroad) == [ORDERS]


def test_the_night_makes_up_for_a_copy_that_is_missing(account, abroad, alerts, context):
    instance("orders")
    older = old_snapshot("automations-orders-20261119-1500", 2)
    newest = old_snapshot("automations-orders-20261120-1500", 1)

    assert lambda_handler(nightly(), context)["copied"] == 1

    assert snapshots(abroad) == [newest]
    assert older not in snapshots(abroad)


def test_copies_are_deleted_after_their_own_retention(account, abroad, alerts, context, monkeypatch):
    monkeypatch.setenv("BACKUP_MINIMUM_COPIES", "1")
    monkeypatch.setenv("BACKUP_COPY_RETENTION_DAYS", "3")
    instance("orders")
    names = [old_snapshot(f"automations-orders-202611{day}-1500", 21 - day) for day in (15, 17, 19, 20)]
    for name in names:
        lambda_handler(finished(SourceIdentifier=name), context)

    assert lambda_handler(nightly(), context)["deleted"] == 2

    assert snapshots(abroad) == names[2:]
    assert snapshots(account) == [*names, ORDERS]


def test_an_other_region_that_does_not_answer_does_not_stop_the_backups_here(
    account, abroad, alerts, context, monkeypatch
):
    instance("orders")

    def refuse_pages(name: str) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "No."}}, name)

    monkeypatch.setattr(aws.rds(ABROAD), "get_paginator", refuse_pages)

    with pytest.raises(BackupFailed, match=f"list of the copies in {ABROAD}: AccessDenied"):
        lambda_handler(nightly(), context)

    assert snapshots(account) == [ORDERS]


def test_a_list_that_aws_refuses_fails_the_event(account, alerts, context, monkeypatch):
    def refuse_pages(name: str) -> Any:
        raise ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, name)

    monkeypatch.setattr(aws.rds(), "get_paginator", refuse_pages)

    with pytest.raises(ClientError, match="Throttling"):
        lambda_handler(nightly(), context)


def test_an_alert_that_cannot_be_sent_fails_the_event(account, alerts, context, monkeypatch):
    monkeypatch.setenv("ALERTS_TOPIC", "arn:aws:sns:ap-northeast-2:123456789012:absent")
    instance("archive")
    set_status("archive", "stopped")

    with pytest.raises(Exception, match=r"SNS: .*NotFound"):
        lambda_handler(nightly(), context)


@pytest.mark.parametrize(
    ("event", "complaint"),
    [
        (finished(SourceType="INSTANCE"), r"detail.SourceType: Input should be 'SNAPSHOT' or 'CLUSTER_SNAPSHOT'"),
        (nightly() | {"time": "midnight"}, r"time: Input should be a valid datetime"),
        (nightly() | {"source": "aws.s3"}, r"does not match any of the expected tags: 'aws.scheduler', 'aws.rds'"),
    ],
)
def test_a_malformed_event_is_refused_by_the_name_of_its_field(event, complaint, account, alerts, context, logs):
    with pytest.raises(InvalidEvent, match=complaint):
        lambda_handler(event, context)

    assert event["id"] in logs.getvalue()


def test_a_missing_setting_is_named(alerts, context):
    with pytest.raises(SettingsError, match="IDEMPOTENCY_TABLE: Field required"):
        lambda_handler(nightly(), context)
