"""Explaining an event: how a pattern is split, what is asked of the judge, and what a person reads."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st
from local import explain as module
from local.cloud import LocalError
from local.commands.explain import Judged, as_json, judge_rule, named, on_bus, remarks
from local.explain import Leaf, Stop, Verdict, arrival, explain, judge, lists_between, reaches, reasons, split, wants
from local.stack import Rule

# A judge that knows just enough: values, `exists` and `$or`, in objects.


def stub_judge(event: Mapping[str, Any]) -> module.Judge:
    return lambda pattern: stub_matches(pattern, event)


def stub_matches(pattern: Mapping[str, Any], event: Any) -> bool:
    event = event if isinstance(event, dict) else {}
    return all(
        any(stub_matches(branch, event) for branch in allowed)
        if key == "$or"
        else stub_matches(allowed, event.get(key))
        if isinstance(allowed, dict)
        else any(item == {"exists": key in event} or (key in event and item == event[key]) for item in allowed)
        for key, allowed in pattern.items()
    )


KEYS = st.sampled_from(["source", "detail-type", "detail", "a", "b"])
VALUES = st.sampled_from(["x", "y", 1])
ALLOWED = st.lists(VALUES | st.builds(lambda there: {"exists": there}, st.booleans()), min_size=1, max_size=3)
PATTERNS = st.recursive(
    st.dictionaries(KEYS, ALLOWED, min_size=1, max_size=3),
    lambda inner: st.builds(
        lambda fields, branches: fields | ({"$or": branches} if branches else {}),
        st.dictionaries(KEYS, ALLOWED | inner, min_size=1, max_size=3),
        st.none() | st.lists(inner, min_size=2, max_size=3),
    ),
    max_leaves=8,
)
EVENTS = st.recursive(
    st.dictionaries(KEYS, VALUES, max_size=4),
    lambda inner: st.dictionaries(KEYS, VALUES | inner, max_size=4),
    max_leaves=8,
)


def merged(one: Any, other: Any) -> Any:
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return other
    return {**one, **{key: merged(one.get(key), value) for key, value in other.items()}}


@given(PATTERNS)
def test_all_leaves_together_are_the_pattern(pattern: dict[str, Any]) -> None:
    whole: dict[str, Any] = {}
    for leaf in split(pattern):
        whole = merged(whole, leaf.pattern)

    assert whole == pattern


@given(PATTERNS, EVENTS)
def test_a_pattern_is_stopped_by_exactly_the_leaves_that_do_not_match(pattern: Any, event: Any) -> None:
    matches = stub_judge(event)

    verdict = explain(pattern, matches)

    assert verdict.matches == matches(pattern)
    assert {stop.leaf.field for stop in verdict.stops} == {
        leaf.field for leaf in split(pattern) if not matches(leaf.pattern)
    }
    assert verdict.matches == (not verdict.stops)
    for stop in verdict.stops:  # in an object, a branch that does not match has a field that does not
        assert len(stop.branches) == len(stop.leaf.branches)
        assert all(stop.branches)


@given(PATTERNS, EVENTS)
def test_there_is_something_to_read_for_whatever_stops_a_pattern(pattern: Any, event: Any) -> None:
    verdict = explain(pattern, stub_judge(event))

    assert bool(reasons(verdict, pattern, event)) != verdict.matches


def test_a_leaf_is_a_field_with_all_that_it_may_be() -> None:
    pattern = {"source": ["aws.ec2"], "detail": {"user-data": {"a.b": ["x", {"prefix": "y"}, {"exists": False}]}}}

    assert split(pattern) == (
        Leaf(("source",), ["aws.ec2"]),
        Leaf(("detail", "user-data", "a.b"), ["x", {"prefix": "y"}, {"exists": False}]),
    )
    assert split(pattern)[1].pattern == {"detail": {"user-data": {"a.b": ["x", {"prefix": "y"}, {"exists": False}]}}}


def test_an_or_is_one_leaf_with_leaves_of_its_own_below_it() -> None:
    inner = [{"c": ["3"]}, {"d": ["4"]}]
    branches = [{"a": ["1"], "$or": inner}, {"b": {"c": ["2"]}}]

    [leaf] = split({"detail": {"$or": branches}})

    assert leaf.pattern == {"detail": {"$or": branches}}
    first, second = leaf.branches
    assert [part.pattern for part in first] == [{"detail": {"a": ["1"]}}, {"detail": {"$or": inner}}]
    assert [part.field for part in second] == ["detail.b.c"]


def test_a_field_that_is_called_or_is_a_field() -> None:
    [leaf] = split({"detail": {"$or": [{"prefix": "a"}, {"suffix": "b"}]}})

    assert leaf == Leaf(("detail", "$or"), [{"prefix": "a"}, {"suffix": "b"}])
    assert leaf.pattern == {"detail": {"$or": [{"prefix": "a"}, {"suffix": "b"}]}}


# What is asked

PATTERN = {"source": ["aws.ec2"], "detail-type": ["Stopped"], "detail": {"state": ["stopped"], "zone": ["a"]}}


class Asked:
    """The stub judge of an event, which notes what it is asked."""

    def __init__(self, event: dict[str, Any]) -> None:
        self.event, self.patterns = event, list[Any]()

    def __call__(self, pattern: Mapping[str, Any]) -> bool:
        self.patterns.append(pattern)
        return stub_matches(pattern, self.event)


def test_a_pattern_that_matches_takes_one_question() -> None:
    ask = Asked({"source": "aws.ec2", "detail-type": "Stopped", "detail": {"state": "stopped", "zone": "a"}})

    assert explain(PATTERN, ask) == Verdict(True)
    assert ask.patterns == [PATTERN]


def test_a_pattern_about_another_source_and_detail_type_is_looked_into_only_on_demand() -> None:
    event = {"source": "aws.s3", "detail-type": "Object Created", "detail": {"state": "stopped"}}
    quick, thorough = Asked(event), Asked(event)

    verdict = explain(PATTERN, quick, thoroughly=False)
    whole = explain(PATTERN, thorough)

    assert verdict.other_kind
    assert [stop.leaf.field for stop in verdict.stops] == ["source", "detail-type"]
    assert quick.patterns == [PATTERN, {"source": ["aws.ec2"]}, {"detail-type": ["Stopped"]}]
    assert [stop.leaf.field for stop in whole.stops] == ["source", "detail-type", "detail.zone"]
    assert not whole.other_kind


@pytest.mark.parametrize("kind", [{"source": "aws.ec2", "detail-type": "x"}, {"source": "x", "detail-type": "Stopped"}])
def test_a_pattern_that_shares_the_source_or_the_detail_type_is_a_near_miss(kind: dict[str, str]) -> None:
    verdict = explain(PATTERN, stub_judge({**kind, "detail": {"state": "stopped", "zone": "b"}}), thoroughly=False)

    assert not verdict.other_kind
    assert [stop.leaf.field for stop in verdict.stops][-1] == "detail.zone"


def test_eventbridge_is_asked_once_for_each_pattern() -> None:
    events = boto3.client("events")
    with Stubber(events) as stubber:
        for pattern, result in (({"a": ["1"]}, True), ({"a": ["2"]}, False)):
            expected = {"EventPattern": json.dumps(pattern), "Event": '{"a": "1"}'}
            stubber.add_response("test_event_pattern", {"Result": result}, expected)
        ask = judge(events, {"a": "1"})

        answers = [ask({"a": [value]}) for value in ("1", "2", "1", "2")]

        stubber.assert_no_pending_responses()
    assert answers == [True, False, True, False]


# What a person reads


@pytest.mark.parametrize(
    ("allowed", "words"),
    [
        (["stopped", "terminated"], '"stopped" or "terminated"'),
        ([7, True, None], "7 or true or null"),
        ([{"exists": True}], "any value"),
        ([{"exists": False}, "x"], 'no such field or "x"'),
        ([{"prefix": "a"}, {"prefix": "b"}, "c"], 'a text that begins with "a" or "b" or "c"'),
        ([{"suffix": {"equals-ignore-case": ".jpg"}}], 'a text that ends with ".jpg" in any case'),
        (
            [{"prefix": {"equals-ignore-case": "x"}}, {"prefix": "y"}],
            'a text that begins with "x" in any case or a text that begins with "y"',
        ),
        ([{"equals-ignore-case": "a"}, "b"], '"a" in any case or "b"'),
        ([{"wildcard": "a*b"}], 'a text like "a*b"'),
        ([{"cidr": "10.0.0.0/8"}], "an address in 10.0.0.0/8"),
        ([{"numeric": [">", 1, "<=", 5]}], "a number > 1 and <= 5"),
        ([{"anything-but": ["a", "b"]}], 'anything but "a", "b"'),
        ([{"anything-but": "a"}], 'anything but "a"'),
        ([{"anything-but": 5}], "anything but 5"),
        ([{"anything-but": {"prefix": ["a", "b"]}}], 'anything but a text that begins with "a" or "b"'),
        ([{"anything-but": {"equals-ignore-case": ["a", "b"]}}], 'anything but "a" or "b" in any case'),
        ([{"date-after": "2026-11-01"}], '{"date-after": "2026-11-01"}'),
    ],
)
def test_what_a_pattern_wants_is_said_in_words(allowed: list[Any], words: str) -> None:
    assert wants(allowed) == words


EVENT = {
    "source": "aws.ec2",
    "resources": ["one", "two"],
    "detail": {
        "instance-id": "i-1",
        "a.b": {"c": 1},
        "nothing": None,
        "text": "x" * 100,
        "none": {},
        "items": [{"kind": "a", "size": 1}, {"kind": "b", "size": 2}],
    },
}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("detail/instance-id", '"i-1"'),
        ("resources", '["one", "two"]'),
        ("detail/items/kind", '["a", "b"]'),
        ("detail/a.b/c", "1"),
        ("detail/a/b/c", "1"),
        ("detail/nothing", "null"),
        ("detail/nothing/more", "absent, because detail.nothing is null"),
        ("detail/instance-id/x", 'absent, because detail.instance-id is "i-1"'),
        ("detail/x/y/z", "absent, and so is detail.x"),
        ("detail/none/x", "absent"),
        ("detail/items/colour", "absent"),
        ("detail/text", f'"{"x" * 78}…'),
    ],
)
def test_what_the_event_has_is_shown_and_what_it_lacks_is_said(path: str, words: str) -> None:
    assert module.has(EVENT, Leaf(tuple(path.split("/")), ["?"])) == words


def test_keys_are_joined_with_dots_as_eventbridge_joins_them() -> None:
    found = module.found({"a.b": {"c": 1}, "a": {"b": {"c": 2}, "b.c": 3}}, "a.b.c")

    assert sorted(found) == [1, 2, 3]


def test_each_branch_of_an_or_is_explained_below_it() -> None:
    pattern = {"detail": {"$or": [{"state": ["stopped"], "zone": ["a"]}, {"zone": ["b"]}]}}
    event = {"detail": {"state": "running", "zone": "c"}}

    assert reasons(explain(pattern, stub_judge(event)), pattern, event) == [
        "one of these 2 must match, and none does:",
        '  - detail.state is "running"; the rule wants "stopped"',
        '    detail.zone is "c"; the rule wants "a"',
        '  - detail.zone is "c"; the rule wants "b"',
    ]


def test_fields_that_match_in_different_elements_of_a_list_are_told_apart() -> None:
    """EventBridge's own example, turned: it refuses fields of two elements of one list."""
    pattern = {"detail": {"items": {"kind": ["a"], "size": [2]}}}

    def ask(asked: Mapping[str, Any]) -> bool:
        return asked != pattern

    verdict = explain(pattern, ask)

    assert verdict == Verdict(False)
    assert reasons(verdict, pattern, EVENT) == [
        "each field matches alone, but not all of them together; detail.items is a list, and one element of it must have them"
    ]


