"""Write the documentation that follows from the policies: ``python -m docs``."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from docs import controls
from policies import POLICIES
from policies.engine import examples, waive
from policies.engine.house import parse_house
from policies.report import catalogue
from policies.requirements import requirements

FOLDER = Path(__file__).parent
HOUSE = FOLDER.parent / "house.toml"
WRITTEN_ON = date(2026, 11, 24)
"""The day on which the examples are judged, whenever the pages are made."""


def pages() -> dict[str, str]:
    """Return each generated page by its name."""
    policies = (*POLICIES, *waive.POLICIES)
    house = parse_house(HOUSE.read_text(), HOUSE.name)
    return {
        "controls.md": controls.page(policies),
        "policies.md": catalogue.policies_page(
            policies, lambda policy: examples.broken(policy, house, WRITTEN_ON)
        ),
        "pci-dss.md": catalogue.requirements_page(requirements(), policies),
    }


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
