"""
The formats of a report, by validators that others wrote: ``tox run -e formats``.

OSCAL by compliance-trestle's models, SARIF by Microsoft's multitool with GitHub's rules.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from trestle.oscal.assessment_plan import AssessmentPlan
from trestle.oscal.assessment_results import AssessmentResults
from trestle.oscal.component import ComponentDefinition
from trestle.oscal.poam import PlanOfActionAndMilestones

ROOT = Path(__file__).parent.parent
MODELS = {
    "assessment-plan": AssessmentPlan,
    "assessment-results": AssessmentResults,
    "component-definition": ComponentDefinition,
    "plan-of-action-and-milestones": PlanOfActionAndMilestones,
}
MULTITOOL = "@microsoft/sarif-multitool@5.7.0"
PROGRAM = "node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"
WITHOUT_ADDRESS = "Warning_ProvideToolnformationUri"
"""The project has no page of its own to name."""

INPUTS = ("cdktf.out", "tests/faults/stacks/C00_sg_bad", "tests/faults/plans/D18_format_1_9.json")
"""What reports are made of: the platform, on which nothing blocks, and two where something does."""


def oscal_problems(folder):
    """Yield what compliance-trestle has against the OSCAL in *folder*."""
    for path in sorted((folder / "oscal").glob("*.json")):
        try:
            MODELS[path.stem].oscal_read(path)
        except Exception as error:  # noqa: BLE001 - whatever it says
            yield f"{path.name}: {error}"


def sarif_problems(folder, tools):
    """Yield what the multitool has against the SARIF in *folder*; its exit code says nothing."""
    answer = tools / "answer.sarif"
    subprocess.run(
        [tools / PROGRAM, "validate", folder / "results.sarif", "--rule-kind", "Sarif;Ghas",
         "--output", answer, "--log", "ForceOverwrite"],
        env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
        stdout=subprocess.DEVNULL,
        check=True,
    )  # fmt: skip
    for result in json.loads(answer.read_text())["runs"][0]["results"]:
        if result["message"]["id"] == WITHOUT_ADDRESS:
            continue
        yield f"results.sarif: {result['ruleId']} {result['message']}"


def main():
    """Make a report of each of INPUTS, and ask."""
    found = []
    with tempfile.TemporaryDirectory() as place:
        tools = Path(place)
        subprocess.run(
            [shutil.which("npm"), "install", "--silent", "--no-audit", "--no-fund", MULTITOOL],
            cwd=tools,
            check=True,
        )
        for number, path in enumerate(INPUTS):
            output = tools / str(number)
            command = [sys.executable, "-m", "scripts", "report", ROOT / path, "--output", output]
            subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL)
            folder = (output / "latest").resolve()
            found += [f"{path}: {problem}" for problem in oscal_problems(folder)]
            found += [f"{path}: {problem}" for problem in sarif_problems(folder, tools)]
    for problem in found:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write(f"{len(INPUTS)} reports, {len(found)} problems\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
