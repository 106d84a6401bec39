"""What every remediation stands on: modes, exemptions, incidents, the audit, and who may."""

import json
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from automations import aws
from automations.errors import DeliveryError, SettingsError
from automations.events.cloudtrail import ApiCall
from automations.notify import Severity
from security_remediation import remediate
from security_remediation.audit import keep
from security_remediation.exemptions import Exemption, judge, read_exemptions
from security_remediation.handler import Settings, lambda_handler
from security_remediation.incidents import Incident, count, incident_key
from security_remediation.message import Outcome
from security_remediation.modes import Mode, mode_of
from security_remediation.plan import Kind, Plan
from tests.unit.security_remediation.attacks import first as attacks
from tests.unit.security_remediation.conftest import AUDIT, BUCKET, audit_records, call, writes

TAG = "automations:security-exempt"
TODAY = date(2026, 11, 20)
RESOURCE = f"S3 bucket {BUCKET}"


# ---------------------------------------------------------------- modes


@pytest.mark.parametrize(
    ("kind", "stack", "own", "mode"),
    [
        (Kind.UNDO, Mode.NOTIFY, None, Mode.NOTIFY),
        (Kind.UNDO, Mode.ENFORCE, None, Mode.ENFORCE),
        (Kind.UNDO, Mode.ENFORCE, "default", Mode.ENFORCE),
        (Kind.UNDO, Mode.ENFORCE, "notify", Mode.NOTIFY),
        (Kind.UNDO, Mode.NOTIFY, "enforce", Mode.ENFORCE),
        (Kind.BASELINE, Mode.ENFORCE, None, Mode.ENFORCE),
        (Kind.CONTAINMENT, Mode.ENFORCE, None, Mode.NOTIFY),
        (Kind.CONTAINMENT, Mode.ENFORCE, "default", Mode.NOTIFY),
        (Kind.CONTAINMENT, Mode.NOTIFY, "enforce", Mode.ENFORCE),
        (Kind.CONTAINMENT, Mode.ENFORCE, "off", Mode.OFF),
        (Kind.TELL, Mode.ENFORCE, None, Mode.NOTIFY),
        (Kind.TELL, Mode.ENFORCE, "enforce", Mode.NOTIFY),
        (Kind.TELL, Mode.ENFORCE, "off", Mode.OFF),
    ],
)
def test_a_remediation_follows_its_own_mode_or_the_stacks(kind, stack, own, mode):
    remediation: Any = SimpleNamespace(NAME="it", KIND=kind)
    assert mode_of(remediation, stack, {"it": own} if own else {}) == mode
    assert mode_of(remediation, stack, {"another": "off"} | ({"it": own} if own else {})) == mode


@pytest.mark.parametrize("text", ["{", "[]", '"enforce"', '{"it": "on"}', '{"it": []}', '{"it": null}', '{"it": true}'])
def test_bad_modes_are_named(text, deployed, monkeypatch):
    monkeypatch.setenv("MODES", text)
    with pytest.raises(SettingsError, match="MODES"):
        Settings.from_env()


# ---------------------------------------------------------------- exemptions


def exemption(**fields: Any) -> Exemption:
    given = {"remediation": "bucket_policy", "resource": RESOURCE, "reason": "a website", "until": "2026-12-31"}
    return Exemption.model_validate(given | fields)


def verdict(*entries: Exemption, tag: str | None = None) -> tuple[bool, str]:
    tags = {TAG: tag, "other": "2026-12-31 no"} if tag is not None else {}
    judged = judge("bucket_policy", RESOURCE, tags, TAG, entries, TODAY)
    return judged.exempt, judged.why


@pytest.mark.parametrize(
    "tag",
    [
        "2026-12-31 vendor access",
        "2026-12-31: vendor access",
        "2026-12-31/vendor access",
        "2026-12-31_vendor access",
        "2026-12-31 - vendor access",
        "  2026-12-31  vendor access  ",
    ],
)
def test_a_tag_exempts_with_a_day_and_a_reason(tag):
    exempt, why = verdict(tag=tag)
    assert exempt
    assert why == f"It is left as it is: its tag {TAG} exempts it until 2026-12-31: vendor access."


