"""The organisation's own conventions, out of house.toml: names, addresses, tags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from ipaddress import IPv4Network

from policies.aws import cidr
from policies.aws.resource_types import TAGGABLE
from policies.engine.document import PROVIDER
from policies.engine.graph import Resource, ResourceGraph, Stage
from policies.engine.house import House
from policies.engine.model import Finding, Policy, Verdict, Violation, part_of, supports
from policies.engine.mutate import described, remove, replace
from policies.engine.values import drained

NAMED = {
    "aws_autoscaling_group": "name",
    "aws_autoscaling_policy": "name",
    "aws_autoscaling_schedule": "scheduled_action_name",
    "aws_backup_plan": "name",
    "aws_backup_selection": "name",
    "aws_backup_vault": "name",
    "aws_cloudtrail": "name",
    "aws_cloudwatch_event_rule": "name",
    "aws_cloudwatch_log_group": "name",
    "aws_cloudwatch_log_metric_filter": "name",
    "aws_cloudwatch_log_resource_policy": "policy_name",
    "aws_cloudwatch_log_subscription_filter": "name",
    "aws_cloudwatch_metric_alarm": "alarm_name",
    "aws_config_configuration_recorder": "name",
    "aws_config_delivery_channel": "name",
    "aws_db_event_subscription": "name",
    "aws_db_instance": "identifier",
    "aws_db_subnet_group": "name",
    "aws_iam_instance_profile": "name",
    "aws_iam_policy": "name",
    "aws_iam_role": "name",
    "aws_iam_role_policy": "name",
    "aws_kinesis_firehose_delivery_stream": "name",
    "aws_kms_alias": "name",
    "aws_lambda_function": "function_name",
    "aws_launch_template": "name",
    "aws_lb": "name",
    "aws_lb_target_group": "name",
    "aws_rds_cluster": "cluster_identifier",
    "aws_rds_cluster_instance": "identifier",
    "aws_rds_cluster_parameter_group": "name",
    "aws_s3_bucket": "bucket",
    "aws_secretsmanager_secret": "name",
    "aws_security_group": "name",
    "aws_sns_topic": "name",
    "aws_ssm_document": "name",
    "aws_wafv2_web_acl": "name",
}
"""The attribute that names each type in AWS; others bear their name as a tag only."""


def _house(graph: ResourceGraph) -> House:
    if graph.house is None:
        raise LookupError("a policy of the house was evaluated without one")
    return graph.house


def _misnamed(attribute: str, resource: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    house, name = _house(graph), resource.get(attribute)
    environment = house.environment_of(graph.stack)
    if environment is None:
        yield Violation(f"the stack {graph.stack} is no environment of the house", resource)
    elif not house.is_named(str(name), environment):
        wanted = house.naming.pattern.replace("{environment}", environment)
        yield Violation(f"{attribute} is {name}, not {wanted}", resource, attribute)


ENVIRONMENTS = Policy(
    title="Every environment of the house is synthesized.",
    why="An environment that is left out of a run would be passed by silence.",
    needs_house=True,
)


def missing_environments(house: House, stacks: set[str]) -> Iterator[Finding]:
    """Yield a finding on each stack of *house* that is none of *stacks*."""
    for stack in house.stacks:
        if stack not in stacks:
            yield Finding(
                policy="house.environments",
                resource=stack,
                stage=Stage.DESIGN,
                verdict=Verdict.FAIL,
                messages=(f"there is no stack {stack}",),
            )


SEPARATION = Policy(
    title="No two environments of the house share an account.",
    why="Whoever breaks into a test must not stand in production.",
    claims=(part_of("6.5.3"), supports("6.5.4")),
    needs_house=True,
)


def shared_accounts(house: House, graphs: Iterable[ResourceGraph]) -> Iterator[Finding]:
    """Yield a finding on each stack of *house*: whether its accounts are another's as well."""
    stacks = {g.stack: g for g in graphs if house.environment_of(g.stack)}
    accounts = {stack: _accounts(graph) for stack, graph in stacks.items()}
    for stack, mine in accounts.items():
        shared = {
            (other, account)
            for other, theirs in accounts.items()
            if house.environment_of(other) != house.environment_of(stack)
            for account in mine & theirs
        }
        messages = [f"{other} is in account {account}, too" for other, account in sorted(shared)]
        silent = _silent(stacks[stack])
        yield Finding(
            policy="house.separation",
            resource=stack,
            stage=stacks[stack].stage,
            verdict=Verdict.FAIL if shared else Verdict.UNKNOWN if silent else Verdict.PASS,
            messages=tuple(messages or silent),
            document=stacks[stack].document,
        )


