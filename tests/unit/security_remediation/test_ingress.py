import pytest
from hypothesis import given
from hypothesis import strategies as st

from security_remediation.cidrs import read_cidr
from security_remediation.ingress import Permission, offending, parse_ports, permission
from security_remediation.ingress_record import recorded_ids, recorded_permissions
from tests.unit.security_remediation.conftest import record_of

SENSITIVE = parse_ports(["20-23", "3389"])


def let_in(cidr: str, first: int = 22, last: int | None = None, protocol: str = "tcp") -> Permission:
    return Permission(protocol, (first, first if last is None else last), read_cidr(cidr))


@pytest.mark.parametrize(
    "opening",
    [
        let_in("0.0.0.0/0"),
        let_in("::/0"),
        let_in("0.0.0.0/0", 0, 65535),
        let_in("0.0.0.0/0", 23, 80),
        let_in("0.0.0.0/0", 3000, 4000),
        let_in("0.0.0.0/0", protocol="udp"),
        let_in("0.0.0.0/0", 0, 65535, protocol="-1"),
    ],
)
def test_a_sensitive_port_that_is_open_to_the_world_is_found(opening):
    assert offending([opening, let_in("203.0.113.0/24")], [], SENSITIVE) == [opening]


@pytest.mark.parametrize(
    "harmless", [let_in("0.0.0.0/0", 443), let_in("0.0.0.0/0", 24, 3388), let_in("10.0.0.0/8"), let_in("8000::/1")]
)
def test_other_ports_and_narrow_ranges_are_left(harmless):
    assert offending([harmless], [], SENSITIVE) == []


def test_two_halves_count_as_the_whole_also_when_one_was_there_before():
    quarters = [let_in(f"{first}.0.0.0/8") for first in range(17, 57, 2)]
    assert offending(quarters[-5:], quarters[:-5], SENSITIVE)
    assert offending(quarters[-5:], [], SENSITIVE) == []


def test_halves_on_different_protocols_or_ports_are_no_whole():
    quarters = [let_in(f"{first}.0.0.0/8", protocol="tcp" if first % 4 == 1 else "udp") for first in range(17, 57, 2)]
    assert offending(quarters, [], SENSITIVE) == []


def test_where_the_world_was_let_in_before_the_added_ones_are_judged_by_themselves():
    assert offending([let_in("203.0.113.0/24")], [let_in("0.0.0.0/0")], SENSITIVE) == []
    assert offending([let_in("::/0")], [let_in("0.0.0.0/0")], SENSITIVE) == [let_in("::/0")]


permissions = st.builds(
    let_in,
    st.builds(lambda a, length: f"{a}.0.0.0/{length}", st.integers(0, 255), st.integers(0, 32)),
    st.integers(15, 30),
    st.integers(15, 30),
    st.sampled_from(["tcp", "udp", "-1"]),
)


@given(st.lists(permissions, max_size=5), st.lists(permissions, max_size=5))
def test_without_what_it_finds_nothing_is_left_to_find(added, others):
    found = offending(added, others, SENSITIVE)

    assert set(found) <= set(added)
    assert offending([one for one in added if one not in found], others, SENSITIVE) == []


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        (("tcp", 22, 22), ("tcp", (22, 22))),
        (("6", 22, 22), ("tcp", (22, 22))),
        (("17", "53", "53"), ("udp", (53, 53))),
        (("-1", None, None), ("-1", (0, 65535))),
        (("-1", -1, -1), ("-1", (0, 65535))),
        (("tcp", 0, 65535), ("tcp", (0, 65535))),
    ],
)
def test_protocols_and_ports_are_read_in_all_their_spellings(recorded, expected):
    protocol, first, last = recorded
    [one] = permission(protocol, first, last, "0.0.0.0/0")
    assert (one.protocol, one.ports) == expected


def test_protocols_without_ports_open_none():
    assert permission("icmp", -1, -1, "0.0.0.0/0") == ()


@pytest.mark.parametrize("parts", [["x"], ["22", "70000"], ["23-20"], ["-1"]])
def test_bad_ports_are_refused(parts):
    with pytest.raises(ValueError, match="write ports and ranges of ports"):
        parse_ports(parts)


def shown(record) -> set[str]:
    return {f"{one.protocol} {one.ports} {one.cidr}" for one in recorded_permissions(record)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("authorize-ingress-open-flat", {"tcp (22, 22) 0.0.0.0/0"}),
        ("authorize-ingress-open-ipv6", {"tcp (22, 22) ::/0"}),
        (
            "authorize-ingress-open-items",
            {"tcp (443, 443) 0.0.0.0/0", "tcp (3306, 3389) 0.0.0.0/1", "tcp (3306, 3389) 128.0.0.0/1"},
        ),
    ],
)
def test_new_and_old_records_say_the_same(name, expected):
    assert shown(record_of(name)) == expected
    old = record_of(name, responseElements={"_return": True})
    assert shown(old) == expected
    assert not recorded_ids(old)


def test_one_update_may_stand_without_a_list():
    name = "modify-security-group-rules-open"
    request = record_of(name).request_parameters["ModifySecurityGroupRulesRequest"]
    listed = {"ModifySecurityGroupRulesRequest": {**request, "SecurityGroupRule": [request["SecurityGroupRule"]]}}

    assert shown(record_of(name)) == shown(record_of(name, requestParameters=listed)) == {"tcp (22, 22) 0.0.0.0/0"}
    assert recorded_ids(record_of(name)) == {"sgr-3c5ffd51ad170fce4"}
