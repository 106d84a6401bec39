from typing import Any

import pytest
from botocore.exceptions import ClientError

from automations import aws
from automations.errors import InvalidEvent, Refused
from security_remediation.handler import lambda_handler
from security_remediation.remediations import ssm_session
from tests.unit.security_remediation.answers import answer
from tests.unit.security_remediation.attacks.sessions import command, session
from tests.unit.security_remediation.conftest import audit_records, call

pytestmark = pytest.mark.usefixtures("deployed")


def test_without_a_list_nothing_is_judged(enforce, alerts, calls, context, monkeypatch):
    monkeypatch.setenv("SESSION_PRINCIPALS", "")
    attacked = session()

    assert lambda_handler(attacked.event, context)["outcomes"]["ssm_session"] == "harmless"
    assert attacked.state() == attacked.opened


@pytest.mark.parametrize(
    "allowed",
    [
        "arn:aws:iam::123456789012:role/Dev*",
        "arn:aws:sts::123456789012:assumed-role/*/alice",
        "arn:aws:iam::1:user/x, arn:aws:iam::*:role/Developers",
    ],
)
def test_the_list_names_roles_or_sessions(allowed, enforce, alerts, context, monkeypatch):
    monkeypatch.setenv("SESSION_PRINCIPALS", allowed)
    attacked = session()

    assert lambda_handler(attacked.event, context)["outcomes"]["ssm_session"] == "harmless"


def test_the_message_names_the_machines_and_no_undo(enforce, alerts, context):
    lambda_handler(command().event, context)

    [message] = alerts.received()
    assert "SSM command on i-0123456789abcdef0, i-0fedcba9876543210" in message["Message"]
    assert "To put back" not in message["Message"]
    with pytest.raises(Refused, match="cannot be put back"):
        ssm_session.restore(audit_records()[0]["before"])


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"target": "ecs:shop_0123_4567"}, "ecs:shop_0123_4567"),
        ({"instanceIds": {"items": ["i-1", "i-2"]}}, "i-1, i-2"),
        ({"targets": [{"key": "tag:Environment", "values": ["a", "b"]}]}, "tag:Environment=a,b"),
        (None, "a machine that the record does not name"),
    ],
)
def test_machines_are_named_in_each_form_of_the_record(asked, named, alerts, context):
    attacked = session()
    attacked.event["detail"]["requestParameters"] = asked

    lambda_handler(attacked.event, context)

    assert f"SSM session on {named}" in alerts.received()[0]["Message"]


def test_a_command_that_is_unknown_by_now_is_over(enforce, alerts, context):
    lambda_handler(call("send-command"), context)

    assert "It is not so any more" in alerts.received()[0]["Message"]


def test_a_record_that_does_not_name_its_session_is_told_and_fails(alerts, context):
    with pytest.raises(InvalidEvent, match="does not name its session"):
        lambda_handler(call("start-session", responseElements=None), context)

    assert "could not be dealt with" in alerts.received()[0]["Subject"]


def test_a_session_in_another_region_is_refused(enforce, alerts, context):
    with pytest.raises(Refused, match="in eu-west-1"):
        lambda_handler(call("start-session", awsRegion="eu-west-1"), context)


def test_an_error_of_systems_manager_is_told_and_the_session_goes_on(enforce, alerts, context):
    attacked = session()
    refusal: dict[str, Any] = {"Error": {"Code": "AccessDeniedException", "Message": "No."}}
    answer(aws.ssm(), "TerminateSession", lambda _: refusal)

    with pytest.raises(ClientError, match="AccessDenied"):
        lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.opened
    assert "could not be dealt with" in alerts.received()[0]["Subject"]
