"""Reads a template, and what its expressions are worth in a deployment, for what is made without CloudFormation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

NO_VALUE = object()


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


class Values:
    """The functions of CloudFormation that the resources need which the local cloud refuses, and no others.

    Args:
        refs: what `Ref` of a resource or a pseudo parameter gives.
        parameters: values other than the defaults.
    """

    def __init__(self, template: Mapping[str, Any], refs: Mapping[str, str], parameters: Mapping[str, str]) -> None:
        self._conditions = template["Conditions"]
        self._refs: dict[str, Any] = {"AWS::NoValue": NO_VALUE, **refs}
        for name, declared in template["Parameters"].items():
            value = str(parameters.get(name) or declared.get("Default", ""))
            self._refs[name] = value.split(",") if declared["Type"] == "CommaDelimitedList" else value

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template holds."""
        return bool(self.of(self._conditions[condition]))

    def of(self, expression: Any) -> Any:
        """The expression with everything in it replaced that stands for something else.

        Raises:
            KeyError: it names what there is not, or uses another function.
        """
        match expression:
            case {"Ref": str(name)}:
                return self._refs[name]
            case {"Condition": str(name)}:
                return self.holds(name)
            case {"Fn::If": [str(name), then, otherwise]}:
                return self.of(then if self.holds(name) else otherwise)
            case {"Fn::Equals": [left, right]}:
                return self.of(left) == self.of(right)
            case {"Fn::Not": [part]}:
                return not self.of(part)
            case {"Fn::And": [*parts]}:
                return all(map(self.of, parts))
            case {"Fn::Or": [*parts]}:
                return any(map(self.of, parts))
            case {"Fn::Select": [index, parts]}:
                return self.of(parts)[int(index)]
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([^}]+)\}", lambda found: str(self._refs[found[1]]), text)
            case Mapping():
                if unknown := [name for name in expression if name.startswith("Fn::")]:
                    raise KeyError(unknown[0])
                values = {name: self.of(part) for name, part in expression.items()}
                return {name: value for name, value in values.items() if value is not NO_VALUE}
            case list():
                return [value for value in map(self.of, expression) if value is not NO_VALUE]
        return expression
