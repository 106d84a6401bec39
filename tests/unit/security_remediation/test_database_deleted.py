import pytest

from automations.errors import InvalidEvent
from security_remediation.handler import lambda_handler
from tests.unit.security_remediation.conftest import call

pytestmark = pytest.mark.usefixtures("deployed", "enforce")


@pytest.mark.parametrize(
    ("name", "resource", "command"),
    [
        (
            "delete-db-instance-no-snapshot",
            "Database orders",
            "describe-db-snapshots --db-instance-identifier orders --snapshot-type manual --region ap-northeast-2\n",
        ),
        (
            "delete-db-cluster-no-snapshot",
            "Database cluster catalog",
            "describe-db-cluster-snapshots --db-cluster-identifier catalog --snapshot-type manual --region ap-northeast-2\n",
        ),
    ],
)
def test_it_is_told_with_where_to_look_for_what_is_left_and_never_acted_on(
    name, resource, command, alerts, calls, context
):
    lambda_handler(call(name), context)

    assert calls == []
    [message] = alerts.received()
    assert message["Subject"] == f"[CRITICAL] {resource} was deleted without a final snapshot"
    assert "Its automated backups went with it" in message["Message"]
    assert f"aws rds {command}" in message["Message"]


@pytest.mark.parametrize(
    ("name", "kind", "database"),
    [
        ("delete-db-instance-no-snapshot", "instance", "orders"),
        ("delete-db-cluster-no-snapshot", "cluster", "catalog"),
    ],
)
def test_automated_backups_that_are_kept_are_named_and_make_it_less_grave(name, kind, database, alerts, context):
    event = call(name)
    event["detail"]["requestParameters"]["deleteAutomatedBackups"] = False

    lambda_handler(event, context)

    [message] = alerts.received()
    assert message["Subject"].startswith("[WARNING]")
    assert (
        f"aws rds describe-db-{kind}-automated-backups --db-{kind}-identifier {database} --region" in message["Message"]
    )


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("delete-db-instance-no-snapshot", "dBClusterIdentifier"),
        ("delete-db-instance-no-snapshot", "readReplicaSourceDBInstanceIdentifier"),
        ("delete-db-instance-no-snapshot", "readReplicaSourceDBClusterIdentifier"),
        ("delete-db-cluster-no-snapshot", "replicationSourceIdentifier"),
    ],
)
def test_a_part_of_a_cluster_and_a_replica_take_no_data_with_them(name, field, alerts, context):
    event = call(name)
    event["detail"]["responseElements"][field] = "another"

    assert lambda_handler(event, context)["outcomes"]["database_deleted"] == "harmless"
    assert alerts.received() == []


def test_a_final_snapshot_is_enough(alerts, context):
    event = call("delete-db-instance-final-snapshot")
    assert lambda_handler(event, context)["outcomes"]["database_deleted"] == "harmless"

    del event["detail"]["requestParameters"]["skipFinalSnapshot"]  # RDS takes one by default
    assert lambda_handler(event, context)["outcomes"]["database_deleted"] == "harmless"
    assert alerts.received() == []


def test_a_record_without_its_response_is_told(alerts, context):
    lambda_handler(call("delete-db-instance-no-snapshot", responseElements=None), context)

    assert "Database orders was deleted" in alerts.received()[0]["Subject"]


def test_a_record_without_the_databases_name_is_told_and_fails(alerts, context):
    with pytest.raises(InvalidEvent, match="dBInstanceIdentifier"):
        lambda_handler(call("delete-db-instance-no-snapshot", requestParameters={"skipFinalSnapshot": True}), context)

    assert "could not be dealt with" in alerts.received()[0]["Subject"]
