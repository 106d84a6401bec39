from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from automations import aws
from automations.errors import Refused
from security_remediation import remediate
from security_remediation.handler import lambda_handler
from security_remediation.plan import Plan, State
from security_remediation.remediate import StillOpen
from security_remediation.remediations import kms_key_deletion
from tests.unit.security_remediation.attacks import keys as attacks
from tests.unit.security_remediation.conftest import audit_records, call, record_of, writes

pytestmark = pytest.mark.usefixtures("deployed", "at_once")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kms_key_deletion, "ENABLE_AGAIN_AFTER", (0.0, 0.0))


def test_a_key_whose_deletion_somebody_cancelled_is_told_and_stays_disabled(enforce, alerts, calls, context):
    attacked = attacks.key_deleted()
    aws.kms().cancel_key_deletion(KeyId=attacked.event["detail"]["requestParameters"]["keyId"])
    calls.clear()

    lambda_handler(attacked.event, context)

    assert writes(calls) == []
    assert attacked.state() == "Disabled"
    assert "enable it, unless it was disabled before" in alerts.received()[0]["Message"]


def test_a_key_that_is_deleted_is_told_and_one_of_another_region_is_refused(enforce, alerts, calls, context):
    lambda_handler(call("schedule-key-deletion"), context)

    assert writes(calls) == []
    assert "It does not exist any more" in alerts.received()[0]["Message"]
    with pytest.raises(Refused, match="The key is in eu-west-1"):
        kms_key_deletion.read(record_of("schedule-key-deletion", awsRegion="eu-west-1"))


@pytest.mark.parametrize(("window", "days"), [(7, 7), ("12", 12), (None, 30)])
def test_undo_schedules_the_deletion_with_the_window_that_it_had(window, days, enforce, context):
    attacked = attacks.key_deleted()
    attacked.event["detail"]["requestParameters"]["pendingWindowInDays"] = window
    lambda_handler(attacked.event, context)
    assert audit_records()[0]["before"]["PendingWindowInDays"] == days


@pytest.mark.parametrize("state", ["PendingDeletion", "PendingReplicaDeletion"])
def test_a_primary_key_that_waits_for_its_replicas_is_kept_too(state):
    record = record_of("schedule-key-deletion-multi-region")
    planned = kms_key_deletion.plan(record, State(state), None)  # type: ignore[arg-type] # not used
    assert planned is not None
    assert planned.change == {"KeyId": "mrk-1234abcd12ab34cd56ef1234567890ab"}


def _planned() -> Plan:
    key = {"KeyId": attacks.SAMPLE_KEY}
    return Plan("KMS key", "is scheduled", kms_key_deletion.SEVERITY, change=key)


def metadata(state: str) -> dict[str, Any]:
    return {"KeyMetadata": {"KeyId": attacks.SAMPLE_KEY, "KeyState": state}}


def stub_until_cancelled(kms: Stubber) -> None:
    kms.add_response("describe_key", metadata("PendingDeletion"))
    kms.add_response("list_resource_tags", {"Tags": []})
    kms.add_response("cancel_key_deletion", {}, {"KeyId": attacks.SAMPLE_KEY})


def stub_read_back(kms: Stubber, state: str) -> None:
    kms.add_response("describe_key", metadata(state))
    kms.add_response("list_resource_tags", {"Tags": []})


def test_a_key_that_cannot_be_enabled_by_anybody_is_kept(enforce, context):
    """No key material is imported; AWS answers so."""
    with Stubber(aws.kms()) as kms:
        stub_until_cancelled(kms)
        for _ in range(3):
            kms.add_client_error("enable_key", "KMSInvalidStateException", "is pending import.")
        stub_read_back(kms, "PendingImport")
        lambda_handler(call("schedule-key-deletion"), context)
        kms.assert_no_pending_responses()

    assert audit_records()[-1]["after"] == {"verified": True}


def test_a_key_is_enabled_once_aws_knows_everywhere_that_its_deletion_is_cancelled(enforce, context):
    with Stubber(aws.kms()) as kms:
        stub_until_cancelled(kms)
        kms.add_client_error("enable_key", "KMSInvalidStateException", "is pending deletion.")
        kms.add_response("enable_key", {}, {"KeyId": attacks.SAMPLE_KEY})
        stub_read_back(kms, "Disabled")  # it lags, too
        stub_read_back(kms, "Enabled")
        lambda_handler(call("schedule-key-deletion"), context)
        kms.assert_no_pending_responses()

    assert audit_records()[-1]["after"] == {"verified": True}


@pytest.mark.parametrize("enables", [True, False])
def test_a_key_that_stays_disabled_is_a_failure_that_names_what_is_left(enables, enforce, alerts, context):
    event = call("schedule-key-deletion")
    with Stubber(aws.kms()) as kms:
        stub_until_cancelled(kms)
        for _ in range(1 if enables else 3):
            if enables:
                kms.add_response("enable_key", {})
            else:
                kms.add_client_error("enable_key", "KMSInvalidStateException", "is pending deletion.")
        for _ in remediate.READ_BACK_AFTER:
            stub_read_back(kms, "Disabled")
        with pytest.raises(StillOpen, match=r"Left to do: Enable it"):
            lambda_handler(event, context)
        kms.assert_no_pending_responses()

    assert "Left to do: Enable it" in alerts.received()[0]["Message"]
    assert audit_records()[-1]["after"]["left"] == [kms_key_deletion.ENABLE]


@pytest.mark.parametrize(
    ("state", "left"),
    [
        ("PendingDeletion", 2),
        ("PendingReplicaDeletion", 2),
        ("Disabled", 1),
        ("Enabled", 0),
        ("PendingImport", 0),
        ("Unavailable", 0),
        (None, 0),
    ],
)
def test_what_is_left_to_do_follows_from_the_key_s_state(state, left):
    assert len(kms_key_deletion.left(State(state))) == left


def test_a_key_whose_deletion_is_cancelled_at_the_last_moment_is_enabled():
    key = attacks.create_key()
    aws.kms().disable_key(KeyId=key)
    with Stubber(aws.kms()) as kms:
        kms.add_client_error("cancel_key_deletion", "KMSInvalidStateException", "is not pending deletion.")
        kms.add_response("enable_key", {}, {"KeyId": attacks.SAMPLE_KEY})
        kms_key_deletion.apply(_planned())
        kms.assert_no_pending_responses()


def test_a_key_that_is_kept_and_not_enabled_is_a_failure_that_people_are_told_of(enforce, alerts, context):
    event = call("schedule-key-deletion")
    with Stubber(aws.kms()) as kms:
        stub_until_cancelled(kms)
        kms.add_client_error("enable_key", "AccessDeniedException", "may not enable")
        with pytest.raises(ClientError, match="may not enable"):
            lambda_handler(event, context)

    assert "may not enable" in alerts.received()[0]["Message"]
