"""What Terraform runs and no document shows the effect of: never passed, always told."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.aws import arguments, firewall
from policies.aws.resource_types import KNOWN, PROVIDER_VERSION
from policies.engine.document import (
    DRIFT,
    FORGET,
    MODULE,
    PROVIDER,
    PROVISIONER,
    REQUIRED_PROVIDER,
)
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Verdict, Violation, supports
from policies.engine.mutate import remove, replace

ELSEWHERE = ("endpoints", "custom_ca_bundle", "http_proxy", "https_proxy")
"""The arguments of the provider that make it ask something else than AWS."""

WITHOUT_EFFECT_ON_AWS = ("data.", "null_", "random_", "terraform.", "terraform_", "time_")
"""What begins the types of data, of helpers, and of what another policy here is about."""

MODULES = Policy(
    prohibits=(MODULE,),
    verdict_if_found=Verdict.UNKNOWN,
    title="Every module is expanded.",
    found="its resources stand elsewhere; judge the plan",
    why="A stack calls a module whose resources stand elsewhere; its plan shows them.",
)

PROVISIONERS = Policy(
    prohibits=(PROVISIONER,),
    verdict_if_found=Verdict.UNKNOWN,
    title="Nothing is changed by a provisioner.",
    found="what it does is not known",
    why="A script that runs during apply can change what was judged.",
)

FORGOTTEN = Policy(
    prohibits=(FORGET,),
    verdict_if_found=Verdict.UNKNOWN,
    title="Nothing is left behind unmanaged.",
    found="it stays in the account, unmanaged",
    why="What Terraform forgets stays in the account, and no later run sees it.",
)

DRIFTED = Policy(
    prohibits=(DRIFT,),
    verdict_if_found=Verdict.UNKNOWN,
    title="What was changed behind Terraform's back is planned for.",
    found="it was changed outside of Terraform, and the plan does not say what becomes of it",
    why="A plan tells what it will do, and of this resource it tells nothing.",
)


def is_of_a_type_that_we_do_not_know(resource: Resource, graph: ResourceGraph) -> bool:
    """Whether no policy can tell what *resource* is."""
    return resource.type not in KNOWN and not resource.type.startswith(WITHOUT_EFFECT_ON_AWS)


TYPES = Policy(
    prohibits=is_of_a_type_that_we_do_not_know,
    verdict_if_found=Verdict.UNKNOWN,
    title="Every resource is of a type that the suite knows.",
    found=f"no type of the AWS provider {PROVIDER_VERSION}",
    why="A misspelt type, or another provider's, is one that no policy looks at.",
)


def says_what_nobody_hears(resource: Resource, graph: ResourceGraph) -> str:
    """Return what of *resource*, as it is written, the provider does not know."""
    is_written = resource.syntax.templates and resource.type in KNOWN
    return ", ".join(arguments.unheard_of(resource.values)) if is_written else ""


ARGUMENTS = Policy(
    prohibits=says_what_nobody_hears,
    verdict_if_found=Verdict.UNKNOWN,
    title="Every argument is one that the provider knows.",
    found=f"the AWS provider {PROVIDER_VERSION} does not know",
    why="What is misspelt, be it by one letter of another alphabet, says nothing at all.",
)


def names_a_group_that_we_do_not_see(resource: Resource, graph: ResourceGraph) -> bool:
    """Whether *resource* lets in a security group of another document."""
    return any(
        not graph.named(name)
        for rule in firewall.ingress(resource, graph)
        for name in rule.sources()
    )


FOREIGN_GROUPS = Policy(
    prohibits=names_a_group_that_we_do_not_see,
    applies_to=firewall.CARRIERS,
    verdict_if_found=Verdict.UNKNOWN,
    title="Every security group that a rule lets in is in the same document.",
    found="lets in a security group that this document does not show",
    why="Who stands in a group of another stack, and what may reach it, is not seen here.",
)

OPAQUE = Policy(
    prohibits=("data.external", "aws_cloudformation_stack", "aws_cloudformation_stack_set"),
    verdict_if_found=Verdict.UNKNOWN,
    title="Nothing is made by a program or a template of another language.",
    found="what it runs or makes is not seen",
    why="What an external program or a CloudFormation stack does stands elsewhere.",
)


def asks_something_else_than_aws(resource: Resource, graph: ResourceGraph) -> bool:
    """Whether *resource* is a provider whose answers come from elsewhere."""
    return any(resource.values.get(key) for key in ELSEWHERE)


ENDPOINTS = Policy(
    prohibits=asks_something_else_than_aws,
    applies_to=PROVIDER,
    verdict_if_found=Verdict.UNKNOWN,
    title="Terraform asks AWS itself.",
    found="its endpoints are not those of AWS",
    why="What an emulator or a proxy answers says nothing of what AWS would do.",
)


def is_left_as_it_is(resource: Resource, graph: ResourceGraph) -> bool:
    """Whether Terraform is told to look away from whatever becomes of *resource*."""
    lifecycle = resource.values.get("lifecycle")
    if lifecycle is None:
        return False
    blocks = lifecycle if isinstance(lifecycle, list) else [lifecycle or {}]
    return any(block.get("ignore_changes") in ("all", ["all"]) for block in blocks)


IGNORED_CHANGES = Policy(
    prohibits=is_left_as_it_is,
    verdict_if_found=Verdict.UNKNOWN,
    title="Terraform looks away from no resource as a whole.",
    found="what was changed by hand stays",
    why="What is written is then what once was made, and nobody brings it back.",
)

_PINNED = re.compile(r"=?\s*\d+\.\d+\.\d+|~>\s*\d+\.\d+\.\d+")


def is_another_companys(provider: Resource, graph: ResourceGraph) -> bool:
    """Whether *provider* is not HashiCorp's, whose types the policies are about."""
    return not _HASHICORPS.fullmatch(str(provider.get("source", "hashicorp/aws")).lower())


_HASHICORPS = re.compile(
    r"(?:(?:registry\.(?:terraform\.io|opentofu\.org)/)?hashicorp/)?[a-z0-9-]+"
    r"|terraform\.io/builtin/terraform"
)


FOREIGN_PROVIDERS = Policy(
    prohibits=is_another_companys,
    applies_to=(REQUIRED_PROVIDER, PROVIDER),
    verdict_if_found=Verdict.UNKNOWN,
    title="Every provider is HashiCorp's.",
    found="it is not HashiCorp's, and its types may be named as theirs are",
    why="What another provider makes under the name of a type of AWS, no policy can tell.",
)


def is_one_version(provider: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Providers are pinned to one version.

    Another version has other defaults, and does something else with the same text.
    """
    version = provider.get("version")
    if version is None:
        yield Violation("version is not stated", provider, "version")
    elif not _PINNED.fullmatch(str(version).strip()):
        yield Violation(f"version is {version}", provider, "version")


PINNED_PROVIDERS = Policy(
    checks=is_one_version,
    applies_to=REQUIRED_PROVIDER,
    claims=(supports("6.3.2"),),
    example={REQUIRED_PROVIDER: {"aws": {"version": "5.100.0"}}},
    violated_by=(remove("version"), replace("version", ">= 5.0"), replace("version", "~> 5.0")),
)
