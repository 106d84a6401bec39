from ipaddress import IPv4Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security_remediation.cidrs import is_world, read_cidr


def world(*cidrs: str) -> bool:
    return is_world(read_cidr(cidr) for cidr in cidrs)


@pytest.mark.parametrize(
    "cidrs",
    [
        ["0.0.0.0/0"],
        ["::/0"],
        ["0.0.0.0/1", "128.0.0.0/1"],
        ["0.0.0.0/1"],
        ["::/1", "8000::/1"],
        ["2000::/3"],
        ["2000::/4", "3000::/4"],
        ["1.2.3.4/0"],
        ["8.0.0.0/7"],
        [f"{first}.0.0.0/8" for first in range(32, 50)],
        [f"{first}.0.0.0/8" for first in range(17, 57, 2)],
    ],
)
def test_what_lets_in_practically_everyone_is_the_world(cidrs):
    assert world(*cidrs)


@pytest.mark.parametrize(
    "cidrs",
    [
        [],
        ["203.0.113.0/24", "198.51.100.7/32"],
        ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"],
        ["10.0.0.0/7"],
        ["3.0.0.0/8"],
        ["fc00::/7"],
        ["8000::/1"],
        ["2001:db8::/32"],
        [f"{first}.0.0.0/8" for first in range(17, 49, 2)],
    ],
)
def test_private_ranges_and_those_up_to_a_slash_8_are_not(cidrs):
    assert not world(*cidrs)


ranges = st.builds(
    lambda address, length: IPv4Network((address, length), strict=False),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
)


@given(st.lists(ranges, max_size=6), ranges)
def test_more_ranges_never_let_in_fewer(some, one):
    assert is_world([*some, one]) or not is_world(some)


@given(st.lists(ranges, min_size=1, max_size=6))
def test_the_split_of_a_range_does_not_matter(some):
    halves = [half for one in some for half in (one.subnets() if one.prefixlen < 32 else [one])]
    assert is_world(halves) == is_world(some)


@given(st.lists(ranges, max_size=6), st.randoms())
def test_the_order_does_not_matter(some, random):
    shuffled = random.sample(some, len(some))
    assert is_world(shuffled) == is_world(some)


@given(st.integers(0, 32))
def test_any_cut_of_the_whole_internet_is_the_world(cuts):
    parts = [ip_network("0.0.0.0/0")]
    for _ in range(cuts):
        widest = min(parts, key=lambda one: one.prefixlen)
        parts = [one for one in parts if one != widest] + list(widest.subnets())
    assert is_world(parts)
