"""
A small report, and every file that tells of it: ``python -m tests.samples`` writes tests/golden.

Toy policies, so that it stays the same whatever the suite judges.
"""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from policies.engine.graph import Resource, ResourceGraph, Source, Stage
from policies.engine.model import (
    Component,
    Document,
    Finding,
    Kind,
    Policy,
    Report,
    Requirement,
    Status,
    Verdict,
    Violation,
    Waiver,
    direct,
    part_of,
    supports,
)
from policies.engine.mutate import remove
from policies.engine.observed import Observation
from policies.report import (
    evidence,
    explanation,
    gitlab,
    html,
    junit,
    network,
    oscal,
    results,
    sarif,
    tables,
    text,
)

GOLDEN = Path(__file__).parent / "golden"
STACK = "shop-prod"

LIGHT = Policy(
    id="lamps.light",
    applies_to=("lamp", *(f"lamp_{number}" for number in range(6))),
    at_least=1,
    title=" ".join(["A lamp gives light."] * 6),
    why=" ".join(["Without light nobody sees."] * 5),
    claims=(direct("1.3.1"), part_of("3.5.1")),
    example={"lamp": {"desk": {"light": True}}},
    violated_by=(remove("light"),),
    links=("https://example.com/lamps",),
)
SHADE = Policy(
    id="lamps.shade",
    applies_to="lamp",
    needs_house=True,
    title="A lamp has a shade.",
    claims=(supports("3.5.1"),),
)
CANDLES = Policy(
    id="candles.none",
    prohibits=("candle",),
    title="There are no candles.",
    why="A candle that nobody watches burns the house down.",
)
POLICIES = (LIGHT, SHADE, CANDLES)
REQUIREMENTS = (
    Requirement(id="1.3.1", title="Rooms are lit", status=Status.AUTOMATED),
    Requirement(
        id="3.5.1", title="Light is not wasted", status=Status.PARTIAL, notes="People watch too."
    ),
    Requirement(
        id="9.1.1", title="Doors are closed", status=Status.MANUAL, notes="What people do."
    ),
    Requirement(id="9.2.1", title="Walls stand", status=Status.INHERITED, notes="AWS's walls."),
    Requirement(
        id="A1.1.1", title="Tenants are apart", status=Status.NOT_APPLICABLE, notes="No tenants."
    ),
)
DESK = Resource("lamp.desk", "lamp", {"light": False}, source=Source("infra/rooms.py", 7))
BLOCK = replace(DESK, values={}, within="bulb.0")


def finding(policy, name, verdict, **more):
    """Return a finding of *policy* on the resource *name* of the stack."""
    told = {"stage": Stage.DESIGN, "document": "stacks/shop-prod/cdk.tf.json", **more}
    return Finding(policy=policy.id, resource=f"{STACK}/{name}", verdict=verdict, **told)


def waiver(resource, fingerprint, accepts, approved_on, expires_on, **more):
    """Return a waiver of *resource*, that says *more* than who accepted it and for how long."""
    told = {"policy": "lamps.light", "owner": "building", "approved_by": "security", **more}
    return Waiver(
        resources={f"{STACK}/{resource}": fingerprint},
        accepts=(accepts,),
        approved_on=approved_on,
        expires_on=expires_on,
        **told,
    )


