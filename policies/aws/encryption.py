"""A resource and where it names its key in, what is wrong with that key out."""

from __future__ import annotations

from collections.abc import Iterator

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Violation
from policies.engine.values import UnknownValue, type_of

OWN_KEYS = frozenset({"aws_kms_key", "aws_kms_external_key", "aws_kms_replica_key"})
ALIASES = frozenset({"aws_kms_alias", "data.aws_kms_alias"})
AWS_ALIAS = "alias/aws/"


def not_ours(resource: Resource, path: str, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Yield what is wrong where the key at *path* is not a customer-managed one.

    Raises:
        UnknownValue: The key is one that this document does not show.
    """
    if not resource.is_set(path):
        yield Violation(f"{path} is not set", resource, path)
    elif resource.is_known(path):
        yield from _of_aws(resource, path, resource.get(path))
    else:
        for name in resource.reference(path):
            if type_of(name) in ALIASES:
                for alias in graph.follow(resource, path):
                    yield from _of_aws(resource, path, alias.get("name"))
            elif type_of(name) not in OWN_KEYS:
                raise UnknownValue(f"{path} is that of {name}, which is no key of ours")


def _of_aws(resource: Resource, path: str, key: object) -> Iterator[Violation]:
    if AWS_ALIAS in str(key):
        yield Violation(f"{path} is {key}, a key of AWS", resource, path)
