"""Resources and the references between them, as policies ask for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from policies.engine.booleans import converted
from policies.engine.values import (
    STACK,
    Items,
    Object,
    Syntax,
    Unknown,
    UnknownValue,
    drained,
    interpret,
    known,
    type_of,
    without_keys,
)

if TYPE_CHECKING:
    from policies.engine.house import House

Answer = TypeVar("Answer")
Journal = dict[tuple[str, str], Any]
"""What was read: values by the address of a resource and a path in it."""

NAMED_BY = {
    "aws_backup_vault": "name",
    "aws_cloudwatch_event_rule": "name",
    "aws_cloudwatch_log_group": "name",
    "aws_config_configuration_recorder": "name",
    "aws_db_instance": "identifier",
    "aws_dynamodb_table": "name",
    "aws_ecr_repository": "name",
    "aws_iam_group": "name",
    "aws_iam_role": "name",
    "aws_iam_user": "name",
    "aws_kinesis_firehose_delivery_stream": "name",
    "aws_lambda_function": "function_name",
    "aws_lb": "arn_suffix",
    "aws_lb_target_group": "arn_suffix",
    "aws_rds_cluster": "cluster_identifier",
    "aws_redshift_cluster": "cluster_identifier",
    "aws_s3_bucket": "bucket",
    "aws_secretsmanager_secret": "name",
}
"""The attribute by which others may name a resource of the type, beside its id and ARN."""

STREAMS = ":*"
"""What some put behind the ARN of a log group, to name what is in it."""

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")


class Stage(StrEnum):
    """Where in its life a document sees the infrastructure."""

    DESIGN = "design"
    PLANNED = "planned"
    DEPLOYED = "deployed"


@dataclass(frozen=True, order=True)
class Source:
    """The line of Python that made a resource."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Resource:
    """One resource of one document, or a block inside it."""

    address: str
    """Terraform's address, such as ``module.a.aws_vpc.b[0]``."""

    type: str
    """Terraform's type; that of a data source begins with ``data.``."""

    values: Mapping[str, Any] = field(repr=False)
    """As the document has them. Read them through `get`, `number` and `blocks`."""

    syntax: Syntax = field(default=STACK, repr=False)
    source: Source | None = None
    within: str = ""
    """The path of the block inside its resource; empty for the resource itself."""

    expressions: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """In a plan: the configuration's expressions, for the references behind its values."""

    @cached_property
    def identities(self) -> frozenset[str]:
        """What names it: its address, and what AWS knows it by, where the document says it."""
        known_as = (self.values.get(key) for key in ("id", "arn"))
        literals = {text for text in known_as if isinstance(text, str) and "${" not in text}
        return frozenset({self.address, self.base} | literals) - {""}

    @cached_property
    def names(self) -> frozenset[str]:
        """What others of its kind name it by: its identities, and its own name."""
        path = NAMED_BY.get(self.type)
        name = Resource.peek(self, path) if path else None  # told of nobody
        if isinstance(name, Unknown):
            name = name.own
        return self.identities | {name} if isinstance(name, str) else self.identities

    @property
    def may_be_missing(self) -> bool:
        """Whether it depends on an expression how many of it there are."""
        return any(
            isinstance(self.values.get(key), str) and not str(self.values[key]).isdigit()
            for key in ("count", "for_each")
        )

    @property
    def base(self) -> str:
        """The address without instance keys, as expressions name it."""
        return without_keys(self.address)

    def get(self, path: str, default: Any = None) -> Any:
        """
        Return the value at the dotted *path*, or *default* where it is unset.

        A block that stands once may be an object or a list of one. JSON inside a
        string is decoded; "true" and "false" are what Terraform takes them for, and an
        empty string is unset, as it is to the AWS provider.

        Raises:
            UnknownValue: There is a value, and this document does not say which.
        """
        value = known(self.peek(path), self._at(path))
        if value is None:
            return default
        return converted(value, path) if isinstance(value, str) else value

    def number(self, path: str, default: float | None = None) -> float | None:
        """
        Return the number at *path*, also where it is written as a string.

        Raises:
            UnknownValue: It is not known, or no number.
        """
        value = self.get(path, default)
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = float(value)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise UnknownValue(f"{self._at(path)} is no number: {value!r}")
        return value

    def blocks(self, path: str) -> Iterator[Resource]:
        """
        Yield each block at *path*, known ones first.

        Raises:
            UnknownValue: Some blocks are not known.
        """
        value = known(self.peek(path), self._at(path))
        if isinstance(value, Object):
            yield self._block(path, value)
            return
        if value is not None and not isinstance(value, Items):
            raise UnknownValue(f"{self._at(path)} is no block: {value!r}")
        unknown = None
        for index, item in enumerate(_flat(value)):
            if isinstance(item, Unknown):
                unknown = item
            elif isinstance(item, Object):
                yield self._block(f"{path}.{index}", item)
            elif item is not None:
                raise UnknownValue(f"{self._at(path)} is no block: {item!r}")
        known(unknown, self._at(path))

    def is_set(self, path: str) -> bool:
        """
        Whether there is a value at *path*, be it only the attribute of another resource.

        Raises:
            UnknownValue: That depends on something that this document does not say.
        """
        value = self.peek(path)
        if isinstance(value, Unknown) and value.is_something:
            return True
        found = known(value, self._at(path))
        return found is not None and not (isinstance(found, Items) and not found)

    def is_written(self, path: str) -> bool:
        """
        Whether the text at *path* stands in this document, as a secret must not.

        Raises:
            UnknownValue: It is made by an expression, of which it may be a part.
        """
        value = self.peek(path)
        return not (isinstance(value, Unknown) and value.is_elsewhere) and self.is_set(path)

    def is_known(self, path: str) -> bool:
        """Whether this document says what stands at *path*, be it that nothing does."""
        return not isinstance(self.peek(path), Unknown)

    def reference(self, path: str) -> Iterator[str]:
        """
        Yield what the value, or each element of the list, at *path* names.

        That is the address of a resource where the value is one of its attributes,
        also where it is not known yet, and otherwise the literal.

        Raises:
            UnknownValue: After the others, where one of them cannot be told.
        """
        planned = self._planned_references(path)
        value = self.peek(path)
        if planned and value is not None and (len(set(planned)) == 1 or isinstance(value, Items)):
            yield from planned
            yield from _literals(value)
            return
        unknown = None
        for item in _flat(value) if isinstance(value, Items) else [value]:
            if isinstance(item, Unknown):
                targets = item.targets or ()
                if not targets or (len(targets) > 1 and item is value):
                    unknown = item
                else:
                    yield from targets
            elif item is not None:
                yield str(item).removesuffix(STREAMS)
        known(unknown, self._at(path))

    def references(self, path: str) -> Iterator[str]:
        """
        Yield what `reference` does, in each block where there are several on the way.

        Raises:
            UnknownValue: After the others, where one of them cannot be told.
        """
        first, _, rest = path.partition(".")
        if not rest or not isinstance(self.peek(first), Items):
            yield from self.reference(path)
            return
        for block in self.blocks(first):
            yield from block.references(rest)

    def _planned_references(self, path: str) -> tuple[str, ...] | None:
        """Return what the plan's configuration says that the value at *path* is made of."""
        if not self.expressions:
            return None
        expression = self._expression(path)
        references = expression.get("references") if isinstance(expression, dict) else None
        return Unknown(references=tuple(references)).targets if references else None

    def _expression(self, path: str) -> Any:
        expression: Any = self.expressions
        for key in path.split("."):
            expression = _step_raw(expression, key)
        return expression

    def peek(self, path: str) -> Any:
        """Return the value at the dotted *path*, which may be an Unknown."""
        steps = path.split(".")
        raw: Any = self.values
        for number, key in enumerate(steps):
            if type(raw) is not dict or "dynamic" in raw:
                return _walked(interpret(raw, self.syntax), steps[number:])
            raw = raw.get(key)
        value = interpret(raw, self.syntax)
        return None if value == "" else value

    def _at(self, path: str) -> str:
        return f"{self.within}.{path}" if self.within else path

    def _block(self, path: str, value: Object) -> Resource:
        expression = self._expression(path)
        return replace(
            self,
            values=value.raw,
            syntax=value.syntax,
            within=self._at(path),
            expressions=expression if isinstance(expression, dict) else {},
        )


