"""Routes, and the secrets of their destinations, in moto, as the unit tests and the proofs configure them."""

import json
from typing import Any

from automations import aws

PARAMETER = "/eventbridge-automations/partner-routes"
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SUPPORT = {"name": "support", "slack": "secretsmanager:eventbridge-automations/partner/support-slack"}


def store_secrets(url: str) -> None:
    """Keep the secrets of `SUPPORT` and `crm`, whose receiver is at the address."""
    aws.secretsmanager().create_secret(
        Name="eventbridge-automations/partner/support-slack", SecretString=f"{url}/support"
    )
    aws.ssm().put_parameter(Name="/eventbridge-automations/partner/crm-signing-secret", Value=KEY, Type="SecureString")


def crm(url: str) -> dict[str, Any]:
    return {
        "name": "crm",
        "webhook": f"{url}/crm?token=t0ps3cret",
        "secret": "ssm:/eventbridge-automations/partner/crm-signing-secret",
    }


CRM_PATH = "/crm?token=t0ps3cret"


def put_routes(*destinations: dict[str, Any], **route: str) -> None:
    text = json.dumps(
        [{"source": source, "destinations": destinations} | route for source in ("aws.partner/*", "webhook.*")]
    )
    aws.ssm().put_parameter(Name=PARAMETER, Value=text, Type="String", Overwrite=True)
