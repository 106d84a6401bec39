import pytest
from hypothesis import given
from hypothesis import strategies as st

from security_remediation.lifecycle import KEPT_DAYS, expires_logs, log_root, when, without_expiry

ROOT = log_root(None)
ACCOUNT = "111122223333"


def rule(prefix: str = "", days: int = 1, **more: object) -> dict[str, object]:
    return {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": prefix}, "Expiration": {"Days": days}} | more


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "A",
        "AWSLogs",
        "AWSLogs/",
        "AWSLogs/1111",
        f"AWSLogs/{ACCOUNT}/",
        f"AWSLogs/{ACCOUNT}/Cloud",
        f"AWSLogs/{ACCOUNT}/CloudTrail/ap-northeast-2/2026/11/",
        f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/",
        "AWSLogs/o-exampleorgid/",
        f"AWSLogs/o-exampleorgid/{ACCOUNT}/CloudTrail/",
        "*",
        "AWSLogs/*",
    ],
)
def test_a_prefix_that_a_trails_logs_have(prefix):
    assert expires_logs(rule(prefix), [ROOT])


@pytest.mark.parametrize(
    "prefix",
    [
        "drafts/",
        "audit/AWSLogs/",
        f"AWSLogs/{ACCOUNT}/elasticloadbalancing/",
        f"AWSLogs/{ACCOUNT}/Config/",
        f"AWSLogs/o-exampleorgid/{ACCOUNT}/Config/",
    ],
)
def test_a_prefix_of_something_else(prefix):
    assert not expires_logs(rule(prefix), [ROOT])


def test_the_trails_own_prefix_counts():
    assert expires_logs(rule("audit/"), [log_root("audit")])
    assert not expires_logs(rule("AWSLogs/"), [log_root("audit")])


@pytest.mark.parametrize(
    "filter_",
    [
        {"Filter": {}},
        {"Filter": ""},
        {"Filter": None},
        {"Filter": {"Prefix": ""}},
        {"Filter": {"ObjectSizeGreaterThan": 0}},
        {"Filter": {"And": {"Prefix": "AWSLogs/", "ObjectSizeGreaterThan": 0}}},
        {"Filter": None, "Prefix": "AWSLogs/"},
    ],
)
def test_each_form_of_a_filter_is_read(filter_):
    assert expires_logs(rule() | filter_, [ROOT])


@pytest.mark.parametrize(
    "harmless",
    [
        {"Status": "Disabled"},
        {"Expiration": {"Days": KEPT_DAYS}},
        {"Expiration": {"Days": "400"}},
        {"Expiration": {"ExpiredObjectDeleteMarker": True}},
        {"Expiration": None},
        {"Filter": {"Tag": {"Key": "temporary", "Value": "yes"}}},
        {"Filter": {"And": {"Prefix": "", "Tags": [{"Key": "temporary", "Value": "yes"}]}}},
        {"Filter": {"And": {"Prefix": "", "Tag": {"Key": "temporary", "Value": "yes"}}}},
    ],
)
def test_a_rule_that_expires_no_logs_early(harmless):
    assert not expires_logs(rule() | harmless, [ROOT])


def test_from_a_date_on_every_log_expires_at_once():
    by_date = rule() | {"Expiration": {"Date": "2026-11-12T00:00:00+00:00"}}
    assert expires_logs(by_date, [ROOT])
    assert when([by_date]) == "from 2026-11-12 on"


def test_the_first_expiry_is_named():
    assert when([rule(days=90), rule(days=1)]) == "after 1 day"
    assert when([rule(days=90)]) == "after 90 days"


@given(st.integers(1, 3650), st.booleans())
def test_without_its_expiry_a_rule_expires_nothing_and_keeps_its_other_actions(days, moves):
    one = rule(days=days) | ({"Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]} if moves else {})

    left = without_expiry(one)

    assert (left is not None) == moves
    if left:
        assert not expires_logs(left, [ROOT])
        assert left == {name: value for name, value in one.items() if name != "Expiration"}
