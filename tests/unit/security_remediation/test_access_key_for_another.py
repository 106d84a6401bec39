import pytest

from automations import aws
from automations.errors import InvalidEvent
from security_remediation.handler import lambda_handler
from security_remediation.principals import another_user
from tests.unit.conftest import ACCOUNT
from tests.unit.security_remediation.attacks import iam as attacks
from tests.unit.security_remediation.conftest import call, record_of, writes

pytestmark = pytest.mark.usefixtures("deployed", "enforce")


@pytest.mark.parametrize(
    "caller",
    [
        {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT},
        {"type": "IAMUser", "userName": "Bobby", "arn": f"arn:aws:iam::{ACCOUNT}:user/Bobby"},
        {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/Bob/Alice"},
        {"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Ops/Bob"},
        {"type": "FederatedUser", "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/Bob"},
    ],
)
def test_root_other_users_and_sessions_are_never_the_user(caller, alerts, context):
    attacked = attacks.access_key_for_another_user()
    attacked.event["detail"]["userIdentity"] = caller

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


@pytest.mark.parametrize(
    "caller",
    [
        {"type": "IAMUser", "userName": "Bob", "arn": f"arn:aws:iam::{ACCOUNT}:user/Bob"},
        {"type": "IAMUser", "userName": "bob"},
        {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/team/Bob"},
        {"type": "IAMUser", "userName": "Bob", "sessionContext": {"attributes": {"mfaAuthenticated": "true"}}},
    ],
)
def test_a_users_own_key_is_its_own_by_name_or_arn(caller):
    assert another_user(record_of("create-access-key-for-another", userIdentity=caller)) is None


def test_without_a_name_the_key_is_its_makers():
    assert another_user(record_of("create-access-key-own")) is None
    assert another_user(record_of("create-access-key-own", userIdentity={"type": "Root"})) is None


def test_a_key_that_was_deactivated_or_deleted_is_told(alerts, calls, context):
    attacked = attacks.access_key_for_another_user()
    key = attacked.event["detail"]["responseElements"]["accessKey"]["accessKeyId"]
    aws.iam().update_access_key(UserName="Bob", AccessKeyId=key, Status="Inactive")
    calls.clear()

    lambda_handler(attacked.event, context)

    assert "It is not so any more" in alerts.received()[0]["Message"]
    attacked.revert()
    gone = call("create-access-key-for-another", {"Bob": "Nobody"}, eventID="1f0e2b5a-0000-4000-8000-000000000002")
    calls.clear()
    lambda_handler(gone, context)
    assert writes(calls) == []
    assert "It does not exist any more" in alerts.received()[0]["Message"]


def test_each_key_is_an_incident_of_its_own(alerts, context):
    attacked = attacks.access_key_for_another_user()
    other = call("create-access-key-for-another", eventID="1f0e2b5a-0000-4000-8000-000000000001")
    [first, _] = attacked.state()
    other["detail"]["responseElements"]["accessKey"]["accessKeyId"] = first

    lambda_handler(attacked.event, context)
    lambda_handler(other, context)

    assert {*attacked.state().values()} == {"Inactive"}
    assert len(alerts.received()) == 2


@pytest.mark.parametrize("response", [None, {}, {"accessKey": None}, {"accessKey": {"userName": "Bob"}}])
def test_a_record_without_the_keys_id_is_reported(response, alerts, context):
    event = call("create-access-key-for-another", responseElements=response)
    with pytest.raises(InvalidEvent, match="accessKeyId"):
        lambda_handler(event, context)
    assert "could not be dealt with" in alerts.received()[0]["Subject"]
