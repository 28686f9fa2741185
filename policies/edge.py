"""Ways in beside the load balancer: CloudFront, API Gateway, AppSync, classic load balancers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from policies import common
from policies.aws import tls
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, direct, part_of, supports
from policies.engine.mutate import attached, remove, replace
from policies.engine.settings import is_stated, names, states
from policies.engine.values import in_each

DISTRIBUTION = "aws_cloudfront_distribution"
REST_METHOD = "aws_api_gateway_method"
REST_STAGE = "aws_api_gateway_stage"
REST_SETTINGS = "aws_api_gateway_method_settings"
HTTP_ROUTE = "aws_apigatewayv2_route"
HTTP_STAGE = "aws_apigatewayv2_stage"
GRAPH = "aws_appsync_graphql_api"
CLASSIC = "aws_elb"
DOMAINS = ("aws_api_gateway_domain_name", "aws_apigatewayv2_domain_name")

BEHAVIORS = ("default_cache_behavior", "ordered_cache_behavior")
OLD_TLS = frozenset({"SSLv2", "SSLv3", "TLSv1", "TLSv1.1"})
LISTENERS_TLS = frozenset({"HTTPS", "SSL"})


def speaks_tls_to_viewers(distribution: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    CloudFront speaks TLS to its viewers, in every behavior.

    A behavior that allows everything answers plain HTTP.
    """
    for behavior in chain.from_iterable(map(distribution.blocks, BEHAVIORS)):
        policy = behavior.get("viewer_protocol_policy", "allow-all")
        if policy not in {"https-only", "redirect-to-https"}:
            yield Violation(f"viewer_protocol_policy is {policy}", behavior)


VIEWER_TLS = Policy(
    checks=speaks_tls_to_viewers,
    applies_to=DISTRIBUTION,
    claims=(direct("4.2.1"),),
    example={
        DISTRIBUTION: {
            "shop": {"default_cache_behavior": {"viewer_protocol_policy": "redirect-to-https"}}
        }
    },
    violated_by=(
        replace("default_cache_behavior.viewer_protocol_policy", "allow-all"),
        replace("ordered_cache_behavior", [{"viewer_protocol_policy": "allow-all"}]),
    ),
)


