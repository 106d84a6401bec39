"""The sample events, and what a person types."""

import json

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
