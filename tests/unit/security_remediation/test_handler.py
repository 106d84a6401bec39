import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from automations import aws
from automations.errors import InvalidEvent, Refused, SettingsError
from security_remediation.handler import lambda_handler
from security_remediation.remediate import StillOpen
from tests.unit.security_remediation.attacks import first as attacks
from tests.unit.security_remediation.conftest import BUCKET, OWN_ROLE, call, writes

pytestmark = pytest.mark.usefixtures("deployed")


def test_slack_is_told_as_well(slack, alerts, context):
    lambda_handler(attacks.policy_for_everyone().event, context)

    [post] = slack.to("/slack")
    assert post.json()["text"] == f"S3 bucket {BUCKET} has a policy that lets in everyone"
    link = "https://ap-northeast-2.console.aws.amazon.com/cloudtrailv2/home?region=ap-northeast-2#/events/7bf386ca"
    assert link in json.dumps(post.json())


def test_the_message_names_the_role_and_the_session(alerts, context):
    lambda_handler(attacks.administrator_role().event, context)

    [message] = alerts.received()
    assert "role DeploymentRole, session github-actions" in message["Message"]
    assert "IAM role ReportingRole has the policy AdministratorAccess" in message["Subject"]


def test_what_does_not_exist_any_more_is_told(enforce, alerts, context):
    names = ("put-bucket-policy-public", "put-object-acl-public", "delete-bucket-public-access-block")
    for name in (*names, "authorize-ingress-open-flat", "attach-user-policy-admin"):
        lambda_handler(call(name), context)

    messages = alerts.received()
    assert len(messages) == 5
    assert all("It does not exist any more" in message["Message"] for message in messages)


def test_a_policy_of_which_nothing_is_left_is_deleted(enforce, alerts, context):
    attacked = attacks.policy_for_everyone()
    statement = attacked.event["detail"]["requestParameters"]["bucketPolicy"]["Statement"][1]
    aws.s3().put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

    lambda_handler(attacked.event, context)

    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        attacked.state()


def test_trusted_accounts_are_not_foreign(enforce, alerts, calls, context, monkeypatch):
    monkeypatch.setenv("TRUSTED_ACCOUNTS", "222233334444, 444455556666")
    attacked = attacks.policy_for_a_foreign_account()

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.opened
    assert alerts.received() == []


def test_older_records_with_lists_are_read_too(enforce, alerts, context):
    attacked = attacks.bucket_acl()
    attacked.event["detail"]["requestParameters"] = {
        "bucketName": [BUCKET],
        "host": [f"{BUCKET}.s3.amazonaws.com"],
        "acl": [""],
        "x-amz-acl": ["public-read-write"],
    }

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_a_call_that_opened_nothing_is_left_alone(enforce, alerts, calls, context):
    """Others opened the group before, and the bucket after the call: that is for their own events."""
    group = attacks.create_group((22, "0.0.0.0/0"), (22, "203.0.113.0/24"))
    narrow = call("authorize-ingress-open-flat", {"sg-0123456789abcdef0": group}, responseElements=None)
    narrow["detail"]["requestParameters"]["cidrIp"] = "203.0.113.0/24"
    opened = attacks.bucket_acl()
    private = opened.event
    private["detail"]["requestParameters"]["x-amz-acl"] = "private"
    lesser = call("attach-user-policy-admin", {"AdministratorAccess": "ReadOnlyAccess"})
    calls.clear()

    for event in (narrow, private, lesser):
        assert "harmless" in lambda_handler(event, context)["outcomes"].values()

    assert writes(calls) == []
    assert alerts.received() == []


def test_an_egress_rule_that_was_modified_is_no_opening(enforce, alerts, context):
    group = attacks.create_group()
    [egress] = aws.ec2().describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])[
        "SecurityGroupRules"
    ]
    ids = {"sg-0123456789abcdef0": group, "sgr-3c5ffd51ad170fce4": egress["SecurityGroupRuleId"]}

    outcome = lambda_handler(call("modify-security-group-rules-open", ids), context)

    assert outcome["outcomes"]["security_group_ingress"] == "harmless"


def test_a_role_that_only_identity_center_can_change_is_told_and_not_touched(enforce, alerts, calls, context):
    attacks.know_aws_policies()
    aws.iam().create_role(RoleName="AWSReservedSSO_Admin_1", AssumeRolePolicyDocument="{}")
    aws.iam().attach_role_policy(RoleName="AWSReservedSSO_Admin_1", PolicyArn=attacks.ADMIN)
    calls.clear()

    lambda_handler(call("attach-role-policy-admin", {"ReportingRole": "AWSReservedSSO_Admin_1"}), context)

    assert writes(calls) == []
    assert "look at its permission set" in alerts.received()[0]["Message"]


@pytest.mark.parametrize("mode", ["notify", "enforce"])
def test_failed_calls_services_and_reads_are_left_alone(mode, alerts, calls, context, monkeypatch):
    monkeypatch.setenv("MODE", mode)

    for name in (
        "put-bucket-policy-failed",
        "attach-user-policy-failed",
        "root-console-sign-in-failed",
        "root-service-call",
        "describe-security-groups",
    ):
        lambda_handler(call(name), context)

    assert calls == []
    assert alerts.received() == []