def speaks_modern_tls(distribution: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    CloudFront speaks TLS 1.2 or newer, with a certificate of ours.

    With its own certificate, it speaks TLS 1.0 as well.
    """
    for certificate in distribution.blocks("viewer_certificate"):
        if certificate.get("cloudfront_default_certificate", False) is True:
            yield Violation("cloudfront_default_certificate is true", certificate)
        else:
            version = certificate.get("minimum_protocol_version", "TLSv1")
            if not tls.is_modern(version, graph):
                yield Violation(f"minimum_protocol_version is {version}", certificate)
    if not any(True for _ in distribution.blocks("viewer_certificate")):
        yield Violation("has no viewer_certificate", distribution, "viewer_certificate")


VIEWER_TLS_VERSION = Policy(
    checks=speaks_modern_tls,
    applies_to=DISTRIBUTION,
    claims=(direct("4.2.1"),),
    example={
        DISTRIBUTION: {"shop": {"viewer_certificate": {"minimum_protocol_version": "TLSv1.2_2021"}}}
    },
    violated_by=(
        remove("viewer_certificate"),
        replace("viewer_certificate", {"cloudfront_default_certificate": True}),
        replace("viewer_certificate.minimum_protocol_version", "TLSv1.1_2016"),
        remove("viewer_certificate.minimum_protocol_version"),
    ),
)


def speaks_tls_to_origins(distribution: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    CloudFront speaks TLS 1.2 or newer to its origins.

    The way behind it crosses the Internet as well.
    """
    for origin in distribution.blocks("origin"):
        for custom in origin.blocks("custom_origin_config"):
            policy = custom.get("origin_protocol_policy")
            if policy != "https-only":
                yield Violation(f"origin_protocol_policy is {policy}", custom)
            for version in custom.get("origin_ssl_protocols", ()):
                if version in OLD_TLS:
                    yield Violation(f"origin_ssl_protocols has {version}", custom)


OVER_TLS = {"origin_protocol_policy": "https-only", "origin_ssl_protocols": ["TLSv1.2"]}

ORIGIN_TLS = Policy(
    checks=speaks_tls_to_origins,
    applies_to=DISTRIBUTION,
    claims=(part_of("4.2.1"),),
    example={DISTRIBUTION: {"shop": {"origin": [{"custom_origin_config": OVER_TLS}]}}},
    violated_by=tuple(
        replace("origin", [{"custom_origin_config": {**OVER_TLS, **wrong}}])
        for wrong in (
            {"origin_protocol_policy": "http-only"},
            {"origin_protocol_policy": "match-viewer"},
            {"origin_ssl_protocols": ["TLSv1.2", "SSLv3"]},
        )
    ),
)

DISTRIBUTION_LOGS = names(
    DISTRIBUTION,
    "logging_config.bucket",
    title="CloudFront logs every request.",
    why="It sees what no server behind it sees.",
    claims=(part_of("10.2.1"),),
)
DISTRIBUTION_FIREWALL = names(
    DISTRIBUTION,
    "web_acl_id",
    title="CloudFront stands behind a web application firewall.",
    why="A well-formed request can be an attack.",
    claims=(part_of("6.4.2"),),
)
DISTRIBUTION_ROOT = names(
    DISTRIBUTION,
    "default_root_object",
    title="CloudFront answers its root with one object, and no list.",
    why="A list of what is there tells an attacker where to look.",
    claims=(part_of("2.2.6"),),
)


def is_asked_for(method: Resource) -> bool:
    """Whether *method* is one that a customer calls, and not a browser's question before it."""
    return bool(method.get("http_method") != "OPTIONS")


def knows_its_callers(method: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Methods of an API know who calls them.

    A method without authorization is open to everybody on the Internet.
    """
    if (
        method.get("authorization", "NONE") == "NONE"
        and method.get("api_key_required", False) is not True
    ):
        yield Violation("authorization is NONE", method, "authorization")


REST_AUTHORIZATION = Policy(
    checks=knows_its_callers,
    applies_to=REST_METHOD,
    when=is_asked_for,
    claims=(part_of("7.3.1"),),
    example={
        REST_METHOD: {
            "pay": {"http_method": "POST", "authorization": "AWS_IAM"},
            "preflight": {"http_method": "OPTIONS", "authorization": "NONE"},
        }
    },
    violated_by=(replace("authorization", "NONE"),),
)
HTTP_AUTHORIZATION = states(
    HTTP_ROUTE,
    "authorization_type",
    "JWT",
    "AWS_IAM",
    "CUSTOM",
    refused=("NONE",),
    title="Routes of an API know who calls them.",
    why="A route without authorization is open to everybody on the Internet.",
    claims=(part_of("7.3.1"),),
)
REST_LOGS = common.recorded(
    "Stages of a REST API log every call.",
    REST_STAGE,
    "access_log_settings.destination_arn",
)
HTTP_LOGS = common.recorded(
    "Stages of an HTTP API log every call.",
    HTTP_STAGE,
    "access_log_settings.destination_arn",
)


def encrypts_its_cache(settings: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Caches of an API are encrypted.

    What an API answers is what somebody wanted to know.
    """
    caches = settings.get("settings.caching_enabled", False) is True
    if caches and settings.get("settings.cache_data_encrypted", False) is not True:
        yield Violation("settings.cache_data_encrypted is not true", settings, "settings")


REST_CACHE = Policy(
    checks=encrypts_its_cache,
    applies_to=REST_SETTINGS,
    claims=(supports("3.5.1"),),
    example={
        REST_SETTINGS: {
            "all": {"settings": {"caching_enabled": True, "cache_data_encrypted": True}}
        }
    },
    violated_by=(
        replace("settings.cache_data_encrypted", False),
        remove("settings.cache_data_encrypted"),
    ),
)


def takes_modern_tls(domain: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Domains of an API take TLS 1.2 or newer.

    Left out, a REST API's domain takes TLS 1.0 as well.
    """
    inner = domain.get("domain_name_configuration.security_policy")
    policy = inner or domain.get("security_policy", "TLS_1_0")
    if not tls.is_modern(policy, graph):
        yield Violation(f"security_policy is {policy}", domain, "security_policy")


API_TLS = Policy(
    checks=takes_modern_tls,
    applies_to=DOMAINS,
    claims=(direct("4.2.1"),),
    example={"aws_api_gateway_domain_name": {"api": {"security_policy": "TLS_1_2"}}},
    violated_by=(
        remove("security_policy"),
        replace("security_policy", "TLS_1_0"),
        replace("domain_name_configuration", {"security_policy": "TLS_1_0"}),
    ),
)

GRAPH_LOGS = common.recorded(
    "GraphQL APIs log what goes wrong.",
    GRAPH,
    "log_config.field_log_level",
    "ALL",
    "ERROR",
    "INFO",
    "DEBUG",
    refused=("NONE",),
)
GRAPH_AUTHORIZATION = states(
    GRAPH,
    "authentication_type",
    "AWS_IAM",
    "AMAZON_COGNITO_USER_POOLS",
    "OPENID_CONNECT",
    "AWS_LAMBDA",
    refused=("API_KEY",),
    title="GraphQL APIs know who calls them.",
    why="An API key is a password that everybody shares.",
    claims=(part_of("7.3.1"),),
)


def ends_tls_sessions(balancer: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Classic load balancers speak TLS on every port.

    Nothing that a customer sends may cross the Internet in clear text.
    """
    for listener in balancer.blocks("listener"):
        protocol = str(listener.get("lb_protocol")).upper()
        if protocol not in LISTENERS_TLS:
            yield Violation(f"lb_protocol is {protocol}", listener, "lb_protocol")


CLASSIC_TLS = Policy(
    checks=ends_tls_sessions,
    applies_to=CLASSIC,
    claims=(part_of("4.2.1"),),
    example={CLASSIC: {"entry": {"listener": [{"lb_protocol": "https", "lb_port": 443}]}}},
    violated_by=(
        replace("listener", [{"lb_protocol": "http", "lb_port": 80}]),
        replace("listener", [{"lb_protocol": "https"}, {"lb_protocol": "tcp"}]),
    ),
)
CLASSIC_LOGS = states(
    CLASSIC,
    "access_logs.enabled",
    True,
    otherwise=True,
    title="Classic load balancers log every request.",
    why="They see what no server behind them sees.",
    claims=(part_of("10.2.1"),),
)
CLASSIC_LOG_BUCKET = names(
    CLASSIC,
    "access_logs.bucket",
    title="Classic load balancers say where their log goes.",
    why="Without a bucket there is no log.",
    claims=(part_of("10.2.1"),),
)
CLASSIC_DESYNC = states(
    CLASSIC,
    "desync_mitigation_mode",
    "defensive",
    "strictest",
    otherwise="defensive",
    refused=("monitor",),
    title="Classic load balancers refuse ambiguous requests.",
    why="Two readers who understand a request differently can be played against each other.",
    claims=(supports("6.2.4"),),
)


def has_a_strong_policy(policy: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    TLS policies of classic load balancers speak TLS 1.2 alone.

    A predefined one is named; whatever else is listed switches single ciphers on.
    """
    for attribute in (*policy.blocks("policy_attribute"), *policy.blocks("attribute")):
        name, value = str(attribute.get("name")), str(attribute.get("value"))
        if name == "Reference-Security-Policy" and not tls.is_modern(value, graph):
            yield Violation(f"Reference-Security-Policy is {value}", attribute)
        is_weak = name.removeprefix("Protocol-") in OLD_TLS or WEAK_CIPHER.search(name)
        if is_weak and value.lower() == "true":
            yield Violation(f"{name} is true", attribute)


WEAK_CIPHER = re.compile(r"(?:^|-)(?:RC[24]|DES|EXP|NULL|MD5|ADH|SEED|IDEA)(?:-|$)")
"""The names of ciphers that are broken, or that know nobody."""


def negotiates(policy: Resource) -> bool:
    """Whether *policy* says how TLS is spoken."""
    kind = policy.get("policy_type_name", "SSLNegotiationPolicyType")
    return bool(kind == "SSLNegotiationPolicyType")


CLASSIC_TLS_POLICY = Policy(
    checks=has_a_strong_policy,
    applies_to=("aws_load_balancer_policy", "aws_lb_ssl_negotiation_policy"),
    when=negotiates,
    claims=(direct("4.2.1"),),
    example={
        "aws_load_balancer_policy": {
            "tls": {
                "policy_type_name": "SSLNegotiationPolicyType",
                "policy_attribute": [
                    {
                        "name": "Reference-Security-Policy",
                        "value": "ELBSecurityPolicy-TLS-1-2-2017-01",
                    }
                ],
            },
            "sticky": {"policy_type_name": "AppCookieStickinessPolicyType"},
        }
    },
    violated_by=(
        replace("policy_attribute.0.value", "ELBSecurityPolicy-2016-08"),
        replace("policy_attribute", [{"name": "Protocol-TLSv1", "value": "true"}]),
        replace("policy_attribute", [{"name": "DES-CBC3-SHA", "value": "true"}]),
    ),
)

ZONE = "aws_route53_zone"
QUERY_LOG = "aws_route53_query_log"


def records_what_is_asked(zone: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Public zones record what is asked of them.

    Who looks for a host that is not there is looking for a way in.
    """
    if not any(True for _ in graph.attached_to(zone, QUERY_LOG, by="zone_id")):
        yield Violation(f"has no {QUERY_LOG}", zone)


ZONE_QUERIES = Policy(
    checks=records_what_is_asked,
    applies_to=ZONE,
    when=lambda zone: not any(True for _ in zone.blocks("vpc")),
    claims=(part_of("10.2.1"),),
    example={
        ZONE: {"shop": {}, "inside": {"vpc": [{"vpc_id": "${aws_vpc.cde.id}"}]}},
        QUERY_LOG: {"shop": {"zone_id": "${aws_route53_zone.shop.zone_id}"}},
    },
    violated_by=(attached(QUERY_LOG, by="zone_id"),),
)


LATTICE = common.over_tls(
    "VPC Lattice listeners",
    "aws_vpclattice_listener",
    "protocol",
    "HTTPS",
    "TLS_PASSTHROUGH",
    refused=("HTTP",),
)

CACHES_AT_REST = common.encrypted(
    "Caches of GraphQL APIs", "aws_appsync_api_cache", "at_rest_encryption_enabled"
)
CACHES_TLS = common.over_tls(
    "Caches of GraphQL APIs", "aws_appsync_api_cache", "transit_encryption_enabled", True
)
REST_TRACES = states(
    REST_SETTINGS,
    "settings.data_trace_enabled",
    False,
    otherwise=False,
    title="REST APIs write no request as a whole into their log.",
    why="What a customer sends is in it, and the log is read by people who may not see it.",
    claims=(supports("3.4.1"),),
)
REST_ERRORS = common.recorded(
    "REST APIs log what goes wrong.",
    REST_SETTINGS,
    "settings.logging_level",
    "ERROR",
    "INFO",
    refused=("OFF",),
)
INTEGRATIONS_TLS = states(
    "aws_api_gateway_integration",
    "tls_config.insecure_skip_verification",
    False,
    otherwise=False,
    title="REST APIs look at the certificate of what stands behind them.",
    why="Otherwise anybody in between can answer in its place.",
    claims=(part_of("4.2.1"),),
)
TRANSPORT_SECURITY = names(
    "aws_cloudfront_response_headers_policy",
    "security_headers_config.strict_transport_security.access_control_max_age_sec",
    title="CloudFront tells browsers to come over TLS only.",
    why="The first request of a visit is otherwise one in clear text.",
    claims=(supports("4.2.1"),),
    such_as=31536000,
)


def reads_its_buckets_alone(distribution: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    CloudFront shows its buckets who it is.

    A bucket that cannot tell CloudFront from others has to be open to all of them.
    """
    yield from in_each(distribution.blocks("origin"), _says_who_it_is)


def _says_who_it_is(origin: Resource) -> Iterator[Violation]:
    is_bucket = not any(origin.is_set(path) for path in OTHER_ORIGINS)
    if is_bucket and not any(is_stated(origin, path) for path in IDENTITIES):
        yield Violation("origin_access_control_id is not stated", origin)


OTHER_ORIGINS = ("custom_origin_config", "vpc_origin_config")
IDENTITIES = ("origin_access_control_id", "s3_origin_config.origin_access_identity")

ORIGIN_ACCESS = Policy(
    checks=reads_its_buckets_alone,
    applies_to=DISTRIBUTION,
    claims=(supports("7.2.1"),),
    example={
        DISTRIBUTION: {
            "shop": {
                "origin": [
                    {"origin_access_control_id": "${aws_cloudfront_origin_access_control.shop.id}"}
                ]
            }
        }
    },
    violated_by=(
        remove("origin.0.origin_access_control_id"),
        replace("origin", [{"s3_origin_config": {"origin_access_identity": ""}}]),
    ),
)
