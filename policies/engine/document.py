"""What reading gives, and what it says where it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from policies.engine.graph import ResourceGraph
from policies.engine.model import Document

MODULE = "terraform.module"
PROVISIONER = "terraform.provisioner"
FORGET = "terraform.forget"
DRIFT = "terraform.drift"
PROVIDER = "terraform.provider"
REQUIRED_PROVIDER = "terraform.required_provider"
VARIABLE = "terraform.variable"
LOCAL = "terraform.local"
OUTPUT = "terraform.output"
"""Types, in our graphs, of what Terraform asks, and of what it runs without showing the effect."""


class DocumentError(ValueError):
    """The input is no document that can be judged: which file, what, and what to do."""


@dataclass(frozen=True)
class Reading:
    """One document and what it describes."""

    document: Document
    graph: ResourceGraph
    content: Any
    """Of a stack, its merged configuration; of a plan, its JSON."""
