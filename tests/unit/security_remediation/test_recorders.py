"""What makes a recorder of AWS Config weaker than another, and what a channel."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security_remediation.recorders import moved, weakened

ALL: dict[str, Any] = {"allSupported": True, "includeGlobalResourceTypes": True}
BUT_IAM: dict[str, Any] = {"allSupported": True, "includeGlobalResourceTypes": False}
IAM = ["AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User"]


def only(*types: str) -> dict[str, Any]:
    return {"allSupported": False, "resourceTypes": [*types]}


def but(*types: str) -> dict[str, Any]:
    return {
        "allSupported": False,
        "exclusionByResourceTypes": {"resourceTypes": [*types]},
        "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
    }


@pytest.mark.parametrize(
    ("was", "now", "left_out"),
    [
        (ALL, BUT_IAM, ", ".join(IAM)),
        (BUT_IAM, ALL, ""),
        (BUT_IAM, BUT_IAM, ""),
        (BUT_IAM, but(*IAM), ""),
        (BUT_IAM, but("AWS::S3::Bucket", *IAM), "AWS::S3::Bucket"),
        (ALL, but("AWS::IAM::User"), "AWS::IAM::User"),
        (ALL, only("AWS::S3::Bucket"), "all but AWS::S3::Bucket"),
        (but("a"), but("a", "b"), "b"),
        (but("a", "b"), but("a"), ""),
        (but("a"), only("b", "c"), "all but b, c"),
        (but("AWS::IAM::User"), BUT_IAM, "AWS::IAM::Group, AWS::IAM::Policy, AWS::IAM::Role"),
        (only("a", "b"), only("b"), "a"),
        (only("a"), only("a", "b"), ""),
        (only("a", "b"), but("b"), "b"),
        (only("a"), but("b"), ""),
        (only("AWS::IAM::User", "a"), BUT_IAM, "AWS::IAM::User"),
        (only("a"), ALL, ""),
        (ALL, {"allSupported": "true", "includeGlobalResourceTypes": "true"}, ""),
        (ALL, {}, ", ".join(IAM)),
        (BUT_IAM, {}, ""),
        ({}, only("a"), "all but a"),
        (ALL, {"recordingStrategy": {"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"}}, ", ".join(IAM)),
    ],
)
def test_the_resource_types_that_are_left_out_are_named(was, now, left_out):
    found = weakened({"recordingGroup": was}, {"recordingGroup": now})

    assert found == ({"recordingGroup": f"leaves out {left_out}"} if left_out else {})


TYPES = st.lists(st.sampled_from(["a", "b", "c", *IAM]), min_size=1, unique=True)
GROUPS = st.one_of(
    st.sampled_from([ALL, BUT_IAM]), TYPES.map(lambda some: only(*some)), TYPES.map(lambda some: but(*some))
)


def records(group: dict[str, Any], one: str) -> bool:
    """Whether the recorder records this type, by AWS's description of the three strategies."""
    if group in (ALL, BUT_IAM):
        return group is ALL or one not in IAM
    if "resourceTypes" in group:
        return one in group["resourceTypes"]
    return one not in group["exclusionByResourceTypes"]["resourceTypes"]


@given(GROUPS, GROUPS)
def test_a_recorder_is_weaker_when_it_does_not_record_a_type_that_it_did(was, now):
    """`future` stands for the types that AWS adds."""
    lost = [one for one in ("a", "b", "c", "future", *IAM) if records(was, one) and not records(now, one)]

    assert bool(weakened({"recordingGroup": was}, {"recordingGroup": now})) == bool(lost)


DAILY = {"recordingFrequency": "DAILY"}
CONTINUOUS = {"recordingFrequency": "CONTINUOUS"}


def except_for(mode: dict[str, Any], *types: str) -> dict[str, Any]:
    other = (DAILY if mode is CONTINUOUS else CONTINUOUS) | {"description": "too many", "resourceTypes": [*types]}
    return mode | {"recordingModeOverrides": [other]}


@pytest.mark.parametrize(
    ("was", "now", "slower"),
    [
        (CONTINUOUS, DAILY, "everything"),
        ({}, DAILY, "everything"),
        (DAILY, CONTINUOUS, ""),
        (DAILY, DAILY, ""),
        (CONTINUOUS, {}, ""),
        (CONTINUOUS, except_for(CONTINUOUS, "a", "b"), "a, b"),
        (except_for(CONTINUOUS, "a"), except_for(CONTINUOUS, "a", "b"), "b"),
        (except_for(CONTINUOUS, "a"), CONTINUOUS, ""),
        (except_for(DAILY, "a", "b"), except_for(DAILY, "b"), "a"),
        (except_for(DAILY, "a"), DAILY, "a"),
    ],
)
def test_what_is_recorded_less_often_is_named(was, now, slower):
    found = weakened({"recordingMode": was}, {"recordingMode": now})

    assert found == ({"recordingMode": f"records {slower} once a day only"} if slower else {})


@pytest.mark.parametrize(
    ("role", "weaker"),
    [
        ("arn:aws:iam::111122223333:role/config", False),
        ("arn:aws:iam::111122223333:role/nothing", True),
        ("arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig", False),
    ],
)
def test_another_role_may_do_less_unless_it_is_the_services_own(role, weaker):
    found = weakened({"roleARN": "arn:aws:iam::111122223333:role/config"}, {"roleARN": role})

    assert found == ({"roleARN": f"works with the role {role}"} if weaker else {})


@pytest.mark.parametrize(
    ("was", "now", "fields"),
    [
        ({"s3BucketName": "a"}, {"s3BucketName": "b"}, ["s3BucketName"]),
        ({"s3BucketName": "a"}, {"s3BucketName": "a", "s3KeyPrefix": "drafts"}, ["s3KeyPrefix"]),
        ({"s3KmsKeyArn": "k"}, {}, ["s3KmsKeyArn"]),
        ({}, {"s3KmsKeyArn": "k"}, ["s3KmsKeyArn"]),
        ({"snsTopicARN": "t"}, {}, ["snsTopicARN"]),
        ({"snsTopicARN": "t"}, {"snsTopicARN": "u"}, ["snsTopicARN"]),
        ({}, {"snsTopicARN": "t"}, []),
        ({"configSnapshotDeliveryProperties": {"deliveryFrequency": "One_Hour"}}, {}, []),
    ],
)
def test_a_channel_is_moved_by_another_bucket_prefix_key_or_topic(was, now, fields):
    assert [*moved(was, now)] == fields
