"""The hourly run, and what it notes."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from automations import aws
from automations.errors import InvalidEvent
from security_remediation import baseline, organization
from security_remediation.baseline import Incomplete, known, note, own_tags
from security_remediation.handler import lambda_handler
from security_remediation.plan import Kind
from security_remediation.registry import REMEDIATIONS
from tests.unit.conftest import ACCOUNT
from tests.unit.security_remediation.attacks import baseline as attacks
from tests.unit.security_remediation.attacks import config as recorders
from tests.unit.security_remediation.attacks import first
from tests.unit.security_remediation.conftest import BUCKET, call, writes

pytestmark = pytest.mark.usefixtures("deployed")
BASELINES = ("trail_deleted", "config_recorder", "flow_logs_deleted", "resolver_query_logging_deleted")


@pytest.fixture(autouse=True)
def _new_environment() -> None:
    organization._read.clear()


def notes() -> dict[str, Any]:
    return {
        item["id"]["S"]: json.loads(item["settings"]["S"])
        for item in aws.dynamodb().scan(TableName="BaselineTable")["Items"]
    }


def refuse(monkeypatch: pytest.MonkeyPatch, client: Any, method: str, code: str = "AccessDenied") -> None:
    def refused(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "No."}}, method)

    monkeypatch.setattr(client, method, refused)


def test_every_remediation_from_the_baseline_takes_a_snapshot():
    assert [one.NAME for one in REMEDIATIONS if hasattr(one, "snapshot")] == [
        one.NAME for one in REMEDIATIONS if one.KIND == Kind.BASELINE
    ]


def test_the_hourly_run_notes_what_there_is_until_it_expires(calls, alerts, context):
    attacks.create_trail()
    vpc = attacks.create_vpc()
    flow_log = attacks.create_flow_log(**attacks.to_group(vpc))
    config = attacks.create_query_logging(vpc)
    recorders.create_recorder()
    calls.clear()

    outcome = lambda_handler(call("take-baseline"), context)

    assert outcome == {"noted": dict.fromkeys(BASELINES, 1)}
    assert writes(calls) == []
    assert alerts.received() == []
    found = notes()
    assert set(found) == {
        "trail/management-events",
        "config-recorder",
        f"flow-log/{flow_log}",
        f"resolver-query-log-config/{config}",
    }
    assert found["trail/management-events"]["create"]["S3BucketName"] == attacks.LOGS
    [item, *_] = aws.dynamodb().scan(TableName="BaselineTable")["Items"]
    expires = datetime.fromtimestamp(int(item["expiration"]["N"]), UTC)
    assert abs(expires - datetime.now(UTC) - timedelta(days=90)) < timedelta(minutes=1)


def test_what_is_gone_keeps_its_last_note_and_what_changed_has_a_new_one(context):
    vpc = attacks.create_vpc()
    kept = attacks.create_flow_log(**attacks.to_group(vpc))
    lambda_handler(call("take-baseline"), context)
    before = notes()
    aws.ec2().delete_flow_logs(FlowLogIds=[kept])
    config = attacks.create_query_logging(vpc)
    lambda_handler(call("take-baseline"), context)
    assert notes()[f"resolver-query-log-config/{config}"]["Vpcs"] == [vpc]
    attacks.take_out(config, vpc)

    lambda_handler(call("take-baseline"), context)

    assert notes()[f"flow-log/{kept}"] == before[f"flow-log/{kept}"]
    assert notes()[f"resolver-query-log-config/{config}"]["Vpcs"] == []


def test_a_kind_that_fails_does_not_stop_the_others_and_fails_the_run(context, monkeypatch):
    attacks.create_trail()
    attacks.create_query_logging()
    monkeypatch.setattr(aws.cloudtrail(), "describe_trails", lambda **_: {"trailList": [{"Name": attacks.TRAIL}]})
    refuse(monkeypatch, aws.cloudtrail(), "get_trail_status")

    with pytest.raises(Incomplete, match=r"just now\. trail_deleted: .*AccessDenied"):
        lambda_handler(call("take-baseline"), context)

    assert [key.split("/")[0] for key in notes()] == ["resolver-query-log-config"]


def test_what_is_off_is_not_noted(context, monkeypatch):
    monkeypatch.setenv("MODES", json.dumps({"trail_deleted": "off", "trail_changed": "off"}))
    attacks.create_trail()
    refuse(monkeypatch, aws.cloudtrail(), "describe_trails")

    assert set(lambda_handler(call("take-baseline"), context)["noted"]) == {*BASELINES} - {"trail_deleted"}


@pytest.mark.parametrize("off", ["trail_deleted", "trail_changed"])
def test_a_note_that_serves_two_is_taken_while_one_of_them_is_on(off, context, monkeypatch):
    monkeypatch.setenv("MODES", json.dumps({off: "off"}))
    attacks.create_trail()

    lambda_handler(call("take-baseline"), context)

    assert "trail/management-events" in notes()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], datetime]:
    """Sets the hour, and returns it."""

    class Clock(datetime):
        at = 0

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime(2026, 11, 20, cls.at, tzinfo=UTC)

    monkeypatch.setattr(baseline, "datetime", Clock)

    def set_to(hour: int) -> datetime:
        Clock.at = hour
        return Clock.now()

    return set_to


def test_what_was_noted_first_after_a_call_does_not_say_what_was_there_before(clock):
    for hour, settings in ((1, {"a": 1}), (2, {"a": 1}), (4, {"a": 2}), (5, {"a": 2})):
        clock(hour)
        note("it", settings)

    def at(hour: int) -> Any:
        found = known("it", clock(hour))
        return found and (found.settings["a"], found.taken_at)

    assert at(0) is None
    assert [at(hour) for hour in (1, 2, 3)] == [(1, "2026-11-20 02:00 UTC")] * 3
    assert [at(hour) for hour in (4, 5, 9)] == [(2, "2026-11-20 05:00 UTC")] * 3
    assert known("it") == known("it", clock(9))


def test_only_the_last_note_before_is_kept(clock):
    for hour, value in enumerate((1, 2, 3)):
        clock(hour)
        note("it", {"a": value})

    assert known("it", clock(0)) is None
    before = known("it", clock(1))
    assert before
    assert before.settings == {"a": 2}


def test_a_note_of_an_earlier_version_of_this_function_counts():
    item = {"id": {"S": "it"}, "settings": {"S": '{"a": 1}'}, "taken_at": {"S": "2026-11-20 01:00 UTC"}}
    aws.dynamodb().put_item(TableName="BaselineTable", Item=item)

    before = known("it", datetime(2026, 11, 20, 2, tzinfo=UTC))
    note("it", {"a": 2})

    assert before
    assert before.settings == {"a": 1}
    assert known("it", datetime(2026, 11, 20, 2, tzinfo=UTC)) == before


def test_many_flow_logs_are_noted(context):
    for _ in range(12):
        attacks.create_flow_log(**attacks.to_group(attacks.create_vpc()))

    assert lambda_handler(call("take-baseline"), context)["noted"]["flow_logs_deleted"] == 12


def test_an_event_of_another_kind_is_refused(context):
    with pytest.raises(InvalidEvent, match="detail-type"):
        lambda_handler(call("take-baseline") | {"detail-type": "EC2 Instance State-change Notification"}, context)


def test_what_was_never_seen_is_not_known():
    assert known("trail/other") is None


def test_tags_without_a_value_are_noted_and_those_of_aws_are_not():
    assert own_tags([{"Key": "a"}, {"Key": "b", "Value": "c"}, {"Key": "aws:x", "Value": "y"}]) == [
        {"Key": "a", "Value": ""},
        {"Key": "b", "Value": "c"},
    ]


# ---------------------------------------------------------------- the organisation


@pytest.fixture
def member(cloud: None) -> str:
    """An account of the organisation."""
    client = boto3.client("organizations")
    client.create_organization(FeatureSet="ALL")
    created = client.create_account(AccountName="member", Email="member@example.com")
    return created["CreateAccountStatus"]["AccountId"]


@pytest.fixture
def attack_by_the_member(member: str) -> Any:
    attacked = first.policy_for_a_foreign_account()
    for text in ("444455556666", "222233334444"):
        attacked.event = json.loads(json.dumps(attacked.event).replace(text, member))
    policy = attacked.event["detail"]["requestParameters"]["bucketPolicy"]
    aws.s3().put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    return attacked


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUST_ORGANIZATION", "true")


def test_accounts_of_the_organisation_are_not_foreign_once_they_are_noted(
    member, attack_by_the_member, trusting, enforce, alerts, calls, context
):
    assert lambda_handler(call("take-baseline"), context)["noted"]["organization"] == 1
    own = boto3.client("organizations").describe_organization()["Organization"]["Id"]
    assert notes()["organization"] == {"id": own, "accounts": sorted([ACCOUNT, member])}
    before = attack_by_the_member.state()
    calls.clear()

    assert lambda_handler(attack_by_the_member.event, context)["outcomes"]["bucket_policy"] == "harmless"

    assert writes(calls) == []
    assert attack_by_the_member.state() == before


def test_without_a_note_none_of_them_is_trusted_and_the_next_event_looks_again(
    attack_by_the_member, trusting, alerts, context
):
    outcome = lambda_handler(attack_by_the_member.event, context)
    assert outcome["outcomes"]["bucket_policy"] == "nothing was done"

    lambda_handler(call("take-baseline"), context)

    assert lambda_handler(attack_by_the_member.event, context)["outcomes"]["bucket_policy"] == "harmless"


def test_they_are_foreign_unless_the_organisation_is_trusted(member, attack_by_the_member, alerts, context):
    assert "organization" not in lambda_handler(call("take-baseline"), context)["noted"]
    note(organization.KEY, {"accounts": [member]})

    outcome = lambda_handler(attack_by_the_member.event, context)

    assert outcome["outcomes"]["bucket_policy"] == "nothing was done"


def test_they_are_read_once_an_hour(member, trusting, context, monkeypatch):
    now = [1_800_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    lambda_handler(call("take-baseline"), context)
    assert member in organization.noted().accounts
    note(organization.KEY, {"accounts": []})
    now[0] += 60
    assert member in organization.noted().accounts
    now[0] += 3600

    assert organization.noted().accounts == frozenset()


def test_an_account_that_left_its_organisation_trusts_nobody_of_it(member, trusting, context):
    lambda_handler(call("take-baseline"), context)
    client = aws.organizations()
    with pytest.MonkeyPatch.context() as patched:

        def left(operation: str, arguments: Any) -> Any:
            raise ClientError({"Error": {"Code": "AWSOrganizationsNotInUseException", "Message": ""}}, operation)

        patched.setattr(client, "_make_api_call", left)
        lambda_handler(call("take-baseline"), context)

    assert organization.noted() == organization.Organization(id="")


def test_an_account_that_may_not_list_them_fails_the_run_and_keeps_the_note(member, trusting, context):
    lambda_handler(call("take-baseline"), context)
    client = aws.organizations()
    with pytest.MonkeyPatch.context() as patched:

        def refused(operation: str, arguments: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "No."}}, operation)

        patched.setattr(client, "_make_api_call", refused)
        with pytest.raises(Incomplete, match=r"organization: .*AccessDenied"):
            lambda_handler(call("take-baseline"), context)

    assert member in organization.noted().accounts


# ---------------------------------------------------------------- policies that name an organisation


def policy_for(organisation: str) -> Any:
    """An attack: a bucket that everyone of an organisation can read."""
    attacked = first.policy_for_everyone()
    policy = attacked.event["detail"]["requestParameters"]["bucketPolicy"]
    policy["Statement"][-1]["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": organisation}}
    aws.s3().put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    return attacked


FOREIGN_ORGANIZATION = "o-strangers1"


def outcome_of(attacked: Any, context: Any) -> str:
    outcome: str = lambda_handler(attacked.event, context)["outcomes"]["bucket_policy"]
    return outcome


def test_a_policy_for_the_own_organisation_is_harmless_once_it_is_noted(member, trusting, enforce, context):
    own = aws.organizations().describe_organization()["Organization"]["Id"]
    lambda_handler(call("take-baseline"), context)

    assert outcome_of(policy_for(own), context) == "harmless"


def test_a_policy_for_another_organisation_is_closed_once_the_own_one_is_known(
    member, trusting, enforce, alerts, context
):
    lambda_handler(call("take-baseline"), context)
    attacked = policy_for(FOREIGN_ORGANIZATION)

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed
    assert f"lets in organisation {FOREIGN_ORGANIZATION}" in alerts.received()[0]["Message"]


@pytest.mark.parametrize("note_of_an_earlier_version", [None, {"accounts": [ACCOUNT]}])
def test_while_the_own_one_is_not_known_an_organisation_is_told_and_nothing_is_changed(
    note_of_an_earlier_version, trusting, enforce, alerts, calls, context
):
    if note_of_an_earlier_version:
        note(organization.KEY, note_of_an_earlier_version)
    attacked = policy_for(FOREIGN_ORGANIZATION)
    before = attacked.state()
    calls.clear()

    assert outcome_of(attacked, context) == "nothing to do"

    assert writes(calls) == []
    assert attacked.state() == before
    [message] = alerts.received()
    assert f"lets in organisation {FOREIGN_ORGANIZATION}" in message["Message"]
    assert "name it in TrustedOrganizations" in message["Message"]


def test_an_organisation_is_trusted_by_its_id(enforce, context, monkeypatch):
    monkeypatch.setenv("TRUSTED_ORGANIZATIONS", f"o-others12345, {FOREIGN_ORGANIZATION}")
    assert outcome_of(policy_for(FOREIGN_ORGANIZATION), context) == "harmless"


def test_an_account_of_no_organisation_knows_that_any_is_foreign(trusting, enforce, context):
    note(organization.KEY, {"id": "", "accounts": []})
    attacked = policy_for(FOREIGN_ORGANIZATION)
    lambda_handler(attacked.event, context)
    assert attacked.state() == attacked.closed