WAIVER = waiver(
    "lamp.hall",
    "0123456789abcdef",
    "light is not true",
    date(2026, 11, 1),
    date(2026, 12, 1),
    constraints="There is no wire.",
    definition="A window lights the hall.",
    objective="People see where they go.",
    risk="At night it is dark.",
    validation="Somebody walked through it.",
    maintenance="The window is cleaned in spring.",
)
ELSEWHERE = waiver(
    "lamp.*",
    "",
    "has no shade",
    date(2026, 1, 1),
    date(2026, 2, 1),
    policy="lamps.shade",
    kind=Kind.ELSEWHERE,
    definition="The landlord gives shades.",
    reference="The lease, by the landlord.",
)
CUSTOMIZED = waiver(
    "lamp.attic",
    "fedcba9876543210",
    "light is not true",
    date(2026, 6, 1),
    date(2027, 6, 1),
    kind=Kind.CUSTOMIZED,
    definition="People carry torches.",
    objective="People see where they go.",
    risk_analysis="docs/torches.md",
    validation="Torches were counted.",
    maintenance="Torches are charged.",
)
FINDINGS = (
    finding(
        LIGHT,
        "lamp.desk",
        Verdict.FAIL,
        messages=("light is not true", "bulb is broken"),
        violations=(
            Violation("light is not true", DESK, "light"),
            Violation("bulb is broken", BLOCK),
        ),
        source=Source("infra/rooms.py", 9),
        observed=(Observation(address="lamp.desk", path="light", value=False),),
        fingerprint="00112233445566aa",
    ),
    finding(
        LIGHT,
        "lamp.hall",
        Verdict.FAIL,
        messages=("light is not true",),
        waiver=WAIVER,
        fingerprint="0123456789abcdef",
    ),
    finding(LIGHT, "lamp.shelf", Verdict.PASS, stage=Stage.DEPLOYED, document="state.json"),
    finding(LIGHT, "lamp.stage", Verdict.PASS, stage=Stage.PLANNED, document="plan.json"),
    finding(LIGHT, "lamp_1.gone", Verdict.NOT_APPLICABLE, messages=("it is deleted",)),
    finding(SHADE, "lamp.desk", Verdict.UNKNOWN, messages=("shade is not known: ${var.shade}",)),
    finding(SHADE, "lamp.hall", Verdict.ERROR, messages=("KeyError: 'shade'",)),
    finding(CANDLES, "candle", Verdict.PASS),
    finding(CANDLES, "lamp.desk", Verdict.FAIL, messages=("there must be none",)),
)
REPORT = Report(
    documents=(
        Document(
            path="stacks/shop-prod/cdk.tf.json",
            sha256="a" * 64,
            kind="stack",
            stack=STACK,
            stage=Stage.DESIGN,
        ),
        Document(path="plan.json", sha256="b" * 64, kind="plan", stack=STACK, stage=Stage.PLANNED),
        Document(
            path="state.json", sha256="c" * 64, kind="state", stack=STACK, stage=Stage.DEPLOYED
        ),
    ),
    policies=POLICIES,
    requirements=REQUIREMENTS,
    findings=FINDINGS,
    not_evaluated=("lamps.colour",),
    unjudged={"chair": 2, "table": 1},
    inventory=(
        Component(
            address=f"{STACK}/lamp.desk",
            type="lamp",
            stack=STACK,
            stage=Stage.DESIGN,
            source=Source("infra/rooms.py", 9),
            name="desk",
            scope="cardholder-data",
            cidr="10.0.0.0/24",
            zone="a",
        ),
        Component(address=f"{STACK}/lamp.shelf", type="lamp", stack=STACK, stage=Stage.DEPLOYED),
        Component(
            address=f"{STACK}/aws_rds_cluster.data",
            type="aws_rds_cluster",
            stack=STACK,
            stage=Stage.PLANNED,
            name="cards",
            scope="cardholder-data",
        ),
        Component(
            address=f"{STACK}/aws_subnet.edge1",
            type="aws_subnet",
            stack=STACK,
            stage=Stage.PLANNED,
            source=Source("infra/rooms.py", 30),
            cidr="10.0.0.0/24",
            zone="eu-central-1a",
        ),
    ),
    waivers=(WAIVER, ELSEWHERE, CUSTOMIZED),
    refusals=("stacks/broken/cdk.tf.json: no JSON at line 1, column 1",),
    remarks=("no second opinion was asked for",),
    version="1.2.3",
    generated_at=datetime(2026, 11, 24, 12, tzinfo=UTC),
    commit="d" * 40,
)
CHANGES = evidence.Changes(
    before="2026-11-23T12:00:00Z",
    new=(f"lamps.light {STACK}/lamp.desk",),
    fixed=(f"lamps.shade {STACK}/lamp.roof",),
)


