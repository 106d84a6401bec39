import pytest
from bench.growth import WARM_UP, Grown, handled, parted, pipeline_rows, resource_rows
from bench.prices import duration, lambda_price
from bench.recorded import Invocation, Measured


def measured(cpu: float, count: int, **calls: int) -> Measured:
    """So many invocations that count, of so many milliseconds each, after those that do not."""
    slow, usual = (Invocation(took, calls, 0, 0.0) for took in (1000.0, cpu))
    return Measured(300.0, 50.0, 60.0, [slow] * (1 + WARM_UP) + [usual] * count)


def test_what_was_measured_counts_and_nothing_before_it():
    found = handled(2500, 1000, measured(80.0, 3, put=4))

    assert (found.invocations, found.calls, found.run) == (3, 12, True)
    assert found.cpu == pytest.approx(0.24)


def test_what_was_not_run_is_computed_from_a_part_and_says_so():
    found = handled(1000, 1, measured(4.0, 10, put=2))

    assert (found.invocations, found.calls, found.run) == (1000, 2000, False)
    assert found.cpu == pytest.approx(4.0)
    [_, [_, how, *_]] = pipeline_rows([(handled(1000, 1000, measured(80.0, 1, put=4)), found)])
    assert how.startswith("one invocation for each, computed from")


def test_batches_share_what_lambda_asks_for_an_invocation_and_for_waiting():
    batches, alone = handled(1000, 1000, measured(80.0, 1, put=4)), handled(1000, 1, measured(4.0, 10, put=2))

    assert batches.price == pytest.approx(lambda_price(duration(80.0, 40.0, 256), 256) / 1000)
    assert alone.price == pytest.approx(lambda_price(duration(4.0, 20.0, 256), 256))


def test_calls_that_look_stand_apart_from_those_that_change():
    look, change = parted({"rds.DescribeDBInstances": 10, "rds.CreateDBSnapshot": 1000})

    [row] = resource_rows([Grown("rds_backup", 1000, look, change, 2000.0, 65.0)])

    assert row == [
        *("rds_backup", "1,000", "10", "1,000", "2,000", "65"),
        "10 DescribeDBInstances; 1,000 CreateDBSnapshot",
    ]
