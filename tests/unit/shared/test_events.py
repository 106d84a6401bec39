"""What the models take, and what they refuse."""

import pytest
from pydantic import ValidationError

from automations.errors import InvalidEvent
from automations.events.cloudtrail import ApiCall
from automations.events.codebuild import BuildFinished
from automations.events.ec2 import InstanceStateChanged
from tests.samples import sample


@pytest.mark.parametrize("part", ["logs", "source", "phases", "build-number", "initiator"])
def test_a_part_that_is_null_counts_as_absent(part):
    event = sample("codebuild_slack/failed")
    event["detail"]["additional-information"][part] = None

    assert BuildFinished.model_validate(event).detail.project_name == "web-site"


def test_a_required_field_that_is_null_is_named_as_missing():
    event = sample("ec2_state_alerts/stopped", state=None)

    with pytest.raises(ValidationError, match=r"detail\.state\n  Field required"):
        InstanceStateChanged.model_validate(event)


@pytest.mark.parametrize("recorded", [None, "Success", [], 1])
def test_a_record_is_read_whatever_its_service_put_in_place_of_an_object(recorded):
    event = sample("security_remediation/root-api-call")
    event["detail"] |= {"requestParameters": recorded, "responseElements": recorded}

    record = ApiCall.model_validate(event).detail

    assert (record.request_parameters, record.response_elements) == (None, None)
    assert not record.failed


def test_a_record_that_lacks_what_is_needed_says_where_to_look_at_it():
    record = ApiCall.model_validate(sample("security_remediation/root-api-call", requestParameters=None)).detail

    with pytest.raises(
        InvalidEvent, match=rf"{record.event_name} has no .*bucketName, .* event ID {record.event_id}\."
    ):
        record.required("bucketName")


def test_unknown_fields_are_ignored():
    event = sample("ec2_state_alerts/stopped", later_field={"a": 1})

    assert InstanceStateChanged.model_validate(event).detail.state == "stopped"
