"""An event in a file: what is read, what is refused, what is filled in."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from local.cloud import LocalError
from local.event_file import complete, read, renew

EVENT = {"source": "com.example.shop", "detail-type": "Order Placed", "detail": {"item": "사진"}}


def test_an_event_is_read_from_a_file_and_from_standard_input(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "event.json").write_bytes(json.dumps(EVENT, ensure_ascii=False).encode())
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(EVENT)))

    assert read(str(tmp_path / "event.json"), "send") == EVENT
    assert read("-", "send") == EVENT


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "cannot be read as an event"),
        ("[" * 100_000, "cannot be read as an event"),
        ("[]", "is no JSON object"),
        ('{"Source": "a"}', "it has no detail, detail-type, source"),
        (json.dumps(EVENT | {"source": 1}), "its source is no text"),
        (json.dumps(EVENT | {"detail-type": None}), "its detail-type is no text"),
        (json.dumps(EVENT | {"detail": "{}"}), "its detail is no JSON object"),
    ],
    ids=["no JSON", "too deep", "no object", "not the names", "source", "detail type", "detail"],
)
def test_what_is_no_event_is_named(content: str, problem: str, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(content))

    with pytest.raises(LocalError, match=f"^Standard input .*{problem}"):
        read("-", "send")


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"gone\.json cannot be read as an event: .*No such file"):
        read(str(tmp_path / "gone.json"), "send")


def test_without_a_file_the_command_is_shown_and_the_samples_are_listed() -> None:
    with pytest.raises(LocalError, match=r"make explain EVENT=(?s:.*)\nevents/ec2_state_alerts/stopped\.json"):
        read("", "explain")


def test_what_an_event_lacks_is_filled_in_as_put_events_does() -> None:
    event, filled = complete(EVENT | {"region": "us-east-1"}, "111122223333", "ap-northeast-2")

    assert filled == ["id", "account", "time", "resources"]
    assert (event["account"], event["region"], event["resources"]) == ("111122223333", "us-east-1", [])
    assert event["detail"] == EVENT["detail"]


def test_a_whole_event_is_left_as_it_is() -> None:
    whole, _ = complete(EVENT, "111122223333", "ap-northeast-2")

    assert complete(whole, "444455556666", "us-east-1") == (whole, [])


@pytest.mark.parametrize("detail", [{"order": 1}, {"eventID": "1", "eventName": "Put"}])
def test_a_renewed_event_is_another_one_about_the_same_thing(detail: dict[str, Any]) -> None:
    event = EVENT | {"id": "1", "time": "2026-11-01T00:00:00Z", "detail": detail}

    once, twice = renew(event), renew(event)

    assert len({event["id"], once["id"], twice["id"]}) == 3
    assert once["time"] > event["time"]
    assert len({json.dumps(one) for one in (detail, once["detail"], twice["detail"])}) == (
        3 if "eventID" in detail else 1
    )
    assert all(once["detail"][key] == value for key, value in detail.items() if key != "eventID")
    assert event["id"] == "1"
    assert event["detail"] is detail
