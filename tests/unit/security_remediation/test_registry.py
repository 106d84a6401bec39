"""The template, the README and the registry say the same."""

import json
import os
import pkgutil
import subprocess
import sys
from typing import Any

import pytest
from local import security

from security_remediation import remediations
from security_remediation.calls import judging
from security_remediation.plan import EVERY_CALL
from security_remediation.registry import REMEDIATIONS
from tests.template_file import RESOURCES, TEMPLATE
from tests.unit.security_remediation.conftest import record_of


@pytest.fixture
def function() -> Any:
    return RESOURCES["SecurityRemediationFunction"]["Properties"]


def test_the_template_and_the_documents_are_what_the_registry_says():
    stale = [path.name for path in security.PARTS if security.written(path) != path.read_text()]
    assert not stale, f"run python -m local security write: {stale}"


def test_no_call_is_brought_by_two_rules():
    """Root's rule leaves out the rules of the services; those with a pattern of their own leave out root."""
    brought = [(source, name) for source, names in security.calls_by_source().items() for name in names]
    apart = [
        (source, name)
        for one in REMEDIATIONS
        if security.pattern_of(one)
        for source, names in security.calls_apart(one).items()
        for name in names
    ]
    assert len([*brought, *apart]) == len({*brought, *apart})


def test_a_pattern_is_not_longer_than_eventbridge_takes(function):
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html: 2,048 characters."""
    for name, event in function["Events"].items():
        assert len(json.dumps(event["Properties"].get("Pattern"))) < 2048, name


def test_calls_that_only_read_come_by_two_rules_and_each_only_where_a_parameter_asks_for_it(function):
    brings = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    states = {
        name: one["Properties"]["State"]["Fn::If"]
        for name, one in function["Events"].items()
        if "State" in one["Properties"]
    }

    assert states == {
        "DataRead": ["TellDataReads", brings, "DISABLED"],
        "RootActivity": ["TellRootReads", brings, "ENABLED"],
    }
    named = {"Fn::Not": [{"Fn::Equals": [{"Ref": "SecretReaders"}, ""]}]}
    assert named in TEMPLATE["Conditions"]["TellDataReads"]["Fn::And"]
    assert [TEMPLATE["Parameters"][one]["Default"] for one in ("SecretReaders", "RootReads")] == ["", "false"]


def test_what_a_remediation_needs_has_actions_and_a_reason_for_each_wildcard():
    for one in REMEDIATIONS:
        for allow in (*one.READS, *one.WRITES):
            assert allow.actions
            assert allow.why or allow.resource != "*", one.NAME
        assert one.SURE.endswith(".")
        assert all(security.finds(one)), f"the docstring of {one.NAME} begins with '<finds>: <does>.'"


def test_every_module_is_registered_once_under_its_own_name():
    modules = [one.name for one in pkgutil.iter_modules(remediations.__path__)]
    assert sorted(one.NAME for one in REMEDIATIONS) == sorted(modules)


def test_calls_of_the_same_name_of_another_service_are_not_judged():
    record = record_of("put-bucket-policy-public")
    assert [one.NAME for one in judging(record)] == ["bucket_policy", "root_activity"]
    other = record.model_copy(update={"event_source": "s3express.amazonaws.com"})
    assert [one.NAME for one in judging(other)] == ["root_activity"]


def test_a_cold_start_imports_no_remediation():
    seen = subprocess.run(
        [sys.executable, "-c", "import security_remediation.handler, sys; print(*sys.modules)"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "AWS_DEFAULT_REGION": "ap-northeast-2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not [name for name in seen.stdout.split() if name.startswith("security_remediation.remediations")]


def test_the_remediations_that_judge_a_call_come_in_the_registrys_order():
    for one in REMEDIATIONS:
        for source, names in one.EVENTS.items():
            for name in names:
                record = record_of("put-bucket-policy-public").model_copy(
                    update={"event_source": source, "event_name": name}
                )
                assert judging(record) == [
                    each for each in REMEDIATIONS if each.EVENTS == EVERY_CALL or name in each.EVENTS.get(source, ())
                ]


def test_the_function_may_read_its_audit_records_and_learn_that_there_is_none(function):
    """Without s3:ListBucket, S3 answers AccessDenied for an object that does not exist."""
    statements = [one for policy in function["Policies"] for one in policy.get("Statement", []) if "Action" in one]

    def may(action: str) -> list[Any]:
        return [one["Resource"] for one in statements if action in one["Action"]]

    assert may("s3:GetObject") == may("s3:PutObject") == [{"Fn::Sub": "${AuditBucket.Arn}/audit/*"}]
    assert may("s3:ListBucket") == [{"Fn::GetAtt": "AuditBucket.Arn"}]
    assert not may("s3:DeleteObject")
