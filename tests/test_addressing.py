from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from infra.addressing import (
    PRIVATE,
    TIERS,
    ZONES_PER_TIER,
    AddressingError,
    subnets,
    vpc_network,
)


@st.composite
def vpc_blocks(draw, longest=20, shortest=16):
    private = draw(st.sampled_from(PRIVATE))
    prefix = draw(st.integers(shortest, longest))
    assume(prefix >= private.prefixlen)
    index = draw(st.integers(0, 2 ** (prefix - private.prefixlen) - 1))
    return IPv4Network((int(private.network_address) + (index << (32 - prefix)), prefix))


zone_counts = st.integers(2, ZONES_PER_TIER)


@given(vpc_blocks(), zone_counts)
def test_subnets_are_disjoint_and_inside_the_vpc(block, zones):
    vpc = vpc_network(str(block))
    planned = subnets(vpc, zones)
    every = [subnet for tier in planned.values() for subnet in tier]

    assert tuple(planned) == TIERS
    assert {zones} == {len(tier) for tier in planned.values()}
    assert all(subnet.subnet_of(vpc) for subnet in every)
    assert not any(left.overlaps(right) for left, right in combinations(every, 2))
    assert all(subnet.prefixlen <= 28 for subnet in every)


@given(vpc_blocks(), st.integers(2, ZONES_PER_TIER - 1))
def test_a_zone_that_is_added_moves_no_subnet(block, zones):
    before, after = subnets(block, zones), subnets(block, zones + 1)

    assert before == {tier: planned[:zones] for tier, planned in after.items()}


@given(vpc_blocks(longest=32, shortest=21))
def test_a_block_that_is_too_small_is_refused(block):
    with pytest.raises(AddressingError, match="too small"):
        vpc_network(str(block))


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ("10.0.0.0/8", "no block larger than /16"),
        ("10.0.0.1/16", "has host bits set"),
        ("8.8.0.0/16", "private addresses"),
        ("100.64.0.0/16", "private addresses"),
        ("fd00::/16", "VPC block"),
        ("network", "VPC block"),
        ("", "VPC block"),
    ],
)
def test_a_block_that_no_vpc_can_have_is_refused(block, reason):
    with pytest.raises(AddressingError, match=reason):
        vpc_network(block)


@given(st.integers().filter(lambda zones: not 2 <= zones <= ZONES_PER_TIER))
def test_a_number_of_zones_without_room_is_refused(zones):
    with pytest.raises(AddressingError, match=f"{zones} zones"):
        subnets(vpc_network("10.0.0.0/16"), zones)


def test_the_platform_gets_the_subnets_that_it_was_asked_for():
    planned = subnets(vpc_network("10.0.0.0/16"), 3)

    assert {tier: list(map(str, blocks)) for tier, blocks in planned.items()} == {
        "public": ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"],
        "private": ["10.0.10.0/24", "10.0.11.0/24", "10.0.12.0/24"],
        "database": ["10.0.20.0/24", "10.0.21.0/24", "10.0.22.0/24"],
    }