def test_a_list_between_needs_two_fields_below_it() -> None:
    below = split({"detail": {"items": {"kind": ["a"]}, "instance-id": ["i-1"]}, "resources": ["one"]})
    branch = split({"detail": {"items": {"kind": ["a"]}, "$or": [{"items": {"size": [2]}}, {"x": ["y"]}]}})

    assert lists_between(below, EVENT) == []
    assert lists_between(branch, EVENT) == ["detail.items"]


@pytest.mark.parametrize(
    ("source", "words", "buses"),
    [
        ("aws.ec2", "An event of an AWS service arrives on the bus default.", ["default"]),
        (
            "aws.partner/x.com/1",
            "A partner's event arrives on the bus of its source, aws.partner/x.com/1.",
            ["aws.partner/x.com/1"],
        ),
        ("aws.partner/y.com/1", "A partner's event arrives on the bus of its source, aws.partner/y.com/1.", []),
        (
            "com.example.shop",
            "An event of one's own arrives on the bus to which it is put.",
            ["default", "own", "aws.partner/x.com/1"],
        ),
    ],
)
def test_the_bus_on_which_an_event_arrives_follows_from_its_source(source: str, words: str, buses: list[str]) -> None:
    event = {"source": source}

    assert arrival(event) == words
    assert [bus for bus in ("default", "own", "aws.partner/x.com/1") if reaches(bus, source)] == buses