def test_its_own_calls_are_left_alone(enforce, alerts, calls, context):
    event = call("put-bucket-policy-own-role")
    event["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = OWN_ROLE

    assert lambda_handler(event, context)["ignored"] == "It is this function's own call."
    assert calls == []


def test_another_accounts_bucket_is_left_alone(enforce, alerts, calls, context):
    event = call("put-bucket-policy-public")
    event["detail"]["resources"][0]["accountId"] = "444455556666"

    assert lambda_handler(event, context)["ignored"] == "The bucket belongs to account 444455556666."
    assert calls == []


def test_calls_in_another_account_or_region_are_refused(enforce, alerts, calls, context):
    with pytest.raises(Refused, match="made in account 444455556666"):
        lambda_handler(call("attach-user-policy-admin", {"123456789012": "444455556666"}), context)
    with pytest.raises(Refused, match="in eu-west-1"):
        lambda_handler(call("authorize-ingress-open-flat", awsRegion="eu-west-1"), context)
    assert calls == []


@pytest.mark.parametrize("mode", ["notify", "enforce"])
@pytest.mark.parametrize(
    ("name", "did"),
    [("root-api-call", "called CreateUser"), ("root-console-sign-in", "signed in to the console")],
)
def test_root_is_always_told_and_never_acted_on(name, did, mode, alerts, calls, context, monkeypatch):
    monkeypatch.setenv("MODE", mode)

    lambda_handler(call(name), context)

    assert calls == []
    [message] = alerts.received()
    assert message["Subject"] == f"[CRITICAL] The root user {did}"
    assert "198.51.100.201" in message["Message"]


def test_root_in_the_form_of_older_records_is_told_too(alerts, context):
    event = call("root-api-call", sourceIPAddress="AWS Internal", userAgent=None, awsRegion="global")
    event["detail"]["userIdentity"] |= {"sessionContext": {"sessionIssuer": {}}, "invokedBy": "signin.amazonaws.com"}

    lambda_handler(event, context)

    assert len(alerts.received()) == 1


def test_what_root_opened_is_closed_as_well_as_told(enforce, alerts, context):
    attacked = attacks.policy_for_everyone()
    attacked.event["detail"]["userIdentity"] = call("root-api-call")["detail"]["userIdentity"]

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed
    assert sorted(message["Subject"] for message in alerts.received()) == [
        "[CRITICAL] The root user called PutBucketPolicy",
        f"[WARNING] S3 bucket {BUCKET} has a policy that lets in everyone: put right",
    ]


def refuse(monkeypatch: pytest.MonkeyPatch, client: Any, method: str, code: str = "AccessDenied") -> None:
    def refused(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "No."}}, method)

    monkeypatch.setattr(client, method, refused)


@pytest.mark.parametrize("method", ["get_bucket_policy", "get_bucket_tagging", "put_bucket_policy"])
def test_an_aws_error_is_told_and_fails_the_event_and_nothing_is_changed(method, enforce, alerts, context, monkeypatch):
    attacked = attacks.policy_for_everyone()
    with monkeypatch.context() as patched:
        refuse(patched, aws.s3(), method)
        with pytest.raises(ClientError, match="AccessDenied"):
            lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.opened
    [message] = alerts.received()
    assert message["Subject"] == "[CRITICAL] PutBucketPolicy by user Alice could not be dealt with"
    assert "AccessDenied" in message["Message"]


def test_after_a_failure_the_next_attempt_closes_it_and_says_so(enforce, alerts, context, monkeypatch):
    attacked = attacks.policy_for_everyone()
    with monkeypatch.context() as patched:
        refuse(patched, aws.s3(), "put_bucket_policy")
        with pytest.raises(ClientError):
            lambda_handler(attacked.event, context)

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed
    assert "closed, and verified" in alerts.received()[1]["Message"]


def test_a_read_back_that_shows_it_open_still_is_a_failure(enforce, alerts, context, monkeypatch):
    attacked = attacks.policy_for_everyone()
    monkeypatch.setattr(aws.s3(), "put_bucket_policy", lambda **_: None)

    with pytest.raises(StillOpen, match="still, after its change"):
        lambda_handler(attacked.event, context)

    assert "Remove statement PublicRead" in alerts.received()[0]["Message"]


def test_somebody_quicker_between_reading_and_revoking_is_success(enforce, alerts, context, monkeypatch):
    attacked = attacks.ingress()
    revoke = aws.ec2().revoke_security_group_ingress

    def late(**arguments: Any) -> Any:
        revoke(**arguments)
        return revoke(**arguments)  # InvalidPermission.NotFound

    monkeypatch.setattr(aws.ec2(), "revoke_security_group_ingress", late)

    lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_when_root_cannot_be_told_the_opening_is_closed_still(enforce, alerts, context, monkeypatch):
    monkeypatch.setenv("ALERTS_TOPIC", "arn:aws:sns:ap-northeast-2:123456789012:absent")
    attacked = attacks.policy_for_everyone()

    with pytest.raises(Exception, match=r"SNS: .*NotFound"):
        lambda_handler(attacked.event, context)

    assert attacked.state() == attacked.closed


def test_a_record_that_does_not_name_its_bucket_is_told_and_fails(alerts, context, logs):
    event = call("put-bucket-policy-public", requestParameters=None)

    with pytest.raises(InvalidEvent, match=r"no usable requestParameters\.bucketName"):
        lambda_handler(event, context)

    assert "could not be dealt with" in alerts.received()[0]["Subject"]
    assert event["id"] in logs.getvalue()


def test_an_event_that_is_no_record_is_refused_by_the_name_of_its_field(alerts, context):
    event = call("put-bucket-policy-public")
    del event["detail"]["eventName"]

    with pytest.raises(InvalidEvent, match=r"detail\.eventName: Field required"):
        lambda_handler(event, context)


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("SENSITIVE_PORTS", "22,x", "SENSITIVE_PORTS: .*write ports"),
        ("OWN_ROLE_ARN", "", "OWN_ROLE_ARN: Field required"),
    ],
)
def test_a_bad_setting_is_named(variable, value, problem, context, monkeypatch):
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError, match=problem):
        lambda_handler(call("root-api-call"), context)
