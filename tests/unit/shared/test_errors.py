import json
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from pydantic import ValidationError

from automations.errors import InvalidEvent, Refused, explain, log_failure
from automations.events.ec2 import InstanceStateChanged
from tests.samples import sample

logger = Logger()


def invalid() -> ValidationError:
    with pytest.raises(ValidationError) as failure:
        InstanceStateChanged.model_validate(sample("ec2_state_alerts/stopped", instance_id="hunter2", state=7))
    return failure.value


def test_an_explanation_names_each_field_as_the_event_does_and_shows_no_value():
    explained = explain(invalid())

    assert "detail.instance-id: String should match pattern" in explained
    assert "; detail.state: Input should be 'pending', 'running'" in explained
    assert "hunter2" not in explained


def test_an_explanation_of_very_many_fields_stays_short():
    with pytest.raises(ValidationError) as failure:
        InstanceStateChanged.model_validate(sample("ec2_state_alerts/stopped") | {"resources": [7] * 10_000})

    explained = explain(failure.value)

    assert explained.startswith("resources.0: Input should be a valid string; ")
    assert explained.endswith("; resources.19: Input should be a valid string; and 9980 more")


def test_an_explanation_of_the_whole_says_so():
    with pytest.raises(ValidationError) as failure:
        InstanceStateChanged.model_validate([])

    assert explain(failure.value).startswith("event: ")
    assert explain(failure.value, whole="route").startswith("route: ")


def handler_that_raises(error: Exception) -> Any:
    @log_failure(logger)
    def handler(event: Any, context: Any) -> Any:
        raise error

    return handler


def test_a_failure_is_one_line_with_its_reason_and_stays_a_failure(logs):
    with pytest.raises(Refused, match="The picture is truncated"):
        handler_that_raises(Refused("The picture is truncated."))({}, None)

    [line] = logs.getvalue().splitlines()
    assert json.loads(line)["message"] == "The picture is truncated."
    assert json.loads(line)["reason"] == "Refused"
    assert json.loads(line)["level"] == "ERROR"


def test_an_event_that_its_model_refuses_is_an_invalid_event_without_its_values(logs):
    with pytest.raises(InvalidEvent, match=r"not a valid InstanceStateChanged. detail.instance-id: ") as failure:
        handler_that_raises(invalid())({}, None)

    assert "hunter2" not in logs.getvalue()
    assert failure.value.__suppress_context__


def test_the_lines_about_a_replayed_event_name_the_replay_and_those_about_the_next_do_not(logs):
    @log_failure(logger)
    def handler(event: Any, context: Any) -> None:
        logger.info("Done")

    handler({"replay-name": "again"}, None)
    handler({}, None)

    replayed, live = map(json.loads, logs.getvalue().splitlines())
    assert replayed["replay"] == "again"
    assert "replay" not in live


def test_what_a_handler_returns_is_passed_on():
    @log_failure(logger)
    def handler(event: Any, context: Any) -> Any:
        return event

    assert handler({"told": True}, None) == {"told": True}
