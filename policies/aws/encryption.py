"""A resource and where it names its key in, what is wrong with that key out."""

from __future__ import annotations

from collections.abc import Iterator

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Violation
from policies.engine.values import Unknown, UnknownValue, type_of

OWN_KEYS = frozenset({
    "aws_kms_external_key", "aws_kms_key", "aws_kms_replica_external_key", "aws_kms_replica_key",
})  # fmt: skip
ALIAS = "aws_kms_alias"

LOOKED_UP = {"data.aws_kms_alias": "name", "data.aws_kms_key": "key_id"}
"""Keys that are looked up, and by what."""

AWS_ALIAS = "alias/aws/"


def not_ours(resource: Resource, path: str, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Yield what is wrong where the key at *path* is not a customer-managed one.

    Raises:
        UnknownValue: The key is one that this document does not show.
    """
    if not resource.is_set(path):
        yield Violation(f"{path} is not set", resource, path)
        return
    written = resource.peek(path)
    if isinstance(written, Unknown) and written.is_partly_written:
        yield from _of_a_text(resource, path, written)
    elif resource.is_known(path):
        yield from _of_aws(resource, path, resource.get(path))
    else:
        for name in resource.reference(path):
            kind = type_of(name)
            if kind == ALIAS:  # one that stands elsewhere is ours: AWS makes its own alone
                for alias in graph.named(name):
                    yield from _of_aws(resource, path, alias.get("name"))
            elif kind in LOOKED_UP:
                for found in graph.follow(resource, path):
                    yield from _of_aws(resource, path, found.get(LOOKED_UP[kind]))
            elif kind not in OWN_KEYS:
                raise UnknownValue(f"{path} is that of {name}, which is not seen to be ours")


def _of_a_text(resource: Resource, path: str, written: Unknown) -> Iterator[Violation]:
    """Judge a key by the part of its ARN that is written: of which kind it is."""
    yield from _of_aws(resource, path, written.expression)
    end = written.expression.rpartition(":")[2]
    if written.quoted or not end.startswith(("key/", "alias/")):
        raise UnknownValue(f"{path} is not known: {written.expression}")
    if end.startswith("alias/") and "${" in end:
        raise UnknownValue(f"{path} is not known: {written.expression}")


def _of_aws(resource: Resource, path: str, key: object) -> Iterator[Violation]:
    if AWS_ALIAS in str(key):
        yield Violation(f"{path} is {key}, a key of AWS", resource, path)