@pytest.mark.parametrize(
    "tag", ["", "true", "2026-12-31", "2026-12-31 ", "2026-02-30 no such day", "31.12.2026 vendor", "vendor 2026-12-31"]
)
def test_a_tag_without_a_day_or_a_reason_does_not_count_and_says_so(tag):
    exempt, why = verdict(tag=tag)
    assert not exempt
    assert "does not count: write a last day and a reason" in why


def test_the_last_day_counts_and_after_it_the_exemption_says_that_it_ran_out():
    assert verdict(tag="2026-11-20 vendor")[0]
    assert verdict(exemption(until="2026-11-20"))[0]
    for exempt, why in (verdict(tag="2026-11-19 vendor"), verdict(exemption(until="2026-11-19"))):
        assert not exempt
        assert "has run out and does not count any more" in why
        assert "2026-11-19" in why


def test_one_exemption_that_counts_is_enough():
    assert verdict(exemption(until="2026-01-01"), exemption(until="2027-01-01"), tag="2026-01-01 old")[0]
    assert verdict(exemption(), tag="true")[0]
    assert verdict() == (False, "")


@pytest.mark.parametrize(
    ("fields", "exempt"),
    [
        ({"remediation": "*"}, True),
        ({"remediation": "public_acl"}, False),
        ({"resource": "*"}, True),
        ({"resource": "S3 bucket amzn-*"}, True),
        ({"resource": "S3 bucket AMZN-*"}, False),
        ({"resource": "amzn-*"}, False),
        ({"resource": "S3 bucket another"}, False),
    ],
)
def test_an_entry_names_a_remediation_and_a_resource(fields, exempt):
    assert verdict(exemption(**fields))[0] is exempt


def test_an_entry_covers_the_very_resource_whatever_characters_its_name_has():
    name = "S3 object report[1].txt in bucket"
    entry = exemption(resource=name, remediation="public_acl")
    assert judge("public_acl", name, {}, TAG, [entry], TODAY).exempt


def test_an_entry_may_name_what_the_resource_is_a_part_of():
    entries = [exemption(resource="Configuration of *")]
    assert judge("bucket_policy", RESOURCE, {}, TAG, entries, TODAY, also=("Other", "Configuration of queries")).exempt
    assert not judge("bucket_policy", RESOURCE, {}, TAG, entries, TODAY, also=("Other",)).exempt


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "{}",
        '[{"remediation": "bucket_policy"}]',
        '[{"remediation": "*", "resource": "", "reason": "r", "until": "2026-12-31"}]',
        '[{"remediation": "*", "resource": "*", "reason": "", "until": "2026-12-31"}]',
        '[{"remediation": "*", "resource": "*", "reason": "r", "until": "soon"}]',
        '[{"remediation": "*", "resource": "*", "reason": "r", "until": "2026-12-31", "untill": "2027-12-31"}]',
    ],
)
def test_bad_exemptions_name_the_parameter(text):
    with pytest.raises(SettingsError, match="SSM parameter /exemptions cannot be read"):
        read_exemptions(text, "/exemptions")


def test_while_the_exemptions_cannot_be_read_nothing_is_changed(deployed, enforce, alerts, calls, context, monkeypatch):
    aws.ssm().put_parameter(Name="/exemptions", Value="[", Type="String")
    monkeypatch.setenv("EXEMPTIONS_PARAMETER", "/exemptions")
    attacked = attacks.policy_for_everyone()
    calls.clear()

    with pytest.raises(SettingsError, match="/exemptions"):
        lambda_handler(attacked.event, context)

    assert writes(calls) == []
    assert "/exemptions" in alerts.received()[0]["Message"]


