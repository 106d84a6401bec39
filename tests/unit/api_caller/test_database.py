"""The row: its statement on a real PostgreSQL, and the Data API's call that carries it."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from traceback import format_exception
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from local.receiver import Answer

import api_caller
from api_caller.database import Statement, insert
from api_caller.handler import lambda_handler
from api_caller.record import Record
from automations import aws
from automations.errors import DeliveryError, Rejected, SettingsError
from tests.samples import sample
from tests.unit.api_caller.conftest import PATH

FAILED = sample("api_caller/pipeline-failed")
CLUSTER = "arn:aws:rds:ap-northeast-2:111122223333:cluster:records"
SECRET = "arn:aws:secretsmanager:ap-northeast-2:111122223333:secret:records-a1B2c3"
TABLE_SQL = (Path(str(api_caller.__file__)).parent / "table.sql").read_text()

RECORD = Record(
    call_id="5d3a1f0e-6c0f-5e0b-9a53-0f2f5f7c9b61",
    event_id=FAILED["id"],
    event_time=datetime(2026, 11, 6, 2, 36, 20, tzinfo=UTC),
    event_source="aws.codepipeline",
    request="deployments",
    method="POST",
    called_at=datetime(2026, 11, 6, 2, 36, 21, 7000, tzinfo=UTC),
    status=201,
    headers={"content-type": "application/json", "etag": '"it\'s 1"'},
    body='Robert\'); DROP TABLE api_responses; -- :status $1 \\ "서울"\n',
    body_encoding="utf-8",
    body_cut=True,
    attempts=2,
    latency_ms=31,
)


@pytest.fixture
def database(api, monkeypatch) -> None:
    """The settings of a database."""
    monkeypatch.setenv("DATABASE_CLUSTER", CLUSTER)
    monkeypatch.setenv("DATABASE_SECRET", SECRET)
    monkeypatch.setenv("DATABASE_NAME", "records")


@pytest.fixture
def table(postgres):
    """The server, with the table of table.sql, empty."""
    postgres.query(f"DROP TABLE IF EXISTS api_responses; {TABLE_SQL}")
    return postgres


def refuse(code: str, message: str) -> Any:
    def call(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": message}}, "ExecuteStatement")

    return call


def test_postgresql_takes_the_row_as_it_is(table):
    table.execute(insert(RECORD, "api_responses"))

    [row] = table.query(
        "SELECT call_id, called_at AT TIME ZONE 'UTC', event_id, event_source, request, status, headers->>'etag',"
        " body_encoding, body_cut, attempts, latency_ms, s3_key FROM api_responses"
    )
    assert row == [
        RECORD.call_id, "2026-11-06 02:36:21.007", RECORD.event_id, "aws.codepipeline", "deployments", "201",
        '"it\'s 1"', "utf-8", "t", "2", "31", f"2026/11/06/{RECORD.event_id}.json",
    ]  # fmt: skip
    assert "\n".join("|".join(line) for line in table.query("SELECT body FROM api_responses")) == RECORD.body


def test_postgresql_keeps_one_row_of_an_answer_that_is_written_twice(table):
    table.execute(insert(RECORD, "api_responses"))
    table.execute(insert(RECORD.model_copy(update={"status": 500}), "api_responses"))

    assert table.query("SELECT status FROM api_responses") == [["201"]]


def test_postgresql_keeps_a_row_for_each_answer_to_a_call_that_was_made_again(table):
    table.execute(insert(RECORD.model_copy(update={"status": 422}), "api_responses"))
    table.execute(
        insert(RECORD.model_copy(update={"called_at": RECORD.called_at + timedelta(minutes=1)}), "api_responses")
    )

    assert table.query("SELECT status FROM api_responses ORDER BY called_at") == [["422"], ["201"]]


def test_the_permission_to_insert_is_enough(table):
    table.query("DROP ROLE IF EXISTS writer; CREATE ROLE writer; GRANT INSERT ON api_responses TO writer;")

    for _ in range(2):
        table.execute(insert(RECORD, "api_responses"), role="writer")

    assert table.query("SELECT count(*) FROM api_responses") == [["1"]]
    table.query("DROP OWNED BY writer; DROP ROLE writer;")


def test_a_time_of_another_zone_is_the_same_moment(table):
    seoul = RECORD.called_at.astimezone(timezone(timedelta(hours=9)))

    table.execute(insert(RECORD.model_copy(update={"called_at": seoul}), "api_responses"))

    assert table.query("SELECT called_at = '2026-11-06 02:36:21.007Z' FROM api_responses") == [["t"]]


def test_the_table_may_be_in_a_schema_and_have_a_name_that_sql_reserves(table):
    table.query('CREATE SCHEMA IF NOT EXISTS audit; DROP TABLE IF EXISTS audit."order";')
    table.query(TABLE_SQL.replace("TABLE api_responses", 'TABLE audit."order"'))

    table.execute(insert(RECORD, "audit.order"))

    assert table.query('SELECT count(*) FROM audit."order"') == [["1"]]


@pytest.mark.parametrize("name", ["", "a b", 'a"b', "a;b", "1a", "a.b.c", "a.", "a--", "x" * 64, "table\n", "서울"])
def test_what_is_no_name_of_a_table_never_becomes_part_of_a_statement(name, api, context, monkeypatch):
    with pytest.raises(ValueError, match="not the name of a table"):
        insert(RECORD, name)
    if name:
        monkeypatch.setenv("DATABASE_TABLE", name)
        with pytest.raises(SettingsError, match="DATABASE_TABLE: String should match pattern"):
            lambda_handler(FAILED, context)
        assert api.web.requests == []


def test_an_answer_becomes_a_row_through_the_data_api(database, api, table, context, monkeypatch):
    def execute(resourceArn: str, secretArn: str, database: str, sql: str, parameters: Any) -> None:  # noqa: N803
        assert (resourceArn, secretArn, database) == (CLUSTER, SECRET, "records")
        table.execute(Statement(sql, parameters))

    monkeypatch.setattr(aws.rds_data(), "execute_statement", execute)
    api.web.answer(PATH, Answer(201, {"Content-Type": "application/json"}, b'{"id": "it\'s 7"}'))

    lambda_handler(FAILED, context)

    [row] = table.query("SELECT event_id, status, body::json->>'id', headers->>'content-type' FROM api_responses")
    assert row == [FAILED["id"], "201", "it's 7", "application/json"]


def test_the_data_api_takes_the_parameters(database, api, context):
    """botocore holds the call against the service's model."""
    with Stubber(aws.rds_data()) as data_api:
        data_api.add_response("execute_statement", {"numberOfRecordsUpdated": 1})
        lambda_handler(FAILED, context)
        data_api.assert_no_pending_responses()


