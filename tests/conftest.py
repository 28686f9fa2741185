import importlib.util
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import settings

from policies import POLICIES
from policies.engine.evaluate import evaluate
from policies.engine.house import parse_house
from policies.engine.read import read

settings.register_profile("default", deadline=None)
settings.register_profile("mutation", deadline=None, derandomize=True, max_examples=25)
settings.load_profile("default")

TODAY = date(2026, 11, 24)
"""The day on which tests judge: tables of what is mended are fresh on it."""

ROOT = Path(__file__).parent.parent


def judged(reading):
    """Return every finding of the suite on what was read."""
    return list(evaluate(POLICIES, replace(reading.graph, today=TODAY)))


collect_ignore = ["e2e"] if importlib.util.find_spec("moto") is None else []
"""What needs an emulated AWS has an environment of its own: tox run -e e2e."""


@pytest.fixture(scope="session")
def house():
    return parse_house((ROOT / "house.toml").read_text(), "house.toml")


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory):
    """Return the folder that ``python -m infra`` writes."""
    output = tmp_path_factory.mktemp("synthesized") / "cdktf.out"
    subprocess.run(
        [sys.executable, "-m", "infra"],
        cwd=ROOT,
        env={**os.environ, "CDKTF_OUTDIR": str(output)},
        check=True,
    )
    return output


@pytest.fixture(scope="session")
def platform(synthesized, house):
    """Return the graphs of the real platform in one environment: its own, and its account's."""
    folders = [synthesized / "stacks" / f"financial-{name}" for name in ("account-dev", "dev")]
    return tuple(replace(reading.graph, house=house, today=TODAY) for reading in read(folders))
