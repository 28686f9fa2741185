"""Sets of addresses, against sets of Python in a small universe."""

from ipaddress import IPv4Address, IPv4Network, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.aws.cidr import PUBLIC, Addresses, is_internet, network

EVERYWHERE = Addresses.of(network("0.0.0.0/0"), network("::/0"))
START = int(network("9.255.255.0/24").network_address)
"""A small universe: 512 addresses, half of them public, half of them in 10.0.0.0/8."""


@st.composite
def blocks(draw):
    prefix = draw(st.integers(24, 32))
    size = 1 << (32 - prefix)
    return IPv4Network((START + draw(st.integers(0, 512 // size - 1)) * size, prefix))


def counted(given):
    """Return the addresses in *given*, one by one."""
    return {int(address) for block in given for address in block}


def listed(addresses):
    """Return the addresses of a set, one by one."""
    return {number for _, first, last in addresses.ranges for number in range(first, last + 1)}


several = st.lists(blocks(), max_size=8)


@given(several, several)
def test_union_intersection_and_difference_are_those_of_sets(left, right):
    mine, theirs = Addresses.of(*left), Addresses.of(*right)

    assert counted(left) | counted(right) == listed(mine | theirs)
    assert counted(left) & counted(right) == listed(mine & theirs)
    assert counted(left) - counted(right) == listed(mine - theirs)
    assert (counted(left) >= counted(right)) is (mine >= theirs)
    assert bool(counted(left)) is bool(mine)
    assert len(counted(left)) == mine.count(4)


@given(several, st.randoms(use_true_random=False))
def test_a_set_is_written_in_one_way_only(given, random):
    again = [*given, *given]
    random.shuffle(again)
    halves = [half for b in again for half in (b.subnets() if b.prefixlen < 32 else [b])]

    assert Addresses.of(*given) == Addresses.of(*again) == Addresses.of(*halves)


@given(several)
def test_public_addresses_end_where_private_ones_begin(given):
    public = {address for address in counted(given) if IPv4Address(address).is_global}

    assert public == listed(Addresses.of(*given) & PUBLIC)


def test_versions_do_not_mix():
    """::/96 and the whole of IPv4 are the same numbers."""
    old, new = Addresses.of(network("0.0.0.0/0")), Addresses.of(IPv6Network("::/96"))

    assert not old & new
    assert old == old - new
    assert (1 << 32, 1 << 32) == ((old | new).count(4), (old | new).count(6))
    assert EVERYWHERE >= old | new


@pytest.mark.parametrize(
    ("texts", "open_to_all"),
    [
        (["0.0.0.0/0"], True),
        (["0.0.0.0/1"], True),
        (["128.0.0.0/1"], True),
        (["8.0.0.0/8"], True),
        (["8.0.0.0/9"], False),
        (["8.0.0.0/9", "8.128.0.0/9"], True),
        (["8.0.0.0/9", "8.0.0.0/9"], False),
        ([f"{number}.0.0.0/10" for number in (8, 11, 12, 13)], True),
        (["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"], False),
        (["203.0.113.0/24", "198.51.100.7/32"], False),
        (["::/0"], True),
        (["2000::/3"], True),
        (["2001:db8::/32"], False),
        (["fc00::/7"], False),
        (["::ffff:0.0.0.0/96"], True),
    ],
)
def test_which_blocks_are_the_internet(texts, open_to_all):
    assert open_to_all is is_internet(Addresses.of(*map(network, texts)))
