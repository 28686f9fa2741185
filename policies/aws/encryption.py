"""A resource and where it names its key in, what is wrong with that key out."""

from __future__ import annotations

from collections.abc import Iterator

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Violation

OWN_KEYS = frozenset({"aws_kms_key", "aws_kms_external_key", "aws_kms_replica_key"})
ALIASES = frozenset({"aws_kms_alias", "data.aws_kms_alias"})
AWS_ALIAS = "alias/aws/"


def not_ours(resource: Resource, path: str, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Yield what is wrong where the key at *path* is not a customer-managed one.

    Raises:
        UnknownValue: The key is one that this document does not show.
    """
    references = resource.reference(path)
    if references:
        for address in references:
            type = address.rpartition(".")[0]
            if type in ALIASES:
                for alias in graph.at(frozenset({address})):
                    yield from _of_aws(resource, path, alias.get("name"))
            elif type not in OWN_KEYS:
                resource.get(path)
        return
    key = resource.get(path)
    if key is None:
        yield Violation(f"{path} is not set", resource, path)
    else:
        yield from _of_aws(resource, path, key)


def _of_aws(resource: Resource, path: str, key: object) -> Iterator[Violation]:
    if AWS_ALIAS in str(key):
        yield Violation(f"{path} is {key}, a key of AWS", resource, path)
