import pytest

from automations import aws
from automations.errors import Refused
from security_remediation.handler import lambda_handler
from security_remediation.remediate import StillOpen
from tests.unit.security_remediation.answers import answer
from tests.unit.security_remediation.attacks.sessions import model_access
from tests.unit.security_remediation.conftest import call

pytestmark = pytest.mark.usefixtures("deployed")


@pytest.mark.parametrize(
    ("name", "asked", "told"),
    [
        (
            "PutFoundationModelEntitlement",
            {"modelId": "anthropic.claude-v2"},
            "Bedrock model anthropic.claude-v2 was opened",
        ),
        ("PutUseCaseForModelAccess", None, "Amazon Bedrock was asked for access to models"),
    ],
)
def test_what_the_api_cannot_take_back_is_only_told(name, asked, told, enforce, alerts, calls, context):
    lambda_handler(call("create-foundation-model-agreement", eventName=name, requestParameters=asked), context)

    assert calls == []
    [message] = alerts.received()
    assert told in message["Subject"] + message["Message"]
    assert "no call that takes this back" in message["Message"]


def test_an_agreement_that_is_being_ended_is_not_reported_as_ended(enforce, alerts, context):
    attacked = model_access()
    answer(aws.bedrock(), "DeleteFoundationModelAgreement", lambda _: {})

    with pytest.raises(StillOpen):
        lambda_handler(attacked.event, context)


def test_a_model_that_is_gone_is_told(enforce, alerts, context):
    gone = {"Error": {"Code": "ResourceNotFoundException", "Message": "No."}}
    answer(aws.bedrock(), "GetFoundationModelAvailability", lambda _: gone)

    lambda_handler(call("create-foundation-model-agreement"), context)

    assert "It does not exist any more" in alerts.received()[0]["Message"]


def test_an_agreement_in_another_region_is_refused(enforce, alerts, context):
    with pytest.raises(Refused, match="in us-west-2"):
        lambda_handler(call("create-foundation-model-agreement", awsRegion="us-west-2"), context)
