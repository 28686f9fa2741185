"""The requirements of PCI DSS v4.0.1, out of pci_dss.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.resources import files

import msgspec

from policies.engine.model import Policy, Requirement

VERSION = "4.0.1"


def requirements() -> tuple[Requirement, ...]:
    """Return every requirement, in the order of the standard."""
    text = files(__package__).joinpath("pci_dss.toml").read_text()
    return tuple(
        msgspec.convert({"id": id, **body}, Requirement) for id, body in tomllib.loads(text).items()
    )


def served(policies: Iterable[Policy]) -> dict[str, list[Policy]]:
    """Return, by requirement, the policies that claim something of it."""
    serving: dict[str, list[Policy]] = {}
    for policy in policies:
        for claim in policy.claims:
            serving.setdefault(claim.requirement, []).append(policy)
    return serving
