"""The function's permissions, which the template holds as text."""

import json
import re
from typing import Any

from automations.stopped_by import STOPPED_AT, STOPPED_BY
from tests.template_file import RESOURCES, TEMPLATE

TEXT = RESOURCES["OfficeHoursPolicy"]["Properties"]["PolicyDocument"]["Fn::Sub"]


def statements() -> dict[str, Any]:
    """The statements by the name of their first action."""
    document = json.loads(re.sub(r"\$\{ScheduleTag\}", "automations:office-hours", TEXT))
    return {statement["Action"][0]: statement for statement in document["Statement"]}


def test_only_instances_that_carry_the_schedule_tag_may_be_touched() -> None:
    for action, statement in statements().items():
        if action == "kms:CreateGrant":
            continue
        assert statement["Condition"]["Null"]["aws:ResourceTag/automations:office-hours"] == "false"
        assert statement["Resource"].endswith(":instance/*")


def test_only_the_two_tags_of_the_mark_may_be_set_and_deleted_and_never_all_tags_at_once() -> None:
    condition = statements()["ec2:CreateTags"]["Condition"]

    assert set(condition["ForAllValues:StringEquals"]["aws:TagKeys"]) == {STOPPED_BY, STOPPED_AT}
    assert condition["Null"]["aws:TagKeys"] == "false"  # ForAllValues holds, too, for a call that names no key


def test_it_is_off_until_somebody_turns_it_on() -> None:
    assert TEMPLATE["Parameters"]["EnableOfficeHours"]["Default"] == "false"


def test_a_key_may_be_used_only_by_ec2_for_the_volumes_of_an_instance() -> None:
    condition = statements()["kms:CreateGrant"]["Condition"]

    assert condition["Bool"] == {"kms:GrantIsForAWSResource": "true"}
    assert condition["StringEquals"] == {"kms:ViaService": "ec2.${AWS::Region}.amazonaws.com"}
