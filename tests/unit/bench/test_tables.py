from typing import Any

import pytest
from bench import document
from bench.instructions import grown
from bench.start_up import FLOOR, TUTORIAL, ratio, report
from bench.warm import rows


def test_a_ratio_is_the_median_of_the_rounds_so_that_a_slow_round_does_not_count():
    assert ratio([20, 200, 22], [10, 100, 10]) == 2.0


@pytest.mark.parametrize(
    ("took", "met"),
    [(30.0, "floor and tutorial"), (50.0, "floor"), (90.0, "none")],
)
def test_a_row_says_which_goals_a_function_meets(took, met):
    text = report({FLOOR: [10.0] * 9, TUTORIAL: [100.0] * 9, "one": [took] * 9}, load=0.5)

    assert f"| one | {took:.0f} | {took:.0f}-{took:.0f} | {took / 10:.1f} | {took / 100:.2f} | {met} |" in text
    assert "load was 0.5" in text


def test_a_decorator_costs_what_it_adds_to_those_within_it():
    times = {"log line": [10.0] * 3, "no decorator": [1.0] * 3, "event_parser": [6.0] * 3, "log_failure": [8.0] * 3}

    assert [row[:3] for row in rows(times)] == [
        ["event_parser", "5", "0.50"],
        ["log_failure", "2", "0.20"],
        ["all", "8", "0.80"],
        ["one log line", "10", "1.00"],
    ]


def test_a_section_replaces_what_is_between_its_markers_and_nothing_else():
    text = "a\n<!-- bench: x -->\nold\n<!-- end of bench: x -->\nz"

    assert document.replaced(text, "x", "new") == "a\n<!-- bench: x -->\nnew\n<!-- end of bench: x -->\nz"


def test_a_section_without_markers_is_named():
    with pytest.raises(ValueError, match=r"has no section for y"):
        document.replaced("", "y", "new")


def recorded(**changes: Any) -> dict[str, Any]:
    return {
        "imports": {"botocore.session": 400.0},
        "functions": {"rds_backup": 1300.0},
        "modules": {"rds_backup": {"botocore": 60, "asyncio": 0}},
        **changes,
    }


def test_a_start_that_executes_as_many_instructions_as_recorded_is_not_told():
    assert grown(recorded(functions={"rds_backup": 1305.0}), recorded()) == []


def test_a_start_that_grew_names_the_import_and_the_packages_that_it_loads_now():
    now = recorded(
        imports={"botocore.session": 450.0},
        functions={"rds_backup": 1350.0},
        modules={"rds_backup": {"botocore": 60, "asyncio": 33}},
    )

    assert grown(now, recorded()) == [
        "botocore.session: 400.0 -> 450.0 million instructions",
        "rds_backup: 1300.0 -> 1350.0 million instructions",
        "  imports 33 modules of asyncio instead of 0",
    ]


def test_a_function_that_was_never_counted_is_named():
    assert grown(recorded(functions={"new": 5.0}, modules={}), recorded()) == [
        "new: 5.0 million instructions, not recorded yet"
    ]
