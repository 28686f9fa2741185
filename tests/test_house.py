import pytest

from policies.engine.document import PROVIDER
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.house import HouseError, parse_house
from policies.engine.model import Verdict
from policies.house import shared_accounts
from tests.conftest import ROOT


@pytest.mark.parametrize(
    "name",
    [
        "financial-vpc-dev",
        "financial-public-subnet-dev-1",
        "alias/financial-logs-key-dev",
        "/aws/lambda/financial-rotation-dev",
        "/aws/rds/cluster/financial-aurora-dev/audit",
        "aws-waf-logs-financial-waf-dev",
    ],
)
def test_a_name_follows_the_convention(house, name):
    assert house.is_named(name, "dev")
    assert not house.is_named(name, "prod")


@pytest.mark.parametrize(
    "name",
    ["", "vpc", "financial-dev", "financial--dev", "financial-vpc-dev-", "Financial-vpc-dev",
     "financial-vpc-dev-x", "x/financial-vpc-dev", "financial-vpc-dev\n"],
)  # fmt: skip
def test_another_name_does_not(house, name):
    assert not house.is_named(name, "dev")


def test_a_stack_is_an_environment_of_the_house(house):
    assert "staging" == house.environment_of("financial-staging")
    assert house.environment_of("financial-qa") is None
    assert house.environment_of("financial-dev-2") is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (('stack = "financial-{environment}"', 'stack = "financial"'), "lacks {environment}"),
        (("financial-{resource}-{environment}", "{environment}"), "lacks {resource}"),
        (("10.0.0.0/16", "10.0.0.1/16"), "addressing.vpc: .*host bits"),
        (("entry_points", "entry_pionts"), "entry_pionts"),
        (('entry_points = ["financial-alb-{environment}"]', ""), "all that may face the Internet"),
        (("[addressing]", "[adressing]"), "addressing|adressing"),
        (("[tags]", "disabled = true\n[tags]"), "disabled"),
        (('required = ["Name"', "required = [1"), "Expected `str`"),
        (("[naming]", "[naming"), "Expected"),
        (("PciScope = [", "PciScop = ["), "tags.values has PciScop"),
    ],
)
def test_a_house_that_says_something_else_is_refused(change, reason):
    text = (ROOT / "house.toml").read_text().replace(*change)

    with pytest.raises(HouseError, match=f"^house.toml: .*({reason})"):
        parse_house(text, "house.toml")


def graph_of(stack, *accounts):
    values = {"allowed_account_ids": list(accounts)} if accounts else {}
    return ResourceGraph((Resource("provider.aws.0", PROVIDER, values),), stack)


@pytest.mark.parametrize(
    ("accounts", "verdict"),
    [
        ({"dev": ("1",), "prod": ("2",)}, Verdict.PASS),
        ({"dev": ("1",), "prod": ("2", "1")}, Verdict.FAIL),
        ({"dev": (), "prod": ("2",)}, Verdict.UNKNOWN),
    ],
)
def test_environments_that_share_an_account_are_told(house, accounts, verdict):
    graphs = [graph_of(f"financial-{name}", *mine) for name, mine in accounts.items()]

    found = {finding.resource: finding.verdict for finding in shared_accounts(house, graphs)}

    assert verdict is found["financial-dev"]


def test_the_stacks_of_one_environment_share_its_account(house):
    graphs = [graph_of("financial-dev", "1"), graph_of("financial-account-dev", "1")]

    assert {Verdict.PASS} == {finding.verdict for finding in shared_accounts(house, graphs)}
