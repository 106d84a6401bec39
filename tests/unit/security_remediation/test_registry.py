"""The template, the README and the registry say the same."""

import pkgutil
import re
from typing import Any

import pytest

from security_remediation import remediations
from security_remediation.plan import EVERY_CALL
from security_remediation.registry import REMEDIATIONS, judging
from tests.template_file import RESOURCES, ROOT
from tests.unit.security_remediation.conftest import record_of


@pytest.fixture
def function() -> Any:
    return RESOURCES["SecurityRemediationFunction"]["Properties"]


def actions(statements: list[Any]) -> set[str]:
    listed = [one["Action"] if isinstance(one["Action"], list) else [one["Action"]] for one in statements]
    return {action for some in listed for action in some}


def test_the_rules_match_the_calls_that_the_remediations_judge(function):
    watched = {
        (source, name)
        for event in function["Events"].values()
        for source in event["Properties"]["Pattern"]["detail"].get("eventSource", [])
        for name in event["Properties"]["Pattern"]["detail"].get("eventName", [])
    }
    assert watched == {(source, name) for one in REMEDIATIONS for source, names in one.EVENTS.items() for name in names}


def test_a_rule_watches_root_for_the_remediation_that_judges_every_call(function):
    assert [one.NAME for one in REMEDIATIONS if one.EVENTS == EVERY_CALL] == ["root_activity"]
    assert function["Events"]["RootActivity"]["Properties"]["Pattern"]["detail"]["userIdentity"]["type"] == ["Root"]


def test_roots_rule_leaves_to_the_other_rules_the_calls_that_they_bring(function):
    elsewhere = function["Events"]["RootActivity"]["Properties"]["Pattern"]["detail"]["$or"]
    [sources] = [one["anything-but"] for one in elsewhere[0]["eventSource"]]
    [names] = [one["anything-but"] for one in elsewhere[1]["eventName"]]

    assert set(sources) == {source for one in REMEDIATIONS for source in one.EVENTS}
    assert set(names) == {name for one in REMEDIATIONS for some in one.EVENTS.values() for name in some}


def test_the_role_may_read_what_the_remediations_read_and_write_only_in_enforce_mode(function):
    policies = [one for one in function["Policies"] if isinstance(one, dict)]
    always = [statement for one in policies for statement in one.get("Statement", [])]
    conditional = {one["Fn::If"][0]: one["Fn::If"][1] for one in policies if "Fn::If" in one}

    assert actions(always) == {action for one in REMEDIATIONS for action in one.READS}
    assert set(conditional) == {"HasSlackWebhook", "Enforce"}
    assert actions(conditional["Enforce"]["Statement"]) == {action for one in REMEDIATIONS for action in one.WRITES}


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
