"""The arguments in which resources are told a secret, by type."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

UNMARKED = {
    "aws_cognito_identity_provider": ("provider_details.client_secret",),
    "aws_glue_connection": ("connection_properties.PASSWORD",),
    "aws_kinesis_firehose_delivery_stream": ("splunk_configuration.hec_token",),
}
"""What the provider does not mark, or only as a part of something else."""


@cache
def arguments() -> Mapping[str, tuple[str, ...]]:
    """
    Return the dotted paths of each type.

    sensitive.txt is made from ``terraform providers schema -json`` of hashicorp/aws 5.100.0:
    what is marked as sensitive, and named like a secret; without databases and secrets
    themselves, which have policies of their own.
    """
    found: dict[str, tuple[str, ...]] = dict(UNMARKED)
    for line in files(__package__).joinpath("sensitive.txt").read_text().splitlines():
        type, path = line.split()
        found[type] = (*found.get(type, ()), path)
    return found
