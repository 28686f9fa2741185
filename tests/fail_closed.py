"""
Every input of tests/faults before the gate, Checkov and c7n-left: ``tox run -e peers``.

Writes docs/fail-closed.md. Checkov judges by all of its checks, c7n-left, which brings none,
by the rules in tests/peers. An input is let through where a tool says nothing of it beyond
what it says of the good control of the same theme.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent
FAULTS = ROOT / "tests" / "faults"
PAGE = ROOT / "docs" / "fail-closed.md"
RULES = ROOT / "tests" / "peers"
SECONDS = 120
CLASSES = {
    "ctl": "controls: a plain violation and its good twin, for each theme",
    "A": "files that are torn, empty, endless, or not what they say",
    "B": "networks and databases, written in every way that Terraform takes",
    "I": "permissions, likewise",
    "E": "keys, logs and TLS, likewise",
    "W": "configuration and comments in the scanned tree that ask to look away",
    "G": "hostile names",
    "D": "plans in every stage of their life",
}


HEADER = """<!-- Made by `tox run -e peers`; do not edit. -->

# Hostile inputs, and who lets them through

{number} inputs stand in `tests/faults`, each with what a gate has to do; `tests/test_faults.py` holds pci-gate to it.
Measured with Checkov {checkov} (all of its checks) and c7n-left {c7n} (the rules in `tests/peers`; it reads no plans).
Right: stopped where it has to be, and not where it has not.
Through: nothing is said of it but what is said of the good control of its theme, or the exit code is 0.
"""  # noqa: E501 - a paragraph of the page is one line


def run(command, folder):
    """Return how *command* ends, in a home where it finds nothing to obey."""
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"}
    try:
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, timeout=SECONDS, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        return None


def results(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def gate(target, folder):
    """Return how pci-gate ends, and what blocks."""
    output = folder / "results.json"
    command = [sys.executable, "-m", "scripts", "check", target, "--output", output]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    code = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, timeout=SECONDS, check=False
    ).returncode
    report = results(output) or {"findings": []}
    return code, {finding["policy"] for finding in report["findings"] if finding["blocks"]}


def checkov(target, folder):
    """Return how Checkov ends, and which of its checks fail."""
    framework = "terraform_plan" if target.is_file() else "terraform_json"
    where = ["--file", target] if target.is_file() else ["--directory", target]
    options = ["--framework", framework, "--skip-download", "--output", "json"]
    code = run(["checkov", *where, *options, "--output-file-path", folder], folder)
    report = results(folder / "results_json.json")
    reports = report if isinstance(report, list) else [report or {}]
    found = [each.get("results", {}).get("failed_checks", ()) for each in reports]
    return code, {check["check_id"] for failed in found for check in failed}


def c7n_left(target, folder):
    """Return how c7n-left ends, and which of its rules match; it reads no plans."""
    if target.is_file():
        return None
    output = folder / "results.json"
    options = ["--output", "json", "--output-file", output]
    code = run(["c7n-left", "run", "--policy-dir", RULES, "--directory", target, *options], folder)
    report = results(output) or {"results": []}
    return code, {result["policy"]["name"] for result in report["results"]}


TOOLS = {"pci-gate": gate, "Checkov": checkov, "c7n-left": c7n_left}


def judged(tool, case):
    """Return what *tool* says of the input of *case*, from an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        return TOOLS[tool](FAULTS / case["input"], Path(folder))


def outcome(case, answer, good):
    """Return whether the answer is ``right``, lets it ``through``, or stops it ``wrongly``."""
    code, findings = answer
    speaks = bool(findings - good) or code not in {0, 1}
    if case["expect"] == "PASS":
        return "wrongly" if speaks else "right"
    return "right" if speaks and code != 0 else "through"


def measured(tool, cases):
    """Return the outcome of each case that *tool* can be asked about, by id."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = dict(
            zip((c["id"] for c in cases), pool.map(lambda c: judged(tool, c), cases), strict=True)
        )
    good = {
        theme: set().union(
            *(
                answers[case["id"]][1]
                for case in cases
                if (case["class"], case["theme"], case["expect"]) == ("ctl", theme, "PASS")
            )
        )
        for theme in {case["theme"] for case in cases}
    }
    return {
        case["id"]: outcome(case, answers[case["id"]], good[case["theme"]])
        for case in cases
        if answers[case["id"]] is not None
    }


def pinned(tool):
    """Return the version of *tool* that its environment has."""
    return (ROOT / "requirements" / f"{tool}.in").read_text().strip().rpartition("==")[2]


def page(cases, outcomes):
    """Return the page: a table by class, and each input that somebody lets through."""
    lines = [
        HEADER.format(number=len(cases), checkov=pinned("checkov"), c7n=pinned("c7n")),
        f"| class | inputs | {' | '.join(f'{tool}: right | through' for tool in TOOLS)} |",
        f"|---|---:|{'---:|---:|' * len(TOOLS)}",
    ]
    for name, what in CLASSES.items():
        lines.append(_row(f"{name}: {what}", [c for c in cases if c["class"] == name], outcomes))
    lines += [_row("all", cases, outcomes), "", "## Let through", ""]
    lines += ["| input | has to | let through by |", "|---|---|---|"]
    for case in cases:
        by = [tool for tool in TOOLS if outcomes[tool].get(case["id"]) == "through"]
        if by:
            lines.append(f"| `{case['id']}` {case['note']} | {case['expect']} | {', '.join(by)} |")
    return "\n".join(lines) + "\n"


def _row(what, cases, outcomes):
    cells = []
    for tool in TOOLS:
        counts = Counter(outcomes[tool][c["id"]] for c in cases if c["id"] in outcomes[tool])
        cells.append(f"{counts['right']} of {counts.total()} | {counts['through']}")
    return f"| {what} | {len(cases)} | {' | '.join(cells)} |"


def main():
    cases = json.loads((FAULTS / "expected.json").read_text())
    outcomes = {tool: measured(tool, cases) for tool in TOOLS}
    PAGE.write_text(page(cases, outcomes))
    sys.stdout.write(page(cases, outcomes).partition("\n## ")[0] + "\n")
    return 0 if all(each == "right" for each in outcomes["pci-gate"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