def test_an_exemption_counts_from_the_moment_it_is_written(deployed, enforce, context, monkeypatch):
    aws.ssm().put_parameter(Name="/exemptions", Value="[]", Type="String")
    monkeypatch.setenv("EXEMPTIONS_PARAMETER", "/exemptions")
    attacked = attacks.policy_for_everyone()
    lambda_handler(attacked.event, context)

    before = next(one["before"] for one in audit_records())
    entry = exemption(until="2099-12-31").model_dump(mode="json")
    aws.ssm().put_parameter(Name="/exemptions", Value=json.dumps([entry]), Type="String", Overwrite=True)
    aws.s3().put_bucket_policy(**before)
    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.opened


@pytest.mark.parametrize("mode", ["notify", "enforce"])
def test_what_is_told_only_is_exempted_like_the_rest(mode, deployed, alerts, context, monkeypatch):
    entry = exemption(remediation="root_activity", resource="*", until="2099-12-31").model_dump(mode="json")
    aws.ssm().put_parameter(Name="/exemptions", Value=json.dumps([entry]), Type="String")
    monkeypatch.setenv("EXEMPTIONS_PARAMETER", "/exemptions")
    monkeypatch.setenv("MODE", mode)

    assert lambda_handler(call("root-api-call"), context)["outcomes"]["root_activity"] == Outcome.EXEMPT

    [message] = alerts.received()
    assert message["Subject"] == "[INFO] The root user called CreateUser: exempt"
    assert "exempts it until 2099-12-31: a website." in message["Message"]
    assert "in enforce mode" not in message["Message"]


def test_what_is_exempt_and_not_so_any_more_is_told_as_exempt(deployed, enforce, alerts, context, monkeypatch):
    entry = exemption(until="2099-12-31").model_dump(mode="json")
    aws.ssm().put_parameter(Name="/exemptions", Value=json.dumps([entry]), Type="String")
    monkeypatch.setenv("EXEMPTIONS_PARAMETER", "/exemptions")
    attacked = attacks.policy_for_everyone()
    attacked.revert()

    lambda_handler(attacked.event, context)

    [message] = alerts.received()
    assert message["Subject"].startswith("[INFO] ")
    assert "It is not so any more" in message["Message"]


# ---------------------------------------------------------------- incidents


FOUND = Plan(RESOURCE, "lets in an account", Severity.WARNING)


def happened(event_id: str, minute: int, table: str, **identity: Any) -> Incident:
    """An alike call, as many minutes past four."""
    event = call("put-bucket-policy-public", eventID=event_id)
    event["time"] = f"2026-11-20T{4 + minute // 60:02}:{minute % 60:02}:00Z"
    event["detail"]["userIdentity"] |= identity
    model = ApiCall.model_validate(event)
    return count(incident_key("bucket_policy", model, FOUND, "told"), model, table)


def test_the_same_within_the_window_is_counted_and_told_with_the_next_message(idempotency_table):
    table = idempotency_table
    assert happened("a", 0, table) == Incident(told=True)
    assert happened("b", 1, table) == Incident(told=False)
    assert happened("c", 14, table) == Incident(told=False)
    assert happened("d", 15, table) == Incident(told=True, more=2)
    assert happened("e", 16, table) == Incident(told=False)
    assert happened("f", 60, table) == Incident(told=True, more=1)


def test_a_second_delivery_of_the_first_is_told_again_and_of_another_counts_once(idempotency_table):
    table = idempotency_table
    for _ in range(2):
        assert happened("a", 0, table) == Incident(told=True)
    for _ in range(3):
        assert happened("b", 1, table) == Incident(told=False)
    assert happened("c", 20, table) == Incident(told=True, more=1)


def test_an_event_that_arrives_late_belongs_to_the_message_after_it(idempotency_table):
    assert happened("a", 30, idempotency_table).told
    assert not happened("b", 10, idempotency_table).told


def test_another_actor_is_another_incident(idempotency_table):
    assert happened("a", 0, idempotency_table).told
    assert happened("b", 1, idempotency_table, arn="arn:aws:iam::111122223333:user/Bob").told
    for account in ("444455556666", "777788889999"):  # neither an ARN nor a principal
        assert happened(account, 2, idempotency_table, arn=None, principalId=None, accountId=account).told


