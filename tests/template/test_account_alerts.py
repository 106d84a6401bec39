"""The rules that mail by themselves: their conventions, and the e-mails that they write of the sample events."""

import json
import re
from typing import Any

import pytest

from tests.input_transformer import render
from tests.samples import sample
from tests.template_file import RESOURCES, TEMPLATE

RULES = {
    name: item
    for name, item in RESOURCES.items()
    if item["Type"] == "AWS::Events::Rule"
    and not name.startswith("Forwarded")
    and item["Properties"]["Targets"][0]["Arn"] == {"Ref": "AlertsTopic"}
}
EACH_RULE = pytest.mark.parametrize("name", RULES)


def target(name: str) -> dict[str, Any]:
    [only] = RULES[name]["Properties"]["Targets"]
    return dict(only)


def test_there_is_a_rule_for_each_kind_of_alert_and_one_that_guards_security_remediation() -> None:
    assert {name: item["Condition"] for name, item in RULES.items()} == {
        "RootSignInRule": "AccountAlerts",
        "TrustedAdvisorErrorRule": "AccountAlerts",
        "HealthEventRule": "AccountAlerts",
        "GuardDutyFindingRule": "AccountAlerts",
        "SecurityRemediationGuardRule": "SecurityRemediation",
    }


@EACH_RULE
def test_a_rule_mails_tries_again_and_keeps_what_it_could_not_deliver(name: str) -> None:
    assert target(name)["Arn"] == {"Ref": "AlertsTopic"}
    assert target(name)["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
    assert target(name)["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": "UndeliveredEventsQueue.Arn"}}


@EACH_RULE
def test_the_template_of_an_e_mail_is_one_that_eventbridge_takes(name: str) -> None:
    transformer = target(name)["InputTransformer"]
    paths, text = transformer["InputPathsMap"], transformer["InputTemplate"]

    assert set(re.findall(r"<([^<>]+)>", text)) == set(paths)
    assert all(re.fullmatch("[a-zA-Z0-9]+", variable) for variable in paths)
    assert len(text) <= 8192
    for line in text.splitlines():
        assert isinstance(json.loads(line), str), line  # "For Strings, quotes are required."


def test_the_topic_keeps_the_policy_that_lets_alarms_publish_and_lets_rules_publish() -> None:
    policy = RESOURCES["AlertsTopicPolicy"]["Properties"]
    own, rules = policy["PolicyDocument"]["Statement"]

    condition = TEMPLATE["Conditions"][RESOURCES["AlertsTopicPolicy"]["Condition"]]
    wanted = {part["Condition"] for part in condition["Fn::Or"]}
    assert wanted == {item["Condition"] for item in RULES.values()}
    assert policy["Topics"] == [{"Ref": "AlertsTopic"}]
    assert (own["Effect"], own["Principal"], own["Resource"]) == ("Allow", {"AWS": "*"}, {"Ref": "AlertsTopic"})
    assert own["Condition"] == {"StringEquals": {"AWS:SourceOwner": {"Ref": "AWS::AccountId"}}}
    assert "sns:Publish" in own["Action"]
    assert (rules["Effect"], rules["Principal"]) == ("Allow", {"Service": "events.amazonaws.com"})
    assert (rules["Action"], rules["Resource"]) == ("sns:Publish", {"Ref": "AlertsTopic"})
    assert "Condition" not in rules  # AWS says that EventBridge does not support one


def guard(region: str, call: str, changed: str) -> str:
    return f"""\
"CRITICAL: somebody changed security remediation itself in account 111122223333, region {region}."
"Call: {call}"
"Changed: {changed}"
"Who: IAMUser arn:aws:iam::111122223333:user/Mallory"
"From: 198.51.100.77"
"With: aws-cli/2.31.20 md/awscrt#0.28.2 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.9"
"Time: {{detail[eventTime]}}"
"From now on it may say and do nothing, or whatever somebody else wrote: do not rely on its messages."
"If nobody of your team did this, take that identity's rights away, then deploy the stack again. \
A deployment by CloudFormation is not told here."
"CloudTrail event: {{detail[eventID]}}\""""


