import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations.errors import InvalidEvent
from security_remediation.sharing import ACCOUNT, EVERYONE, ORGANIZATION, UNIT, Grantee, added, foreign, grantees, named
from tests.unit.security_remediation.conftest import record_of

FOREIGN, FOREIGN_TOO = "444455556666", "555566667777"
ORGANIZATION_ARN = f"arn:aws:organizations::{FOREIGN}:organization/o-a1b2c3d4e5"
UNIT_ARN = f"arn:aws:organizations::{FOREIGN}:ou/o-a1b2c3d4e5/ou-ab12-11111111"
SAMPLE = "modify-image-attribute-public"


@pytest.mark.parametrize(
    ("request_parameters", "expected"),
    [
        ({"launchPermission": {"add": {"items": [{"group": "all"}]}}}, ["everyone"]),
        ({"launchPermission": {"add": {"items": [{"groups": "all"}, {"userId": FOREIGN}]}}}, ["everyone", FOREIGN]),
        ({"launchPermission": {"add": {"items": {"userId": FOREIGN}}}}, [FOREIGN]),
        ({"launchPermission": {"add": [{"userId": FOREIGN}, {"userId": FOREIGN_TOO}]}}, [FOREIGN, FOREIGN_TOO]),
        ({"launchPermission": {"add": {"items": [{"UserId": FOREIGN}]}, "remove": {}}}, [FOREIGN]),
        ({"launchPermission": {"remove": {"items": [{"userId": FOREIGN}]}}}, []),
        ({"launchPermission": {"add": {}, "remove": {"items": [{"group": "all"}]}}}, []),
        ({"operationType": "add", "userId": FOREIGN, "imageId": "ami-1"}, [FOREIGN]),
        ({"operationType": "add", "userIds": [FOREIGN, FOREIGN_TOO], "userGroups": "all"}, [FOREIGN, FOREIGN_TOO, ""]),
        ({"operationType": "add", "userIdSet": {"items": [{"userId": FOREIGN}]}}, [FOREIGN]),
        ({"operationType": "add", "groupNames": ["all"]}, ["everyone"]),
        ({"operationType": "remove", "userIds": [FOREIGN], "attributeType": "launchPermission"}, []),
        ({"attributeType": "description", "description": {"value": "all"}}, []),
    ],
)
def test_what_a_call_shared_is_read_in_each_form_of_the_record(request_parameters, expected):
    found = [str(one) for one in added(record_of(SAMPLE, requestParameters=request_parameters), "launchPermission")]

    assert len(found) == len(expected)
    assert all(part in text for part, text in zip(expected, found, strict=True))


@pytest.mark.parametrize(
    "request_parameters",
    [
        {"attributeType": "launchPermission"},
        {"attributeType": "LAUNCH_PERMISSION"},
        {"launchPermission": "HIDDEN_DUE_TO_SECURITY_REASONS"},
        {"launchPermission": {}},
    ],
)
def test_a_record_that_does_not_say_what_was_done_to_the_permission_is_reported(request_parameters):
    with pytest.raises(InvalidEvent, match=r"no usable requestParameters\.launchPermission"):
        added(record_of(SAMPLE, requestParameters=request_parameters), "launchPermission")


def test_organizations_and_their_units_belong_to_the_organization_whoever_manages_it():
    listed = {"items": [{"organizationArn": ORGANIZATION_ARN}, {"organizationalUnitArn": UNIT_ARN}]}
    both = list(grantees(listed))

    assert both == [Grantee(ORGANIZATION, ORGANIZATION_ARN), Grantee(UNIT, UNIT_ARN)]
    assert foreign(both, {"o-a1b2c3d4e5"}) == []
    assert foreign(both, {FOREIGN}) == both
    assert named(both) == "organization o-a1b2c3d4e5, organizational unit ou-ab12-11111111 of o-a1b2c3d4e5"


accounts = st.integers(0, 10**12 - 1).map(lambda number: f"{number:012}")
anyone = st.one_of(
    accounts.map(lambda account: Grantee(ACCOUNT, account)),
    st.just(Grantee(EVERYONE, "all")),
    st.builds(lambda account: Grantee(ORGANIZATION, f"arn:aws:organizations::{account}:organization/o-x"), accounts),
)


@given(st.lists(anyone, max_size=8), st.sets(st.one_of(accounts, st.sampled_from(["all", "o-x", ""])), max_size=4))
def test_the_foreign_ones_are_those_that_are_not_trusted_and_everyone_always_is(some, trusted):
    found = foreign(some, trusted)

    assert len(found) == len(set(found))
    for one in some:
        assert (one in found) is (one.kind == EVERYONE or one.owner not in trusted)
    assert set(found) <= set(some)


@given(st.lists(anyone, max_size=8))
def test_what_the_api_answers_is_read_as_it_was_asked_for(some):
    assert list(grantees([{one.kind: one.name} for one in some])) == some
