"""The rules, judged by EventBridge's `TestEventPattern` as the local cloud implements it, against every sample event."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from local.stack import Stack

from tests.template.test_buses import OWN_ACCOUNT_ONLY, TWINS

EVENTS = Path(__file__).parents[2] / "events"
INDEX: dict[str, dict[str, Any]] = tomllib.loads((EVENTS / "index.toml").read_text())


def test_the_index_names_every_sample_event_and_no_other() -> None:
    assert set(INDEX) == {str(path.relative_to(EVENTS)) for path in EVENTS.glob("*/*.json")}


@pytest.mark.parametrize("name", INDEX)
def test_a_sample_event_matches_exactly_the_rules_that_it_should(name: str, stack: Stack) -> None:
    event = json.loads((EVENTS / name).read_text())

    assert {rule.name for rule in stack.matching(event)} == set(INDEX[name]["matches"])


def hears(twin: str, event: dict[str, Any]) -> bool:
    """Whether the twin is for events of that source: one for this account has those of AWS's global services only."""
    sources = TWINS[twin]["Properties"]["EventPattern"]["source"]
    return event["source"] in sources or {"prefix": "aws."} in sources


@pytest.mark.parametrize("name", INDEX)
def test_a_sample_event_that_is_forwarded_matches_the_twins_of_the_rules_that_it_should(
    name: str, stack: Stack
) -> None:
    event, bus = json.loads((EVENTS / name).read_text()), stack.outputs["ApplicationBus"]
    there = {rule.name for rule in stack.rules if rule.bus == bus}
    twins = {twin for rule in INDEX[name]["matches"] if (twin := f"Forwarded{rule}") in TWINS and hears(twin, event)}

    assert {rule.name for rule in stack.matching(event, bus)} == twins | set(INDEX[name]["matches"]) & there


def test_every_twin_hears_a_sample_event_that_its_rule_matches() -> None:
    heard = {
        twin
        for name, entry in INDEX.items()
        for rule in entry["matches"]
        if (twin := f"Forwarded{rule}") in TWINS and hears(twin, json.loads((EVENTS / name).read_text()))
    }

    assert heard == set(TWINS)


@pytest.mark.parametrize("name", INDEX)
def test_the_twins_that_hear_their_own_account_only_match_no_event_of_another(name: str, stack: Stack) -> None:
    event = json.loads((EVENTS / name).read_text()) | {"account": "444455556666"}
    found = {rule.name for rule in stack.matching(event, stack.outputs["ApplicationBus"])}

    assert found & set(TWINS) == {f"Forwarded{rule}" for rule in INDEX[name]["matches"]} & set(TWINS) - OWN_ACCOUNT_ONLY


def test_every_rule_but_the_twins_has_a_sample_event_that_matches_and_one_that_nearly_does(stack: Stack) -> None:
    rules = {rule.name for rule in stack.rules} - set(TWINS)

    assert rules == {name for entry in INDEX.values() for name in entry["matches"]}
    assert rules == {entry["near"] for entry in INDEX.values() if "near" in entry}


@pytest.mark.parametrize(
    ("key", "matches"),
    [
        ("photo.JPG", True),
        ("photo.JpEg", True),
        ("deep/er/사진 (1) a+b %20.png", True),
        (".webp", True),
        ("photo.jpg.txt", False),
        ("photojpg", False),
        ("photo.svg", False),
    ],
)
def test_an_upload_matches_by_its_suffix_in_any_case(key: str, matches: bool, stack: Stack) -> None:
    event = json.loads((EVENTS / "image_resize/uploaded.json").read_text())
    event["detail"]["object"]["key"] = key

    assert ([rule.name for rule in stack.matching(event)] == ["ImageUploaded"]) is matches
