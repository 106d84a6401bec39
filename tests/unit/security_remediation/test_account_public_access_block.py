import pytest

from automations import aws
from security_remediation.handler import lambda_handler
from tests.unit.conftest import ACCOUNT
from tests.unit.security_remediation.attacks import keys as attacks
from tests.unit.security_remediation.conftest import BUCKET, call

pytestmark = pytest.mark.usefixtures("deployed")


@pytest.mark.parametrize(
    ("spelling", "value"), [(str, "TRUE"), (str.lower, True), (lambda name: name[0].lower() + name[1:], "true")]
)
def test_names_and_values_count_in_any_case(spelling, value, enforce, context):
    attacks.set_account_flags("0000")
    event = call("put-account-public-access-block-off")
    parameters = event["detail"]["requestParameters"]
    given = parameters.pop("PublicAccessBlockConfiguration") | {"BlockPublicAcls": value}
    parameters[spelling("PublicAccessBlockConfiguration")] = {spelling(flag): one for flag, one in given.items()}

    lambda_handler(event, context)

    assert attacks.account_flags() == "0111"  # the first one is off by another call


def test_the_account_is_known_without_its_id_in_the_request(enforce, context):
    event = call("delete-account-public-access-block", requestParameters=None)
    del event["detail"]["recipientAccountId"]

    lambda_handler(event, context)

    assert attacks.account_flags() == "1111"


def test_the_buckets_own_settings_are_not_touched(enforce, context):
    aws.s3().create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    off = {
        "BlockPublicAcls": False,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": False,
        "RestrictPublicBuckets": True,
    }
    aws.s3().put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=off)  # type: ignore[arg-type]

    lambda_handler(call("delete-account-public-access-block"), context)

    assert aws.s3().get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"] == off


def test_somebody_switched_it_on_already(enforce, alerts, context):
    attacks.set_account_flags("1111")

    lambda_handler(call("delete-account-public-access-block"), context)

    [message] = alerts.received()
    assert f"AWS account {ACCOUNT} had its S3 public access block switched off" in message["Subject"]
