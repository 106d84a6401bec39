"""The remediations of what Amazon EC2 has one setting for in a region: serial_console, ebs_encryption, public_sharing_block."""

import pytest

from automations.errors import Refused
from security_remediation.handler import lambda_handler
from tests.unit.security_remediation.conftest import call

pytestmark = pytest.mark.usefixtures("deployed", "enforce")


@pytest.mark.parametrize("name", ["enable-serial-console-access", "disable-ebs-encryption-by-default"])
def test_the_setting_of_another_region_is_refused(name, alerts, calls, context):
    with pytest.raises(Refused, match="in eu-west-1"):
        lambda_handler(call(name, awsRegion="eu-west-1"), context)

    assert calls == []


def test_a_record_without_parameters_is_judged_too(alerts, context):
    lambda_handler(call("disable-ebs-encryption-by-default", requestParameters=None, responseElements=None), context)

    [message] = alerts.received()
    assert message["Subject"] == "[WARNING] EBS encryption by default in ap-northeast-2 is switched off: put right"


@pytest.mark.parametrize(
    ("name", "what", "command"),
    [
        (
            "disable-snapshot-block-public-access",
            "EBS snapshots",
            "enable-snapshot-block-public-access --state block-all",
        ),
        ("disable-image-block-public-access", "AMIs", "enable-image-block-public-access --image-block-public-access"),
    ],
)
def test_a_block_on_public_sharing_that_is_switched_off_is_told_with_the_command_that_switches_it_on(
    name, what, command, alerts, calls, context
):
    lambda_handler(call(name), context)

    assert calls == []
    [message] = alerts.received()
    assert message["Subject"] == f"[WARNING] Block on public {what} in ap-northeast-2 was switched off"
    assert f"aws ec2 {command}" in message["Message"]
    assert "--region ap-northeast-2" in message["Message"]
