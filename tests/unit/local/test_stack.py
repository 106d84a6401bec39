import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from local.cloud import Aws
from local.stack import Rule, Schedule, Stack


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


def test_a_schedule_knows_an_event_that_names_it() -> None:
    form = {
        "id": "<aws.scheduler.execution-id>",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "time": "<aws.scheduler.scheduled-time>",
        "resources": ["<aws.scheduler.schedule-arn>"],
        "detail": {},
    }
    arns = [f"arn:aws:scheduler:ap-northeast-2:111122223333:schedule/group/{name}" for name in ("Evening", "Morning")]
    evening, morning = (Schedule("name", "Function", json.dumps(form), "target", arn) for arn in arns)
    event = evening.event(datetime(2026, 11, 9, 11, tzinfo=UTC))

    assert evening.sends(event)
    assert evening.sends({**event, "resources": [arns[0].replace("group", "group-of-another-deployment")]})
    assert not morning.sends(event)
    for part, other in (("source", "com.example"), ("detail", {"all": True}), ("resources", []), ("resources", None)):
        assert not evening.sends({**event, part: other})


def test_a_line_of_a_log_may_hold_what_python_calls_the_end_of_a_line() -> None:
    line = json.dumps({"key": "a\u2028b.jpg"}, ensure_ascii=False)
    pages = [{"events": [{"timestamp": 0, "message": f"START\n{line}\n"}]}]
    client = SimpleNamespace(
        get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: pages),
        exceptions=SimpleNamespace(ResourceNotFoundException=KeyError),
    )
    stack = Stack(Cloud())
    stack.__dict__["resources"] = {"ImageResizeLogGroup": "/aws/lambda/images"}

    assert stack.messages("ImageResizeFunction", None, client) == ["START", line]
