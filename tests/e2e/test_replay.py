"""Archive and replay on the local cloud, as a person types it."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from local import archives
from local.scenes.app_notifications import inbox, told
from local.scenes.replay import NOTIFICATIONS, ran_again
from local.stack import Stack
from local.stage import Stage

pytestmark = pytest.mark.usefixtures("started")


def test_the_archives_of_the_template_are_there(stack: Stack) -> None:
    found = {archive.bus: archive for archive in archives.find(stack)}

    assert set(found) == {"default", stack.outputs["ApplicationBus"]}
    assert {archive.days for archive in found.values()} == {30}
    pattern = stack.cloud.client("events").describe_archive(ArchiveName=found["default"].name)["EventPattern"]
    assert "aws.s3" in json.loads(pattern)["source"]


def test_a_replayed_payment_is_processed_again_and_told_once(run, stage: Stage) -> None:
    finance, payment, name = inbox(stage, "FinanceTopic"), f"pay_{uuid4().hex}", f"again-{uuid4()}"
    begin = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    stage.send(stage.sample("app_notifications/payment-completed", paymentId=payment), expect="PaymentCompleted")
    told(stage, "finance was told of the payment", finance, [payment])

    status, output = run("replay", "--from", begin, "--rule", "PaymentCompleted", "--name", name)

    assert status == 0, output
    assert f"The replay {name} is complete." in output
    assert "PaymentCompleted -> AppNotificationsFunction" in output
    line = ran_again(stage, NOTIFICATIONS, name)
    assert line["message"] == "The department was told already"
    assert line["about"].endswith(payment)
    assert stage.take(finance) == []


def test_a_replay_that_is_not_waited_for_can_be_listed_and_followed(run, stage: Stage) -> None:
    name = f"again-{uuid4()}"

    status, output = run("replay", "--from", "-1s", "--bus", "default", "--name", name, "--no-wait")
    assert (status, f"python -m local replay follow {name}" in output) == (0, True)

    status, output = run("replay", "follow", name)
    assert (status, f"The replay {name} is complete." in output) == (0, True)

    status, output = run("replay", "list")
    assert (status, name in output) == (0, True)

    status, output = run("replay", "cancel", name)
    assert (status, f"The replay {name} is COMPLETED" in output) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--from", "-1h", "--to", "-2h", "--bus", "default"], "must be before"),
        (["--from", "-1h", "--to", "2099-01-01", "--bus", "default"], "in the future"),
        (["--from", "-9d", "--to", "-8d", "--bus", "default"], "has no events from before"),
        (["--from", "-1h"], "Say which bus: --bus NAME"),
        (["--from", "-1h", "--rule", "Nothing"], "These do: AccountCreated, "),
        (["--from", "-1h", "--rule", "GuardDutyFindingRule"], "No rule GuardDutyFindingRule takes replayed events"),
    ],
)
def test_what_cannot_be_replayed_is_said_with_the_remedy(arguments, why, run) -> None:
    status, output = run("replay", *arguments)

    assert status == 1
    assert why in output


def test_a_rule_that_mails_by_itself_does_not_match_a_replayed_event(stage: Stage) -> None:
    event = stage.sample("account_alerts/guardduty-high")

    assert [rule.name for rule in stage.stack.matching(event)] == ["GuardDutyFindingRule"]
    assert stage.stack.matching(event | {"replay-name": "again"}) == []