EMAILS = {
    ("RootSignInRule", "account_alerts/root-sign-in"): """\
"The root user of account 111122223333 signed in to the console."
"Time: 2026-11-20T05:10:47Z"
"From: 198.51.100.201"
"With: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
"MFA used: Yes"
"If nobody of your team did this, change the root user's password and MFA device now."
"CloudTrail event: {detail[eventID]}\"""",
    ("TrustedAdvisorErrorRule", "account_alerts/trusted-advisor-error"): """\
"Trusted Advisor reports an error in account 111122223333: Exposed Access Keys"
"Time: 2026-11-17T04:22:51Z"
"Resource: "
"Details: {{Case ID:12345678-1234-1234-abcd-1234567890ab,Usage (USD per Day):0,User Name (IAM or Root):deploy-bot,\
Deadline:1795321371000,Access Key ID:AKIAIOSFODNN7EXAMPLE,Time Updated:1794889371000,Fraud Type:Exposed,\
Location:www.example.com}}"
"Event: {id}\"""",
    ("HealthEventRule", "account_alerts/health-event"): """\
"AWS Health Event for EC2 in account 111122223333: AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED"
"Category: scheduledChange"
"Region: ap-northeast-2"
"Start: Wed, 02 Dec 2026 05:00:00 GMT"
"End: Wed, 02 Dec 2026 05:00:00 GMT"
"Affected: [i-0123456789abcdef0]"
"One of your instances runs on hardware that degrades.
It is stopped at the start time; start it again before that to move it."
"Event: {detail[eventArn]}\"""",
    # One that has not ended.
    ("HealthEventRule", "account_alerts/health-abuse-event"): """\
"AWS Health Abuse Event for ABUSE in account 111122223333: AWS_ABUSE_DOS_REPORT"
"Category: issue"
"Region: global"
"Start: Wed, 18 Nov 2026 06:20:00 GMT"
"End: "
"Affected: [arn:aws:ec2:us-east-1:111122223333:instance/i-0123456789abcdef0]"
"A denial-of-service attack from your resource was reported."
"Event: {detail[eventArn]}\"""",
    ("GuardDutyFindingRule", "account_alerts/guardduty-high"): """\
"GuardDuty: i-0123456789abcdef0 is performing SSH brute force attacks against 198.51.100.77."
"{detail[description]}"
"Severity: 8 (7 to 8.9 is high, 9 and more critical)"
"Type: UnauthorizedAccess:EC2/SSHBruteForce"
"Resource: Instance"
"Seen: 14 times, first 2026-11-19T00:52:31.000Z, last 2026-11-19T01:03:40.000Z"
"Account 111122223333, region ap-northeast-2, finding {detail[id]}\"""",
    ("SecurityRemediationGuardRule", "security_remediation/guard-update-function-code"): guard(
        "ap-northeast-2", "UpdateFunctionCode20150331v2", "{detail[requestParameters][functionName]} "
    ),
    ("SecurityRemediationGuardRule", "security_remediation/guard-disable-rule"): guard(
        "ap-northeast-2", "DisableRule", "{detail[requestParameters][name]} "
    ),
    ("SecurityRemediationGuardRule", "security_remediation/guard-remove-targets"): guard(
        "ap-northeast-2", "RemoveTargets", "{detail[requestParameters][rule]} "
    ),
    ("SecurityRemediationGuardRule", "security_remediation/guard-delete-role-policy"): guard(
        "us-east-1", "DeleteRolePolicy", "{detail[requestParameters][roleName]} "
    ),
    ("SecurityRemediationGuardRule", "security_remediation/guard-create-policy-version"): guard(
        "us-east-1", "CreatePolicyVersion", " {detail[requestParameters][policyArn]}"
    ),
}


@pytest.mark.parametrize(("rule", "situation"), EMAILS, ids=lambda value: str(value))
def test_the_e_mail_says_what_happened_where_and_to_what(rule: str, situation: str) -> None:
    event = sample(situation)

    assert render(target(rule)["InputTransformer"], event) == EMAILS[rule, situation].format(**event)


def test_every_variable_of_an_e_mail_is_in_a_sample_event() -> None:
    for rule, situation in list(EMAILS)[:3] + list(EMAILS)[4:5]:
        text = render(target(rule)["InputTransformer"], sample(situation))
        empty = re.findall(r': "$|^""$', text, re.MULTILINE)
        assert len(empty) == (1 if situation == "account_alerts/trusted-advisor-error" else 0), (
            text
        )  # that one has no resource
