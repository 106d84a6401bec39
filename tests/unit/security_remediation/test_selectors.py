from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security_remediation.selectors import MOST_BASIC_SELECTORS, missing, widened_advanced, widened_basic

OBJECTS = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::b/"]}

basic = st.fixed_dictionaries(
    {},
    optional={
        "ReadWriteType": st.sampled_from(["All", "ReadOnly", "WriteOnly"]),
        "IncludeManagementEvents": st.booleans(),
        "ExcludeManagementEventSources": st.sampled_from([[], ["kms.amazonaws.com"], ["rdsdata.amazonaws.com"]]),
        "DataResources": st.sampled_from([[], [OBJECTS], [OBJECTS | {"Values": []}]]),
    },
)
fields = st.sampled_from(
    [
        {"Field": "readOnly", "Equals": ["true"]},
        {"Field": "readOnly", "Equals": ["false"]},
        {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]},
        {"Field": "eventName", "Equals": ["RunInstances"]},
    ]
)
advanced = st.builds(
    lambda category, more: {"Name": "n", "FieldSelectors": [{"Field": "eventCategory", "Equals": [category]}, *more]},
    st.sampled_from(["Management", "Data", "NetworkActivity"]),
    st.lists(fields, max_size=2),
)


def management(*more: dict[str, Any]) -> dict[str, Any]:
    return {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}, *more]}


def kind_of_data(selector: Any) -> Any:
    return selector["DataResources"], selector.get("ReadWriteType", "All")


@pytest.mark.parametrize(
    ("selectors", "left_out"),
    [
        ([{}], ()),
        ([{"ReadWriteType": "All", "IncludeManagementEvents": True}], ()),
        ([{"IncludeManagementEvents": False}], ("management events",)),
        ([{"IncludeManagementEvents": "false"}], ("management events",)),
        ([{"ReadWriteType": "WriteOnly"}], ("management events that read",)),
        ([{"ReadWriteType": "ReadOnly"}], ("management events that write",)),
        ([{"ReadWriteType": "ReadOnly"}, {"ReadWriteType": "WriteOnly"}], ()),
        ([{"ExcludeManagementEventSources": ["kms.amazonaws.com"]}], ("management events of kms.amazonaws.com",)),
        ([{"ExcludeManagementEventSources": ["kms.amazonaws.com"]}, {}], ()),
        ([], ("management events",)),
    ],
)
def test_basic_selectors_leave_out_what_none_of_them_selects(selectors, left_out):
    assert missing(selectors, []) == left_out


@pytest.mark.parametrize(
    ("more", "left_out"),
    [
        ([], ()),
        ([{"Field": "readOnly", "Equals": ["true"]}], ("management events that write",)),
        ([{"Field": "readOnly", "Equals": ["false"]}], ("management events that read",)),
        ([{"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}], ("management events of kms.amazonaws.com",)),
        (
            [{"Field": "eventSource", "Equals": ["s3.amazonaws.com"]}],
            ("management events that the field eventSource keeps out",),
        ),
        (
            [{"Field": "userIdentity.arn", "NotEquals": ["arn:aws:iam::111122223333:user/Mallory"]}],
            ("management events that the field userIdentity.arn keeps out",),
        ),
    ],
)
def test_each_field_of_an_advanced_selector_narrows_it(more, left_out):
    assert missing([], [management(*more)]) == left_out


def test_advanced_selectors_of_data_events_log_no_management_events():
    data = {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}
    assert missing([], [data]) == ("management events",)
    assert missing([], [data, management()]) == ()


@given(st.lists(basic, max_size=MOST_BASIC_SELECTORS))
def test_widened_basic_selectors_log_everything_and_keep_the_data_events(selectors):
    widened = widened_basic(selectors)

    assert missing(widened, []) == ()
    assert len(widened) <= MOST_BASIC_SELECTORS
    before, after = ([kind_of_data(one) for one in some if one.get("DataResources")] for some in (selectors, widened))
    if len(before) < MOST_BASIC_SELECTORS:
        assert after == before
    else:  # no room for one more: one of them logs its data events of both kinds
        assert [data for data, _ in after] == [data for data, _ in before]
        assert sum(new != old for new, old in zip(after, before, strict=True)) <= 1


@given(st.lists(advanced, max_size=4))
def test_widened_advanced_selectors_log_everything_and_keep_the_others(selectors):
    widened = widened_advanced(selectors)

    assert missing([], widened) == ()
    others = [one for one in selectors if one["FieldSelectors"][0]["Equals"] != ["Management"]]
    assert widened[1:] == others


def test_without_room_the_management_events_go_where_they_widen_no_data_events():
    few = {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": False, "DataResources": [OBJECTS]}
    both = few | {"ReadWriteType": "All"}

    widened = widened_basic([few, few, both, few, few])

    assert [kind_of_data(one) for one in widened] == [kind_of_data(one) for one in (few, few, both, few, few)]
