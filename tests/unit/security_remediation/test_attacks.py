"""What holds for every remediation: each attack, judged in both modes, reverted, exempted, delivered again, undone."""

import json
from importlib import import_module

import pytest

from automations import aws
from automations.errors import DeliveryError
from security_remediation.handler import lambda_handler
from security_remediation.registry import REMEDIATIONS
from tests.unit.security_remediation.attacks import every_attack
from tests.unit.security_remediation.conftest import OWN_ROLE, audit_records, writes

pytestmark = pytest.mark.usefixtures("deployed", "object_acls")
EACH = pytest.mark.parametrize("attack", every_attack(), ids=lambda attack: attack.__name__)


@EACH
def test_an_attack_is_on_a_remediation_that_acts(attack):
    assert attack().remediation in {one.NAME for one in REMEDIATIONS if one.WRITES}


@EACH
def test_in_enforce_mode_the_opening_is_closed_the_rest_is_kept_and_both_states_are_audited(
    attack, enforce, alerts, context
):
    attacked = attack()
    assert attacked.state() == attacked.opened

    outcome = lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed
    assert outcome["outcomes"][attacked.remediation] == "closed, and verified by reading back"
    message = next(one for one in alerts.received() if "put right" in one["Subject"] + one["Message"])
    assert "This was done:\n- " in message["Message"]
    before, after = [one for one in audit_records() if one["remediation"] == attacked.remediation]
    assert before["outcome"] == "about to be changed"
    assert bool(before["before"]) == attacked.undoable
    assert attacked.undoable or before["remark"] in message["Message"]
    assert after["after"] == {"verified": True}
    assert after["event"]["id"] == attacked.event["detail"]["eventID"]


@EACH
def test_in_notify_mode_nothing_is_written_and_people_are_told_what_would_be_done(attack, alerts, calls, context):
    attacked = attack()
    calls.clear()

    lambda_handler(attacked.event, context)

    assert calls
    assert writes(calls) == []
    assert attacked.state() == attacked.opened
    message = next(
        one["Message"] for one in alerts.received() if "In enforce mode this would be done:\n- " in one["Message"]
    )
    record = attacked.event["detail"]
    for fact in (
        record["sourceIPAddress"],
        record["userAgent"],
        record["userIdentity"].get("arn", ""),
        record["eventID"],
    ):
        assert fact in message


@EACH
def test_a_remediation_that_is_off_neither_acts_nor_tells(attack, alerts, calls, context, monkeypatch):
    monkeypatch.setenv("MODES", json.dumps({one.NAME: "off" for one in REMEDIATIONS}))
    attacked = attack()
    calls.clear()

    lambda_handler(attacked.event, context)

    assert calls == []
    assert alerts.received() == []


@EACH
def test_what_somebody_closed_already_is_not_touched(attack, enforce, alerts, calls, context):
    attacked = attack()
    attacked.revert()
    before = attacked.state()
    calls.clear()

    lambda_handler(attacked.event, context)

    assert writes(calls) == []
    assert attacked.state() == before


@EACH
def test_what_is_exempted_by_its_tag_is_told_and_not_touched(attack, enforce, alerts, calls, context):
    attacked = attack()
    if not attacked.exempt:
        return
    attacked.exempt()
    calls.clear()

    lambda_handler(attacked.event, context)

    assert writes(calls) == []
    assert attacked.state() == attacked.opened
    assert any("exempts it until 2099-12-31: a test needs it open" in one["Message"] for one in alerts.received())


@EACH
def test_what_is_exempted_by_the_configuration_is_told_and_not_touched(
    attack, enforce, alerts, calls, context, monkeypatch
):
    attacked = attack()
    entry = {"remediation": attacked.remediation, "resource": "*", "reason": "a drill", "until": "2099-12-31"}
    aws.ssm().put_parameter(Name="/exemptions", Value=json.dumps([entry]), Type="String")
    monkeypatch.setenv("EXEMPTIONS_PARAMETER", "/exemptions")
    calls.clear()

    lambda_handler(attacked.event, context)

    assert writes(calls) == []
    assert attacked.state() == attacked.opened
    assert any("exempts it until 2099-12-31: a drill" in one["Message"] for one in alerts.received())


@EACH
def test_a_second_delivery_does_and_tells_nothing_more(attack, enforce, alerts, calls, context):
    attacked = attack()
    lambda_handler(attacked.event, context)
    told = len(alerts.received())
    calls.clear()

    lambda_handler(attacked.event, context)

    assert told
    assert writes(calls) == []
    assert alerts.received() == []


@EACH
def test_what_people_could_not_be_told_after_the_change_they_are_told_in_full_by_the_next_attempt(
    attack, enforce, alerts, calls, context, monkeypatch
):
    attacked = attack()
    with monkeypatch.context() as patched:
        patched.setenv("ALERTS_TOPIC", "arn:aws:sns:ap-northeast-2:123456789012:absent")
        with pytest.raises(DeliveryError, match="SNS: "):
            lambda_handler(attacked.event, context)
    done = next(one for one in audit_records() if one["remediation"] == attacked.remediation)
    calls.clear()

    outcome = lambda_handler(attacked.event, context)

    assert writes(calls) == []
    assert outcome["outcomes"][attacked.remediation] == "closed, and verified by reading back"
    message = next(one["Message"] for one in alerts.received() if "This was done:\n- " in one["Message"])
    assert message.startswith(f"{done['resource']} {done['finding']}: put right\n")
    for step in done["steps"]:
        assert f"- {step}\n" in message
    assert (f"python -m local security undo {done['id']}" in message) == attacked.undoable


@EACH
def test_its_own_calls_failed_ones_and_those_of_services_are_left_alone(attack, enforce, alerts, calls, context):
    attacked = attack()
    calls.clear()

    for change in (
        {"userIdentity": {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": OWN_ROLE}}}},
        {"errorCode": "AccessDenied", "requestParameters": None},
        {"userIdentity": attacked.event["detail"]["userIdentity"] | {"invokedBy": "autoscaling.amazonaws.com"}},
    ):
        lambda_handler(attacked.event | {"detail": attacked.event["detail"] | change}, context)

    assert calls == []
    assert alerts.received() == []


@EACH
def test_a_call_that_opens_nothing_is_left_alone(attack, enforce, alerts, calls, context):
    attacked = attack()
    attacked.revert()
    calls.clear()

    for what, event in attacked.harmless.items():
        assert lambda_handler(event, context)["outcomes"][attacked.remediation] == "harmless", what

    assert writes(calls) == []


@EACH
def test_undo_puts_back_what_was_there(attack, enforce, alerts, context):
    attacked = attack()
    if not attacked.undoable:
        return
    lambda_handler(attacked.event, context)
    before = next(one["before"] for one in audit_records() if one["remediation"] == attacked.remediation)

    import_module(f"security_remediation.remediations.{attacked.remediation}").restore(before)

    assert attacked.state() == (attacked.opened if attacked.restored is None else attacked.restored)