def _literals(value: Any) -> Iterator[str]:
    """Yield the texts in a list of which a plan says what the rest is made of."""
    for item in _flat(value) if isinstance(value, Items) else ():
        if isinstance(item, str):
            yield item.removesuffix(STREAMS)


def _flat(value: Items | None) -> Iterator[Any]:
    """Yield the elements of a list of blocks, also where Terraform allows lists in it."""
    for item in value.peek() if value is not None else ():
        if isinstance(item, Items):
            yield from _flat(item)
        else:
            yield item


def _keys(dynamic: Any) -> set[str]:
    if isinstance(dynamic, dict):
        return set(dynamic)
    return {key for item in dynamic for key in _keys(item)} if isinstance(dynamic, list) else set()


def _walked(value: Any, steps: Iterable[str]) -> Any:
    """Return what stands behind *steps* from *value*, nothing where that is an empty text."""
    for key in steps:
        value = _step(value, key)
        if value is None or isinstance(value, Unknown):
            return value
    return None if value == "" else value


def _step(value: Any, key: str) -> Any:
    if isinstance(value, Object):
        if "dynamic" in value and key in _keys(value.raw["dynamic"]):
            return Unknown(f"dynamic {key}")
        return value.peek(key) if key in value else None
    if isinstance(value, Items):
        if key.isdigit():
            return next((item for i, item in enumerate(_flat(value)) if i == int(key)), None)
        items = [item for item in _flat(value) if item is not None]
        if len(items) > 1:
            return Unknown(f"given {len(items)} times")
        return _step(items[0], key) if items else None
    return value if isinstance(value, Unknown) else None


