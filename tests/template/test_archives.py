"""The archives of the template: what they keep, and which rules a replay can reach."""

from typing import Any

import pytest
from local.archives import LOGICAL_IDS

from automations.delivery import REMEMBERED
from tests.template.test_template import rules
from tests.template_file import RESOURCES, TEMPLATE

ARCHIVES = {name: item for name, item in RESOURCES.items() if item["Type"] == "AWS::Events::Archive"}
BUSES = {name for name, item in RESOURCES.items() if item["Type"] == "AWS::Events::EventBus"}
PATTERNS = [properties["Pattern"] for _, properties in rules() if "EventBusName" not in properties] + [
    item["Properties"]["EventPattern"]
    for item in RESOURCES.values()
    if item["Type"] == "AWS::Events::Rule" and "EventBusName" not in item["Properties"]
]
"""Of the rules that are always on the default bus."""


def test_the_command_finds_every_archive() -> None:
    assert set(LOGICAL_IDS) == set(ARCHIVES)


def test_every_bus_has_an_archive_when_events_are_to_be_kept() -> None:
    assert {name.removesuffix("Archive") for name in ARCHIVES} == {"DefaultBus", *BUSES}
    for name, item in ARCHIVES.items():
        wanted = TEMPLATE["Conditions"][item["Condition"]]
        assert {"Condition": "KeepEvents"} in wanted.get("Fn::And", [{"Condition": item["Condition"]}]), name
        assert item["Properties"]["RetentionDays"] == {"Ref": "ArchiveRetentionDays"}
    assert TEMPLATE["Parameters"]["ArchiveEvents"]["Default"] == "false"  # AWS charges for them


@pytest.mark.parametrize("bus", sorted(BUSES))
def test_the_archive_of_a_bus_is_made_when_the_bus_is(bus: str) -> None:
    archive = ARCHIVES[f"{bus}Archive"]

    assert {"Condition": RESOURCES[bus]["Condition"]} in TEMPLATE["Conditions"][archive["Condition"]]["Fn::And"]
    assert archive["Properties"]["SourceArn"]["Fn::Sub"].endswith(f":event-bus/${{{bus}}}")


def test_the_default_archive_keeps_the_sources_whose_replays_a_rule_of_the_stack_takes() -> None:
    kept = set(TEMPLATE["Parameters"]["ArchiveSources"]["Default"].split(","))
    taken = [pattern for pattern in PATTERNS if "replay-name" not in pattern]
    named = {source for pattern in taken for source in pattern.get("source", []) if isinstance(source, str)}

    # The rule for root's activity names no source; sign-ins are the ones that no other rule brings. ApiCallerSource is a parameter.
    assert kept == named | {"aws.signin", TEMPLATE["Parameters"]["ApiCallerSource"]["Default"]}


def test_a_rule_that_mails_by_itself_leaves_replays_alone() -> None:
    """Nothing would remember that it was mailed already."""

    def mails(item: dict[str, Any]) -> bool:
        return item["Type"] == "AWS::Events::Rule" and any(
            target["Arn"] == {"Ref": "AlertsTopic"} for target in item["Properties"]["Targets"]
        )

    mailing = {name: item for name, item in RESOURCES.items() if mails(item)}

    assert mailing
    for name, item in mailing.items():
        assert item["Properties"]["EventPattern"]["replay-name"] == [{"exists": False}], name


def test_functions_remember_deliveries_for_as_long_as_events_are_kept() -> None:
    variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]

    assert variables["ARCHIVE_RETENTION_DAYS"] == {"Fn::If": ["KeepEvents", {"Ref": "ArchiveRetentionDays"}, ""]}
    assert TEMPLATE["Parameters"]["ArchiveRetentionDays"]["Default"] == REMEMBERED.days
