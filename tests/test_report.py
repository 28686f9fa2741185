"""The evidence, file by file, as its readers take it: what it says, and what it must not."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import pytest
from junitparser import JUnitXml

from policies import POLICIES
from policies.engine.evaluate import evaluate
from policies.engine.observed import observing
from policies.report import evidence
from policies.report.words import cell, line, printed, visible
from scripts.judge import observed
from scripts.report import rendered
from tests.conftest import ROOT

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
RULES = {"with_checkov": False}
HOSTILE = {
    "angle": '<script>alert(1)</script>"]]>&amp;',
    "formula": "=cmd|'/c calc'!A0",
    "direction": "safe\u202egnp.exe\u200b",
    "control": "\x1b[31mred\x00\x07",
    "annotation": "::error file=a::b\n::error::c",
    "signs": "漢字 🎉 é }\u0301",
}
RULE = {
    "cidr_ipv4": "0.0.0.0/0",
    "ip_protocol": "tcp",
    "from_port": 22,
    "to_port": 22,
    "security_group_id": "sg-1",
}


@pytest.fixture(scope="module")
def judged(synthesized):
    """Return what is judged of the real platform, with its rules and its waivers."""
    return observed(
        [synthesized], ROOT / "waivers.yaml", ROOT / "house.toml", NOW, with_checkov=False
    )


@pytest.fixture(scope="module")
def told(judged):
    return rendered(judged, None, "")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Return what is told of a stack whose every name means to steer its reader."""
    folder = tmp_path_factory.mktemp("hostile") / "stack"
    folder.mkdir()
    named = {
        "aws_vpc_security_group_ingress_rule": dict.fromkeys(HOSTILE.values(), RULE),
        "aws_subnet": {
            name: {"cidr_block": name, "tags": {"Name": name, "PciScope": name}}
            for name in HOSTILE.values()
        },
        "aws_cloudwatch_log_group": {
            key: {"retention_in_days": name} for key, name in HOSTILE.items()
        },
    }
    (folder / "cdk.tf.json").write_text(json.dumps({"resource": named}))
    return rendered(observed([folder], None, None, NOW, **RULES), None, "")


def texts(files):
    return {name: content.decode() for name, content in files.items() if name != "report.pdf"}


def rows(files, name):
    return list(csv.reader(io.StringIO(files[name].decode(), newline=""), strict=True))


def test_no_file_says_what_only_an_assessor_says(told):
    for name, text in texts(told).items():
        assert not re.search(r"(?i)\bcompliant\b", text), name
        assert not re.search(r"(?i)\bin place\b(?! of)", text), name


def test_evidence_has_an_id_that_stays(judged):
    collected = evidence.collected(judged.report)
    ids = [each.id for each in collected]

    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"EVD-[A-Z0-9.]+-\d{3}", id) for id in ids)
    assert "EVD-1.3.1-001" in ids
    assert {each.policy.id for each in collected} == {
        policy.id for policy in judged.report.policies if policy.claims
    }


def test_what_a_finding_rests_on_is_told_whatever_was_judged_before(platform):
    for graph in platform:
        together = {(f.policy, f.resource): f for f in evaluate(POLICIES, observing(graph))}
        for policy in POLICIES:
            for alone in evaluate([policy], observing(graph)):
                assert alone == together[alone.policy, alone.resource]


def test_every_finding_that_was_made_of_values_shows_them(judged):
    rotation = [f for f in judged.report.findings if f.policy == "keys.rotation"]

    assert rotation
    for finding in rotation:
        shown = {each.path: each.value for each in finding.observed}
        assert shown["enable_key_rotation"] is True, finding.resource
        assert re.fullmatch(r"infra/\w+\.py:\d+", str(finding.source))


