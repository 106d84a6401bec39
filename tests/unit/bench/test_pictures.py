import pytest
from bench.pictures import (
    CHAINED,
    OURS,
    SHARP,
    SIZES,
    VARIANTS,
    Case,
    Use,
    cpu_rows,
    likeness_rows,
    memory_rows,
    report,
)


def case(tool: str, picture: str = "12 MP") -> Case:
    return Case(picture, "jpeg", tool)


def use(milliseconds: float, mebibytes: float = 0) -> Use:
    return Use(milliseconds / 1000, int(mebibytes * 2**20), 700_000)


@pytest.mark.parametrize(
    ("took", "met"),
    [(100, "sharp and chained sharp"), (120, "chained sharp"), (140, "none"), (90, f"{SHARP} and {CHAINED}")],
)
def test_a_row_says_which_goals_of_time_are_met(took, met):
    uses = {case(OURS): [use(took)] * 3, case(SHARP): [use(110)] * 3, case(CHAINED): [use(100)] * 3}

    [row] = cpu_rows(uses, [SHARP, CHAINED])

    assert row == ["12 MP", "jpeg", f"{took}", f"{took}-{took}", f"{took / 110:.2f}", f"{took / 100:.2f}", met]


def test_a_part_of_the_time_is_the_median_of_the_rounds_so_that_a_slow_round_does_not_count():
    png = "12 MP, PNG"
    uses = {case(OURS, png): [use(100), use(900), use(110)], case(SHARP, png): [use(200), use(2000), use(220)]}

    [row] = cpu_rows(uses, [SHARP])

    assert row[4] == "0.50"


@pytest.mark.parametrize(
    ("picture", "goal"), [("100 MP", "no"), ("10 MP, square", "no"), ("12 MP, PNG", ""), ("12 MP, progressive", "")]
)
def test_only_a_baseline_jpeg_has_a_goal_of_memory_and_its_highest_peak_counts(picture, goal):
    uses = {case(OURS, picture): [use(1, 64), use(1, 66)], case(SHARP, picture): [use(1, 40), use(1, 30)]}

    assert list(memory_rows(uses, [OURS, SHARP])) == [[picture, "jpeg", "66", "40", goal]]


@pytest.mark.parametrize(("own", "goal"), [(0.95, "yes"), (0.90001, "yes"), (0.8999, "-0.0001"), (0.88, "-0.0200")])
def test_a_row_of_likeness_says_what_is_missing(own, goal):
    found = {case(OURS): dict.fromkeys(SIZES, own), case(SHARP): dict.fromkeys(SIZES, 0.90004)}

    assert [row[-1] for row in likeness_rows(found, [OURS, SHARP])] == [goal] * 3


def test_without_sharp_there_are_neither_its_columns_nor_goals_against_it():
    uses = {case(tool): [use(100, 10)] * 3 for tool in (OURS, *VARIANTS)}
    found = {case(tool): dict.fromkeys(SIZES, 0.9) for tool in (OURS, *VARIANTS[1:])}

    text = report(uses, found, ([0.1] * 3, [0.04] * 3), load=0.5)

    assert "| 12 MP | jpeg | 100 | 100-100 |  |" in text
    assert "| 12 MP | jpeg | 1600 | 0.9000 |  |" in text
    assert "| as it is | 1.00 | 10 | 700 | 0.9000 |" in text
    assert "took 40 ms at the same time, and 100 ms" in text
