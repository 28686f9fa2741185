"""A Report in, the tables of the Report on Compliance out that infrastructure code can fill in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from policies.engine.model import Component, Finding, Report, Verdict
from policies.report import evidence as evidences
from policies.report.evidence import STAGES, Evidence
from policies.report.words import cell

SEGMENTATION = ("1.2", "1.3", "1.4", "11.4.5")
"""The requirements whose evidence is about what keeps networks apart."""

STORES = (
    "aws_backup_vault", "aws_db_instance", "aws_docdb_cluster", "aws_dynamodb_table",
    "aws_ebs_volume", "aws_efs_file_system", "aws_elasticache_replication_group",
    "aws_kinesis_firehose_delivery_stream", "aws_kinesis_stream", "aws_msk_cluster",
    "aws_neptune_cluster", "aws_opensearch_domain", "aws_rds_cluster", "aws_redshift_cluster",
    "aws_s3_bucket", "aws_secretsmanager_secret", "aws_sqs_queue",
)  # fmt: skip
NETWORKS = ("aws_vpc", "aws_subnet")

Row = Sequence[str]


def rendered(
    report: Report, evidence: Sequence[Evidence], drawings: Sequence[str]
) -> dict[str, str]:
    """Return each table as CSV (RFC 4180), by the name of its file."""
    return {
        "roc-3.2-segmentation.csv": _csv(_segmentation(evidence)),
        "roc-4.1-diagrams.csv": _csv(_diagrams(drawings)),
        "roc-4.3-stores.csv": _csv(_components(report, STORES, report.findings)),
        "roc-4.5-networks.csv": _csv(_networks(report)),
        "roc-4.7-components.csv": _csv(_components(report, None, report.findings)),
        "roc-6.2-sampling.csv": _csv(_sampling(report)),
        "roc-6.3-populations.csv": _csv(_populations(report)),
        "roc-6.4-evidence.csv": _csv(_references(evidence)),
        "roc-6.6-observations.csv": _csv(_observations(evidence)),
    }


def _csv(rows: Iterable[Row]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([cell(str(value)) for value in row] for row in rows)
    return text.getvalue()


def _requirement(id: str) -> str:
    """Return the number of a requirement so that no spreadsheet makes a date of it."""
    return f"PCI {id}"


def _segmentation(evidence: Iterable[Evidence]) -> Iterator[Row]:
    yield "Evidence", "Requirement", "What has to hold", "Component", "Stage", "Verdict", "Found"
    for each in evidence:
        if each.requirement.id.startswith(SEGMENTATION):
            for finding in each.findings:
                yield (
                    each.id,
                    _requirement(each.requirement.id),
                    each.policy.title,
                    finding.resource,
                    finding.stage.value,
                    _verdict(finding),
                    "; ".join(finding.messages),
                )


def _verdict(finding: Finding) -> str:
    verdict = finding.verdict.value.replace("_", " ")
    return f"{verdict} (accepted deviation)" if finding.waiver else verdict


def _diagrams(drawings: Iterable[str]) -> Iterator[Row]:
    yield "Diagram", "File", "Drawn from"
    for name in drawings:
        stack = name.removeprefix("network-").removesuffix(".svg")
        yield f"Network of {stack}", name, "the judged documents, in the same run"


def _components(
    report: Report, types: Sequence[str] | None, findings: Iterable[Finding]
) -> Iterator[Row]:
    worst: dict[str, list[Finding]] = {}
    for finding in findings:
        worst.setdefault(finding.resource, []).append(finding)
    yield (
        "Component",
        "Type",
        "Name",
        "Stack",
        "Scope",
        "Stage",
        "Made at",
        "Policies",
        "Deviations",
    )
    for component in report.inventory:
        if types is None or component.type in types:
            found = [f for f in worst.get(component.address, ()) if f.stage is component.stage]
            deviations = [
                f"{f.policy} (accepted)" if f.waiver else f.policy
                for f in found
                if f.verdict is Verdict.FAIL
            ]
            yield (
                component.address,
                component.type,
                component.name,
                component.stack,
                component.scope,
                component.stage.value,
                str(component.source or ""),
                str(len({f.policy for f in found})),
                ", ".join(sorted(set(deviations))) or "none",
            )


def _networks(report: Report) -> Iterator[Row]:
    yield "Network", "Type", "Name", "Addresses", "Zone", "Scope", "Stack", "Stage"
    for each in report.inventory:
        if each.type in NETWORKS:
            yield _network(each)


def _network(each: Component) -> Row:
    return (
        each.address,
        each.type,
        each.name,
        each.cidr,
        each.zone,
        each.scope,
        each.stack,
        each.stage.value,
    )


def _sampling(report: Report) -> Iterator[Row]:
    yield "Document", "Stage", "Sampled", "SHA-256"
    for document in report.documents:
        yield (
            document.path,
            STAGES[document.stage],
            "no sampling: every item tested",
            document.sha256,
        )


def _populations(report: Report) -> Iterator[Row]:
    yield "Policy", "What has to hold", "Population", "Tested"
    for policy in report.policies:
        number = str(len({finding.resource for finding in report.by_policy.get(policy.id, ())}))
        yield policy.id, policy.title, number, number


def _references(evidence: Iterable[Evidence]) -> Iterator[Row]:
    yield "Evidence", "Requirement", "Policy", "Strength", "Items", "Shows", "File"
    for each in evidence:
        yield (
            each.id,
            _requirement(each.requirement.id),
            each.policy.id,
            each.strength.value,
            str(len(each.findings)),
            each.status,
            "results.json",
        )


def _observations(evidence: Iterable[Evidence]) -> Iterator[Row]:
    yield "Evidence", "Component", "Stage", "Verdict", "Made at", "Observed", "Found"
    for each in evidence:
        for finding in each.findings:
            yield (
                each.id,
                finding.resource,
                finding.stage.value,
                _verdict(finding),
                str(finding.source or ""),
                evidences.observed(finding),
                "; ".join(finding.messages),
            )
