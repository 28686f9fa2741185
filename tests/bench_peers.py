"""
The gate beside its peers, on one large document: part of ``tox run -e bench``.

regorus judges by eight rules that say what eight of our policies say; both have to find
the same. Checkov judges by all of its own. Ratios of seconds, in one run.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import hobofan_regorus

from policies import POLICIES
from policies.engine.evaluate import evaluate
from policies.engine.model import Verdict
from policies.engine.read import read
from tests.bench import ROOT
from tests.bench_gate import judge, multiplied, synthesized, timed

SIZE = 10_000
RULES = ROOT / "tests" / "bench_peers.rego"
BROKEN = {
    "aws_cloudwatch_log_group": {"retention_in_days": 7},
    "aws_cloudwatch_metric_alarm": {"alarm_actions": []},
    "aws_kms_key": {"enable_key_rotation": False, "deletion_window_in_days": 7},
    "aws_lb": {"drop_invalid_header_fields": False},
    "aws_rds_cluster": {"storage_encrypted": False},
    "aws_subnet": {"map_public_ip_on_launch": True},
}
"""What is wrong with each fifth resource of a type."""


def broken(document):
    """Break each fifth resource of the types that the eight rules are about."""
    for type, wrong in BROKEN.items():
        for name in list(document["resource"][type])[::5]:
            document["resource"][type][name] |= wrong
    return document


def by_regorus(path):
    """Return what the eight rules find in the document at *path*."""
    engine = hobofan_regorus.Engine()
    engine.add_policy(RULES.name, RULES.read_text())
    engine.set_input_json(path.read_text())
    return {tuple(each) for each in json.loads(engine.eval_rule_as_json("data.pci.found"))}


def by_us(path):
    """Return what the eight policies find in the document at *path*."""
    text = RULES.read_text()
    policies = [policy for policy in POLICIES if f'"{policy.id}"' in text]
    [reading] = read([path])
    return {
        (finding.policy, finding.resource.rpartition(".")[2])
        for finding in evaluate(policies, reading.graph)
        if finding.verdict is Verdict.FAIL
    }


def by_checkov(path):
    """Run every check of Checkov on the document at *path*."""
    command = ["checkov", "--file", str(path), "--framework", "terraform_json", "--quiet",
               "--compact", "--soft-fail", "--output", "json"]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)


def main():
    """Measure, compare, say so."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stack" / "cdk.tf.json"
        path.parent.mkdir()
        path.write_text(json.dumps(broken(multiplied(synthesized(folder), SIZE))))
        theirs, rego = timed(by_regorus, path)
        ours, eight = timed(by_us, path)
        sys.stdout.write(
            f"{SIZE:,} resources, eight equal rules ({len(ours):,} found): regorus {rego:.2f} s, "
            f"ours {eight:.2f} s, ratio {eight / rego:.2f}\n"
        )
        if ours != theirs:
            sys.stdout.write(f"they do not find the same: {sorted(ours ^ theirs)[:5]}\n")
            return 1
        gate, whole = timed(judge, path)
        _, checkov = timed(by_checkov, path)
        sys.stdout.write(
            f"{SIZE:,} resources, whole suites: Checkov {checkov:.1f} s, "
            f"ours {whole:.2f} s ({gate['findings']:,} findings), ratio {whole / checkov:.3f}\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
