"""The sample events, and what a person types."""

import json
from pathlib import Path

import pytest
from local.cloud import LocalError
from local.console.samples import by_automation, typed


def test_every_sample_is_an_event_that_one_could_type() -> None:
    found = by_automation()

    assert found["ec2_state_alerts"].keys() >= {"stopped", "terminated"}
    assert "slack_sender" not in found  # a batch of messages is no event
    for situations in found.values():
        for text in situations.values():
            assert typed(text) == json.loads(text)


def test_the_samples_of_which_something_comes_are_before_the_others(tmp_path: Path) -> None:
    event = json.dumps({"source": "a", "detail-type": "b", "detail": {}})
    for name in ("shop/near", "shop/paid", "shop/forgotten", "shop/batch", "shop/nightly", "cart/put"):
        file = tmp_path / f"{name}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text("{}" if name == "shop/batch" else event)
    (tmp_path / "index.toml").write_text("""
        ["shop/near.json"]
        matches = []
        near = "Paid"
        ["shop/paid.json"]
        matches = ["Paid"]
        ["shop/nightly.json"]
        matches = []
        schedule = "Nightly"
        ["cart/put.json"]
        matches = []
    """)

    found = by_automation(tmp_path)

    assert list(found) == ["cart", "shop"]
    assert list(found["shop"]) == ["nightly", "paid", "forgotten", "near"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "This is no JSON yet: Expecting value: line 1"),
        ('{"source": "a",\n', "line 2 column 1"),
        ("[]", "This is no event: it is no JSON object"),
        ('{"source": "a", "detail-type": "b"}', "it has no detail"),
        ('{"source": 1, "detail-type": "b", "detail": {}}', "its source is no text"),
        ("[" * 100_000, "This is no JSON yet"),
    ],
)
def test_what_is_no_event_is_said_in_words(text: str, why: str) -> None:
    with pytest.raises(LocalError, match=why):
        typed(text)
