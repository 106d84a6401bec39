import pytest

from automations.errors import InvalidEvent, Refused
from security_remediation.handler import lambda_handler
from security_remediation.remediations import trust_anchor
from tests.unit.security_remediation.attacks import keys as attacks
from tests.unit.security_remediation.conftest import call, record_of, writes
from tests.unit.security_remediation.trust_anchors import ANCHOR, TrustAnchors

pytestmark = pytest.mark.usefixtures("deployed")


def test_another_certificate_authority_is_told_and_nothing_is_disabled(enforce, alerts, calls, context):
    service, event = TrustAnchors(), call("update-trust-anchor")
    service.add(event["detail"]["responseElements"]["trustAnchor"])

    lambda_handler(event, context)

    assert writes(calls) == []
    assert service.anchors[ANCHOR]["enabled"]
    [message] = alerts.received()
    assert "with another certificate authority" in message["Message"]
    assert "look which roles trust rolesanywhere.amazonaws.com" in message["Message"]


def test_a_trust_anchor_that_is_gone_is_told(enforce, alerts, calls, context):
    TrustAnchors()

    lambda_handler(call("create-trust-anchor"), context)

    assert writes(calls) == []
    assert "It does not exist any more" in alerts.received()[0]["Message"]


def test_a_trust_anchor_that_is_gone_at_the_last_moment_is_success():
    attacked = attacks.trust_anchor_created()
    record = record_of("create-trust-anchor")
    planned = trust_anchor.plan(record, trust_anchor.read(record), None)  # type: ignore[arg-type] # not used
    assert planned is not None
    assert attacked.state()
    TrustAnchors()  # an empty one answers from now on

    trust_anchor.apply(planned)


def test_a_trust_anchor_is_known_by_its_arn_alone():
    service = TrustAnchors()
    record = record_of("create-trust-anchor")
    anchor = record.response_elements["trustAnchor"]
    service.add(anchor)
    record.response_elements["trustAnchor"] = {"trustAnchorArn": anchor["trustAnchorArn"]}

    planned = trust_anchor.plan(record, trust_anchor.read(record), None)  # type: ignore[arg-type] # not used

    assert planned is not None
    assert planned.change == {"trustAnchorId": ANCHOR}


def test_a_record_that_does_not_name_it_is_reported(alerts, context):
    TrustAnchors()
    with pytest.raises(InvalidEvent, match="does not name the trust anchor"):
        lambda_handler(call("create-trust-anchor", responseElements=None), context)
    assert "could not be dealt with" in alerts.received()[0]["Subject"]


def test_one_of_another_region_is_refused():
    with pytest.raises(Refused, match="The trust anchor is in eu-west-1"):
        trust_anchor.read(record_of("create-trust-anchor", awsRegion="eu-west-1"))