def test_another_remediation_resource_finding_action_or_outcome_is_another_incident():
    event = ApiCall.model_validate(call("put-bucket-policy-public"))
    other = ApiCall.model_validate(call("put-bucket-policy-public", eventName="DeleteBucketPolicy"))
    keys = {
        incident_key("bucket_policy", event, FOUND, "told"),
        incident_key("public_acl", event, FOUND, "told"),
        incident_key("bucket_policy", event, replace(FOUND, resource="S3 bucket other"), "told"),
        incident_key("bucket_policy", event, replace(FOUND, finding="lets in everyone"), "told"),
        incident_key("bucket_policy", event, replace(FOUND, severity=Severity.CRITICAL), "told"),
        incident_key("bucket_policy", event, FOUND, "closed"),
        incident_key("bucket_policy", other, FOUND, "told"),
    }
    assert len(keys) == 7


def test_people_get_one_message_of_a_burst_and_its_count_with_the_next(deployed, alerts, context):
    attacked = attacks.policy_for_everyone()
    for number, minute in enumerate((0, 1, 2, 30)):
        attacked.event["detail"]["eventID"] = f"event-{number}"
        lambda_handler(attacked.event | {"time": f"2026-11-20T04:{minute:02}:00Z"}, context)

    first, second = alerts.received()
    assert "since the last message" not in first["Message"]
    assert "The same was done 2 more times since the last message." in second["Message"]


FAILURE = "could not be dealt with"


@pytest.fixture
def refused(deployed, monkeypatch) -> dict[str, Any]:
    """A call on a bucket that cannot be read."""
    refuse(monkeypatch, aws.s3(), "get_bucket_policy")
    return call("put-bucket-policy-public")


def fail(event: dict[str, Any], context: Any, event_id: str, minute: int = 0) -> None:
    event["detail"]["eventID"] = event_id
    with pytest.raises(ClientError):
        lambda_handler(event | {"time": f"2026-11-20T04:{minute:02}:00Z"}, context)


def test_people_get_one_message_of_a_burst_that_fails_in_the_same_way_and_its_count_with_the_next(
    refused, alerts, context
):
    for event_id, minute in (("a", 0), ("a", 0), ("b", 1), ("b", 1), ("c", 2), ("d", 30)):
        fail(refused, context, event_id, minute)

    first, second = alerts.received()
    assert FAILURE in first["Subject"]
    assert "are counted, not told: they are in the queue." in first["Message"]
    assert "since the last message" not in first["Message"]
    assert "2 more events failed so since the last message." in second["Message"]


def test_another_kind_of_failure_and_another_remediation_are_told_by_themselves(refused, alerts, context, monkeypatch):
    fail(refused, context, "a")
    refuse(monkeypatch, aws.s3(), "get_bucket_policy", "SlowDown")
    fail(refused, context, "b")
    refuse(monkeypatch, aws.s3(), "get_bucket_acl", "SlowDown")
    fail(call("put-bucket-acl-public"), context, "c")

    assert [FAILURE in one["Subject"] for one in alerts.received()] == [True, True, True]


def test_a_failure_that_cannot_be_counted_is_told(refused, alerts, context, monkeypatch, logs):
    monkeypatch.setattr(remediate, "count", refusal("UpdateItem"))
    for event_id in ("a", "b"):
        fail(refused, context, event_id)

    assert len(alerts.received()) == 2
    assert "UpdateItem" in logs.getvalue()


# ---------------------------------------------------------------- another attempt


def test_what_people_could_not_be_told_is_told_in_full_even_when_it_cannot_be_counted(
    deployed, enforce, alerts, context, monkeypatch
):
    attacked = attacks.policy_for_everyone()
    monkeypatch.setattr(remediate, "count", refusal("UpdateItem"))
    with monkeypatch.context() as patched:
        refuse(patched, aws.sns(), "publish")
        with pytest.raises(DeliveryError, match="SNS: "):
            lambda_handler(attacked.event, context)

    lambda_handler(attacked.event, context)

    [message] = alerts.received()
    assert message["Subject"] == f"[WARNING] {RESOURCE} has a policy that lets in everyone: put right"
    assert "This was done:\n- Remove statement PublicRead from the bucket policy." in message["Message"]
    assert (
        f"To put back what was there before: python -m local security undo {audit_records()[0]['id']}"
        in (message["Message"])
    )
    assert remediate.INTERRUPTED not in message["Message"]
    assert [one["outcome"] for one in audit_records()] == ["about to be changed", Outcome.CLOSED]


