"""The forwarder, forwarder/template.yaml, on a cloud for the length of a `with` block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.cloud import ROOT, Aws, Cloud

TEMPLATE = ROOT / "forwarder" / "template.yaml"


@contextmanager
def forwarder(cloud: Cloud | Aws, name: str, **parameters: str) -> Iterator[dict[str, Any]]:
    """Deploy it as a stack of this name, with these parameters; yields the stack's outputs, and deletes the stack afterwards."""
    cloudformation = cloud.client("cloudformation")
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=TEMPLATE.read_text(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    quickly: Any = {"Delay": 1, "MaxAttempts": 60}
    try:
        cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=quickly)
        [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
        yield {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    finally:
        cloudformation.delete_stack(StackName=name)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=quickly)
