import pytest

from automations.errors import InvalidEvent
from security_remediation.handler import lambda_handler
from tests.unit.security_remediation.conftest import call

pytestmark = pytest.mark.usefixtures("deployed", "enforce")


def test_it_is_told_with_the_recovery_point_and_what_to_do_and_never_acted_on(alerts, calls, context):
    event = call("delete-recovery-point")

    lambda_handler(event, context)

    assert calls == []
    [message] = alerts.received()
    assert message["Subject"] == "[WARNING] Backup vault Default lost a recovery point"
    assert f"Deleted: {event['detail']['requestParameters']['recoveryPointArn']}.\n" in message["Message"]
    assert "list-recovery-points-by-backup-vault --backup-vault-name Default --region" in message["Message"]


def test_a_vault_that_is_emptied_is_one_message(alerts, context):
    for number in range(3):
        lambda_handler(call("delete-recovery-point", {"7c1f0a52": f"7c1f0a5{number}"}, eventID=f"d-{number}"), context)

    assert len(alerts.received()) == 1


def test_an_attempt_that_failed_is_not_told(alerts, context):
    assert lambda_handler(call("delete-recovery-point-failed"), context)["ignored"] == "The call failed."
    assert alerts.received() == []


def test_a_record_without_its_recovery_point_is_told_and_fails(alerts, context):
    with pytest.raises(InvalidEvent, match="recoveryPointArn"):
        lambda_handler(call("delete-recovery-point", requestParameters={"backupVaultName": "Default"}), context)

    assert "could not be dealt with" in alerts.received()[0]["Subject"]