def test_an_attempt_that_ends_between_the_change_and_its_audit_is_told_and_audited_by_the_next(
    deployed, enforce, alerts, context, monkeypatch
):
    attacked = attacks.policy_for_everyone()
    with monkeypatch.context() as patched:
        patched.setattr(remediate, "keep", crash_at_the_second(keep))
        with pytest.raises(KeyboardInterrupt):  # as when Lambda ends the function: nobody is told of it
            lambda_handler(attacked.event, context)
    assert attacked.state() == attacked.closed
    assert alerts.received() == []

    for _ in range(2):
        lambda_handler(attacked.event, context)

    [message] = alerts.received()
    assert "This was done:\n- Remove statement PublicRead from the bucket policy." in message["Message"]
    assert remediate.INTERRUPTED in message["Message"]
    begun, closed = audit_records()
    assert f"security undo {begun['id']}" in message["Message"]
    assert (closed["outcome"], closed["after"]) == (Outcome.CLOSED, {"verified": True})
    assert closed["before"] == begun["before"]


def test_what_was_open_still_and_is_closed_by_now_is_told_as_what_the_earlier_attempt_began(
    deployed, enforce, alerts, context, monkeypatch
):
    attacked = attacks.policy_for_everyone()
    with monkeypatch.context() as patched:
        patched.setattr(aws.s3(), "put_bucket_policy", lambda **_: None)
        with pytest.raises(remediate.StillOpen):
            lambda_handler(attacked.event, context)
    attacked.revert()

    lambda_handler(attacked.event, context)

    failure, message = alerts.received()
    assert FAILURE in failure["Subject"]
    assert remediate.INTERRUPTED in message["Message"]
    assert audit_records()[-1]["outcome"] == Outcome.CLOSED


def test_an_older_record_is_told_too(deployed, enforce, alerts, context):
    attacked = attacks.policy_for_everyone()
    lambda_handler(attacked.event, context)
    keep(AUDIT, {key: value for key, value in audit_records()[-1].items() if key != "severity"})

    assert lambda_handler(attacked.event, context)["outcomes"]["bucket_policy"] == Outcome.CLOSED


def test_what_is_open_again_is_closed_again(deployed, enforce, alerts, context):
    attacked = attacks.policy_for_everyone()
    before = aws.s3().get_bucket_policy(Bucket=BUCKET)["Policy"]
    lambda_handler(attacked.event, context)
    aws.s3().put_bucket_policy(Bucket=BUCKET, Policy=before)

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed
    assert len(audit_records()) == 4


def test_what_somebody_else_closed_before_any_attempt_is_told_as_such(deployed, enforce, alerts, context):
    attacked = attacks.policy_for_everyone()
    attacked.revert()

    lambda_handler(attacked.event, context)

    [message] = alerts.received()
    assert "It is not so any more" in message["Message"]
    assert audit_records() == []


def test_records_that_cannot_be_read_are_a_failure_that_is_told(deployed, enforce, alerts, context, monkeypatch):
    attacked = attacks.policy_for_everyone()
    attacked.revert()
    refuse(monkeypatch, aws.s3(), "get_object")

    with pytest.raises(ClientError, match="AccessDenied"):
        lambda_handler(attacked.event, context)

    assert FAILURE in alerts.received()[0]["Subject"]


# ---------------------------------------------------------------- the audit


def test_the_previous_state_is_kept_before_the_change(deployed, enforce, context, monkeypatch):
    attacked = attacks.policy_for_everyone()
    put = aws.s3().put_bucket_policy
    kept: list[Any] = []

    def looking(**arguments: Any) -> Any:
        kept.extend(audit_records())
        return put(**arguments)

    monkeypatch.setattr(aws.s3(), "put_bucket_policy", looking)

    lambda_handler(attacked.event, context)

    [record] = kept
    assert json.loads(record["before"]["Policy"])["Statement"] == attacked.opened
    assert record["outcome"] == "about to be changed"


