"""What came to the receiver, as files."""

import json
from pathlib import Path

import pytest
from local.inbox import MAILS, call_of, keep
from local.receiver import Request


def refuse(*_: str) -> None:
    """What is no subscription confirms none."""
    pytest.fail("it confirmed a subscription")


def kept(folder: Path) -> dict[str, str]:
    """The text of each file, by what follows the time in its name."""
    return {file.name.split("-", 2)[2]: file.read_text() for file in folder.iterdir()}


@pytest.mark.parametrize("path", MAILS.values())
def test_an_email_is_kept_with_its_subject(tmp_path: Path, path: str) -> None:
    message = {"Type": "Notification", "Subject": "[INFO] Stopped", "Message": "It is stopped."}

    keep(tmp_path, Request(path, {}, json.dumps(message).encode()), refuse)

    assert kept(tmp_path) == {f"{path[1:]}.txt": "Subject: [INFO] Stopped\n\nIt is stopped."}


def test_a_topics_subscription_is_confirmed_and_not_kept(tmp_path: Path) -> None:
    message = {"Type": "SubscriptionConfirmation", "TopicArn": "arn", "Token": "token"}
    confirmed: list[tuple[str, str]] = []

    keep(tmp_path, Request("/alerts", {}, json.dumps(message).encode()), lambda *told: confirmed.append(told))

    assert (confirmed, kept(tmp_path)) == ([("arn", "token")], {})


def test_a_request_is_kept_with_the_call_that_it_was(tmp_path: Path) -> None:
    keep(tmp_path, Request("/deployments/1?region=a", {"Idempotency-Key": "c-1"}, b"{}"), refuse)
    keep(tmp_path, Request("/slack", {}, b"[]"), refuse)

    assert kept(tmp_path) == {
        "deployments-1?region=a.json": "{}",
        "deployments-1?region=a.json.call": "c-1",
        "slack.json": "[]",
    }
    [request] = tmp_path.glob("*deployments*.json")
    assert call_of(request).read_text() == "c-1"
