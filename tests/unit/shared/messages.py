"""Messages for the tests of the channels."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from automations.events import Event
from automations.notify import Link, Message, Severity

EVENT = Event.model_validate(
    {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "source": "test",
        "account": "123456789012",
        "time": "2026-11-22T03:00:00Z",
        "region": "ap-northeast-2",
        "resources": [],
        "detail-type": "Test",
        "detail": {},
    }
)


def message(**parts: Any) -> Message:
    return replace(Message(severity=Severity.INFO, title="Something happened", event=EVENT), **parts)


# Also control characters, half surrogate pairs, which JSON allows, and much of what has a meaning for Slack.
characters = st.one_of(st.characters(exclude_categories=()), st.sampled_from("&<>|*_`\n ;@#한🙂"))
texts = st.one_of(
    st.text(characters, max_size=50),
    st.builds(lambda text, times: text * times, st.text(characters, min_size=1, max_size=20), st.integers(1, 2000)),
)
messages = st.builds(
    Message,
    severity=st.sampled_from(Severity),
    title=texts,
    event=st.just(EVENT),
    facts=st.one_of(
        st.dictionaries(texts, texts, max_size=5),
        st.integers(0, 600).map(lambda number: {f"Fact {index}": str(index) for index in range(number)}),
    ),
    text=st.one_of(texts, st.text("&<>a \n", min_size=1, max_size=20).map(lambda text: text * 20_000)),
    link=st.none() | st.builds(Link, label=texts, url=texts.map("https://example.com/{}".format)),
)