def refusal(method: str, code: str = "AccessDenied") -> Any:
    def refused(*_: object, **__: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "No."}}, method)

    return refused


def refuse(monkeypatch: pytest.MonkeyPatch, client: Any, method: str, code: str = "AccessDenied") -> None:
    monkeypatch.setattr(client, method, refusal(method, code))


def crash_at_the_second(keep: Any) -> Any:
    kept: list[Any] = []

    def once(*arguments: Any) -> None:
        if kept:
            raise KeyboardInterrupt
        kept.append(arguments)
        keep(*arguments)

    return once


def test_when_the_previous_state_cannot_be_kept_nothing_is_changed(
    deployed, enforce, alerts, calls, context, monkeypatch
):
    attacked = attacks.policy_for_everyone()
    refuse(monkeypatch, aws.s3(), "put_object")
    calls.clear()

    with pytest.raises(ClientError, match="AccessDenied"):
        lambda_handler(attacked.event, context)

    assert writes(calls) == []
    assert attacked.state() == attacked.opened
    assert "could not be dealt with" in alerts.received()[0]["Subject"]


def test_what_is_open_still_is_audited_with_what_is_left(deployed, enforce, context, monkeypatch):
    attacked = attacks.policy_for_everyone()
    monkeypatch.setattr(aws.s3(), "put_bucket_policy", lambda **_: None)

    with pytest.raises(remediate.StillOpen):
        lambda_handler(attacked.event, context)

    assert audit_records()[-1]["after"] == {
        "verified": False,
        "left": ["Remove statement PublicRead from the bucket policy."],
    }


def test_a_failure_that_cannot_be_told_is_raised_itself(deployed, enforce, context, monkeypatch, logs):
    attacked = attacks.policy_for_everyone()
    refuse(monkeypatch, aws.s3(), "put_bucket_policy")
    monkeypatch.setenv("ALERTS_TOPIC", "arn:aws:sns:ap-northeast-2:123456789012:absent")

    with pytest.raises(ClientError, match="AccessDenied"):
        lambda_handler(attacked.event, context)

    assert "SNS: " in logs.getvalue()


# ---------------------------------------------------------------- who may


@pytest.mark.parametrize(
    ("pattern", "may"),
    [
        ("arn:aws:iam::123456789012:role/DeploymentRole", True),
        ("arn:aws:iam::*:role/Deployment*", True),
        ("arn:aws:sts::123456789012:assumed-role/DeploymentRole/github-actions", True),
        ("arn:aws:sts::123456789012:assumed-role/DeploymentRole/*", True),
        ("arn:aws:iam::123456789012:role/Deployment", False),
        ("arn:aws:iam::444455556666:role/DeploymentRole", False),
        ("DeploymentRole", False),
        ("arn:aws:iam::123456789012:user/*", False),
    ],
)
def test_roles_and_sessions_are_allowed_by_the_patterns_of_their_arns(
    pattern, may, deployed, alerts, context, monkeypatch
):
    attacked = attacks.administrator_role()
    monkeypatch.setenv("ALLOWED_PRINCIPALS", f"arn:aws:iam::123456789012:role/other, {pattern}")

    ignored = lambda_handler(attacked.event, context)["ignored"]

    assert ignored == ("The principal is on the list of those who may." if may else "")


def test_users_are_allowed_by_the_patterns_of_their_arns(deployed, alerts, context, monkeypatch):
    attacked = attacks.policy_for_everyone()
    user = attacked.event["detail"]["userIdentity"]["arn"]
    monkeypatch.setenv("ALLOWED_PRINCIPALS", user)
    assert lambda_handler(attacked.event, context)["ignored"]

    monkeypatch.setenv("ALLOWED_PRINCIPALS", f"{user}-2")
    assert not lambda_handler(attacked.event, context)["ignored"]
