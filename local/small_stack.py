"""A small stack of one template without code to build, on a cloud for the length of a `with` block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.cloud import Aws, Cloud

QUICKLY: Any = {"Delay": 1, "MaxAttempts": 600}


@contextmanager
def small_stack(
    cloud: Cloud | Aws, template: Path, name: str, parameters: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Deploy the template as a stack of this name; yields the stack's outputs, and deletes the stack afterwards."""
    cloudformation = cloud.client("cloudformation")
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=template.read_text(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    try:
        cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=QUICKLY)
        [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
        yield {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    finally:
        cloudformation.delete_stack(StackName=name)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=QUICKLY)
