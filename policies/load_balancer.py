"""Load balancers: TLS to the customer and to the target, nothing malformed let through."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from policies.aws import tls
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, direct, part_of, supports
from policies.engine.mutate import described, remove, replace
from policies.engine.values import UnknownValue

LOAD_BALANCERS = ("aws_lb", "aws_alb")
LISTENERS = ("aws_lb_listener", "aws_alb_listener")
TARGET_GROUPS = ("aws_lb_target_group", "aws_alb_target_group")
ENCRYPTED = frozenset({"HTTPS", "TLS"})

ACM = ("aws_acm_certificate.", "aws_acm_certificate_validation.", "data.aws_acm_certificate.")


PASSED_ON = frozenset({"TCP", "UDP", "TCP_UDP", "GENEVE"})
"""What a network or gateway load balancer passes on as it comes, be it encrypted or not."""

PLAIN_PORTS = (80, 8080)


def is_encrypted(listener: Resource) -> bool:
    """Whether *listener* ends a TLS session."""
    return _protocol(listener) in ENCRYPTED


def _protocol(listener: Resource) -> str:
    return str(listener.get("protocol", "HTTP")).upper()


def presents_a_certificate(listener: Resource) -> bool:
    """Whether *listener* has to have one, as one more for a listener always has."""
    return listener.type == "aws_lb_listener_certificate" or is_encrypted(listener)


def states_a_strong_policy(listener: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Listeners state a TLS policy of version 1.2 or newer.

    Left out, AWS takes its policy of 2016, which speaks TLS 1.0.
    """
    policy = listener.get("ssl_policy")
    if policy is None:
        yield Violation("ssl_policy is not stated", listener, "ssl_policy")
    elif not tls.is_modern(policy, graph):
        yield Violation(f"ssl_policy is {policy}", listener, "ssl_policy")


ENCRYPTED_LISTENER = {
    "aws_lb_listener": {
        "https": {"protocol": "HTTPS", "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"},
        "http": {"protocol": "HTTP"},
    }
}

TLS_POLICY = Policy(
    checks=states_a_strong_policy,
    applies_to=LISTENERS,
    when=is_encrypted,
    claims=(direct("4.2.1"),),
    example=ENCRYPTED_LISTENER,
    violated_by=(
        remove("ssl_policy"),
        replace("ssl_policy", "ELBSecurityPolicy-2016-08"),
        replace("ssl_policy", "ELBSecurityPolicy-TLS13-1-0-2021-06"),
    ),
)


