"""OpenSearch and Elasticsearch: private, encrypted, over TLS, audited."""

from __future__ import annotations

from collections.abc import Iterator

from policies import common
from policies.aws import encryption, iam, tls
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, direct, part_of, supports
from policies.engine.mutate import remove, replace
from policies.engine.settings import states

DOMAINS = ("aws_opensearch_domain", "aws_elasticsearch_domain")
DOMAIN = DOMAINS[0]


def _domain(**arguments: object) -> dict[str, object]:
    return {DOMAIN: {"cde": arguments}}


def encrypts_what_it_holds(domain: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Search domains encrypt what they hold.

    An index is a copy of what was searched for.
    """
    if domain.get("encrypt_at_rest.enabled", False) is not True:
        yield Violation("encrypt_at_rest.enabled is not true", domain, "encrypt_at_rest.enabled")


ENCRYPTION = Policy(
    checks=encrypts_what_it_holds,
    applies_to=DOMAINS,
    claims=(supports("3.5.1"),),
    example=_domain(encrypt_at_rest={"enabled": True}),
    violated_by=(remove("encrypt_at_rest"), replace("encrypt_at_rest.enabled", False)),
)


def encrypts_between_nodes(domain: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Search domains encrypt what their nodes tell each other.

    Each answer is put together from many of them.
    """
    if domain.get("node_to_node_encryption.enabled", False) is not True:
        yield Violation("node_to_node_encryption.enabled is not true", domain)


BETWEEN_NODES = Policy(
    checks=encrypts_between_nodes,
    applies_to=DOMAINS,
    claims=(part_of("4.2.1"),),
    example=_domain(node_to_node_encryption={"enabled": True}),
    violated_by=(
        remove("node_to_node_encryption"),
        replace("node_to_node_encryption.enabled", False),
    ),
)


def enforces_https(domain: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Search domains answer over HTTPS only.

    Left out, a domain answers plain HTTP as well.
    """
    if not any(True for _ in domain.blocks("domain_endpoint_options")):
        yield Violation("domain_endpoint_options are not stated", domain)
    for options in domain.blocks("domain_endpoint_options"):
        if options.get("enforce_https", True) is not True:
            yield Violation("enforce_https is not true", options, "enforce_https")


HTTPS = Policy(
    checks=enforces_https,
    applies_to=DOMAINS,
    claims=(direct("4.2.1"),),
    example=_domain(domain_endpoint_options={"enforce_https": True}),
    violated_by=(
        remove("domain_endpoint_options"),
        replace("domain_endpoint_options.enforce_https", False),
    ),
)


def speaks_modern_tls(domain: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Search domains speak TLS 1.2 or newer, and nothing older.

    Left out, a domain takes TLS 1.0 as well.
    """
    path = "domain_endpoint_options.tls_security_policy"
    policy = domain.get(path)
    if policy is None:
        yield Violation("tls_security_policy is not stated", domain, path)
    elif not tls.is_modern(policy, graph):
        yield Violation(f"tls_security_policy is {policy}", domain, path)


TLS = Policy(
    checks=speaks_modern_tls,
    applies_to=DOMAINS,
    claims=(direct("4.2.1"),),
    example=_domain(
        domain_endpoint_options={"tls_security_policy": "Policy-Min-TLS-1-2-PFS-2023-10"}
    ),
    violated_by=(
        remove("domain_endpoint_options"),
        remove("domain_endpoint_options.tls_security_policy"),
        replace("domain_endpoint_options.tls_security_policy", "Policy-Min-TLS-1-0-2019-07"),
    ),
)


def stands_in_a_vpc(domain: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Search domains stand in a VPC.

    What stores account data is not reached from the Internet.
    """
    if not domain.is_set("vpc_options.subnet_ids"):
        yield Violation("vpc_options name no subnet", domain, "vpc_options")


PRIVATE = Policy(
    checks=stands_in_a_vpc,
    applies_to=DOMAINS,
    claims=(part_of("1.4.4"),),
    example=_domain(vpc_options={"subnet_ids": ["${aws_subnet.a.id}"]}),
    violated_by=(remove("vpc_options"),),
)


def audits_its_users(domain: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Search domains log who asked them for what.

    Of the logs that a domain can write, the audit log is the one that names the user.
    """
    for logs in domain.blocks("log_publishing_options"):
        if logs.get("log_type") == "AUDIT_LOGS" and logs.get("enabled", True) is True:
            return
    yield Violation("log_publishing_options have no AUDIT_LOGS", domain, "log_publishing_options")


AUDIT_LOGS = Policy(
    checks=audits_its_users,
    applies_to=DOMAINS,
    claims=(part_of("10.2.1"),),
    example=_domain(log_publishing_options=[{"log_type": "AUDIT_LOGS"}]),
    violated_by=(
        remove("log_publishing_options"),
        replace("log_publishing_options", [{"log_type": "INDEX_SLOW_LOGS"}]),
        replace("log_publishing_options", [{"log_type": "AUDIT_LOGS", "enabled": False}]),
    ),
)


def knows_its_users(domain: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Search domains know who asks.

    Without access control of its own, a domain gives every index to whoever reaches it.
    """
    if domain.get("advanced_security_options.enabled", False) is not True:
        yield Violation("advanced_security_options are not enabled", domain)


ACCESS_CONTROL = Policy(
    checks=knows_its_users,
    applies_to=DOMAINS,
    claims=(part_of("7.3.1"),),
    example=_domain(advanced_security_options={"enabled": True}),
    violated_by=(
        remove("advanced_security_options"),
        replace("advanced_security_options.enabled", False),
    ),
)


def lets_in_whom_it_names(domain: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Policies of search domains name who may ask.

    Everybody is everybody on the Internet.
    """
    for text in iam.open_to_strangers(domain, "access_policies"):
        yield Violation(f"access_policies: {text}", domain, "access_policies")


NAMED_PRINCIPALS = Policy(
    checks=lets_in_whom_it_names,
    applies_to=(*DOMAINS, "aws_opensearch_domain_policy", "aws_elasticsearch_domain_policy"),
    claims=(part_of("7.2.1"),),
    example=_domain(
        access_policies={
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": "arn:aws:iam::111122223333:role/app"},
                    "Action": "es:ESHttpGet",
                }
            ]
        }
    ),
    violated_by=(
        replace(
            "access_policies",
            {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "es:*"}]},
        ),
    ),
)

