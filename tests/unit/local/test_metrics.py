"""The list of metrics, held against what the functions' code emits."""

import ast
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from local.cloud import ROOT
from local.metrics import METRICS, NAMESPACE

from rds_backup.report import Report

FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))
UNITS = {"Count": "count", "Milliseconds": "milliseconds"}


def emitted(folder: str) -> dict[str, str]:
    """The metrics that the folder's code adds, with the unit of each."""
    return {
        name: unit
        for path in (ROOT / "functions" / folder).rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        for name, unit in _added(function)
    }


def _added(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    for call in ast.walk(function):
        match call:
            case ast.Call(func=ast.Attribute(attr="add_metric"), args=[name, ast.Attribute(attr=unit), _]):
                yield from ((one, UNITS[unit]) for one in _names(name, function))
            case ast.Call(func=ast.Attribute(attr="add_metric")):
                raise AssertionError(f"{function.name}: write the unit as MetricUnit.<unit>")


def _names(name: ast.expr, function: ast.FunctionDef) -> list[str]:
    """What the first argument of `add_metric` can be."""
    match name:
        case ast.Constant(str(text)):
            return [text]
        case ast.IfExp(body=then, orelse=otherwise):
            return _names(then, function) + _names(otherwise, function)
        case ast.JoinedStr([ast.Constant("Backups"), _]):
            return [f"Backups{kind.capitalize()}" for kind in Report().counts()]
        case ast.Name():  # of a loop over pairs: the texts in the function that are a metric's name
            texts = [node.value for node in ast.walk(function) if isinstance(node, ast.Constant)]
            found = [text for text in texts if isinstance(text, str) and text.isalpha() and text != text.capitalize()]
            return [text for text in found if text[0].isupper()]
    raise AssertionError(f"{ast.unparse(name)}: this test does not know what it can be")


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_each_metric_that_a_function_emits_is_in_the_list_and_no_other(folder: str) -> None:
    # A number of hours is a count to CloudWatch, which has no such unit.
    listed = {one.name: "count" if one.unit == "hours" else one.unit for one in METRICS[folder]}

    assert emitted(folder) == listed


def test_the_list_has_every_function() -> None:
    assert sorted(METRICS) == FUNCTIONS


def test_no_name_is_listed_twice() -> None:
    names = [one.name for some in METRICS.values() for one in some]

    assert len(names) == len(set(names))


def test_a_metric_has_the_service_as_its_only_dimension(monkeypatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "office_hours")
    metrics = Metrics(namespace=NAMESPACE)
    metrics.add_metric("HoursSaved", MetricUnit.Count, 13)

    line: dict[str, Any] = dict(metrics.serialize_metric_set())
    metrics.clear_metrics()

    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == (NAMESPACE, [["service"]])
    assert line["service"] == "office_hours"


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_a_function_emits_into_the_namespace_of_the_list(folder: str) -> None:
    made = [line for path in (ROOT / "functions" / folder).rglob("*.py") for line in path.read_text().splitlines()]

    assert {line for line in made if line.startswith("metrics = ")} == {f'metrics = Metrics(namespace="{NAMESPACE}")'}
