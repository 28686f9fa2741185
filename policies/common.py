"""What several subjects claim in the same words: encrypted, private, patched, recorded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.aws import encryption
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Check, Mutation, Policy, Violation, part_of, supports
from policies.engine.mutate import remove, replace
from policies.engine.settings import example, names, states
from policies.engine.values import in_each


def encrypted(what: str, type: str, path: str) -> Policy:
    """Return the policy that *what* are encrypted at rest, which a flag at *path* says."""
    return states(
        type,
        path,
        True,
        title=f"{what} are encrypted at rest.",
        why="A copied disk, or a snapshot that was given away, tells nothing.",
        claims=(supports("3.5.1"),),
    )


def under_our_key(what: str, types: str | tuple[str, ...], path: str) -> Policy:
    """Return the policy that *what* are encrypted with a key of ours, named at *path*."""

    def uses_a_key_of_ours(resource: Resource, graph: ResourceGraph) -> Iterator[Violation]:
        yield from encryption.not_ours(resource, path, graph)

    return _under_our_key(what, types, uses_a_key_of_ours, path)


def _under_our_key(
    what: str, types: str | tuple[str, ...], check: Check, key: str, *wrong: Mutation
) -> Policy:
    """Return the policy that *check* makes of *what*, of which the example names its *key*."""
    return Policy(
        checks=check,
        applies_to=types,
        title=f"{what} are encrypted with a key of ours.",
        why="Whoever reads them needs our permission for the key as well.",
        claims=(supports("3.5.1"),),
        example=example(types, key, "${aws_kms_key.cde.arn}"),
        violated_by=(remove(key), *wrong),
    )


def blocks_encrypted(what: str, types: str | tuple[str, ...], *paths: str) -> Policy:
    """Return the policy that *what*, each of the blocks at *paths*, is encrypted: it says so."""

    def encrypts_each(resource: Resource, graph: ResourceGraph) -> Iterator[Violation]:
        yield from in_each(_at(resource, paths), _says_so)

    flags = [f"{path}.encrypted" for path in paths]
    return Policy(
        checks=encrypts_each,
        applies_to=types,
        title=f"{what} are encrypted at rest.",
        why="A copied disk, or a snapshot that was given away, tells nothing.",
        claims=(supports("3.5.1"),),
        example=example(types, flags[0], True),
        violated_by=(remove(flags[0]), *(replace(flag, False) for flag in flags)),
    )


def _says_so(block: Resource) -> Iterator[Violation]:
    if block.get("encrypted", False) is not True:
        yield Violation("encrypted is not true", block, "encrypted")


def blocks_under_our_key(what: str, types: str | tuple[str, ...], path: str, *paths: str) -> Policy:
    """Return the policy that *what*, each block at *paths*, names a key of ours at *path*."""

    def uses_a_key_of_ours(resource: Resource, graph: ResourceGraph) -> Iterator[Violation]:
        yield from in_each(
            _at(resource, paths), lambda block: encryption.not_ours(block, path, graph)
        )

    keys = [f"{each}.{path}" for each in paths]
    wrong = [replace(key, "alias/aws/s3") for key in keys]
    return _under_our_key(what, types, uses_a_key_of_ours, keys[0], *wrong)


def _at(resource: Resource, paths: tuple[str, ...]) -> Iterator[Resource]:
    return in_each(paths, lambda path: inside(resource, path))


def over_tls(
    what: str, types: str | tuple[str, ...], path: str, *allowed: Any, refused: tuple[Any, ...] = ()
) -> Policy:
    """Return the policy that *what* are reached over TLS only: *path* says one of *allowed*."""
    return states(
        types,
        path,
        *allowed,
        refused=refused,
        title=f"{what} are reached over TLS only.",
        why="Whoever listens in between learns nothing.",
        claims=(part_of("4.2.1"),),
    )


def private(what: str, type: str, path: str, *, otherwise: bool) -> Policy:
    """Return the policy that *what* have no public address, which a flag at *path* would give."""
    return states(
        type,
        path,
        False,
        otherwise=otherwise,
        title=f"{what} have no public address.",
        why="What stores account data is not reached from the Internet.",
        claims=(part_of("1.4.4"),),
    )


def patched(what: str, type: str, path: str, *, otherwise: bool | None = None) -> Policy:
    """Return the policy that *what* take security fixes by themselves."""
    return states(
        type,
        path,
        True,
        otherwise=otherwise,
        title=f"{what} take security fixes by themselves.",
        why="A fix that waits for somebody waits too long.",
        claims=(part_of("6.3.3"),),
    )


def exported(title: str, type: str, path: str, *logs: str) -> Policy:
    """Return the policy that *title* holds: *path* lists each of *logs*."""

    def exports_its_logs(resource: Resource, graph: ResourceGraph) -> Iterator[Violation]:
        listed = list(resource.get(path) or ())
        for log in logs:
            if log not in listed:
                yield Violation(f"{path} lacks {log}", resource, path)

    return Policy(
        checks=exports_its_logs,
        applies_to=type,
        title=title,
        why=NOT_RECORDED,
        claims=(part_of("10.2.1"),),
        example=example(type, path, [*logs]),
        violated_by=(
            remove(path),
            *(replace(path, [other for other in logs if other != log]) for log in logs),
        ),
    )


NOT_RECORDED = "What nobody recorded cannot be looked up."


def recorded(
    title: str, type: str, path: str, *allowed: Any, refused: tuple[Any, ...] = ()
) -> Policy:
    """Return the policy that *title* holds: *path* says one of *allowed*, or, without, anything."""
    why, claims = NOT_RECORDED, (part_of("10.2.1"),)
    if not allowed:
        return names(type, path, title=title, why=why, claims=claims)
    return states(type, path, *allowed, refused=refused, title=title, why=why, claims=claims)


def inside(resource: Resource, path: str) -> Iterator[Resource]:
    """
    Yield each block at the end of *path*, through all blocks on the way, known ones first.

    Raises:
        UnknownValue: Some blocks are not known.
    """
    step, _, rest = path.partition(".")
    blocks = resource.blocks(step)
    yield from in_each(blocks, lambda block: inside(block, rest)) if rest else blocks
