"""The forwarder, forwarder/template.yaml, on a cloud for the length of a `with` block."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from local.cloud import ROOT, Aws, Cloud
from local.small_stack import small_stack

TEMPLATE = ROOT / "forwarder" / "template.yaml"


def forwarder(cloud: Cloud | Aws, name: str, **parameters: str) -> AbstractContextManager[dict[str, Any]]:
    """Deploy it as a stack of this name, with these parameters; gives the stack's outputs."""
    return small_stack(cloud, TEMPLATE, name, parameters)