def test_a_table_names_every_component_once_and_every_item_is_tested(told, judged):
    head, *components = rows(told, "roc-4.7-components.csv")
    listed = [row[0] for row in components]

    assert head[0] == "Component"
    assert sorted(listed) == sorted(each.address for each in judged.report.inventory)
    assert all(
        population == tested
        for _, _, population, tested in rows(told, "roc-6.3-populations.csv")[1:]
    )
    assert {"no sampling: every item tested"} == {
        row[2] for row in rows(told, "roc-6.2-sampling.csv")[1:]
    }


def test_no_cell_is_a_formula_and_no_table_is_ragged(told, hostile):
    for files in (told, hostile):
        for name in (name for name in files if name.endswith(".csv")):
            table = rows(files, name)
            assert {len(table[0])} == {len(row) for row in table}, name
            for value in (value for row in table for value in row):
                assert not re.match(r"\s*[=+\-@]", value), (name, value)
                assert "\n" not in value
    assert any("'=cmd|" in row[2] for row in rows(hostile, "roc-4.5-networks.csv"))


def test_sarif_points_at_the_line_of_python(synthesized, tmp_path):
    folder = tmp_path / "financial-dev"
    shutil.copytree(synthesized / "stacks" / "financial-dev", folder)
    document = json.loads((folder / "cdk.tf.json").read_text())
    for key in document["resource"]["aws_kms_key"].values():
        key["enable_key_rotation"] = False
    (folder / "cdk.tf.json").write_text(json.dumps(document))
    files = rendered(observed([folder], None, None, NOW, **RULES), None, "")
    results = json.loads(files["results.sarif"])["runs"][0]["results"]

    assert {"keys.rotation"} == {result["ruleId"] for result in results}
    for result in results:
        where = result["locations"][0]["physicalLocation"]
        path, number = where["artifactLocation"]["uri"], where["region"]["startLine"]
        assert "infra/keys.py" == path
        assert (ROOT / path).read_text().splitlines()[number - 1].strip()


def test_sarif_has_what_github_asks_for(hostile):
    [run] = json.loads(hostile["results.sarif"])["runs"]
    rules = run["tool"]["driver"]["rules"]
    prints = [result["partialFingerprints"]["pciGate/v1"] for result in run["results"]]

    assert run["results"]
    assert len(prints) == len(set(prints))
    for result in run["results"]:
        [location] = result["locations"]
        where = location["physicalLocation"]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert where["region"]["startLine"] >= 1
        assert re.fullmatch(r"[\w./-]+", where["artifactLocation"]["uri"])
        assert not where["artifactLocation"]["uri"].startswith(("/", ".."))


def test_junit_is_read_by_an_independent_parser(told, hostile, judged):
    document = JUnitXml.fromstring(told["junit.xml"])
    broken = JUnitXml.fromstring(hostile["junit.xml"])

    assert len(judged.report.findings) == document.tests
    assert 0 == document.failures + document.errors
    assert broken.failures > 0
    assert "\\u202e" in hostile["junit.xml"].decode()


def test_gitlab_gets_one_entry_for_each_blocking_finding(told, hostile):
    found = json.loads(hostile["gl-code-quality-report.json"])

    assert [] == json.loads(told["gl-code-quality-report.json"])
    assert len(found) == len({each["fingerprint"] for each in found}) > 0
    assert all(each["location"]["lines"]["begin"] >= 1 for each in found)


def test_the_page_needs_nothing_from_outside_and_runs_nothing_of_a_name(told, hostile):
    for files in (told, hostile):
        page = files["index.html"].decode()
        assert "default-src 'none'" in page
        assert 1 == page.count("<script>") == page.count("</script>")
        assert not re.search(r"""(?:src|href)=["'](?!#|\?verdict=blocks#findings)""", page)
        assert not re.search(r"\s(?:on\w+|style)=", page)
    assert "&lt;script&gt;alert(1)" in hostile["index.html"].decode()
    assert "\u202e" not in hostile["index.html"].decode()


def test_the_page_says_of_every_requirement_what_it_is(told, judged):
    page = told["index.html"].decode()
    for requirement in judged.report.requirements:
        assert f'<details id="req-{requirement.id}">' in page
    assert "this shows, and what it does not" in page


