"""A third party's API, and what api_caller needs in the account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from local.receiver import Receiver

from api_caller import credentials
from automations import aws
from tests.template_file import create_table
from tests.unit.api_caller.postgres import Postgres, running_postgres

PARAMETER = "/eventbridge-automations/api-request"
PATH = "/v1/runs"
BUCKET = "answers"


@dataclass
class Api:
    """The API, at `/v1/runs` of the receiver."""

    web: Receiver

    def configure(self, **changes: Any) -> None:
        """Store the request: a POST of the run and its state, with these fields replaced (None: left out)."""
        request = {
            "name": "deployments",
            "method": "POST",
            "url": self.web.url + PATH,
            "body": {"run": '{{detail."execution-id"}}', "state": "{{detail.state}}"},
            "key": '{{detail."execution-id"}}/{{detail.state}}',
        } | changes
        text = json.dumps({name: value for name, value in request.items() if value is not None})
        aws.ssm().put_parameter(Name=PARAMETER, Value=text, Type="SecureString", Overwrite=True)

    def store(self, secret: Any, name: str = "credentials") -> str:
        """Keep a secret, text or JSON; returns the reference to it."""
        text = secret if isinstance(secret, str) else json.dumps(secret)
        aws.secretsmanager().create_secret(Name=name, SecretString=text)
        return f"secretsmanager:{name}"

    def answers(self) -> dict[str, Any]:
        """What is kept in S3, by key."""
        s3 = aws.s3()
        keys = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
        return {key: json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()) for key in keys}

    def items(self) -> list[dict[str, Any]]:
        """What is in the table of calls."""
        return aws.dynamodb().scan(TableName="ApiCallsTable")["Items"]


ENVIRONMENT = {"request_parameter": PARAMETER, "responses_bucket": BUCKET, "calls_table": "ApiCallsTable"}


def create_api(web: Receiver) -> Api:
    """The API is there and configured, and no token is kept; it answers 200 unless it is told otherwise."""
    create_table("ApiCallsTable")
    aws.s3().create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    credentials.forget_tokens()
    third_party = Api(web)
    third_party.configure()
    return third_party


@pytest.fixture
def api(web, idempotency_table, monkeypatch) -> Iterator[Api]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name.upper(), value)
    yield create_api(web)
    credentials.forget_tokens()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL server; the test is skipped where there is none to start."""
    with running_postgres() as server:
        yield server
