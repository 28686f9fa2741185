"""A graph in, a drawing of its networks out: tiers, what stands there, who may reach whom."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from policies.aws import firewall, reachability
from policies.aws.reachability import PLACES, SCALING, Party
from policies.engine import inventory
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Finding, Verdict
from policies.engine.values import UnknownValue, drained
from policies.report.words import visible

COLOURS = {
    "cardholder-data": ("#fbe3e1", "#a3160f", "cardholder data"),
    "connected": ("#fdf0d5", "#7a4b00", "connected to it"),
    "out-of-scope": ("#e9edf2", "#4a5868", "out of scope"),
    "": ("#ffffff", "#4a5868", "scope not stated"),
}
"""Fill, line and words of each scope that a tag may state."""

WIDTH, MARGIN = 1180, 30
BAND, GAP, SUBNET, NODE = 190, 46, 46, 44
FLOW = "#2f4a6d"
FONTS = "system-ui, Liberation Sans, Libertinus Serif, sans-serif"
INTERNET = "the Internet"
BLOCKS = "blocks of addresses"
WRONG = "#a3160f"
PROOF = "paths.internet_to_stores"
LONGEST = 34


@dataclass(frozen=True)
class Node:
    """What stands in one tier behind the same security groups."""

    key: str
    title: str
    scope: str
    tier: str
    is_store: bool
    """Whether it stands in a subnet group, as databases and caches do."""

    groups: frozenset[str]
    rules: tuple[firewall.Rule, ...]


@dataclass(frozen=True)
class Flow:
    """Who may reach whom, on which ports."""

    source: str
    """The key of a node, or one of the two boxes outside."""

    target: Node
    ports: str
    is_wrong: bool
    """Whether a policy fails on a rule that allows it."""


def render(graph: ResourceGraph, findings: Iterable[Finding]) -> str:
    """Return the drawing as SVG; nothing where *graph* has no subnet."""
    tiers = _tiers(graph)
    if not tiers:
        return ""
    findings = list(findings)
    nodes = _nodes(graph, tiers)
    inner = {node.tier for node in nodes if node.is_store}
    tiers = dict(sorted(tiers.items(), key=lambda tier: tier[0] in inner))
    wrong = {
        violation.at.address
        for finding in findings
        if finding.blocks and finding.document == graph.document
        for violation in finding.violations
    }
    return "\n".join(_drawn(graph, tiers, nodes, tuple(_flows(nodes, wrong)), findings)) + "\n"


def _name(resource: Resource) -> str:
    name = inventory.told(resource, "tags.Name") or inventory.told(resource, "name")
    return name or resource.address.partition(".")[2]


def _scope(resource: Resource) -> str:
    scope = inventory.told(resource, "tags.PciScope")
    return scope if scope in COLOURS else ""


def _tiers(graph: ResourceGraph) -> dict[str, list[Resource]]:
    """Return the subnets by tier: of one network and one scope, with names but for a number."""
    networks = len(graph.of_type("aws_vpc")) > 1
    tiers: dict[str, list[Resource]] = {}
    for subnet in graph.of_type("aws_subnet"):
        base = re.sub(r"[-_]?\d+$", "", _name(subnet)) or _name(subnet)
        vpcs, _ = drained(graph.follow(subnet, "vpc_id")) if networks else ((), "")
        of = "".join(f"{_name(vpc)}: " for vpc in vpcs)
        scope = COLOURS[_scope(subnet)][2]
        tiers.setdefault(f"{of}{base} ({scope})", []).append(subnet)
    outside = {name: any(_faces_outside(each, graph) for each in tiers[name]) for name in tiers}
    return dict(sorted(tiers.items(), key=lambda tier: (not outside[tier[0]], tier[0])))


def _faces_outside(subnet: Resource, graph: ResourceGraph) -> bool:
    """Whether something with a public address stands in *subnet*."""
    gateways, _ = drained(graph.attached_to(subnet, "aws_nat_gateway", by="subnet_id"))
    return bool(gateways)


def _nodes(graph: ResourceGraph, tiers: dict[str, list[Resource]]) -> list[Node]:
    tier_of = {subnet.address: name for name, subnets in tiers.items() for subnet in subnets}
    standing: dict[tuple[str, frozenset[str], str], list[Resource]] = {}
    for resource in graph.of_type(*PLACES, SCALING):
        party = Party(resource, graph)
        subnets, _ = drained(party.subnets())
        groups, _ = drained(party.groups())
        tier = next((tier_of[s.address] for s in subnets if s.address in tier_of), None)
        if tier:
            standing.setdefault((resource.type, frozenset(groups), tier), []).append(resource)
    return [
        _node(str(number), key, resources, graph)
        for number, (key, resources) in enumerate(standing.items())
    ]


def _node(
    number: str,
    key: tuple[str, frozenset[str], str],
    resources: Sequence[Resource],
    graph: ResourceGraph,
) -> Node:
    type, groups, tier = key
    party = Party(resources[0], graph)
    rules, _ = drained(reachability.rules(party, ingress=True))
    alone = _name(resources[0])
    title = (
        alone
        if len(resources) == 1
        else f"{len(resources)} {type.removeprefix('aws_').replace('_', ' ')}s"
    )
    names = groups.union(*(r.identities for name in groups for r in graph.named(name)))
    is_store = type in PLACES and bool(PLACES[type].via)
    return Node(number, title, _scope_of(resources, graph), tier, is_store, names, rules)


def _scope_of(resources: Sequence[Resource], graph: ResourceGraph) -> str:
    """Return the scope that is stated, of servers by their launch template."""
    for resource in resources:
        holders = [resource]
        if resource.type == SCALING:
            launches, _ = drained(resource.blocks("launch_template"))
            for launch in launches:
                holders += drained(graph.follow(launch, "id"))[0]
        for holder in holders:
            if _scope(holder):
                return _scope(holder)
    return ""


def _flows(nodes: Sequence[Node], wrong: Container[str]) -> Iterator[Flow]:
    for target in nodes:
        found: dict[str, list[firewall.Rule]] = {}
        for rule in target.rules:
            for source in _sources(rule, nodes):
                found.setdefault(source, []).append(rule)
        for source, rules in found.items():
            ports = ", ".join(sorted(set(map(_ports, rules))))
            is_wrong = any(rule.at.address in wrong for rule in rules)
            yield Flow(source, target, ports, is_wrong)


def _sources(rule: firewall.Rule, nodes: Sequence[Node]) -> Iterator[str]:
    try:
        is_open = rule.is_open()
    except UnknownValue:
        is_open = True  # it may be: drawn as if it were
    if is_open:
        yield INTERNET
    elif rule.blocks.known:
        yield BLOCKS
    names, _ = drained(rule.sources())
    for node in nodes:
        if node.groups & set(names):
            yield node.key


def _ports(rule: firewall.Rule) -> str:
    try:
        ports = rule.ports
        protocol = rule.protocol
    except UnknownValue:
        return "?"
    if not ports or len(ports) == len(firewall.PORTS):
        return "all" if len(ports) else protocol
    return str(ports[0]) if len(ports) == 1 else f"{ports[0]} to {ports[-1]}"


def _drawn(
    graph: ResourceGraph,
    tiers: dict[str, list[Resource]],
    nodes: Sequence[Node],
    flows: Sequence[Flow],
    findings: Sequence[Finding],
) -> Iterator[str]:
    height = 150 + len(tiers) * (BAND + GAP) + 120
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" font-family="{FONTS}" font-size="13">'
    )
    yield f"<title>{_said(f'Network of {graph.stack}')}</title>"
    yield f"<desc>{_described(nodes, flows)}</desc>"
    yield (
        '<defs><marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        f'markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="{FLOW}"/></marker></defs>'
    )
    yield f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    yield _box((WIDTH / 2 - 90, 14, 180, 40), "out-of-scope", [INTERNET], rounded=20)
    yield _vpc(graph, height)
    places = {INTERNET: (WIDTH / 2, 54.0)}
    if any(flow.source == BLOCKS for flow in flows):
        yield _box((WIDTH - 330, 14, 260, 40), "out-of-scope", [BLOCKS], rounded=20)
        places[BLOCKS] = (WIDTH - 200, 54.0)
    top = 130.0
    for tier, subnets in tiers.items():
        inside = [node for node in nodes if node.tier == tier]
        yield from _band(tier, subnets, inside, top, places)
        top += BAND + GAP
    for number, flow in enumerate(flows):
        yield from _arrow(flow, places, number)
    yield from _legend(height, findings, graph)
    yield "</svg>"


def _described(nodes: Sequence[Node], flows: Sequence[Flow]) -> str:
    """Return the flows in words, for whoever does not see them."""
    titles = {node.key: node.title for node in nodes}
    return "; ".join(
        _said(f"{titles.get(f.source, f.source)} to {f.target.title}: {f.ports}", 200)
        for f in flows
    )


def _vpc(graph: ResourceGraph, height: int) -> str:
    names = ", ".join(
        f"{_name(vpc)} {inventory.told(vpc, 'cidr_block')}" for vpc in graph.of_type("aws_vpc")
    )
    return (
        f'<rect x="{MARGIN}" y="90" width="{WIDTH - 2 * MARGIN}" height="{height - 190}" rx="8" '
        f'fill="none" stroke="#16202c" stroke-width="1.5"/>'
        f'<text x="{MARGIN + 12}" y="112" font-weight="600">{_said(names or graph.stack)}</text>'
    )


def _band(
    tier: str,
    subnets: Sequence[Resource],
    nodes: Sequence[Node],
    top: float,
    places: dict[str, tuple[float, float]],
) -> Iterator[str]:
    left, width = MARGIN + 14, WIDTH - 2 * MARGIN - 28
    fill, line, _ = COLOURS[_scope(subnets[0])]
    yield (
        f'<rect x="{left}" y="{top}" width="{width}" height="{BAND}" rx="6" fill="{fill}" '
        f'stroke="{line}"/><text x="{left + 10}" y="{top + 20}" font-weight="600" fill="{line}">'
        f"{_said(tier, 110)}</text>"
    )
    step = (width - 20) / len(subnets)
    for number, subnet in enumerate(subnets):
        told = [inventory.told(subnet, "cidr_block") or "addresses not known"]
        told.append(inventory.told(subnet, "availability_zone"))
        yield _box((left + 10 + number * step, top + 30, step - 10, SUBNET), "", told, dashed=True)
    step = (width - 20) / max(len(nodes), 1)
    for number, node in enumerate(nodes):
        x, wide = left + 10 + number * step, min(step - 24, 230)
        x += (step - wide) / 2
        yield _box((x, top + BAND - NODE - 16, wide, NODE), node.scope, [node.title])
        places[node.key] = (x + wide / 2, top + BAND - NODE - 16)


def _box(
    place: tuple[float, float, float, float],
    scope: str,
    told: Sequence[str],
    *,
    rounded: int = 4,
    dashed: bool = False,
) -> str:
    """Return a box at *place* (x, y, width, height) with what is *told* of it, a line each."""
    x, y, width, height = place
    fill, line, _ = COLOURS[scope]
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    lines = [text for text in told if text]
    first = y + height / 2 + 5 - 8 * (len(lines) - 1)
    words = "".join(
        f'<text x="{x + width / 2:.1f}" y="{first + 16 * number:.1f}" text-anchor="middle">'
        f"{_said(text)}</text>"
        for number, text in enumerate(lines)
    )
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" rx="{rounded}" '
        f'fill="{fill}" stroke="{line}"{dash}/>{words}'
    )


def _arrow(flow: Flow, places: dict[str, tuple[float, float]], number: int) -> Iterator[str]:
    x, y = places[flow.source]
    to_x, to_y = places[flow.target.key]
    below = y + (0 if flow.source in {INTERNET, BLOCKS} else NODE)
    colour = WRONG if flow.is_wrong else FLOW
    shift = (number % 5 - 2) * 12
    beside = to_y <= below  # or upwards: round the top
    start, middle = (y, min(y, to_y) - 26 - abs(shift)) if beside else (below, (below + to_y) / 2)
    label = ((x + to_x) / 2 + shift, middle + (8 if beside else 4))
    path = (
        f"M{x + shift:.1f} {start:.1f} C{x + shift:.1f} {middle:.1f} "
        f"{to_x + shift:.1f} {middle:.1f} {to_x + shift:.1f} {to_y:.1f}"
    )
    wide = 7 * len(flow.ports) + 10
    left, top = label[0] - wide / 2, label[1] - 11
    yield (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.6" marker-end="url(#to)"/>'
    )
    yield (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide}" height="16" rx="3" fill="#ffffff"/>'
        f'<text x="{label[0]:.1f}" y="{label[1] + 1:.1f}" text-anchor="middle" font-size="12" '
        f'fill="{colour}">{_said(flow.ports)}</text>'
    )


def _legend(height: int, findings: Sequence[Finding], graph: ResourceGraph) -> Iterator[str]:
    x = MARGIN
    for fill, line, words in COLOURS.values():
        yield (
            f'<rect x="{x}" y="{height - 34}" width="16" height="16" fill="{fill}" '
            f'stroke="{line}"/>'
            f'<text x="{x + 22}" y="{height - 21}">{words}</text>'
        )
        x += 150
    yield (
        f'<text x="{x}" y="{height - 21}">arrows: what security groups allow, on which ports; '
        f'<tspan fill="{WRONG}">red: a policy fails on it</tspan></text>'
    )
    mine = [f for f in findings if f.policy == PROOF and f.document == graph.document]
    for number, (colour, told) in enumerate(_proof(mine)):
        y = height - 74 - 18 * number
        words = _said(told, 170)
        yield f'<text x="{MARGIN}" y="{y}" font-weight="600" fill="{colour}">{words}</text>'


def _proof(findings: Sequence[Finding]) -> Iterator[tuple[str, str]]:
    """Yield what is proven of the paths from the Internet to the stores of data."""
    bad = [finding for finding in findings if finding.verdict is not Verdict.PASS]
    for finding in bad[:2]:
        yield WRONG, f"{finding.resource}: {'; '.join(finding.messages)}"
    if findings and not bad:
        stores = ", ".join(finding.resource.partition("/")[2] for finding in findings)
        yield "#0b6b3a", f"No path from the Internet to {stores} ({PROOF})"


def _said(text: str, longest: int = LONGEST) -> str:
    shown = visible(" ".join(text.split()))
    return escape(shown if len(shown) <= longest else f"{shown[: longest - 1]}…")
