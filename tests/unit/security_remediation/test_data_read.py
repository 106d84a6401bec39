from typing import Any

import pytest

from security_remediation.handler import lambda_handler
from tests.unit.conftest import ACCOUNT
from tests.unit.security_remediation.conftest import call

pytestmark = pytest.mark.usefixtures("deployed")

SECRET = f"arn:aws:secretsmanager:ap-northeast-2:{ACCOUNT}:secret:orders/database-Xk3pQz"


@pytest.fixture(autouse=True)
def readers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_READERS", f"arn:aws:iam::{ACCOUNT}:role/orders-*, arn:aws:iam::{ACCOUNT}:user/Bob")


@pytest.mark.parametrize(
    ("name", "resource", "named", "next_step"),
    [
        ("get-secret-value", "Secrets in Secrets Manager", SECRET, "rotate them"),
        ("get-secret-value-by-name", "Secrets in Secrets Manager", "payments/api-key", "rotate them"),
        ("batch-get-secret-value", "Secrets in Secrets Manager", "all with tag-key !no-such-key", "rotate them"),
        (
            "get-parameters-decrypted",
            "Encrypted parameters in Parameter Store",
            "/orders/database/password, /orders/mail/password",
            "put-parameter --overwrite",
        ),
        ("get-parameters-by-path-decrypted", "Encrypted parameters in Parameter Store", "/orders", "--overwrite"),
        ("get-password-data", "Windows passwords of EC2 instances", "i-0123456789abcdef0", "change them in Windows"),
        (
            "describe-instance-attribute-user-data",
            "User data of EC2 instances",
            "i-0123456789abcdef0",
            "look into it for passwords and keys",
        ),
    ],
)
def test_a_read_is_told_with_what_was_read_and_what_to_do_and_never_acted_on(
    name, resource, named, next_step, enforce, alerts, calls, context
):
    event = call(name)

    lambda_handler(event, context)

    assert calls == []
    [message] = alerts.received()
    assert message["Subject"] == f"[WARNING] {resource} were read by somebody who is not on the list"
    assert f"Read: {named}.\n" in message["Message"]
    assert next_step in message["Message"]
    key = event["detail"]["userIdentity"]["accessKeyId"]
    assert (
        f"\naws cloudtrail lookup-events --lookup-attributes AttributeKey=AccessKeyId,AttributeValue={key} "
        "--region ap-northeast-2\n"
    ) in message["Message"]


def test_without_a_list_nothing_is_told(alerts, context, monkeypatch):
    monkeypatch.setenv("SECRET_READERS", "")

    assert lambda_handler(call("get-secret-value"), context)["outcomes"]["data_read"] == "harmless"
    assert alerts.received() == []


@pytest.mark.parametrize(
    "listed", [f"arn:aws:iam::{ACCOUNT}:role/Dev*", f"arn:aws:sts::{ACCOUNT}:assumed-role/Developers/alice"]
)
def test_whoever_is_on_the_list_is_not_told_of(listed, alerts, context, monkeypatch):
    monkeypatch.setenv("SECRET_READERS", f"arn:aws:iam::{ACCOUNT}:role/orders, {listed}")

    assert lambda_handler(call("get-secret-value"), context)["outcomes"]["data_read"] == "harmless"
    assert lambda_handler(call("get-secret-value-by-name"), context)["outcomes"]["data_read"] != "harmless"
    assert len(alerts.received()) == 1


@pytest.mark.parametrize("name", ["get-parameter-plain", "describe-instance-attribute-type"])
def test_what_gives_nothing_away_is_harmless(name, alerts, context):
    assert lambda_handler(call(name), context)["outcomes"]["data_read"] == "harmless"
    assert alerts.received() == []


def test_a_parameter_without_a_word_on_decryption_is_not_decrypted(alerts, context):
    event = call("get-parameter-plain", requestParameters={"name": "/orders/log-level"})

    assert lambda_handler(event, context)["outcomes"]["data_read"] == "harmless"


def test_a_read_that_failed_is_not_told(alerts, context):
    assert lambda_handler(call("get-secret-value-failed"), context)["ignored"] == "The call failed."
    assert alerts.received() == []


def one_of_many(number: int, **changes: Any) -> dict[str, Any]:
    """A read of another secret, seconds later."""
    event = call("get-secret-value", {"Xk3pQz": f"Xk3p{number:02}"}, eventID=f"read-{number}", **changes)
    event["time"] = f"2026-11-20T02:14:{31 + number:02}Z"
    return event


def test_many_secrets_read_by_one_actor_are_one_message_and_the_next_one_counts_them(alerts, context):
    for number in range(12):
        lambda_handler(one_of_many(number), context)
    [message] = alerts.received()
    assert "counted and not told" in message["Message"]

    lambda_handler(one_of_many(12) | {"time": "2026-11-20T02:40:00Z"}, context)

    [message] = alerts.received()
    assert "The same was done 11 more times since the last message." in message["Message"]


def test_another_actor_is_another_message(alerts, context):
    for name in ("get-secret-value", "get-secret-value-by-name"):
        lambda_handler(call(name), context)

    assert len(alerts.received()) == 2


def test_a_record_that_names_neither_what_was_read_nor_its_credentials_is_told_still(alerts, context):
    event = call("get-secret-value", requestParameters=None)
    del event["detail"]["userIdentity"]["accessKeyId"]

    lambda_handler(event, context)

    [message] = alerts.received()
    assert "Read: something that the record does not name.\n" in message["Message"]
    assert "AttributeKey=EventName,AttributeValue=GetSecretValue --region" in message["Message"]


def test_nothing_of_a_response_is_told(alerts, context):
    """CloudTrail records none; if it ever did, a message would be the last place for it."""
    lambda_handler(call("get-secret-value", responseElements={"secretString": "hunter2"}), context)

    assert "hunter2" not in alerts.received()[0]["Message"]
