"""template.yaml, as tests read it."""

from pathlib import Path
from typing import Any

import yaml
from local.template import Loader

from automations import aws

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "template.yaml").read_text()

TEMPLATE: dict[str, Any] = yaml.load(TEXT, Loader)
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]


def create_table(logical_id: str) -> str:
    """Create the DynamoDB table of the template in the test's account, under its logical id, which is returned."""
    properties = RESOURCES[logical_id]["Properties"]
    aws.dynamodb().create_table(
        TableName=logical_id, **{key: properties[key] for key in ("BillingMode", "AttributeDefinitions", "KeySchema")}
    )
    return logical_id
