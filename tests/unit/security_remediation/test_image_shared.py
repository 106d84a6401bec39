from typing import Any

import pytest
from botocore.exceptions import ClientError

from automations import aws
from automations.errors import Refused
from security_remediation.handler import lambda_handler
from tests.unit.security_remediation.attacks.ec2 import (
    FOREIGN,
    FOREIGN_TOO,
    changed,
    image_shared_with,
    image_shared_with_a_foreign_organization,
    image_shared_with_an_account,
    image_shared_with_everyone,
    items,
)
from tests.unit.security_remediation.conftest import writes

pytestmark = pytest.mark.usefixtures("deployed", "enforce")


def share(event: dict[str, Any], *grants: dict[str, str]) -> dict[str, Any]:
    """The image of the event is shared with these as well, and the event says so."""
    image = event["detail"]["requestParameters"]["imageId"]
    permissions: Any = [{key[:1].upper() + key[1:]: value for key, value in one.items()} for one in grants]
    aws.ec2().modify_image_attribute(ImageId=image, LaunchPermission={"Add": permissions})
    return changed(event, launchPermission={"add": items(*grants)})


def test_only_those_that_the_call_added_and_that_are_foreign_lose_it(alerts, context, monkeypatch):
    monkeypatch.setenv("TRUSTED_ACCOUNTS", FOREIGN_TOO)
    attacked = image_shared_with_everyone()  # and, before that, with an account
    event = share(attacked.event, {"group": "all"}, {"userId": FOREIGN_TOO}, {"userId": "666677778888"})

    lambda_handler(event, context)

    assert attacked.state() == [FOREIGN, FOREIGN_TOO]
    assert "is shared with everyone, account 666677778888" in alerts.received()[0]["Message"]


def test_the_own_organization_is_not_foreign_and_another_one_is(alerts, calls, context):
    own = aws.organizations().create_organization(FeatureSet="ALL")["Organization"]["Arn"]
    unit = own.replace(":organization/", ":ou/") + "/ou-ab12-11111111"
    attacked = image_shared_with_a_foreign_organization()
    [strange, _] = attacked.event["detail"]["requestParameters"]["launchPermission"]["add"]["items"]
    ours = ({"organizationArn": own}, {"organizationalUnitArn": unit})
    calls.clear()

    outcome = lambda_handler(share(attacked.event, *ours), context)
    assert outcome["outcomes"]["image_shared"] == "harmless"

    lambda_handler(share(attacked.event, *ours, strange), context)
    left = image_shared_with(attacked.event["detail"]["requestParameters"]["imageId"])
    assert own in left
    assert unit in left
    assert strange["organizationArn"] not in left


def test_the_organization_is_looked_up_only_when_the_call_named_one(alerts, calls, context):
    attacked = image_shared_with_an_account()
    calls.clear()

    lambda_handler(attacked.event, context)

    assert "DescribeOrganization" not in calls


def test_an_image_that_comes_as_a_whole_arn_is_found(alerts, context):
    attacked = image_shared_with_an_account()
    image = attacked.event["detail"]["requestParameters"]["imageId"]

    lambda_handler(changed(attacked.event, imageId=f"arn:aws:ec2:ap-northeast-2::image/{image}"), context)

    assert attacked.state() == attacked.closed


def test_an_image_that_is_gone_is_told(alerts, calls, context):
    attacked = image_shared_with_an_account()
    image = attacked.event["detail"]["requestParameters"]["imageId"]
    aws.ec2().deregister_image(ImageId=image)
    calls.clear()

    lambda_handler(attacked.event, context)
    lambda_handler(changed(attacked.event, imageId="ami-0fedcba9876543210"), context)

    assert writes(calls) == []
    for message in alerts.received():
        assert "was shared with account 444455556666" in message["Message"]
        assert "It does not exist any more" in message["Message"]


def test_an_image_that_goes_before_it_is_changed_is_success(alerts, context, monkeypatch):
    attacked = image_shared_with_an_account()

    def late(**arguments: Any) -> None:
        aws.ec2().deregister_image(ImageId=arguments["ImageId"])
        raise ClientError({"Error": {"Code": "InvalidAMIID.Unavailable", "Message": "No."}}, "ModifyImageAttribute")

    monkeypatch.setattr(aws.ec2(), "modify_image_attribute", late)

    outcome = lambda_handler(attacked.event, context)

    assert outcome["outcomes"]["image_shared"] == "closed, and verified by reading back"


def test_a_share_of_which_a_part_stays_is_a_failure_that_names_it(alerts, context, monkeypatch):
    attacked = image_shared_with_everyone()
    event = share(attacked.event, {"group": "all"}, {"userId": FOREIGN_TOO})
    modify = aws.ec2().modify_image_attribute

    def half(**arguments: Any) -> None:
        first, *_ = arguments["LaunchPermission"]["Remove"]
        modify(ImageId=arguments["ImageId"], LaunchPermission={"Remove": [first]})

    monkeypatch.setattr(aws.ec2(), "modify_image_attribute", half)

    with pytest.raises(Exception, match=f"Left to do: Stop sharing it with account {FOREIGN_TOO}"):
        lambda_handler(event, context)


def test_an_image_of_another_region_is_refused(alerts, calls, context):
    attacked = image_shared_with_an_account()
    attacked.event["detail"]["awsRegion"] = "eu-west-1"
    calls.clear()

    with pytest.raises(Refused, match="in eu-west-1"):
        lambda_handler(attacked.event, context)

    assert calls == []
