from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as some

from automations import aws
from security_remediation.inline_denial import denial, put_denial, read_policy, restore_policy, revocation, revoked
from tests.unit.security_remediation.conftest import record_of

CONDITIONS = {"StringLike": {"aws:userid": "123456789012:*"}}
MOMENTS = some.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1)).map(  # noqa: DTZ001
    lambda one: one.replace(tzinfo=UTC, microsecond=0)
)


@given(until=MOMENTS, since=MOMENTS)
def test_a_revocation_covers_what_was_issued_before_it_and_nothing_later(until, since):
    assert revoked(revocation(CONDITIONS, until), CONDITIONS, since) is (since < until)


@pytest.mark.parametrize(
    "document",
    [
        {},
        denial({}),
        {"Statement": "x"},
        denial({"DateLessThan": {"aws:TokenIssueTime": "yesterday"}}),
        revocation({}, datetime.now(UTC)),
        revocation(CONDITIONS, datetime.now(UTC)) | {"Version": "2008-10-17"},
    ],
)
def test_what_somebody_else_wrote_under_its_name_revokes_nothing(document):
    assert not revoked(document, CONDITIONS, datetime(2020, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("ahead", [-3600, 0, 3600])
def test_a_call_is_caught_by_its_own_revocation_whatever_the_clocks_say(ahead, cloud):
    called = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=ahead)
    aws.iam().create_user(UserName="Alice")
    change = {"kind": "User", "name": "Alice", "policy": "p", "conditions": CONDITIONS, "since": called.isoformat()}

    put_denial(change)

    assert revoked(read_policy("User", "Alice", "p").current, CONDITIONS, called)


def test_the_document_that_was_there_before_is_put_back(cloud):
    aws.iam().create_user(UserName="Alice")
    change = {"kind": "User", "name": "Alice", "policy": "p"}
    before = denial({"Bool": {"aws:SecureTransport": "false"}})
    put_denial({**change, "document": before})
    put_denial({**change, "document": denial({})})

    restore_policy({**change, "document": before})

    assert read_policy("User", "Alice", "p").current == before


def test_a_user_who_is_gone_is_success_and_another_error_is_not(cloud, monkeypatch):
    change = {"kind": "User", "name": "Alice", "policy": "p", "document": denial({})}
    put_denial(change)
    restore_policy({**change, "document": {}})

    def full(**_: object) -> None:
        raise ClientError({"Error": {"Code": "LimitExceeded", "Message": "2048 characters."}}, "PutUserPolicy")

    monkeypatch.setattr(aws.iam(), "put_user_policy", full)
    with pytest.raises(ClientError, match="LimitExceeded"):
        put_denial(change)


def test_a_record_tells_when_it_was_made():
    assert record_of("start-session").event_time == datetime(2026, 11, 16, 4, 20, 31, tzinfo=UTC)
