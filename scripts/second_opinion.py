"""Checkov as a process of its own, where nothing it might obey can reach it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from policies.engine import checkov
from policies.engine.document import Reading
from policies.engine.model import Finding

TIMEOUT_SECONDS = 600
RESULTS = "results_json.json"
ANSWERS = (0, 1)
"""How Checkov ends where it found nothing, and where it found something."""


class NotInstalled(Exception):
    """Checkov is asked for, and there is none."""


def ask(readings: Sequence[Reading]) -> tuple[Finding, ...]:
    """
    Return what Checkov finds in every stack among *readings*; it is not asked about plans.

    Each stack is scanned alone, so that none excuses another.

    Raises:
        NotInstalled: There is no checkov on PATH.
    """
    program = shutil.which("checkov")
    if program is None:
        raise NotInstalled(
            "--checkov: there is no checkov on PATH; install it, or leave the option out"
        )
    stacks = [reading for reading in readings if reading.document.kind == "stack"]
    found: list[Finding] = []
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for number, findings in enumerate(pool.map(partial(_ask, program), stacks), start=1):
            _progress(f"Checkov: {number} of {len(stacks)} stacks")
            found += findings
    return tuple(found)


def _progress(message: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"{message}\n")


def _ask(program: str, reading: Reading) -> list[Finding]:
    copy = checkov.copy(reading)
    with tempfile.TemporaryDirectory(prefix="pci-gate-") as home:
        folder = Path(home, "stack")
        folder.mkdir()
        (folder / "cdk.tf.json").write_text(copy.text, encoding="utf-8")
        results, complaints = _run(program, Path(home), folder)
    return list(checkov.findings(reading, copy, results, complaints))


def _run(program: str, home: Path, folder: Path) -> tuple[Any, str]:
    """Return Checkov's results, and what it complained of."""
    arguments = [
        program,
        "--directory", str(folder),
        "--framework", "terraform_json",
        "--external-checks-dir", str(checkov.PROBE_FOLDER),
        "--skip-download",
        "--output", "json",
        "--output-file-path", str(home),
    ]  # fmt: skip
    environment = {"HOME": str(home), "PATH": os.environ.get("PATH", ""), "PYTHONHASHSEED": "0"}
    try:
        process = subprocess.run(
            arguments,
            cwd=home,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [], f"it did not finish within {TIMEOUT_SECONDS} seconds"
    except OSError as error:
        return [], f"it could not be started: {error}"
    complaints = process.stderr + _beside_the_report(process.stdout)
    if process.returncode not in ANSWERS:
        complaints += f"\nit ended with {process.returncode}"
    try:
        return json.loads((home / RESULTS).read_text()), complaints
    except (OSError, ValueError) as error:
        return [], f"{complaints}\nit left no results: {error}"


def _beside_the_report(output: str) -> str:
    """Return what Checkov prints beside its report: exceptions that it swallowed."""
    start = re.search(r"^[{\[]$", output, re.MULTILINE)
    if start is None:
        return output
    try:
        _, end = json.JSONDecoder().raw_decode(output, start.start())
    except ValueError:
        return output
    return (output[: start.start()] + output[end:]).strip()
