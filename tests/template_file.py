"""template.yaml, as tests read it."""

from pathlib import Path
from typing import Any

import yaml

from automations import aws

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "template.yaml").read_text()


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms, `!Ref X`, as `{"Ref": X}`."""


def _short_form(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    match node:
        case yaml.ScalarNode():
            value: Any = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case _:
            value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", _short_form)
TEMPLATE: dict[str, Any] = yaml.load(TEXT, Loader)
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]


def create_table(logical_id: str) -> str:
    """Create the DynamoDB table of the template in the test's account, under its logical id, which is returned."""
    properties = RESOURCES[logical_id]["Properties"]
    aws.dynamodb().create_table(
        TableName=logical_id, **{key: properties[key] for key in ("BillingMode", "AttributeDefinitions", "KeySchema")}
    )
    return logical_id
