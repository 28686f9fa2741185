"""The VPC in three tiers: public, private with a way out, database with none."""

from __future__ import annotations

from ipaddress import IPv4Network

from cdktf_cdktf_provider_aws.default_security_group import DefaultSecurityGroup
from cdktf_cdktf_provider_aws.eip import Eip
from cdktf_cdktf_provider_aws.internet_gateway import InternetGateway
from cdktf_cdktf_provider_aws.nat_gateway import NatGateway
from cdktf_cdktf_provider_aws.route import Route
from cdktf_cdktf_provider_aws.route_table import RouteTable
from cdktf_cdktf_provider_aws.route_table_association import RouteTableAssociation
from cdktf_cdktf_provider_aws.subnet import Subnet
from cdktf_cdktf_provider_aws.vpc import Vpc
from cdktf_cdktf_provider_aws.vpc_endpoint import VpcEndpoint
from constructs import Construct

from infra import addressing, permissions
from infra.environment import Environment, Scope

ANYWHERE = "0.0.0.0/0"

PACKAGES = "de612dc2"
"""The last part of the name of AWS's buckets with the packages of Amazon Linux 2023."""


class Network(Construct):
    """A VPC over several zones, with one subnet of each tier in every zone."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment) -> None:
        super().__init__(scope, id)
        self._environment = environment
        block = addressing.vpc_network(environment.vpc_block)
        blocks = addressing.subnets(block, len(environment.zones))

        self.vpc = Vpc(
            self,
            "vpc",
            cidr_block=str(block),
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=environment.tags(environment.name("vpc"), Scope.CARDHOLDER_DATA),
        )
        DefaultSecurityGroup(
            self,
            "default_security_group",
            vpc_id=self.vpc.id,
            ingress=[],
            egress=[],
            tags=environment.tags(environment.name("default-sg"), Scope.CONNECTED),
        )
        self.public_subnets = self._subnets("public", blocks["public"], Scope.CONNECTED)
        self.private_subnets = self._subnets("private", blocks["private"], Scope.CARDHOLDER_DATA)
        self.database_subnets = self._subnets("database", blocks["database"], Scope.CARDHOLDER_DATA)

        gateway = self._way_in()
        private_tables = self._ways_out(gateway)
        self._no_way_out()
        self.s3 = self._way_to_s3(private_tables)

    def _subnets(self, tier: str, blocks: tuple[IPv4Network, ...], scope: Scope) -> list[Subnet]:
        environment = self._environment
        return [
            Subnet(
                self,
                f"{tier}_subnet_{number}",
                vpc_id=self.vpc.id,
                availability_zone=zone,
                cidr_block=str(block),
                map_public_ip_on_launch=False,
                tags=environment.tags(environment.name(f"{tier}-subnet", number=number), scope),
            )
            for number, (zone, block) in enumerate(
                zip(environment.zones, blocks, strict=True), start=1
            )
        ]

    def _way_in(self) -> InternetGateway:
        """Only the public subnets route to the Internet gateway."""
        environment = self._environment
        gateway = InternetGateway(
            self,
            "internet_gateway",
            vpc_id=self.vpc.id,
            tags=environment.tags(environment.name("igw"), Scope.CONNECTED),
        )
        table = self._route_table("public", self.public_subnets, Scope.CONNECTED)
        Route(
            self,
            "public_route",
            route_table_id=table.id,
            destination_cidr_block=ANYWHERE,
            gateway_id=gateway.id,
        )
        return gateway

    def _ways_out(self, gateway: InternetGateway) -> list[RouteTable]:
        """Each private subnet leaves through the NAT gateway of its own zone."""
        environment = self._environment
        tables = []
        for number, (public, private) in enumerate(
            zip(self.public_subnets, self.private_subnets, strict=True), start=1
        ):
            address = Eip(
                self,
                f"nat_address_{number}",
                domain="vpc",
                tags=environment.tags(environment.name("nat-eip", number=number), Scope.CONNECTED),
            )
            nat = NatGateway(
                self,
                f"nat_gateway_{number}",
                subnet_id=public.id,
                allocation_id=address.allocation_id,
                tags=environment.tags(environment.name("nat", number=number), Scope.CONNECTED),
                depends_on=[gateway],
            )
            table = self._route_table("private", [private], Scope.CARDHOLDER_DATA, number)
            Route(
                self,
                f"private_route_{number}",
                route_table_id=table.id,
                destination_cidr_block=ANYWHERE,
                nat_gateway_id=nat.id,
            )
            tables.append(table)
        return tables

    def _no_way_out(self) -> None:
        """The database subnets route inside the VPC and nowhere else."""
        self._route_table("database", self.database_subnets, Scope.CARDHOLDER_DATA)

    def _way_to_s3(self, tables: list[RouteTable]) -> VpcEndpoint:
        """The private subnets reach S3 inside AWS, and in it the packages of Amazon Linux only."""
        environment = self._environment
        return VpcEndpoint(
            self,
            "s3_endpoint",
            vpc_id=self.vpc.id,
            vpc_endpoint_type="Gateway",
            service_name=f"com.amazonaws.{environment.region}.s3",
            route_table_ids=[table.id for table in tables],
            policy=permissions.document(
                permissions.allow(
                    "ReadThePackagesOfAmazonLinux",
                    ["s3:GetObject"],
                    f"arn:aws:s3:::al2023-repos-{environment.region}-{PACKAGES}/*",
                    Principal={"AWS": "*"},
                )
            ),
            tags=environment.tags(environment.name("s3-endpoint"), Scope.CONNECTED),
        )

    def _route_table(
        self, tier: str, subnets: list[Subnet], scope: Scope, number: int | None = None
    ) -> RouteTable:
        environment = self._environment
        name = environment.name(f"{tier}-rt", number=number)
        place = tier if number is None else f"{tier}_{number}"
        table = RouteTable(
            self,
            f"{place}_route_table",
            vpc_id=self.vpc.id,
            tags=environment.tags(name, scope),
        )
        for position, subnet in enumerate(subnets, start=1):
            RouteTableAssociation(
                self,
                f"{place}_association_{position}",
                subnet_id=subnet.id,
                route_table_id=table.id,
            )
        return table
