"""What differs between environments, validated before anything is synthesized."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from infra import addressing
from infra.naming import APPLICATION, Naming

COST_CENTER = "engineering"
FEWEST_INSTANCES = 2


class Scope(StrEnum):
    """Where a resource stands in the scope of an assessment (PCI DSS 12.5.2)."""

    CARDHOLDER_DATA = "cardholder-data"
    """Stores, processes or transmits account data, or protects it."""

    CONNECTED = "connected"
    """Can reach or affect what handles account data."""

    OUT_OF_SCOPE = "out-of-scope"


class InvalidEnvironment(ValueError):
    """A value that no environment may have."""


@dataclass(frozen=True, kw_only=True)
class RemoteState:
    """Where Terraform keeps its state for several people: a bucket, under a key, with locks."""

    bucket: str
    kms_key_arn: str

    def __post_init__(self) -> None:
        _require(
            re.fullmatch(r"arn:aws:kms:[a-z0-9-]+:\d{12}:key/[0-9a-f-]{36}", self.kms_key_arn),
            f"state: kms_key_arn {self.kms_key_arn!r}: not the ARN of a key",
        )
        _require(
            re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", self.bucket),
            f"state: bucket {self.bucket!r}: not the name of a bucket",
        )


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One copy of the platform: where it stands, how large it is."""

    suffix: str
    """The last part of every name: dev, staging, prod."""

    account_id: str
    """AWS account, 12 digits."""

    region: str
    zones: tuple[str, ...]
    """Availability zones, in the order in which subnets are numbered."""

    vpc_block: str
    """IPv4 block of the VPC, from /16 to /20."""

    domain_name: str
    """Name that the load balancer's certificate is requested for."""

    hosted_zone_id: str
    """Route 53 zone that proves ownership of the domain."""

    alert_email: str
    """Who is told when an alarm goes off."""

    instance_type: str
    minimum_instances: int
    desired_instances: int
    maximum_instances: int
    database_instance_class: str
    database_instances: int
    state: RemoteState | None
    """Where the state is kept; None keeps it beside the stack, for a first look."""

    def __post_init__(self) -> None:
        try:
            self._require_sound()
        except ValueError as error:
            raise InvalidEnvironment(f"{self.suffix}: {error}") from error

    def _require_sound(self) -> None:
        _require(
            re.fullmatch(r"\d{12}", self.account_id), f"account {self.account_id!r}: use 12 digits"
        )
        _require(
            all(zone.startswith(self.region) for zone in self.zones),
            f"zones {', '.join(self.zones)}: not all in {self.region}",
        )
        _require(len(set(self.zones)) == len(self.zones), "zones: one is named twice")
        for size in (self.instance_type, self.database_instance_class):
            _require("." in str(size), f"{size!r}: not the name of an instance type")
        _require("@" in self.alert_email, f"alert_email {self.alert_email!r}: not an address")
        _require(
            FEWEST_INSTANCES
            <= self.minimum_instances
            <= self.desired_instances
            <= self.maximum_instances,
            f"instances: at least {FEWEST_INSTANCES}, and minimum, desired, maximum in this order",
        )
        _require(
            self.database_instances >= FEWEST_INSTANCES,
            f"database_instances: at least {FEWEST_INSTANCES}, so that one can fail",
        )
        addressing.subnets(addressing.vpc_network(self.vpc_block), len(self.zones))
        self.name("environment")

    @property
    def name(self) -> Naming:
        """The naming convention of this environment."""
        return Naming(self.suffix)

    def tags(self, name: str, scope: Scope) -> dict[str, str]:
        """Return the tags that every resource carries."""
        return {
            "Name": name,
            "Environment": self.suffix,
            "Application": f"{APPLICATION}-transaction-platform",
            "CostCenter": COST_CENTER,
            "PciScope": scope.value,
        }

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        """Return the ARN of *resource* in this account, such as ``role/reader``."""
        region = self.region if regional else ""
        return f"arn:aws:{service}:{region}:{self.account_id}:{resource}"


def _require(holds: object, message: str) -> None:
    if not holds:
        raise InvalidEnvironment(message)


def environments() -> tuple[Environment, ...]:
    """
    Return every environment that is synthesized.

    Accounts, domain, zone and e-mail are AWS's and the IETF's documentation values:
    enough to judge the platform, and to be filled in before it is deployed.
    """
    dev = Environment(
        suffix="dev",
        account_id="111122223333",
        region="us-east-1",
        zones=("us-east-1a", "us-east-1b", "us-east-1c"),
        vpc_block="10.0.0.0/16",
        domain_name="payments-dev.example.com",
        hosted_zone_id="Z00000000EXAMPLE",
        alert_email="alerts@example.com",
        instance_type="t3.large",
        minimum_instances=2,
        desired_instances=3,
        maximum_instances=10,
        database_instance_class="db.r6g.large",
        database_instances=2,
        state=None,
    )
    staging = replace(
        dev,
        suffix="staging",
        account_id="444455556666",
        domain_name="payments-staging.example.com",
    )
    prod = replace(
        dev,
        suffix="prod",
        account_id="777788889999",
        domain_name="payments.example.com",
    )
    return (dev, staging, prod)
