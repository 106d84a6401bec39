"""Webhooks and their secrets in moto, as the unit tests and the proofs configure them."""

import json
from typing import Any

from automations import aws, secrets
from tests.unit.webhook_receiver.requests import SECRETS

PARAMETER = "/eventbridge-automations/webhooks"
PREFIX = "eventbridge-automations/webhook"


def store_secrets() -> None:
    """Keep the secret of each scheme."""
    for scheme, secret in SECRETS.items():
        aws.secretsmanager().create_secret(Name=f"{PREFIX}/{scheme}", SecretString=secret)


def configure(*webhooks: dict[str, Any]) -> None:
    secrets.forget_secrets()
    aws.ssm().put_parameter(Name=PARAMETER, Value=json.dumps(webhooks), Type="String", Overwrite=True)


def webhook(scheme: str, *references: str) -> dict[str, Any]:
    return {
        "provider": scheme,
        "scheme": scheme,
        "secrets": references or [f"secretsmanager:{PREFIX}/{scheme}"],
    }
