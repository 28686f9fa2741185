"""Sets of addresses, against counting them one by one in a small universe."""

from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.aws import cidr
from policies.aws.cidr import is_internet, network, public_addresses

START = int(network("9.255.255.0/24").network_address)
"""A small universe: 512 addresses, half of them public, half of them in 10.0.0.0/8."""


@st.composite
def blocks(draw):
    prefix = draw(st.integers(24, 32))
    size = 1 << (32 - prefix)
    return IPv4Network((START + draw(st.integers(0, 512 // size - 1)) * size, prefix))


@given(st.lists(blocks(), max_size=8))
def test_public_addresses_are_counted_once(given):
    """Counted by hand: the public ones end where 10.0.0.0/8 begins."""
    addresses = {int(address) for block in given for address in block}
    public = {address for address in addresses if address < int(network("10.0.0.0/8")[0])}

    assert len(public) == public_addresses(*given)


@given(st.lists(blocks(), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_matters(given, random):
    again = [*given, random.choice(given)]
    random.shuffle(again)

    assert public_addresses(*given) == public_addresses(*again)


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
    assert open_to_all is is_internet(*map(network, texts))


def test_the_whole_of_ipv4_less_what_is_not_public():
    everything = IPv4Network("0.0.0.0/0")
    private = sum(block.num_addresses for block in cidr.NOT_PUBLIC)

    assert everything.num_addresses - private == public_addresses(everything)
    assert 1 << 125 == public_addresses(IPv6Network("::/0"))
    assert ip_network("2000::/3").num_addresses == public_addresses(IPv6Network("2000::/3"))