def test_without_a_cluster_no_row_is_written(api, context, monkeypatch):
    monkeypatch.setattr(aws.rds_data(), "execute_statement", refuse("Unexpected", ""))

    lambda_handler(FAILED, context)

    assert len(api.items()) == 1


def test_a_row_that_was_not_written_is_written_on_the_retry_without_calling_the_api_again(
    database, api, table, context, monkeypatch
):
    monkeypatch.setattr(aws.rds_data(), "execute_statement", refuse("DatabaseResumingException", "paused"))
    with pytest.raises(
        DeliveryError, match="The row was not written to the database records: DatabaseResumingException"
    ):
        lambda_handler(FAILED, context)

    monkeypatch.setattr(
        aws.rds_data(),
        "execute_statement",
        lambda **call: table.execute(Statement(call["sql"], call["parameters"])),
    )
    lambda_handler(FAILED, context)
    lambda_handler(FAILED, context)

    assert len(api.web.requests) == 1
    assert table.query("SELECT event_id, body FROM api_responses") == [[FAILED["id"], "ok"]]


def test_a_refused_call_has_its_row_too(database, api, table, context, monkeypatch):
    monkeypatch.setattr(
        aws.rds_data(),
        "execute_statement",
        lambda **call: table.execute(Statement(call["sql"], call["parameters"])),
    )
    api.web.answer(PATH, Answer(422))

    with pytest.raises(Rejected):
        lambda_handler(FAILED, context)
    lambda_handler(FAILED, context)

    assert table.query("SELECT status FROM api_responses ORDER BY called_at") == [["422"], ["200"]]


def test_the_databases_message_which_may_hold_the_row_is_not_shown(database, api, context, logs, monkeypatch):
    message = 'ERROR: null value in column "x"; Detail: Failing row contains (t0ps3cret).; SQLState: 23502'
    monkeypatch.setattr(aws.rds_data(), "execute_statement", refuse("DatabaseErrorException", message))

    with pytest.raises(DeliveryError, match="DatabaseErrorException, SQLSTATE 23502") as failure:
        lambda_handler(FAILED, context)

    assert "t0ps3cret" not in logs.getvalue() + "".join(format_exception(failure.value))


@pytest.mark.parametrize("missing", ["DATABASE_SECRET", "DATABASE_NAME"])
def test_half_a_database_is_refused_before_the_call(missing, database, api, context, monkeypatch):
    monkeypatch.delenv(missing)

    with pytest.raises(SettingsError, match="DATABASE_CLUSTER needs DATABASE_SECRET and DATABASE_NAME"):
        lambda_handler(FAILED, context)

    assert api.web.requests == []
