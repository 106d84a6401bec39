"""Every rule of the template reaches its function."""

import pytest
from local.cloud import wait_for
from local.stage import Stage

from tests.template.test_rules import INDEX
from tests.template.test_template import rules

RULES = [name.split(".")[1] for name, _ in rules()]


def first_sample(rule: str) -> str:
    return next(name.removesuffix(".json") for name, entry in INDEX.items() if rule in entry["matches"])


@pytest.mark.parametrize("rule", RULES)
def test_a_sample_event_of_each_rule_reaches_its_function(rule: str, stage: Stage) -> None:
    event = stage.sample(first_sample(rule))

    sent = stage.stack.send(event)

    [function] = [found.function for found in sent.rules if found.name == rule]
    assert wait_for(lambda: stage.stack.log(function, sent.event_id)), f"{function} did not run"
