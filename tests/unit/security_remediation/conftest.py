"""The function as it is deployed, and what its tests share."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.client
import pytest
from moto.s3.responses import S3Response

from automations import aws
from automations.events.cloudtrail import ApiCall
from security_remediation import remediate
from security_remediation.registry import REMEDIATIONS
from tests.samples import sample
from tests.template_file import create_table
from tests.unit.conftest import ACCOUNT

OWN_ROLE = f"arn:aws:iam::{ACCOUNT}:role/remediation"
BUCKET = "amzn-s3-demo-website"
AUDIT = "amzn-s3-demo-audit"


def call(name: str, replaced: dict[str, str] | None = None, **detail: Any) -> dict[str, Any]:
    """A sample event in moto's account, with other texts and fields of its detail replaced."""
    text = json.dumps(sample(f"security_remediation/{name}"))
    for old, new in {"111122223333": ACCOUNT, **(replaced or {})}.items():
        text = text.replace(old, new)
    event: dict[str, Any] = json.loads(text)
    event["detail"].update(detail)
    return event


def just_now() -> str:
    """The time of a call that is made after what was noted until now."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def an_hour_later() -> type[datetime]:
    """A clock."""
    later = datetime.now(UTC) + timedelta(hours=1)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return later

    return Clock


def record_of(name: str, **detail: Any) -> Any:
    """The record of a sample event, as the remediations get it."""
    return ApiCall.model_validate(call(name, **detail)).detail


READS = ("Get", "List", "Describe", "Lookup")


def writes(calls: list[str]) -> list[str]:
    """Those of the called operations that do not only read."""
    return [one for one in calls if not one.startswith(READS)]


def environment() -> dict[str, str]:
    """The function's environment variables, in lower case, but those of its mode and of what must be created first."""
    return {
        "own_role_arn": OWN_ROLE,
        "sensitive_ports": "20-23,3306,3389",
        "session_principals": f"arn:aws:iam::{ACCOUNT}:role/Operations*",
        "allowed_principals": f"arn:aws:iam::{ACCOUNT}:role/release-*",
        "audit_bucket": AUDIT,
    }


@pytest.fixture
def deployed(cloud: None, alerts: Any, idempotency_table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment().items():
        monkeypatch.setenv(name.upper(), value)
    aws.s3().create_bucket(Bucket=AUDIT, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    aws.s3().put_bucket_versioning(Bucket=AUDIT, VersioningConfiguration={"Status": "Enabled"})
    monkeypatch.setenv("BASELINE_TABLE", create_table("BaselineTable"))
    monkeypatch.setattr(remediate, "READ_BACK_AFTER", (0.0, 0.0))


@pytest.fixture
def enforce(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that can be enforced is."""
    monkeypatch.setenv("MODE", "enforce")
    monkeypatch.setenv("MODES", json.dumps({one.NAME: "enforce" for one in REMEDIATIONS}))


def audit_records() -> list[dict[str, Any]]:
    """All versions of an audit record, oldest first."""
    listed = aws.s3().list_object_versions(Bucket=AUDIT).get("Versions", [])
    return [
        json.loads(aws.s3().get_object(Bucket=AUDIT, Key=one["Key"], VersionId=one["VersionId"])["Body"].read())
        for one in reversed(listed)  # S3 lists the newest first
    ]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the AWS operations that are called from now on, those of messages and of the audit aside."""
    made: list[str] = []
    client: Any = botocore.client.BaseClient
    real = client._make_api_call

    def recorded(self: Any, operation: str, arguments: Any) -> Any:
        own = operation in {"PutObject", "GetObject"} and arguments["Bucket"] == AUDIT
        if self.meta.service_model.service_name not in {"sns", "dynamodb"} and not own:
            made.append(operation)
        return real(self, operation, arguments)

    monkeypatch.setattr(client, "_make_api_call", recorded)
    return made


def reading_object_acls(headers: Any) -> Any:
    """moto reads an object's ACL from headers only; this makes it read the body as it does for buckets."""

    def either(self: Any, given: Any) -> Any:
        return headers(self, given) or (
            self._acl_from_body() if self.body and b"<AccessControlPolicy" in bytes(self.body) else None
        )

    return either


@pytest.fixture
def object_acls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(S3Response, "_acl_from_headers", reading_object_acls(S3Response._acl_from_headers))