def _silent(graph: ResourceGraph) -> list[str]:
    """Say which providers of AWS in *graph* name no account."""
    providers = graph.of_type(PROVIDER)
    if not providers:
        return ["no provider names an account"]
    return [
        f"{provider.address} names no account: allowed_account_ids"
        for provider in providers
        if provider.address.startswith("provider.aws") and not _of_provider(provider)
    ]


def _accounts(graph: ResourceGraph) -> frozenset[str]:
    """Return the accounts that the providers of *graph* may work in, as far as they say it."""
    return frozenset(a for provider in graph.of_type(PROVIDER) for a in _of_provider(provider))


def _of_provider(provider: Resource) -> frozenset[str]:
    named, _ = drained(provider.reference(ALLOWED))
    roles, _ = drained(_roles(provider))
    assumed = (role.split(":")[4] for role in roles if role.startswith("arn:"))
    return frozenset({*assumed, *(name for name in named if name.isdigit())})


def _roles(provider: Resource) -> Iterator[str]:
    for assumed in provider.blocks("assume_role"):
        yield from assumed.reference("role_arn")


ALLOWED = "allowed_account_ids"


def follows_the_convention(resource: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Resources are named by the house's convention.

    A name tells an assessor what a thing is and where it belongs.
    """
    yield from _misnamed(NAMED[resource.type], resource, graph)


def _renamed(name: str | None, subject: Resource, graph: ResourceGraph) -> ResourceGraph:
    return replace(NAMED[subject.type], name)(subject, graph)


NAMING = Policy(
    checks=follows_the_convention,
    applies_to=tuple(NAMED),
    needs_house=True,
    example={"aws_sns_topic": {"alerts": {"name": "financial-alerts-dev"}}},
    violated_by=(
        described("remove the name", partial(_renamed, None)),
        described("replace the name 'my-topic'", partial(_renamed, "my-topic")),
        described(
            "replace the name 'financial-alerts-qa'", partial(_renamed, "financial-alerts-qa")
        ),
    ),
)


def bears_its_name(resource: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """Resources bear their name as a tag."""
    yield from _misnamed("tags.Name", resource, graph)


def bears_the_required_tags(resource: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Resources bear every tag that the house requires, with a value that it knows.

    An inventory, and the scope of an assessment, are read from tags.
    """
    tags = _house(graph).tags
    for tag in tags.required:
        value = resource.get(f"tags.{tag}")
        if value in (None, ""):
            yield Violation(f"tags.{tag} is not set", resource, "tags")
        elif tag in tags.values and value not in tags.values[tag]:
            yield Violation(f"tags.{tag} is {value}", resource, f"tags.{tag}")


def is_tagged_for_its_environment(resource: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """Resources are tagged with the environment of their stack."""
    environment = _house(graph).environment_of(graph.stack)
    value = resource.get("tags.Environment")
    if value is not None and value != environment:
        yield Violation(f"tags.Environment is {value}", resource, "tags.Environment")


TAGS = Policy(
    checks=(bears_the_required_tags, bears_its_name, is_tagged_for_its_environment),
    applies_to=TAGGABLE,
    when=lambda resource: resource.type != "aws_autoscaling_group",
    needs_house=True,
    claims=(supports("12.5.1"), supports("12.5.2")),
    example={
        "aws_sns_topic": {
            "alerts": {
                "tags": {
                    "Name": "financial-alerts-dev",
                    "Environment": "dev",
                    "Application": "financial-transaction-platform",
                    "CostCenter": "engineering",
                    "PciScope": "connected",
                }
            }
        },
        "aws_autoscaling_group": {"app": {}},
    },
    violated_by=(
        remove("tags"),
        remove("tags.CostCenter"),
        replace("tags.PciScope", "unheard-of"),
        replace("tags.Name", "my-topic"),
        replace("tags.Environment", "qa"),
    ),
)


def launches_with_the_required_tags(group: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Auto scaling groups hand the required tags on to their instances.

    An inventory of what is in scope is read from the tags of what runs.
    """
    tags = _house(graph).tags
    found = {
        tag.get("key"): tag.get("value")
        for tag in group.blocks("tag")
        if tag.get("propagate_at_launch") is True
    }
    for tag in tags.required:
        if found.get(tag) in (None, ""):
            yield Violation(f"no tag {tag} is propagated at launch", group, "tag")
        elif tag in tags.values and found[tag] not in tags.values[tag]:
            yield Violation(f"tag {tag} is {found[tag]}", group, "tag")


LAUNCH_TAGS = Policy(
    checks=launches_with_the_required_tags,
    applies_to="aws_autoscaling_group",
    needs_house=True,
    claims=(supports("12.5.1"), supports("12.5.2")),
    example={
        "aws_autoscaling_group": {
            "app": {
                "tag": [
                    {"key": key, "value": value, "propagate_at_launch": True}
                    for key, value in {
                        "Name": "financial-asg-dev",
                        "Environment": "dev",
                        "Application": "financial-transaction-platform",
                        "CostCenter": "engineering",
                        "PciScope": "cardholder-data",
                    }.items()
                ]
            }
        }
    },
    violated_by=(
        remove("tag"),
        replace("tag.0.propagate_at_launch", False),
        replace("tag.4.value", "unheard-of"),
    ),
)


def stands_in_the_plan(vpc: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    VPCs use the block that the house plans for them.

    Diagrams and rules are drawn for it.
    """
    block, planned = cidr.network(vpc.get("cidr_block")), _house(graph).addressing.vpc
    if block != IPv4Network(planned):
        yield Violation(f"cidr_block is {block}, not {planned}", vpc, "cidr_block")


ADDRESS_PLAN = Policy(
    checks=stands_in_the_plan,
    applies_to="aws_vpc",
    needs_house=True,
    at_least=1,
    claims=(supports("1.2.3"),),
    example={"aws_vpc": {"cde": {"cidr_block": "10.0.0.0/16"}}},
    violated_by=(replace("cidr_block", "10.1.0.0/16"), replace("cidr_block", "10.0.0.0/8")),
)


def lies_in_the_plan(subnet: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Subnets lie in the block that the house plans for the VPC.

    Diagrams and rules are drawn for it.
    """
    block, planned = cidr.network(subnet.get("cidr_block")), _house(graph).addressing.vpc
    if not isinstance(block, IPv4Network) or not block.subnet_of(IPv4Network(planned)):
        yield Violation(f"cidr_block {block} lies outside {planned}", subnet, "cidr_block")


SUBNET_PLAN = Policy(
    checks=lies_in_the_plan,
    applies_to="aws_subnet",
    needs_house=True,
    at_least=9,
    claims=(supports("1.2.3"),),
    example={"aws_subnet": {"app": {"cidr_block": "10.0.10.0/24"}}},
    violated_by=(replace("cidr_block", "10.1.10.0/24"), replace("cidr_block", "0.0.0.0/0")),
)

PUBLIC = {
    "aws_alb": "name",
    "aws_api_gateway_rest_api": "name",
    "aws_apigatewayv2_api": "name",
    "aws_cloudfront_distribution": "comment",
    "aws_eip": "tags.Name",
    "aws_elb": "name",
    "aws_instance": "tags.Name",
    "aws_lambda_function_url": "function_name",
    "aws_lb": "name",
    "aws_transfer_server": "tags.Name",
}
"""What can face the Internet, and the attribute that the house knows it by."""


def faces_the_internet(resource: Resource) -> bool:
    """Whether *resource*, of one of PUBLIC, can be reached from outside its VPC."""
    if resource.type in {"aws_lb", "aws_alb", "aws_elb"}:
        return resource.get("internal", False) is not True
    if resource.type == "aws_instance":
        return resource.get("associate_public_ip_address", False) is True
    if resource.type == "aws_api_gateway_rest_api":
        return "PRIVATE" not in list(resource.get("endpoint_configuration.types") or ())
    if resource.type == "aws_transfer_server":
        return bool(resource.get("endpoint_type", "PUBLIC") == "PUBLIC")
    return True


def is_of_a_gateway(resource: Resource, graph: ResourceGraph) -> bool:
    """Whether *resource* is the address of a NAT gateway, or of a load balancer that is asked."""
    return resource.type == "aws_eip" and any(
        True for type, by in ADDRESSED for _ in graph.attached_to(resource, type, by=by)
    )


ADDRESSED = (
    ("aws_nat_gateway", "allocation_id"),
    ("aws_lb", "subnet_mapping.allocation_id"),
)
"""What has addresses of its own, and where it names them."""


def is_known_to_the_house(resource: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Only what the house knows as an entry point faces the Internet.

    Every other way in is one that nobody watches.
    """
    house, attribute = _house(graph), PUBLIC[resource.type]
    environment = house.environment_of(graph.stack)
    name = resource.get(attribute)
    if environment is None or not house.is_entry_point(str(name), environment):
        yield Violation(f"{name or resource.address} is no entry point of the house", resource)


def _called(name: str | None, subject: Resource, graph: ResourceGraph) -> ResourceGraph:
    return replace(PUBLIC[subject.type], name)(subject, graph)


ENTRY_POINTS = Policy(
    checks=is_known_to_the_house,
    applies_to=tuple(PUBLIC),
    when=faces_the_internet,
    unless=is_of_a_gateway,
    needs_house=True,
    claims=(part_of("1.4.2"), supports("1.4.1")),
    example={
        "aws_lb": {"entry": {"name": "financial-alb-dev"}, "inside": {"internal": True}},
    },
    violated_by=(
        described("call it 'side-door'", partial(_called, "side-door")),
        described("leave out its name", partial(_called, None)),
    ),
)
