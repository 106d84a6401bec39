"""What is left out of the local deployment, because the local cloud refuses a stack that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from local.cloud import LocalError

DASHBOARD = "AWS::CloudWatch::Dashboard"
EXPRESSION = "AWS::CloudWatch::Alarm with an expression"
REFUSED = frozenset(
    {
        EXPRESSION,
        "AWS::Events::Archive",
        "AWS::Events::EventBusPolicy",
        "AWS::EventSchemas::Discoverer",
        "AWS::EventSchemas::Registry",
        "AWS::EventSchemas::Schema",
    }
)
"""Found by trying MiniStack 1.5.33."""
MADE = frozenset({"AWS::Events::Archive"})
"""Those of them that are made through the API instead, once the stack is deployed."""


def leave_out(built: Path, deployed: Path) -> None:
    """Write the template that SAM CLI built without what the local cloud refuses, and without the outputs that name it.

    Raises:
        LocalError: another resource needs one that is left out.
    """
    template = yaml.safe_load(built.read_text())
    missing = set(refused(template))
    template["Resources"] = {name: item for name, item in template["Resources"].items() if name not in missing}
    for item in template["Resources"].values():
        if item["Type"] == DASHBOARD:
            item["Properties"]["DashboardBody"] = _shortened(item["Properties"]["DashboardBody"], missing)
    template["Outputs"] = {name: item for name, item in template["Outputs"].items() if not names(item) & missing}
    for name, item in template["Resources"].items():
        if needed := (names(item) | {item.get("DependsOn", "")}) & missing:
            raise LocalError(f"{name} needs {', '.join(sorted(needed))}, which the local cloud refuses.")
    deployed.write_text(yaml.safe_dump(template, sort_keys=False))


def _shortened(body: Mapping[str, Any], missing: set[str]) -> dict[str, Any]:
    """A dashboard's body without the parts that show what is left out. Each part stands alone (local/dashboard.py)."""
    separator, parts = body["Fn::Join"]
    return {"Fn::Join": [separator, [part for part in parts if not names(part) & missing]]}


def refused(template: Mapping[str, Any]) -> dict[str, str]:
    """What each resource that is left out is, by its logical id."""
    kinds = {name: kind(item) for name, item in template["Resources"].items()}
    return {name: found for name, found in kinds.items() if found in REFUSED}


def kind(resource: Mapping[str, Any]) -> str:
    """The resource's type, and what else of it the local cloud looks at."""
    expression = "Metrics" in resource.get("Properties", {})
    return EXPRESSION if resource["Type"] == "AWS::CloudWatch::Alarm" and expression else resource["Type"]


def summary(built: Path) -> str:
    """A sentence that says what of the built template is not in the local deployment."""
    types = set(refused(yaml.safe_load(built.read_text())).values())
    missing, made = sorted(types - MADE), sorted(types & MADE)
    sentences = [f"Left out, because the local cloud refuses it: {', '.join(missing)}."] if missing else []
    if made:
        sentences.append(f"Made through the API, because the local cloud refuses it in a stack: {', '.join(made)}.")
    return " ".join(sentences) or "Nothing was left out."


def names(value: Any) -> set[str]:
    """What a part of a template refers to by `Ref` and `Fn::GetAtt`."""
    match value:
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::GetAtt": [str(name), *_]}:
            return {name}
        case {"Fn::GetAtt": str(text)}:
            return {text.split(".")[0]}
        case {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), *_]}:
            return {part.split("}")[0].split(".")[0] for part in text.split("${")[1:]}
        case Mapping():
            return set().union(*map(names, value.values()))
        case list():
            return set().union(*map(names, value))
    return set()
