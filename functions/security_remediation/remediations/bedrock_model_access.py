"""Somebody gets access to a model of Amazon Bedrock: end the agreement for the model.

Whom it may stop: everyone in the account who uses the model. Ending it holds only where nobody may subscribe: Bedrock makes a new
agreement when somebody who has `aws-marketplace:Subscribe` calls the model, so deny that, or the model, in a service control
policy. An entitlement or a use case that was sent in cannot be taken back through the API: both are only told.
https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automations import aws
from automations.events.cloudtrail import CloudTrailRecord
from automations.notify import Severity
from security_remediation.permissions import NO_RESOURCES
from security_remediation.plan import Allow, Events, Kind, Permissions, Plan, State, settled
from security_remediation.reading import own_region, unless_absent

if TYPE_CHECKING:
    from security_remediation.handler import Settings

NAME = "bedrock_model_access"
KIND = Kind.CONTAINMENT
SEVERITY = Severity.WARNING
AGREED = "CreateFoundationModelAgreement"
# The console's own call for entitlements is recorded as well; the public API has neither it nor its opposite.
EVENTS: Events = {"bedrock.amazonaws.com": (AGREED, "PutFoundationModelEntitlement", "PutUseCaseForModelAccess")}
READS: Permissions = (Allow(("bedrock:GetFoundationModelAvailability",), why=NO_RESOURCES),)
WRITES: Permissions = (
    Allow(("bedrock:DeleteFoundationModelAgreement",), why=NO_RESOURCES),
    Allow(
        ("aws-marketplace:Unsubscribe",),
        why="Subscriptions know no resource-level permissions; only Bedrock may use this one.",
        conditions={"StringEquals": {"aws:CalledViaLast": "bedrock.amazonaws.com"}},
    ),
)
SURE = "Certain that access was granted; not that it was not wanted. Models that need no agreement are open to everyone with the right to call them."

OPEN = {"AVAILABLE", "PENDING"}
FINDING = "was opened by an agreement"


def read(record: CloudTrailRecord) -> State:
    """The status of the agreement; None when there is no such model."""
    if record.event_name != AGREED:
        return State(None)
    client = aws.bedrock()
    own_region(record, client, "model")
    model = record.required("modelId")
    found = unless_absent(lambda: client.get_foundation_model_availability(modelId=model), "ResourceNotFoundException")
    return State(found["agreementAvailability"]["status"] if found else None)


def plan(record: CloudTrailRecord, state: State, settings: Settings) -> Plan | None:  # noqa: ARG001 # the same form for all
    model = record.parameter("modelId")
    resource = f"Bedrock model {model}" if model else "Amazon Bedrock"
    if record.event_name != AGREED:
        finding = "was opened by an entitlement" if model else "was asked for access to models, with a use case"
        remark = "The API has no call that takes this back. If nobody planned it, deny bedrock:InvokeModel for the model in a service control policy."
        return Plan(resource, finding, SEVERITY, remark=remark)
    if state.current not in OPEN:
        return settled(resource, FINDING, state)
    change = {"modelId": record.required("modelId")}
    return Plan(resource, FINDING, SEVERITY, steps=("End the agreement for it.",), change=change, before=change)


def apply(plan: Plan) -> None:
    unless_absent(lambda: aws.bedrock().delete_foundation_model_agreement(**plan.change), "ResourceNotFoundException")


def restore(before: Mapping[str, Any]) -> None:
    """Agree to the model's public offer of now."""
    client = aws.bedrock()
    offers = client.list_foundation_model_agreement_offers(modelId=before["modelId"], offerType="PUBLIC")["offers"]
    client.create_foundation_model_agreement(modelId=before["modelId"], offerToken=offers[0]["offerToken"])