# The command's decisions


def rule(name: str = "Stopped", **fields: Any) -> Rule:
    arn = "arn:aws:lambda:ap-northeast-2:111122223333:function:f"
    return Rule(
        **{"name": name, "function": "F", "bus": "default", "pattern": json.dumps(PATTERN), "target": arn} | fields
    )


def test_rules_are_chosen_by_name_and_an_unknown_one_is_told_which_there_are() -> None:
    rules = [rule("B"), rule("A")]

    assert named(rules, []) == rules
    assert named(rules, ["A"]) == [rules[1]]
    with pytest.raises(LocalError, match=r"There is no rule C\. There are A, B\."):
        named(rules, ["A", "C"])


def test_rules_are_chosen_by_bus_and_an_unknown_one_is_told_which_there_are() -> None:
    rules = [rule("A"), rule("B", bus="own")]

    assert on_bus(rules, None) == rules
    assert on_bus(rules, "own") == [rules[1]]
    with pytest.raises(LocalError, match=r"No rule is on the bus other\. There are rules on default, own\."):
        on_bus(rules, "other")


def test_a_rule_that_misses_by_fewer_fields_comes_first_and_one_that_matches_before_it() -> None:
    one, two = Stop(Leaf(("a",), ["x"])), Stop(Leaf(("b",), ["x"]))
    far, near, right = (
        Judged(rule(name), verdict)
        for name, verdict in (("A", Verdict(False, (one, two))), ("B", Verdict(False, (one,))), ("C", Verdict(True)))
    )

    assert sorted([far, near, right], key=lambda judged: judged.rank) == [right, near, far]


