from dataclasses import replace

import pytest

from infra.addressing import AddressingError
from infra.environment import InvalidEnvironment, Scope, environments
from infra.naming import NamingError

DEV, STAGING, PROD = environments()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"account_id": "1234"}, "use 12 digits"),
        ({"zones": ("eu-west-1a", "eu-west-1b")}, "not all in us-east-1"),
        ({"zones": ("us-east-1a", "us-east-1a")}, "named twice"),
        ({"alert_email": "nobody"}, "not an address"),
        ({"minimum_instances": 1}, "at least 2"),
        ({"desired_instances": 11}, "minimum, desired, maximum"),
        ({"database_instances": 1}, "at least 2"),
        ({"vpc_block": "10.0.0.0/24"}, "too small"),
        ({"suffix": "Prod"}, "environment suffix"),
    ],
)
def test_an_environment_that_cannot_be_is_refused(changes, reason):
    with pytest.raises((InvalidEnvironment, AddressingError, NamingError), match=reason):
        replace(DEV, **changes)


def test_environments_share_no_account_and_no_name():
    assert 3 == len({environment.account_id for environment in (DEV, STAGING, PROD)})
    assert [environment.suffix for environment in environments()] == ["dev", "staging", "prod"]


def test_every_resource_carries_its_scope():
    tags = DEV.tags("financial-vpc-dev", Scope.CARDHOLDER_DATA)

    assert "cardholder-data" == tags["PciScope"]
    assert "dev" == tags["Environment"]