def _step_raw(raw: Any, key: str) -> Any:
    if isinstance(raw, dict):
        return raw.get(key)
    if isinstance(raw, list):
        if key.isdigit():
            return raw[int(key)] if int(key) < len(raw) else None
        return _step_raw(raw[0], key) if len(raw) == 1 else None
    return raw if isinstance(raw, Unknown) else None


@dataclass(frozen=True)
class ResourceGraph:
    """Every resource of one document, and the references between them."""

    resources: tuple[Resource, ...]
    stack: str = ""
    stage: Stage = Stage.DESIGN
    absent: tuple[Resource, ...] = field(default=(), repr=False)
    """Resources that the document names and that will not be there."""

    house: House | None = field(default=None, repr=False)
    """The organisation's own rules, where they were given."""

    document: str = ""
    """The path of the document."""

    today: date | None = field(default=None, repr=False)
    """The day, in UTC, on which it is judged."""

    journal: Journal | None = field(default=None, repr=False, compare=False)
    """What the judgement at hand has read, where that is written down."""

    def begin(self) -> None:
        """Begin the next judgement: nothing has been read for it."""
        if self.journal is not None:
            self.journal.clear()

    def address(self, resource: Resource) -> str:
        """Return the address of *resource* with the stack's name in front."""
        return f"{self.stack}/{resource.address}" if self.stack else resource.address

    @cached_property
    def _by_type(self) -> dict[str, tuple[Resource, ...]]:
        index: dict[str, list[Resource]] = {}
        for resource in self.resources:
            index.setdefault(resource.type, []).append(resource)
        return {type: tuple(found) for type, found in index.items()}

    @cached_property
    def _by_identity(self) -> dict[str, tuple[Resource, ...]]:
        index: dict[str, list[Resource]] = {}
        for resource in self.resources:
            for identity in resource.identities:
                index.setdefault(identity, []).append(resource)
        return {identity: tuple(found) for identity, found in index.items()}

    @cached_property
    def _asked(self) -> dict[Hashable, tuple[Any, Journal]]:
        return {}

    def once(self, question: Hashable, answer: Callable[[], Answer]) -> Answer:
        """
        Return what *answer* gives, asked once for the whole graph and each *question*.

        What it reads is told of each judgement that asks.
        """
        found: Answer
        found, read = self._recalled(question, answer)
        if self.journal is not None:
            self.journal.update(read)
        return found

    def index(self, question: Hashable, answer: Callable[[], Answer]) -> Answer:
        """Return what *answer* makes of the whole graph, once; what it reads is not told."""
        found: Answer = self._recalled(question, answer)[0]
        return found

    def _recalled(self, question: Hashable, answer: Callable[[], Any]) -> tuple[Any, Journal]:
        if question not in self._asked:
            journal: Journal = {} if self.journal is None else self.journal
            before = dict(journal)
            journal.clear()
            try:
                found = answer()
                self._asked[question] = found, dict(journal)
            finally:
                journal.clear()
                journal.update(before)
        return self._asked[question]

    def each(self, question: Hashable, answers: Callable[[], Iterator[Answer]]) -> Iterator[Answer]:
        """
        Yield what *answers* yields, asked once for the whole graph and each *question*.

        Raises:
            UnknownValue: After the others, as *answers* did.
        """
        found, unknown = self.once(question, lambda: drained(answers()))
        yield from found
        if unknown:
            raise UnknownValue(unknown)

    def of_type(self, *types: str) -> tuple[Resource, ...]:
        """Return the resources of these Terraform types."""
        return tuple(found for type in types for found in self._by_type.get(type, ()))

    def named(self, name: str) -> tuple[Resource, ...]:
        """
        Return the resources in here that *name*, an address or what AWS knows them by, is of.

        Of a resource whose instances are not told apart, an instance's address names it.
        """
        return self._by_identity.get(name) or self._by_identity.get(without_keys(name), ())

    def called(self, name: str, type: str) -> tuple[Resource, ...]:
        """Return the resources of *type* that *name* is one of the names of."""
        return self.index(("called", type), lambda: self._by_name(type)).get(name, ())

    def _by_name(self, type: str) -> dict[str, tuple[Resource, ...]]:
        index: dict[str, list[Resource]] = {}
        for resource in self.of_type(type):
            for name in resource.names:
                index.setdefault(name, []).append(resource)
        return {name: tuple(found) for name, found in index.items()}

    def follow(self, resource: Resource, path: str) -> Iterator[Resource]:
        """
        Yield the resources that *resource* names at *path*.

        Raises:
            UnknownValue: After the others, where it names something that this
                document does not show.
        """
        missing = None
        for name in resource.reference(path):
            found = self.named(name)
            if not found:
                missing = name
            yield from found
        if missing:
            raise UnknownValue(f"{path} names {missing}, which is not in this document")

    def attached_to(self, subject: Resource, type: str, *, by: str) -> Iterator[Resource]:
        """
        Yield the resources of *type* that name *subject* in their attribute *by*.

        Raises:
            UnknownValue: After the others, where it cannot be told what one names, or
                whether it will be there at all.
        """
        neighbours = self.index(
            ("neighbours", type, by), lambda: _Neighbours.of(self.of_type(type), by)
        )
        found = {r.address: r for name in subject.names for r in neighbours.named.get(name, ())}
        for neighbour in found.values():
            if self.journal is not None:
                neighbour.is_known(by)  # so that it is told
            yield neighbour
        undecided = (why for place, why in neighbours.undecided.items() if place not in found)
        reason = next(undecided, "") or neighbours.may_mean(subject)
        if reason:
            raise UnknownValue(reason)

    def having(self, changed: Resource) -> ResourceGraph:
        """Return the graph with *changed* in place of the resource of its address."""
        return replace(
            self,
            resources=tuple(
                changed if resource.address == changed.address else resource
                for resource in self.resources
            ),
        )

    def without(self, *gone: Resource) -> ResourceGraph:
        """Return the graph without the resources *gone*."""
        addresses = {resource.address for resource in gone}
        return replace(
            self,
            resources=tuple(r for r in self.resources if r.address not in addresses),
        )


