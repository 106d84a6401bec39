"""Each pattern of the deployed application is changed in every place, one at a time: each field, each of several values and each
branch of an `$or` is dropped; each value is changed to one that nothing has, each `exists` to its opposite, and each prefix, suffix,
wildcard and limit also to one that lets a little more or less through. A change is caught when at least one sample event gets
another verdict than from the pattern as it is, so that no part of a pattern is untested. The verdicts are those of the local
cloud's own matcher, which is shown to agree with its `TestEventPattern`.

Tried are the files of `events/` and events derived from them by changing one thing, in the same way for all rules: put by an
application, of another detail type, account, event source or call, of each call of the registry, refused by AWS, replayed, made by
a user, a role, root, a service or the function itself, a picture of each suffix, a build in each status, a change of each thing
that is guarded. What a derived event must match follows from its origin and from AWS's documents, not from a pattern; the table
says how many changes only these caught.

Every sample that matches a rule is then sent on the local cloud and seen at the rule's target: in the log of the function, in the
stream behind the queue, or as an e-mail. What an AWS service sends is handed to the target as `make send` does it; the remediations
are off meanwhile, because what the samples speak of is not there.

A twin, a rule for forwarded events, shares most or all of its original's pattern word for word; changed is what it has of its own.
What the archive keeps, the pipe's filter and the forwarder's pattern go through the same changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set
from datetime import UTC, datetime
from typing import Any

import pytest
from local.archives import find
from local.cloud import ACCOUNT, Cloud, wait_for
from local.event_file import renew
from local.forwarder import forwarder
from local.scenes.event_pipeline import stream
from local.stack import Rule, Stack
from local.stage import SECONDS, Stage

from security_remediation.modes import Mode
from security_remediation.registry import REMEDIATIONS
from tests.input_transformer import render
from tests.proofs.conftest import Row
from tests.proofs.derived import Rules, Sample, derived, files
from tests.proofs.matcher import Matcher, matcher
from tests.proofs.mutations import mutants
from tests.template.test_buses import TWINS
from tests.template.test_forwarder import CENTRAL, exists_in_us_east_1
from tests.template.test_order_events import FILTER, INSERTED, ORDER, record
from tests.template.test_rules import INDEX
from tests.template_file import TEMPLATE

ORIGINALS = sorted({rule for entry in INDEX.values() for rule in entry["matches"]})
CALLING_AWS = ("SecurityRemediationFunction", "ApigatewayLoggingFunction")
"""The functions whose calls come back as events to their own rules."""


@pytest.fixture(scope="module")
def judge() -> Iterator[Matcher]:
    with matcher() as running:
        yield running


@pytest.fixture(scope="module")
def rules(stack: Stack) -> dict[str, Rule]:
    return {rule.name: rule for rule in stack.rules}


@pytest.fixture(scope="module")
def samples(stack: Stack, rules: dict[str, Rule]) -> list[Sample]:
    """All of them: the files first, and then what is derived from those that match a rule."""
    roles = {name: f"arn:aws:iam::{ACCOUNT}:role/{stack.resources[f'{name}Role']}" for name in CALLING_AWS}
    known, found = Rules({name: rule.function for name, rule in rules.items()}, roles, stack.resources), files()
    return found + [other for one in found if one.matches for other in derived(one, known)]


@pytest.fixture(scope="module")
def remediations_off(stack: Stack) -> Iterator[None]:
    """So that nothing is changed, and nothing fails because what a sample speaks of is not there."""
    client, name = stack.cloud.client("lambda"), stack.resources["SecurityRemediationFunction"]
    as_deployed = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    off = json.dumps({one.NAME: Mode.OFF for one in REMEDIATIONS})
    client.update_function_configuration(FunctionName=name, Environment={"Variables": as_deployed | {"MODES": off}})
    yield
    client.update_function_configuration(FunctionName=name, Environment={"Variables": as_deployed})


def must_match(one: Sample, rule: str) -> bool:
    """Whether the sample must match the rule; a twin, when it is forwarded."""
    return rule in (one.forwarded if rule in TWINS else one.matches)


def tried(
    judge: Matcher,
    changed: Mapping[str, Mapping[str, Any]],
    files: Mapping[str, tuple[Mapping[str, Any], bool]],
    derived: Mapping[str, tuple[Mapping[str, Any], bool]],
) -> dict[str, int]:
    """What the table says of changed patterns, tried with events and the verdicts that they should get.

    A failed assertion when no event catches a change.
    """
    tries = [*files.values(), *derived.values()]
    right = [verdict for _, verdict in tries]
    verdicts = judge.judge([*changed.values()], [event for event, _ in tries])
    assert not [what for what, found in zip(changed, verdicts, strict=True) if found == right]
    by_files = sum(found[: len(files)] != right[: len(files)] for found in verdicts)
    return {"changes": len(changed), "caught": len(changed), "only by derived samples": len(changed) - by_files}


def test_a_pattern_is_changed_in_every_place() -> None:
    seven, x, y = {"n": [{"numeric": [">=", 7]}]}, {"x": [{"exists": False}]}, {"y": [{"prefix": "p"}]}
    source, detail = {"source": ["a", "b"]}, {"detail": seven | {"$or": [x, y]}}

    assert [*mutants(source | detail).values()] == [
        detail,
        {"source": ["b"]} | detail,
        {"source": ["a?", "b"]} | detail,
        {"source": ["a"]} | detail,
        {"source": ["a", "b?"]} | detail,
        source | {"detail": {"$or": [x, y]}},
        source | {"detail": {"n": [{"numeric": [">", 7]}], "$or": [x, y]}},
        source | {"detail": {"n": [{"numeric": [">=", 6]}], "$or": [x, y]}},
        source | {"detail": {"n": [{"numeric": [">=", 8]}], "$or": [x, y]}},
        source | {"detail": seven},
        source | {"detail": seven | y},
        source | {"detail": seven | {"$or": [{"x": [{"exists": True}]}, y]}},
        source | {"detail": seven | x},
        source | {"detail": seven | {"$or": [x, {"y": [{"prefix": "p?"}]}]}},
        source | {"detail": seven | {"$or": [x, {"y": [{"prefix": ""}]}]}},
    ]


def test_every_sample_matches_the_rules_that_it_should_and_no_other(
    rules: dict[str, Rule], samples: list[Sample], judge: Matcher
) -> None:
    verdicts = judge.judge([json.loads(rule.pattern) for rule in rules.values()], [one.event for one in samples])

    assert set(rules) == {*ORIGINALS, *TWINS}
    for name, found in zip(rules, verdicts, strict=True):
        assert not [one.name for one, got in zip(samples, found, strict=True) if got != must_match(one, name)], name


@pytest.mark.usefixtures("remediations_off")
@pytest.mark.parametrize("name", [*ORIGINALS, *TWINS])
def test_every_part_of_a_pattern_is_tested_and_every_sample_reaches_the_target(
    name: str, rules: dict[str, Rule], samples: list[Sample], judge: Matcher, stage: Stage, row: Row
) -> None:
    rule, original = rules[name], rules[name.removeprefix("Forwarded") if name in TWINS else name]
    some = [one for one in samples if not one.derived or original.name in one.about]
    near = [one for one in some if one.near == name and not one.derived]
    hits = [one for one in some if must_match(one, name) and not one.derived]
    assert hits
    for one in hits + near:
        assert asked(stage.stack, rule, one.event) == must_match(one, name), one.name

    found = tried(
        judge,
        changes(rule, original),
        {one.name: (one.event, must_match(one, name)) for one in some if not one.derived},
        {one.name: (one.event, must_match(one, name)) for one in some if one.derived},
    )
    # One after the other, so that one running environment of the function takes them all.
    assert not [one.name for one in hits if not arrived(stage, rule, renew(one.event))]

    title, near_misses = ("Twins", {}) if name in TWINS else ("Rules", {"near_misses": len(near)})
    row(title, rule=name, samples_that_match=len(hits), **near_misses, **found, reached=f"{len(hits)} of {len(hits)}")


def asked(stack: Stack, rule: Rule, event: Mapping[str, Any]) -> bool:
    """What `TestEventPattern` says."""
    answer = stack.cloud.client("events").test_event_pattern(EventPattern=rule.pattern, Event=json.dumps(event))
    return bool(answer["Result"])


def changes(rule: Rule, original: Rule) -> dict[str, dict[str, Any]]:
    """The changed patterns of the rule; of a twin, in what it has of its own."""
    pattern = json.loads(rule.pattern)
    if rule == original:
        return mutants(pattern)
    shared = {key: value for key, value in json.loads(original.pattern).items() if pattern.get(key) == value}
    own = {key: value for key, value in pattern.items() if key not in shared}
    return {what: {**shared, **changed} for what, changed in mutants(own).items()} if own else {}


def arrived(stage: Stage, rule: Rule, event: Mapping[str, Any]) -> bool:
    """Whether the event, which is sent to this rule, is seen at its target."""
    if rule.transformer:
        return mailed(stage, rule, event)
    began, bus = datetime.now(UTC), rule.bus if rule.name in TWINS else None
    sent = stage.stack.send(event, bus, [rule]).event_id
    if rule.invokes:
        return bool(wait_for(lambda: stage.stack.log(rule.function, sent, began), SECONDS))
    # The queue is read at once, by the function that fills the stream.
    return bool(wait_for(lambda: [line for line in stream(stage) if line["event_id"] == sent], SECONDS))


def mailed(stage: Stage, rule: Rule, event: Mapping[str, Any]) -> bool:
    """Whether the rule mails the event, which goes through a copy of it."""
    assert rule.transformer
    first = render(rule.transformer, event).splitlines()[0]
    stage.stack.send_through_copy(rule, event)
    return bool(wait_for(lambda: any(first in mail["Message"] for mail in stage.take(stage.alerts)), SECONDS))


# ---------------------------------------------------------------- other patterns


def test_every_part_of_what_the_archive_keeps_is_tested(
    stack: Stack, samples: list[Sample], judge: Matcher, row: Row
) -> None:
    events = stack.cloud.client("events")
    described = [events.describe_archive(ArchiveName=one.name) for one in find(stack)]
    [pattern] = [json.loads(one["EventPattern"]) for one in described if one.get("EventPattern")]
    kept = TEMPLATE["Parameters"]["ArchiveSources"]["Default"].split(",")

    some = {one.name: (one.event, one.event["source"] in kept) for one in samples if not one.derived}
    other(judge, row, "DefaultBusArchive", pattern, some, set())


def test_every_part_of_the_forwarders_pattern_is_tested(
    local_cloud: Cloud, samples: list[Sample], judge: Matcher, row: Row
) -> None:
    with forwarder(local_cloud, "forwarder-of-the-proof", CentralBusArn=CENTRAL) as outputs:
        found = local_cloud.client("events").describe_rule(Name=outputs["ForwardRule"])

    some = {one.name: (one.event, exists_in_us_east_1(one.event)) for one in samples}
    derived = {one.name for one in samples if one.derived}
    other(judge, row, "ForwardRule, of the forwarder", json.loads(found["EventPattern"]), some, derived)


def test_every_part_of_the_pipes_filter_is_tested(judge: Matcher, row: Row) -> None:
    others = {
        "an order that changed": (record("MODIFY", new=ORDER, old=ORDER), False),
        "with something more": (record("INSERT", new=ORDER | {"coupon": {"S": "WELCOME"}}), True),
    }
    for name in ORDER:  # the event is made of all of them but the lines
        order = {key: value for key, value in ORDER.items() if key != name}
        others[f"without {name}"] = (record("INSERT", new=order), name == "lines")

    some = {"an order": (INSERTED, True), **others}
    details = {name: ({"detail": item}, verdict) for name, (item, verdict) in some.items()}
    pattern = {"detail": json.loads(FILTER)}
    other(judge, row, "OrderEventsPipe, its filter", pattern, details, set(others) - {"an order that changed"})


def other(
    judge: Matcher,
    row: Row,
    name: str,
    pattern: Mapping[str, Any],
    some: Mapping[str, tuple[Mapping[str, Any], bool]],
    derived: Set[str],
) -> None:
    """Try the changes of a pattern that is no rule of the stack, and tell."""
    [found] = judge.judge([pattern], [event for event, _ in some.values()])
    wrong = [one for one, got in zip(some, found, strict=True) if got != some[one][1]]
    assert not wrong
    files = {one: value for one, value in some.items() if one not in derived}
    told = tried(judge, mutants(pattern), files, {one: value for one, value in some.items() if one in derived})
    row("Other patterns", pattern=name, samples_that_match=sum(verdict for _, verdict in files.values()), **told)
