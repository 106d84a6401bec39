import pytest

from automations import aws
from security_remediation.handler import lambda_handler
from tests.unit.security_remediation.attacks import iam as attacks
from tests.unit.security_remediation.conftest import call, writes

pytestmark = pytest.mark.usefixtures("deployed", "enforce")


def test_a_policy_that_nobody_has_is_left_alone(alerts, calls, context):
    attacked = attacks.version_created()
    arn = attacked.event["detail"]["requestParameters"]["policyArn"]
    aws.iam().detach_user_policy(UserName="Bob", PolicyArn=arn)
    calls.clear()

    assert lambda_handler(attacked.event, context)["outcomes"]["administrator_policy_version"] == "harmless"
    assert attacked.state() == attacked.opened


def test_without_a_version_that_makes_no_administrators_people_are_told(alerts, calls, context):
    attacked = attacks.version_created()
    arn = attacked.event["detail"]["requestParameters"]["policyArn"]
    aws.iam().delete_policy_version(PolicyArn=arn, VersionId="v1")
    calls.clear()

    assert lambda_handler(attacked.event, context)["outcomes"]["administrator_policy_version"] == "nothing to do"

    assert writes(calls) == []
    assert "Each of its versions does: detach it" in alerts.received()[0]["Message"]


def test_a_version_that_was_made_default_and_is_gone_is_judged_by_what_the_record_says(alerts, calls, context):
    attacked = attacks.version_created()
    attacked.revert()
    arn = attacked.event["detail"]["requestParameters"]["policyArn"]
    aws.iam().delete_policy_version(PolicyArn=arn, VersionId="v2")

    lambda_handler(attacked.event, context)

    assert "It is not so any more" in alerts.received()[0]["Message"]
    assert attacked.state() == "v1"


def test_a_policy_that_is_gone_is_told_when_the_record_says_what_it_was(alerts, calls, context):
    lambda_handler(call("create-policy-version-admin"), context)
    assert writes(calls) == []
    assert "It does not exist any more" in alerts.received()[0]["Message"]

    assert lambda_handler(call("set-default-policy-version-admin"), context)["outcomes"] == {
        "administrator_policy_version": "harmless",
        "root_activity": "harmless",
    }


def test_versions_are_ordered_by_their_numbers(alerts, context):
    """v10 is newer than v9. IAM keeps five versions at most."""
    attacked = attacks.version_created()
    arn = attacked.event["detail"]["requestParameters"]["policyArn"]
    for number in range(3, 12):
        if number > 5:
            aws.iam().delete_policy_version(PolicyArn=arn, VersionId=f"v{number - 3}")
        document = attacks.LESSER if number in {9, 10} else attacks.EVERYTHING
        aws.iam().create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
    event = call("create-policy-version-admin", responseElements={"policyVersion": {"versionId": "v11"}})

    lambda_handler(event, context)

    assert attacked.state() == "v10"


def test_of_a_record_without_a_response_nothing_is_concluded(alerts, calls, context):
    attacked = attacks.version_created()
    event = call("create-policy-version-admin", responseElements=None)
    assert lambda_handler(event, context)["outcomes"]["administrator_policy_version"] == "harmless"
    assert attacked.state() == attacked.opened