def test_oscal_refers_to_what_is_there(told, hostile):
    for files in (told, hostile):
        documents = {
            name: json.loads(text) for name, text in files.items() if name.startswith("oscal/")
        }
        assert {"oscal/assessment-plan.json", "oscal/assessment-results.json"} < set(documents)
        for name, document in documents.items():
            made = [value for key, value in pairs(document) if key == "uuid"]
            named = {
                value
                for key, value in pairs(document)
                if key.endswith("-uuid") and isinstance(value, str)
            }
            assert len(made) == len(set(made)), name
            assert named <= set(made), name
            assert not [key for key, value in pairs(document) if value in ("", [], None)], name


def pairs(value):
    """Yield each key and value in *value*, at any depth."""
    for key, item in value.items() if isinstance(value, dict) else ():
        yield key, item
        yield from pairs(item)
    for item in value if isinstance(value, list) else ():
        yield from pairs(item)


def test_a_plan_of_action_is_written_where_there_is_something_to_do(hostile, synthesized):
    clean = observed([synthesized], None, ROOT / "house.toml", NOW, **RULES)

    assert "oscal/plan-of-action-and-milestones.json" in hostile
    assert "oscal/plan-of-action-and-milestones.json" not in rendered(clean, None, "")


def test_a_network_is_drawn_with_its_flows_and_its_proof(told):
    drawing = told["network-financial-dev.svg"].decode()
    ET.fromstring(drawing)  # noqa: S314 - our own

    for words in ("the Internet", "financial-aurora-dev", "10.0.20.0/24", ">3306<", ">443, 80<"):
        assert words in drawing, words
    assert "No path from the Internet to aws_rds_cluster." in drawing


def test_a_drawing_of_hostile_names_is_a_drawing(hostile):
    [name] = [name for name in hostile if name.endswith(".svg")]
    drawing = hostile[name].decode()
    ET.fromstring(drawing)  # noqa: S314 - our own

    assert "<script" not in drawing


def test_the_pdf_is_one_and_holds_the_results(told, hostile):
    for files in (told, hostile):
        assert files["report.pdf"].startswith(b"%PDF-")
        assert b"results.json" in files["report.pdf"]
        assert b"pdfaid" in files["report.pdf"]


@pytest.mark.parametrize("text", HOSTILE.values())
def test_words_show_what_cannot_be_seen(text):
    for told in (visible(text), printed(text), cell(text), line(text)):
        assert not re.search("[\x00-\x08\x0e-\x1f\u200b\u202e]", told)
    assert "\n" not in cell(text) + line(text)


def test_the_evidence_is_the_same_wherever_it_is_made(synthesized, tmp_path):
    """Byte for byte, for the same inputs, time and history, under any hash seed and folder."""
    program = (
        "import hashlib, json, sys\n"
        "from datetime import datetime; from pathlib import Path\n"
        "from scripts.judge import observed; from scripts.report import rendered\n"
        "now = datetime.fromisoformat('2026-11-24T12:00:00+00:00')\n"
        "judged = observed([Path('stack')], None, None, now, with_checkov=False)\n"
        "told = rendered(judged, None, '')\n"
        "print(json.dumps({k: hashlib.sha256(v).hexdigest() for k, v in told.items()}))\n"
    )
    made = []
    for seed, zone in (("0", "UTC"), ("1", "Asia/Tokyo")):
        folder = tmp_path / seed
        folder.mkdir()
        (folder / "stack").symlink_to(synthesized / "stacks" / "financial-dev")
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(ROOT)}
        made.append(
            subprocess.run(
                [sys.executable, "-c", program],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )

    assert made[0] == made[1]
    assert "report.pdf" in json.loads(made[0])


def test_the_templates_are_part_of_the_package():
    assert {"report.css", "report.html.j2", "report.js", "report.typ"} == {
        path.name for path in Path(ROOT, "policies", "report", "page").iterdir()
    }
