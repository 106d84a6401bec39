"""The template, the README and the registry say the same."""

import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from security_remediation import remediations
from security_remediation.plan import EVERY_CALL
from security_remediation.registry import REMEDIATIONS, judging
from tests.unit.security_remediation.conftest import record_of

ROOT = Path(__file__).parents[3]


class Loader(yaml.SafeLoader):
    """Reads a template without what its tags mean."""


def _untagged(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    return (
        loader.construct_sequence(node, deep=True)
        if isinstance(node, yaml.SequenceNode)
        else loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    )


Loader.add_multi_constructor("!", _untagged)


@pytest.fixture(scope="module")
def function() -> Any:
    template = yaml.load((ROOT / "template.yaml").read_text(), Loader)
    return template["Resources"]["SecurityRemediationFunction"]["Properties"]


def actions(statements: list[Any]) -> set[str]:
    listed = [one["Action"] if isinstance(one["Action"], list) else [one["Action"]] for one in statements]
    return {action for some in listed for action in some}


def test_the_rules_match_the_calls_that_the_remediations_judge(function):
    watched = {
        (source, name)
        for event in function["Events"].values()
        for source in event["Properties"]["Pattern"]["detail"].get("eventSource", [])
        for name in event["Properties"]["Pattern"]["detail"]["eventName"]
    }
    assert watched == {(source, name) for one in REMEDIATIONS for source, names in one.EVENTS.items() for name in names}


def test_a_rule_watches_root_for_the_remediation_that_judges_every_call(function):
    assert [one.NAME for one in REMEDIATIONS if one.EVENTS == EVERY_CALL] == ["root_activity"]
    assert function["Events"]["RootActivity"]["Properties"]["Pattern"]["detail"]["userIdentity"]["type"] == ["Root"]


def test_the_role_may_read_what_the_remediations_read_and_write_only_in_enforce_mode(function):
    policies = [one for one in function["Policies"] if isinstance(one, dict)]
    always = [statement for one in policies for statement in one.get("Statement", [])]
    [(condition, enforced, _)] = [one["Fn::If"] for one in policies if "Fn::If" in one]

    assert actions(always) == {action for one in REMEDIATIONS for action in one.READS}
    assert condition == "Enforce"
    assert actions(enforced["Statement"]) == {action for one in REMEDIATIONS for action in one.WRITES}


def test_every_module_is_registered_once_under_its_own_name():
    modules = [one.name for one in pkgutil.iter_modules(remediations.__path__)]
    assert sorted(one.NAME for one in REMEDIATIONS) == sorted(modules)


def test_the_readmes_table_has_a_row_for_each_remediation_and_its_calls():
    readme = (ROOT / "functions" / "security_remediation" / "README.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (.*?) \|", readme, flags=re.MULTILINE))
    calls = {
        one.NAME: [name for names in one.EVENTS.values() for name in names] or ["every call by root"]
        for one in REMEDIATIONS
    }
    assert {name: cell.replace("`", "").split(", ") for name, cell in rows.items()} == calls


def test_calls_of_the_same_name_of_another_service_are_not_judged():
    record = record_of("put-bucket-policy-public")
    assert [one.NAME for one in judging(record)] == ["bucket_policy", "root_activity"]
    other = record.model_copy(update={"event_source": "s3express.amazonaws.com"})
    assert [one.NAME for one in judging(other)] == ["root_activity"]