def keeps_secrets_forward(listener: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Listeners keep what was said secret, also from who steals the key later.

    Without forward secrecy, a recorded session waits for the key to be stolen.
    """
    policy = listener.get("ssl_policy")
    if policy not in tls.FORWARD:
        yield Violation(f"ssl_policy is {policy}", listener, "ssl_policy")


FORWARD_SECRECY = Policy(
    checks=keeps_secrets_forward,
    applies_to=LISTENERS,
    when=is_encrypted,
    example=ENCRYPTED_LISTENER,
    violated_by=(
        remove("ssl_policy"),
        replace("ssl_policy", "ELBSecurityPolicy-TLS-1-2-2017-01"),
        replace("ssl_policy", "ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06"),
    ),
)


def only_redirects(listener: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Listeners without TLS do nothing but redirect to HTTPS.

    Nothing a customer sends may cross the Internet in clear text.
    """
    protocol = _protocol(listener)
    if protocol in PASSED_ON and listener.number("port") not in PLAIN_PORTS:
        raise UnknownValue(f"{protocol} is passed on as it comes, be it encrypted or not")
    redirected = False
    for action in listener.blocks("default_action"):
        if action.get("redirect.protocol") == "HTTPS":
            redirected = True
        else:
            yield Violation(f"answers {protocol} with something but a redirect to HTTPS", action)
    if not redirected:
        yield Violation(f"answers {protocol} with no redirect to HTTPS", listener, "default_action")


def may_speak_http(listener: Resource) -> bool:
    """Whether *listener* may speak HTTP, be it as TCP; one of a gateway has no port."""
    protocol = _protocol(listener)
    if protocol in ENCRYPTED or protocol == "UDP":
        return False
    return listener.is_set("protocol") or listener.is_set("port")


def _forwarding(protocol: str, listener: Resource, graph: ResourceGraph) -> ResourceGraph:
    graph = replace("default_action", [{"type": "forward"}])(listener, graph)
    graph = replace("protocol", protocol)(listener, graph)
    return replace("port", PLAIN_PORTS[0])(listener, graph)


REDIRECTS_HTTP = Policy(
    checks=only_redirects,
    applies_to=LISTENERS,
    when=may_speak_http,
    claims=(direct("2.2.5"), direct("4.2.1")),
    example={
        "aws_lb_listener": {
            "http": {
                "protocol": "HTTP",
                "default_action": [{"redirect": {"protocol": "HTTPS"}}],
            }
        }
    },
    violated_by=(
        described("forward over HTTP", partial(_forwarding, "HTTP")),
        described("forward over TCP", partial(_forwarding, "TCP")),
    ),
)


def only_redirects_what_came_by_http(rule: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Rules of listeners without TLS do nothing but redirect to HTTPS, either.

    A rule comes before the listener's own answer.
    """
    for listener in graph.follow(rule, "listener_arn"):
        if is_encrypted(listener):
            continue
        for action in rule.blocks("action"):
            if action.get("redirect.protocol") != "HTTPS":
                yield Violation("answers HTTP with something but a redirect to HTTPS", action)


LISTENER_RULES = Policy(
    checks=only_redirects_what_came_by_http,
    applies_to=("aws_lb_listener_rule", "aws_alb_listener_rule"),
    claims=(direct("2.2.5"), direct("4.2.1")),
    example={
        "aws_lb_listener_rule": {
            "all": {
                "listener_arn": "${aws_lb_listener.http.arn}",
                "action": [{"redirect": {"protocol": "HTTPS"}}],
            }
        },
        "aws_lb_listener": {"http": {"protocol": "HTTP"}},
    },
    violated_by=(
        replace("action", [{"type": "forward"}]),
        replace("action.0.redirect.protocol", "HTTP"),
    ),
)


def has_a_managed_certificate(listener: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Listeners present a certificate that AWS manages and renews.

    A certificate that somebody uploaded is renewed when somebody remembers.
    """
    if not listener.is_set("certificate_arn"):
        yield Violation("certificate_arn is not set", listener, "certificate_arn")
    for name in listener.reference("certificate_arn"):
        if listener.is_known("certificate_arn"):
            name = str(listener.get("certificate_arn"))  # noqa: PLW2901 - what it really is
        if ":acm:" not in name and not name.startswith(ACM):
            yield Violation(
                f"certificate_arn is {name}, no certificate of ACM", listener, "certificate_arn"
            )


MANAGED_CERTIFICATE = Policy(
    checks=has_a_managed_certificate,
    applies_to=(*LISTENERS, "aws_lb_listener_certificate"),
    when=presents_a_certificate,
    claims=(part_of("4.2.1"),),
    example={
        "aws_lb_listener": {
            "https": {"protocol": "HTTPS", "certificate_arn": "${aws_acm_certificate.entry.arn}"},
            "http": {"protocol": "HTTP"},
        }
    },
    violated_by=(
        remove("certificate_arn"),
        replace("certificate_arn", "arn:aws:iam::111122223333:server-certificate/own"),
        replace("certificate_arn", "${aws_iam_server_certificate.own.arn}"),
    ),
)


def is_application(balancer: Resource) -> bool:
    """Whether *balancer* understands HTTP."""
    return bool(balancer.get("load_balancer_type", "application") == "application")


def drops_invalid_headers(balancer: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Load balancers drop malformed headers.

    What two parsers understand differently is how requests are smuggled.
    """
    if balancer.get("drop_invalid_header_fields") is not True:
        yield Violation(
            "drop_invalid_header_fields is not true", balancer, "drop_invalid_header_fields"
        )


INVALID_HEADERS = Policy(
    checks=drops_invalid_headers,
    applies_to=LOAD_BALANCERS,
    when=is_application,
    claims=(supports("6.2.4"),),
    example={
        "aws_lb": {
            "entry": {"drop_invalid_header_fields": True},
            "network": {"load_balancer_type": "network"},
        }
    },
    violated_by=(
        remove("drop_invalid_header_fields"),
        replace("drop_invalid_header_fields", False),
    ),
)


def refuses_ambiguous_requests(balancer: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Load balancers refuse ambiguous requests.

    They guard the application from requests that it would read otherwise than they do.
    """
    mode = balancer.get("desync_mitigation_mode", "defensive")
    if mode not in {"defensive", "strictest"}:
        yield Violation(f"desync_mitigation_mode is {mode}", balancer, "desync_mitigation_mode")


AMBIGUOUS_REQUESTS = Policy(
    checks=refuses_ambiguous_requests,
    applies_to=LOAD_BALANCERS,
    when=is_application,
    claims=(supports("6.2.4"),),
    example={
        "aws_lb": {
            "entry": {"desync_mitigation_mode": "strictest"},
            "network": {"load_balancer_type": "network"},
        }
    },
    violated_by=(replace("desync_mitigation_mode", "monitor"),),
)


def encrypts_to_its_targets(group: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Load balancers encrypt to their targets, too.

    Inside the VPC this is more than the standard asks for.
    """
    if not is_encrypted(group):
        yield Violation(f"protocol is {_protocol(group)}", group, "protocol")


def speaks_http(group: Resource) -> bool:
    """Whether what is behind *group* is spoken to over HTTP, and not called, or passed packets."""
    if group.get("target_type", "instance") == "lambda":
        return False
    return _protocol(group) not in PASSED_ON


ENCRYPTED_TARGETS = Policy(
    checks=encrypts_to_its_targets,
    applies_to=TARGET_GROUPS,
    when=speaks_http,
    example={"aws_lb_target_group": {"app": {"target_type": "instance", "protocol": "HTTPS"}}},
    violated_by=(replace("protocol", "HTTP"), remove("protocol")),
)


def logs_its_requests(balancer: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Load balancers log every request.

    They see what no server behind them sees: what they refused themselves.
    """
    if balancer.get("access_logs.enabled", False) is not True:
        yield Violation("access_logs are not enabled", balancer, "access_logs")
    elif not balancer.is_set("access_logs.bucket"):
        yield Violation("access_logs name no bucket", balancer, "access_logs")


ACCESS_LOGS = Policy(
    checks=logs_its_requests,
    applies_to=LOAD_BALANCERS,
    when=lambda balancer: balancer.get("load_balancer_type", "application") != "gateway",
    claims=(part_of("10.2.1"),),
    example={
        "aws_lb": {
            "entry": {"access_logs": {"bucket": "${aws_s3_bucket.logs.id}", "enabled": True}},
            "inspection": {"load_balancer_type": "gateway"},
        }
    },
    violated_by=(
        remove("access_logs"),
        replace("access_logs.enabled", False),
        remove("access_logs.enabled"),
    ),
)
