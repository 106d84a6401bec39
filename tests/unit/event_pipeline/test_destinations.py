from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_pipeline import destinations
from event_pipeline.destinations import MAX_RECORDS, RESERVE, Destination, batches, deliver
from event_pipeline.plan import MAX_LINE, Record


class Fake:
    """A destination in memory, which refuses each record as often as it is told."""

    def __init__(self, refusals: dict[str, int] | None = None, max_bytes: int = 5_000_000) -> None:
        self.refusals = Counter(refusals or {})
        self.taken: list[str] = []
        self.calls: list[list[str]] = []
        self.destination = Destination("fake", max_bytes, self.put)

    def put(self, records: Sequence[Record]) -> list[str]:
        self.calls.append([record.id for record in records])
        codes = []
        for record in records:
            if self.refusals[record.id] > 0:
                self.refusals[record.id] -= 1
                codes.append("Busy")
            else:
                self.taken.append(record.id)
                codes.append("")
        return codes


def records(*sizes: int) -> dict[str, Record]:
    """Records with lines of these sizes, named and identified by their number."""
    return {str(number): Record(str(number), b"x" * size) for number, size in enumerate(sizes)}


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    monkeypatch.setattr(destinations, "backoff", lambda attempt: float(attempt))


def test_a_call_has_at_most_500_records():
    assert [len(batch) for batch in batches(records(*[1] * 1001), 5_000_000)] == [500, 500, 1]


def test_a_call_has_at_most_so_many_bytes_with_the_partition_keys():
    # Each record has one byte of id beside its line.
    assert [len(batch) for batch in batches(records(49, 49, 49), 100)] == [2, 1]
    assert [len(batch) for batch in batches(records(49, 50, 49), 100)] == [1, 1, 1]


def test_four_of_the_largest_records_do_not_fit_into_one_call_of_firehose():
    assert [len(batch) for batch in batches(records(*[MAX_LINE] * 4), 4_000_000)] == [3, 1]


@given(st.lists(st.integers(1, MAX_LINE), max_size=30), st.sampled_from([4_000_000, 5_000_000]))
def test_every_record_is_in_one_call_in_order_and_every_call_within_the_limits(sizes, max_bytes):
    found = list(batches(given := records(*sizes), max_bytes))

    assert [name for batch in found for name in batch] == list(given)
    for batch in found:
        assert 1 <= len(batch) <= MAX_RECORDS
        assert sum(given[name].size for name in batch) <= max_bytes


def test_each_round_waits_longer_and_writes_only_what_was_refused():
    fake = Fake({"1": 2})
    waited: list[float] = []

    assert deliver(records(1, 1, 1), [fake.destination], lambda: 60.0, waited.append) == {}

    assert fake.calls == [["0", "1", "2"], ["1"], ["1"]]
    assert waited == [1.0, 2.0]


def test_it_gives_up_when_another_round_would_not_fit_into_the_time():
    fake, clock = Fake({"1": 99}), [60.0]

    def sleep(seconds: float) -> None:
        clock[0] -= seconds

    failed = deliver(records(1, 1), [fake.destination], lambda: clock[0], sleep)

    assert failed == {"1": "fake: Busy"}
    assert clock[0] >= RESERVE
    assert fake.taken == ["0"]


def test_a_destination_that_refuses_does_not_hold_up_the_other():
    busy, free = Fake({"0": 99}), Fake()

    failed = deliver(records(1), [busy.destination, free.destination], lambda: 0.0)

    assert failed == {"0": "fake: Busy"}
    assert free.taken == ["0"]


def test_nothing_to_write_makes_no_call():
    fake = Fake()

    assert deliver({}, [fake.destination], lambda: 60.0) == {}
    assert fake.calls == []


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=20), st.integers(0, 4))
def test_every_record_is_taken_everywhere_once_or_reported(refusals, rounds):
    first = Fake({str(number): times for number, (times, _) in enumerate(refusals)}, max_bytes=10)
    second = Fake({str(number): times for number, (_, times) in enumerate(refusals)}, max_bytes=10)
    left = iter([60.0] * rounds)

    failed = deliver(
        given := records(*[1] * len(refusals)),
        [first.destination, second.destination],
        lambda: next(left, 0.0),
        lambda seconds: None,
    )

    assert set(failed) | (set(first.taken) & set(second.taken)) == set(given)
    assert not set(failed) & set(first.taken) & set(second.taken)
    assert set(failed) == {str(n) for n, times in enumerate(refusals) if max(times) > rounds}
    assert max(Counter(first.taken + second.taken).values(), default=0) <= 2