SERVERLESS_POLICY = "aws_opensearchserverless_security_policy"


def says_who_reaches(policy: Resource) -> bool:
    """Whether *policy* is one about the network."""
    return bool(policy.get("type") == "network")


def lets_in_endpoints_alone(policy: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Serverless collections are reached through endpoints of ours.

    What stores account data is not reached from the Internet.
    """
    for rules in policy.blocks("policy"):
        if rules.get("AllowFromPublic", False) is not False:
            yield Violation("policy: AllowFromPublic is true", policy, "policy")


SERVERLESS_PRIVATE = Policy(
    checks=lets_in_endpoints_alone,
    applies_to=SERVERLESS_POLICY,
    when=says_who_reaches,
    claims=(part_of("1.4.4"),),
    example={
        SERVERLESS_POLICY: {
            "cde": {"type": "network", "policy": '[{"AllowFromPublic": false}]'},
            "key": {"type": "encryption"},
        }
    },
    violated_by=(replace("policy", '[{"AllowFromPublic": true}]'),),
)


def says_which_key(policy: Resource) -> bool:
    """Whether *policy* is one about encryption."""
    return bool(policy.get("type") == "encryption")


def names_a_key_of_ours(policy: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Serverless collections are encrypted with a key of ours.

    Whoever reads them needs our permission for the key as well.
    """
    if policy.get("policy.AWSOwnedKey", False) is not False:
        yield Violation("policy: AWSOwnedKey is true", policy, "policy")
    else:
        yield from encryption.not_ours(policy, "policy.KmsARN", graph)


SERVERLESS_KEY = Policy(
    checks=names_a_key_of_ours,
    applies_to=SERVERLESS_POLICY,
    when=says_which_key,
    claims=(supports("3.5.1"),),
    example={
        SERVERLESS_POLICY: {
            "key": {
                "type": "encryption",
                "policy": (
                    '{"KmsARN": "arn:aws:kms:eu-central-1:111122223333:key/'
                    '1234abcd-12ab-34cd-56ef-1234567890ab"}'
                ),
            },
            "cde": {"type": "network"},
        }
    },
    violated_by=(
        replace("policy", '{"AWSOwnedKey": true}'),
        replace("policy", "{}"),
    ),
)
CLOUDSEARCH = "aws_cloudsearch_domain"
CLOUDSEARCH_HTTPS = common.over_tls(
    "CloudSearch domains", CLOUDSEARCH, "endpoint_options.enforce_https", True
)
CLOUDSEARCH_TLS = states(
    CLOUDSEARCH,
    "endpoint_options.tls_security_policy",
    "Policy-Min-TLS-1-2-2019-07",
    refused=("Policy-Min-TLS-1-0-2019-07",),
    title="CloudSearch domains speak TLS 1.2 or newer.",
    why="Left out, a domain takes TLS 1.0 as well.",
    claims=(direct("4.2.1"),),
)
