"""An answer as a row of a relational table, written through the RDS Data API to Aurora PostgreSQL."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from botocore.exceptions import ClientError

from api_caller.record import Record
from automations import aws
from automations.errors import DeliveryError

TABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?$"
"""A table, or a schema and a table. It becomes part of the statement, for which there are no parameters."""


@dataclass(frozen=True)
class Statement:
    """Attributes:
    parameters: as the Data API takes them.
    """

    sql: str
    parameters: list[dict[str, Any]]


def insert(found: Record, table: str) -> Statement:
    """Make the statement. A row that is there already stays as it is.

    The database gets text as `varchar`, so that other types need a hint; the form of a time is the Data API's own.
    https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_SqlParameter.html
    """
    if not re.fullmatch(TABLE_NAME, table):  # whoever calls: it must not be text from elsewhere
        raise ValueError("not the name of a table")
    name = ".".join(f'"{part}"' for part in table.split("."))
    called_at = found.called_at.astimezone(UTC)
    parameters = [
        _parameter("call_id", found.call_id, "UUID"),
        _parameter("called_at", f"{called_at:%Y-%m-%d %H:%M:%S}.{called_at.microsecond // 1000:03}", "TIMESTAMP"),
        _parameter("event_id", found.event_id),
        _parameter("event_source", found.event_source),
        _parameter("request", found.request),
        _parameter("status", found.status),
        _parameter("headers", json.dumps(found.headers), "JSON"),
        _parameter("body", found.body),
        _parameter("body_encoding", found.body_encoding),
        _parameter("body_cut", found.body_cut),
        _parameter("attempts", found.attempts),
        _parameter("latency_ms", found.latency_ms),
        _parameter("s3_key", found.s3_key),
    ]
    values = {"called_at": "CAST(:called_at AS timestamp) AT TIME ZONE 'UTC'", "headers": "CAST(:headers AS jsonb)"}
    columns = [str(parameter["name"]) for parameter in parameters]
    sql = (
        f"INSERT INTO {name} ({', '.join(columns)}) "  # noqa: S608 # the name was checked, the values are parameters
        f"VALUES ({', '.join(values.get(column, f':{column}') for column in columns)}) "
        "ON CONFLICT DO NOTHING"
    )
    return Statement(sql, parameters)


def _parameter(name: str, value: str | int | bool, hint: str = "") -> dict[str, Any]:
    match value:
        case bool():
            typed: dict[str, Any] = {"booleanValue": value}
        case int():
            typed = {"longValue": value}
        case str():
            typed = {"stringValue": value}
    return {"name": name, "value": typed} | ({"typeHint": hint} if hint else {})


def write(statement: Statement, *, cluster: str, secret: str, database: str) -> None:
    """Run the statement.

    Raises:
        DeliveryError: names the error's code and the database's own, but not its message, which may hold the row.
    """
    try:
        aws.rds_data().execute_statement(
            resourceArn=cluster,
            secretArn=secret,
            database=database,
            sql=statement.sql,
            parameters=statement.parameters,  # type: ignore[arg-type]
        )
    except ClientError as error:
        told = error.response["Error"]
        state = re.search(r"SQLState: ([0-9A-Z]{5})", told.get("Message", ""))
        code = f"{told['Code']}, SQLSTATE {state[1]}" if state else told["Code"]
        raise DeliveryError(
            f"The row was not written to the database {database}: {code}. The answer is kept, and the API is not called again "
            "for it. Check the cluster, its Data API, the secret and the table (functions/api_caller/table.sql)."
        ) from None