def test_a_rule_of_the_bus_default_comes_before_its_twin_for_forwarded_events_but_not_before_a_nearer_one() -> None:
    near, far = Verdict(True), Verdict(False, (Stop(Leaf(("a",), ["x"])),))
    twin, itself, nearer = (
        Judged(rule(name, bus=bus), verdict)
        for name, bus, verdict in (
            ("ForwardedStopped", "own", far),
            ("Stopped", "default", far),
            ("Other", "own", near),
        )
    )

    assert sorted([twin, itself, nearer], key=lambda judged: judged.rank) == [nearer, itself, twin]


def test_a_rule_that_eventbridge_does_not_ask_is_remarked_on() -> None:
    event = {"source": "aws.ec2"}

    assert remarks(rule(), event) == []
    assert "disabled" in remarks(rule(enabled=False), event)[0]
    assert "the bus own only where another rule forwards it" in remarks(rule(bus="own"), event)[0]
    assert remarks(rule(bus="own"), event, bus="own") == []


@contextmanager
def refused(code: str, message: str) -> Iterator[module.Judge]:
    """A judge whose EventBridge answers with this error."""
    events = boto3.client("events")
    with Stubber(events) as stubber:
        stubber.add_client_error("test_event_pattern", code, message)
        yield judge(events, {})


def test_a_pattern_that_eventbridge_refuses_is_named_with_its_reason() -> None:
    told = r"by the rule Stopped: Event pattern is not valid\."
    with (
        refused("InvalidEventPatternException", "Event pattern is not valid.") as ask,
        pytest.raises(LocalError, match=told),
    ):
        judge_rule(rule(), ask, False)


def test_an_error_that_is_not_about_the_pattern_is_left_to_the_command_line() -> None:
    with refused("ExpiredTokenException", "Sign in again.") as ask, pytest.raises(ClientError, match="Sign in again"):
        judge_rule(rule(), ask, False)


def test_json_names_each_field_that_stopped_the_rule_with_what_it_is_and_should_be() -> None:
    pattern = {"source": ["aws.ec2"], "detail": {"$or": [{"a": ["1"]}, {"b": [{"exists": True}]}]}}
    event = {"source": "aws.s3", "detail": {"a": "2"}}
    found = rule(pattern=json.dumps(pattern))

    told = as_json(Judged(found, explain(pattern, stub_judge(event))), event)

    assert json.loads(json.dumps(told)) == {
        "rule": "Stopped",
        "target": "F",
        "bus": "default",
        "enabled": True,
        "matches": False,
        "other_kind": False,
        "stopped_by": [
            {"field": "source", "pattern": {"source": ["aws.ec2"]}, "wants": '"aws.ec2"', "event": ["aws.s3"]},
            {
                "field": "detail",
                "pattern": {"detail": pattern["detail"]},
                "branches": [
                    [{"field": "detail.a", "pattern": {"detail": {"a": ["1"]}}, "wants": '"1"', "event": ["2"]}],
                    [
                        {
                            "field": "detail.b",
                            "pattern": {"detail": {"b": [{"exists": True}]}},
                            "wants": "any value",
                            "event": [],
                        }
                    ],
                ],
            },
        ],
        "reasons": [
            'source is "aws.s3"; the rule wants "aws.ec2"',
            "one of these 2 must match, and none does:",
            '  - detail.a is "2"; the rule wants "1"',
            "  - detail.b is absent; the rule wants any value",
        ],
    }
