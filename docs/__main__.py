"""Write the documentation that follows from the policies: ``python -m docs``."""

from __future__ import annotations

from pathlib import Path

from docs import controls
from policies import POLICIES
from policies.engine import waive
from policies.report import catalogue
from policies.requirements import requirements

FOLDER = Path(__file__).parent


def pages() -> dict[str, str]:
    """Return each generated page by its name."""
    policies = (*POLICIES, *waive.POLICIES)
    return {
        "controls.md": controls.page(policies),
        "policies.md": catalogue.policies_page(policies),
        "pci-dss.md": catalogue.requirements_page(requirements(), policies),
    }


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
