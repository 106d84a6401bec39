from typing import Any

import pytest
from local.cloud import Aws
from local.stack import Rule, Stack


class Cloud(Aws):
    """Its EventBridge finds that every event matches every pattern."""

    def client(self, *_: Any) -> Any:
        return self

    def test_event_pattern(self, **_: str) -> dict[str, bool]:
        return {"Result": True}


def stack(*buses: str) -> Stack:
    found = Stack(Cloud(region="ap-northeast-2"))
    found.__dict__["rules"] = [Rule(f"On {bus}", "Function", bus, "{}", "arn") for bus in buses]
    return found


PARTNER = "aws.partner/zendesk.com/1/default"


@pytest.mark.parametrize(
    ("source", "buses", "matching"),
    [
        ("aws.ec2", ["default", "own"], ["default"]),
        ("com.example.shop", ["default", "own"], ["default", "own"]),
        ("awsome", ["own"], ["own"]),
        (PARTNER, ["default", PARTNER], [PARTNER]),
        (PARTNER, ["default", "own"], ["default"]),
    ],
)
def test_an_event_is_judged_by_the_rules_of_the_buses_on_which_it_arrives(
    source: str, buses: list[str], matching: list[str]
) -> None:
    found = stack(*buses)

    assert [rule.bus for rule in found.matching({"source": source})] == matching
    assert [rule.bus for rule in found.matching({"source": source}, "own")] == [bus for bus in buses if bus == "own"]