def rooms():
    """Return a network of two tiers, one of them reached by a rule that is wrong."""
    bodies = {
        "aws_vpc.shop": {"cidr_block": "10.0.0.0/16", "tags": {"Name": "shop"}},
        "aws_vpc.other": {"cidr_block": "10.1.0.0/16", "tags": {"Name": "other"}},
        "aws_subnet.edge1": _subnet("edge-1", "10.0.0.0/24", "connected", "shop"),
        "aws_subnet.edge2": _subnet("edge-2", "10.0.1.0/24", "connected", "shop"),
        "aws_subnet.data1": _subnet("data-1", "10.0.2.0/24", "cardholder-data", "shop"),
        "aws_subnet.far": _subnet("far", "10.1.0.0/24", "nobody knows", "other"),
        "aws_nat_gateway.out": {"subnet_id": "${aws_subnet.edge1.id}"},
        "aws_security_group.entry": {"name": "entry", "vpc_id": "${aws_vpc.shop.id}"},
        "aws_security_group.data": {"name": "data", "vpc_id": "${aws_vpc.shop.id}"},
        "aws_vpc_security_group_ingress_rule.web": _rule("entry", 443, cidr_ipv4="0.0.0.0/0"),
        "aws_vpc_security_group_ingress_rule.ssh": _rule("data", 22, cidr_ipv4="198.51.100.0/24"),
        "aws_vpc_security_group_ingress_rule.sql": _rule(
            "data", 3306, referenced_security_group_id="${aws_security_group.entry.id}"
        ),
        "aws_lb.entry": {
            "name": "entry",
            "internal": False,
            "subnets": ["${aws_subnet.edge1.id}", "${aws_subnet.edge2.id}"],
            "security_groups": ["${aws_security_group.entry.id}"],
            "tags": {"PciScope": "connected"},
        },
        "aws_db_subnet_group.data": {"subnet_ids": ["${aws_subnet.data1.id}"]},
        "aws_rds_cluster.data": {
            "cluster_identifier": "cards",
            "db_subnet_group_name": "${aws_db_subnet_group.data.name}",
            "vpc_security_group_ids": ["${aws_security_group.data.id}"],
            "tags": {"Name": "cards & more", "PciScope": "cardholder-data"},
        },
    }
    resources = (Resource(at, at.partition(".")[0], body) for at, body in bodies.items())
    return ResourceGraph(tuple(resources), STACK, document="stacks/shop-prod/cdk.tf.json")


def _subnet(name, block, scope, vpc):
    tags = {"Name": name, "PciScope": scope}
    return {"vpc_id": f"${{aws_vpc.{vpc}.id}}", "cidr_block": block, "tags": tags}


def _rule(group, port, **source):
    return {
        "security_group_id": f"${{aws_security_group.{group}.id}}",
        "ip_protocol": "tcp",
        "from_port": port,
        "to_port": port,
        **source,
    }


def drawing():
    """Return the drawing of the rooms, with an arrow that a policy fails on."""
    graph = rooms()
    [ssh] = graph.named("aws_vpc_security_group_ingress_rule.ssh")
    wrong = finding(
        LIGHT, ssh.address, Verdict.FAIL, violations=(Violation("open", ssh, "cidr_ipv4"),)
    )
    return network.render(graph, (*FINDINGS, wrong))


def texts():
    """Return every file that tells of the report, by its name."""
    collected = evidence.collected(REPORT)
    page = html.render(
        REPORT, collected, drawings={"rooms.svg": "<svg/>"}, changes=CHANGES, keyid="e" * 64
    )
    return {
        "results.json": results.render(REPORT),
        "results.sarif": sarif.render(REPORT),
        "junit.xml": junit.render(REPORT),
        "gl-code-quality-report.json": gitlab.render(REPORT),
        "terminal.txt": text.render(REPORT),
        "explanation.txt": explanation.render(LIGHT, {each.id: each for each in REQUIREMENTS}),
        "index.html": re.sub(r"(?s)(<(style|script)\b[^>]*>).*?(</\2>)", r"\1\3", page),
        "rooms.svg": drawing(),
        **tables.rendered(REPORT, collected, ("rooms.svg",)),
        **oscal.rendered(REPORT, collected),
    }


if __name__ == "__main__":
    for name, content in texts().items():
        (GOLDEN / name).parent.mkdir(parents=True, exist_ok=True)
        (GOLDEN / name).write_bytes(content.encode())
