import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from automations import aws
from automations.errors import Refused
from security_remediation.handler import lambda_handler
from security_remediation.remediations import security_hub
from tests.unit.security_remediation.attacks import trail as attacks
from tests.unit.security_remediation.conftest import call, record_of

pytestmark = pytest.mark.usefixtures("deployed", "enforce")


def test_a_hub_that_somebody_enabled_between_reading_and_acting_is_enough(cloud):
    """moto answers the second EnableSecurityHub as if nothing was there."""
    record = record_of("disable-security-hub")
    todo = security_hub.plan(record, security_hub.read(record), None)  # type: ignore[arg-type]
    assert todo
    with Stubber(aws.securityhub()) as hub:
        hub.add_client_error("enable_security_hub", "ResourceConflictException")
        security_hub.apply(todo)
        hub.assert_no_pending_responses()


@pytest.mark.parametrize("code", security_hub.NOT_ENABLED)
def test_each_answer_of_an_account_without_a_hub_is_known(code):
    with Stubber(aws.securityhub()) as hub:
        hub.add_client_error("describe_hub", code)
        assert security_hub.read(record_of("disable-security-hub")).current == {"enabled": False}


def test_a_denied_reading_is_not_taken_for_a_hub_that_is_off(alerts, context):
    with Stubber(aws.securityhub()) as hub:
        hub.add_client_error("describe_hub", "AccessDeniedException")
        with pytest.raises(ClientError, match="AccessDenied"):
            lambda_handler(call("disable-security-hub"), context)


def test_the_message_says_what_is_lost(alerts, context):
    lambda_handler(attacks.hub_disabled().event, context)

    assert "with its default standards" in alerts.received()[0]["Message"]


def test_a_hub_of_another_region_is_refused(alerts, context):
    with pytest.raises(Refused, match="hub is in eu-west-1"):
        lambda_handler(call("disable-security-hub", awsRegion="eu-west-1"), context)
