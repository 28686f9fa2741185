"""
An attribute's name in, whether every type of the provider has a truth value there out.

booleans.txt is made from ``terraform providers schema -json`` of hashicorp/aws 5.100.0.
"""

from __future__ import annotations

from importlib.resources import files

BOOLEANS = frozenset(files(__package__).joinpath("booleans.txt").read_text().split())

TRUTH = {"true": True, "false": False}
NUMBERS = {**TRUTH, "1": True, "0": False}
"""What Terraform takes for a truth value, where one belongs."""


def converted(value: str, path: str) -> str | bool:
    """Return the text *value*, which stands at *path*, as the truth value that Terraform takes."""
    return (NUMBERS if path.rpartition(".")[2] in BOOLEANS else TRUTH).get(value, value)
