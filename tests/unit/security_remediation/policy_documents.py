"""Policies that Hypothesis makes up, for accounts that tests trust and one that they do not."""

from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

OWN, TRUSTED, FOREIGN = "111122223333", "222233334444", "444455556666"

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # other people use the machine, too

WHO = st.sampled_from(["*", OWN, TRUSTED, FOREIGN, f"arn:aws:iam::{FOREIGN}:root", f"arn:aws:iam::{OWN}:role/R"])
ONE_OR_MORE = st.one_of(WHO, st.lists(WHO, min_size=1, max_size=3))
"""Values of a principal's `AWS`."""


def policies(
    statement: Mapping[str, Any], principals: st.SearchStrategy[Any], conditions: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    """Policies of up to four statements, each the given one for some principals under some conditions."""
    statements = st.fixed_dictionaries(
        {
            **{element: st.just(value) for element, value in statement.items()},
            "Effect": st.sampled_from(["Allow", "Deny"]),
            "Principal": principals,
            "Condition": conditions,
        }
    )
    return st.fixed_dictionaries({"Version": st.just("2012-10-17"), "Statement": st.lists(statements, max_size=4)})