@dataclass(frozen=True)
class _Neighbours:
    """The resources of one type, by what they name in one attribute."""

    named: Mapping[str, list[Resource]]
    types: Mapping[str, str]
    """The types of what they name, and one such name of each."""

    undecided: Mapping[str, str]
    """The addresses of those that cannot be told, and why."""

    def may_mean(self, subject: Resource) -> str:
        """Return which name leads to *subject* by way of something else, or nothing."""
        for type, name in self.types.items():
            if type == f"data.{subject.type}" or type.startswith(f"{subject.type}_"):
                return f"{name} may be {subject.address}"
        return ""

    @classmethod
    def of(cls, resources: tuple[Resource, ...], by: str) -> _Neighbours:
        """Return them, each read once."""
        named: dict[str, list[Resource]] = {}
        undecided: dict[str, str] = {}
        for resource in resources:
            if resource.may_be_missing:
                undecided[resource.address] = (
                    f"{resource.address} may not be there: its count is an expression"
                )
                continue
            try:
                for name in resource.references(by):
                    named.setdefault(name, []).append(resource)
            except UnknownValue as reason:
                undecided[resource.address] = f"{resource.address}: {reason}"
                value = resource.peek(by)
                if isinstance(value, Unknown) and value.own:
                    named.setdefault(value.own, []).append(resource)
        types = {type: name for name in named if (type := type_of(name))}
        return cls(named, types, undecided)
