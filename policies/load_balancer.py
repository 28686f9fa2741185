"""Load balancers: TLS to the customer and to the target, nothing malformed let through."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, direct, part_of
from policies.engine.mutate import described, remove, replace

LOAD_BALANCERS = ("aws_lb", "aws_alb")
LISTENERS = ("aws_lb_listener", "aws_alb_listener")
TARGET_GROUPS = ("aws_lb_target_group", "aws_alb_target_group")
ENCRYPTED = frozenset({"HTTPS", "TLS"})

ACM = frozenset(
    {"aws_acm_certificate", "aws_acm_certificate_validation", "data.aws_acm_certificate"}
)

STRONG_TLS = frozenset({
    "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    "ELBSecurityPolicy-TLS13-1-3-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
    "ELBSecurityPolicy-FS-1-2-Res-2020-10",
})  # fmt: skip
"""AWS's predefined policies with TLS 1.2 or newer and forward secrecy only."""


def is_encrypted(listener: Resource) -> bool:
    """Whether *listener* ends a TLS session."""
    return listener.get("protocol") in ENCRYPTED


def states_a_strong_policy(listener: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Listeners state a TLS policy of version 1.2 or newer.

    Left out, AWS takes its policy of 2016, which speaks TLS 1.0.
    """
    policy = listener.get("ssl_policy")
    if policy is None:
        yield Violation("ssl_policy is not stated", listener, "ssl_policy")
    elif policy not in STRONG_TLS:
        yield Violation(f"ssl_policy is {policy}", listener, "ssl_policy")


TLS_POLICY = Policy(
    checks=states_a_strong_policy,
    applies_to=LISTENERS,
    when=is_encrypted,
    claims=(direct("4.2.1"),),
    example={
        "aws_lb_listener": {
            "https": {"protocol": "HTTPS", "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"},
            "http": {"protocol": "HTTP"},
        }
    },
    violated_by=(
        remove("ssl_policy"),
        replace("ssl_policy", "ELBSecurityPolicy-2016-08"),
        replace("ssl_policy", "ELBSecurityPolicy-TLS13-1-0-2021-06"),
    ),
)


def only_redirects(listener: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Listeners without TLS do nothing but redirect to HTTPS.

    Nothing a customer sends may cross the Internet in clear text.
    """
    protocol = listener.get("protocol", "HTTP")
    if protocol in ENCRYPTED:
        return
    redirected = False
    for action in listener.blocks("default_action"):
        if action.get("redirect.protocol") == "HTTPS":
            redirected = True
        else:
            yield Violation(f"answers {protocol} with something but a redirect to HTTPS", action)
    if not redirected:
        yield Violation(f"answers {protocol} with no redirect to HTTPS", listener, "default_action")


def _forwarding(protocol: str, listener: Resource, graph: ResourceGraph) -> ResourceGraph:
    forwarding = replace("default_action", [{"type": "forward"}])(listener, graph)
    changed = next(r for r in forwarding.resources if r.address == listener.address)
    return replace("protocol", protocol)(changed, forwarding)


REDIRECTS_HTTP = Policy(
    checks=only_redirects,
    applies_to=LISTENERS,
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


def has_a_managed_certificate(listener: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Listeners present a certificate that AWS manages and renews.

    A certificate that somebody uploaded is renewed when somebody remembers.
    """
    sources = {address.rpartition(".")[0] for address in listener.reference("certificate_arn")}
    if sources:
        for source in sorted(sources - ACM):
            yield Violation(f"certificate_arn is that of {source}", listener, "certificate_arn")
        return
    arn = listener.get("certificate_arn")
    if arn is None:
        yield Violation("certificate_arn is not set", listener, "certificate_arn")
    elif ":acm:" not in str(arn):
        yield Violation(
            f"certificate_arn is {arn}, no certificate of ACM", listener, "certificate_arn"
        )


MANAGED_CERTIFICATE = Policy(
    checks=has_a_managed_certificate,
    applies_to=LISTENERS,
    when=is_encrypted,
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
    claims=(part_of("6.2.4"),),
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
    claims=(part_of("6.2.4"),),
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
    if group.get("target_type", "instance") != "lambda" and group.get("protocol") not in ENCRYPTED:
        yield Violation(f"protocol is {group.get('protocol')}", group, "protocol")


ENCRYPTED_TARGETS = Policy(
    checks=encrypts_to_its_targets,
    applies_to=TARGET_GROUPS,
    example={"aws_lb_target_group": {"app": {"target_type": "instance", "protocol": "HTTPS"}}},
    violated_by=(replace("protocol", "HTTP"), remove("protocol")),
)
