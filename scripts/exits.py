"""How pci-gate ends; 0 is that nothing blocks, and that nothing was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from policies.engine.model import Report

BLOCKED = 1
REFUSED = 2
NOT_WRITTEN = 3
NOT_APPLIED = 4
INTERNAL_ERROR = 70


def ending(report: Report) -> int:
    """Return how a run ends that established *report*."""
    if report.refusals:
        return REFUSED
    return BLOCKED if report.blocking else 0
