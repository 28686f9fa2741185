"""IAM policy documents in any of Terraform's forms in, statements out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from policies.aws import cidr
from policies.engine.data_sources import policy_document
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.hcl import Undecided
from policies.engine.values import (
    Items,
    Object,
    Unknown,
    UnknownValue,
    drained,
    identity,
    in_each,
)

DOCUMENTS = {
    "aws_iam_policy": "policy",
    "aws_iam_role_policy": "policy",
    "aws_iam_user_policy": "policy",
    "aws_iam_group_policy": "policy",
    "aws_ssoadmin_permission_set_inline_policy": "inline_policy",
}
"""The types that grant to an identity, and the attribute with the document."""

DOCUMENT = "data.aws_iam_policy_document"
INLINE_POLICY = "inline_policy"
"""The block of aws_iam_role that holds a document, too."""

POSITIVE = frozenset({
    "stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike",
})  # fmt: skip
CALLER_KEYS = (
    "aws:multifactorauthpresent", "aws:principalarn", "aws:principalorgid", "aws:principaltag",
    "aws:sourceidentity", "aws:userid", "sts:externalid", "sts:rolesessionname",
)  # fmt: skip
"""How the keys of conditions begin that tell one caller of an account from the others."""

ACCOUNT = re.compile(r"\d{12}|arn:.+:iam::.*:root|\$\{[^}]*\.account_id\s*\}")
"""How a policy names everybody in an account."""

ACCOUNT_KEYS = frozenset({
    "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:sourceaccount",
    "aws:sourcearn", "aws:sourceorgid", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce",
    "kms:calleraccount",
})  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """One statement of a policy document."""

    body: Mapping[str, Any]
    number: int

    @property
    def name(self) -> str:
        """Its Sid, or its place."""
        sid = next(_items(self.body, "Sid"), None)
        return f"statement {sid}" if isinstance(sid, str) and sid else f"statement {self.number}"

    @cached_property
    def allows(self) -> bool:
        """Whether its effect is Allow; what is no Deny counts as one."""
        return str(self.body.get("Effect", "")).lower() != "deny"

    def has(self, element: str) -> bool:
        """Whether it has *element*, such as NotAction."""
        return self.body.get(element) is not None

    def actions(self) -> Iterator[str]:
        """Yield its actions in lower case, known ones first."""
        found, unknown = self._actions
        yield from found
        if unknown:
            raise UnknownValue(unknown)

    @cached_property
    def _actions(self) -> tuple[tuple[str, ...], str]:
        return drained(self._read_actions())

    def _read_actions(self) -> Iterator[str]:
        for action in _texts(self.body, "Action"):
            if not action.isascii():
                raise UnknownValue(f"{self.name} names {action!r}, which is no action")
            yield action.lower()

    def resources(self) -> Iterator[str]:
        """
        Yield the resources that it names.

        The ARN of one resource that is known only after apply yields nothing: it
        names that one and no other.
        """
        return _texts(self.body, "Resource", specific=("arn", "id"))

    def named_resources(self) -> Iterator[str]:
        """
        Yield every resource that it names, expressions as they are written.

        One that is not known, and is no attribute of a resource, covers anything.
        """
        found, unknown = self._named_resources
        yield from found
        if unknown:
            raise UnknownValue(unknown)

    @cached_property
    def _named_resources(self) -> tuple[tuple[str, ...], str]:
        return drained(self._read_resources())

    def _read_resources(self) -> Iterator[str]:
        if self.has("NotResource"):
            yield "*"
        yield from _written(self.body, "Resource")

    def targets(self) -> Iterator[str]:
        """Yield what names each resource that it names: an address, or the literal."""
        for text in self.named_resources():
            yield identity(text[2:-1]) if text.startswith("${") else text

    def names_everything(self) -> bool:
        """Whether it is about every resource there is."""
        return any(
            set(text) <= {"*", "?", ":"} or text == "arn:*" for text in self.named_resources()
        )

    def named_principals(self) -> Iterator[str]:
        """Yield who it is about, whatever kind they are of, expressions as they are written."""
        principal = self.body.get("Principal")
        if isinstance(principal, Mapping):
            for kind in principal:
                yield from _written(principal, kind, partly=True)
        else:
            yield from _written(self.body, "Principal")

    def principals(self) -> Iterator[tuple[str, str]]:
        """Yield its principals, each with its kind: AWS, Service, Federated."""
        principal = self.body.get("Principal")
        if isinstance(principal, str):
            yield "AWS", principal
        elif principal is not None and not isinstance(principal, Mapping):
            raise UnknownValue(f"{self.name} has a Principal that is none")
        elif isinstance(principal, Mapping):
            for kind in principal:
                for text in (
                    _written(principal, kind, partly=True)
                    if kind == "Federated"
                    else _texts(principal, kind, specific=("arn", "iam_arn"), partly=True)
                ):
                    yield kind, text

    def is_bound_to_an_account(self) -> bool:
        """
        Whether a condition names the account, organisation or resource that it holds for.

        One that holds where the key is absent (IfExists) binds nobody who leaves it out.
        """
        for operator, tests in (self.body.get("Condition") or {}).items():
            if operator.lower().removeprefix("foranyvalue:") in POSITIVE:
                for key in tests:
                    if key.lower() in ACCOUNT_KEYS and _all_bind(key.lower(), tests, key):
                        return True
        return False

    def is_bound_to_addresses(self) -> bool:
        """Whether a condition names addresses, of which there are too few to be the Internet."""
        return any(
            values and not cidr.names_internet(*values)
            for operator, _, values in self.conditions(lambda key: key == "aws:sourceip")
            if operator == "ipaddress"
        )

    def is_bound_to_a_caller(self) -> bool:
        """Whether a condition says who of an account it means, or which secret he knows."""
        return any(
            _says_who(operator, values)
            for operator, _, values in self.conditions(lambda key: key.startswith(CALLER_KEYS))
        )

    def is_bound_by_a_condition(self) -> bool:
        """
        Whether a condition says which resources it is about.

        Conditions of the request, such as its region, say nothing of that.
        """
        return any(
            _says_who(operator, values) for operator, _, values in self.conditions(_is_of_resources)
        )

    def covers_objects(self) -> bool:
        """Whether it is about every object of the bucket that its policy belongs to."""
        unknown = False
        for item in _items(self.body, "Resource"):
            text = item.expression if isinstance(item, Unknown) else str(item)
            if text == "*" or text.partition("/")[2] == "*":
                return True
            unknown = unknown or (isinstance(item, Unknown) and not _is_bare(item))
        if unknown:
            raise UnknownValue("Resource is not known")
        return False

    def holds_only_without_tls(self) -> bool:
        """Whether its one condition is that a request comes without TLS."""
        return [
            (operator.removesuffix("ifexists"), key, tuple(map(str.lower, values)))
            for operator, key, values in self.conditions()
        ] == [("bool", "aws:securetransport", ("false",))]

    def conditions(
        self, is_asked: Callable[[str], bool] = lambda _: True
    ) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Yield the conditions on keys that are asked for: operator, key in lower case, values."""
        for operator, tests in (self.body.get("Condition") or {}).items():
            for key in tests:
                if is_asked(key.lower()):
                    yield operator.lower(), key.lower(), tuple(_texts(tests, key))


def _is_of_resources(key: str) -> bool:
    return not key.startswith("aws:") or key.startswith(("aws:resource", "aws:calledvia"))


def _is_bare(item: Unknown) -> bool:
    """Whether *item* is an attribute of a resource, with nothing behind it."""
    return item.references is None and item.targets is not None


def _says_who(operator: str, values: tuple[str, ...]) -> bool:
    """Whether a condition holds for some, and not for all but some, nor for anybody."""
    is_positive = operator.removeprefix("foranyvalue:") in POSITIVE | {"bool", "null"}
    return is_positive and bool(values) and not {"*", "false"} & set(map(str.lower, values))


def tells_whose(key: str) -> bool:
    """Whether a condition on *key* of a federated identity may say whose it is."""
    return key.endswith((":sub", ":amr", ":job_workflow_ref", ":repository", "saml:aud"))


def is_of_somebody(operator: str, values: tuple[str, ...]) -> bool:
    """Whether a condition on what tells whose a federated identity is says whose it is."""
    return (
        _says_who(operator, values)
        and "unauthenticated" not in values
        and not any(_ANYBODYS.match(value) for value in values)
    )


_ANYBODYS = re.compile(r"(?i)(?:repo:|project_path:|organization:)?[^/:]*[*?]")
"""A subject, or a repository, of which not even the owner is said."""


def _all_bind(kind: str, tests: Mapping[str, Any], key: str) -> bool:
    """Whether each value of a condition on *kind* names one account, organisation or resource."""
    items = list(_items(tests, key))
    return bool(items) and all(_binds(kind, item) for item in items)


def _binds(kind: str, value: Any) -> bool:
    if isinstance(value, Unknown):
        if value.attribute in {"account_id", "arn", "id", "owner_id"} or _is_of_this_account(value):
            return True
        raise UnknownValue(f"{kind} is not known: {value.expression}")
    text = str(value)
    if kind.startswith("aws:sourcevpc"):
        return text.startswith(("vpc-", "vpce-")) and "*" not in text
    if kind.endswith("orgid"):
        return bool(re.fullmatch(r"o-[a-z0-9]{10,32}", text))
    if not text.startswith("arn:"):
        return bool(re.fullmatch(r"\d{12}", text))
    _, _, service, _, account, resource = [*text.split(":", 5), "", "", "", "", ""][:6]
    of_a_bucket = service == "s3" and not set(resource) & {"*", "?"}
    return bool(re.fullmatch(r"\d{12}", account)) or (not account and of_a_bucket)


def statements(holder: Resource, attribute: str) -> Iterator[Statement]:
    """
    Yield the statements of the document that *holder* carries at *attribute*.

    Raises:
        UnknownValue: It is not known, or no policy document.
    """
    document = holder.get(attribute)
    if document is None:
        return
    if not isinstance(document, Mapping) or "Statement" not in document:
        raise UnknownValue(f"{attribute} is no policy document")
    found = document.get("Statement", ())
    for number, statement in enumerate([found] if isinstance(found, Mapping) else found, start=1):
        if not isinstance(statement, Mapping):
            raise UnknownValue(f"{attribute} is no policy document")
        if "Effect" not in statement or not {"Action", "NotAction"} & set(statement):
            raise UnknownValue(f"{attribute} holds a statement without Effect or Action")
        yield Statement(statement, number)


def open_to_strangers(holder: Resource, attribute: str) -> Iterator[str]:
    """Say of each statement of a resource's policy that lets in whom it does not name, how."""
    return in_each(statements(holder, attribute), _lets_strangers_in)


def _lets_strangers_in(statement: Statement) -> Iterator[str]:
    if not statement.allows or statement.is_bound_to_an_account():
        return
    if statement.is_bound_to_addresses():
        return
    if statement.has("NotPrincipal"):
        yield f"{statement.name} allows everybody but some"
    for kind, principal in statement.principals():
        if principal == "*":
            yield f"{statement.name} allows everybody"
        elif kind == "Service":
            yield f"{statement.name} allows {principal} for any account"


def held(role: Resource, graph: ResourceGraph) -> Iterator[Statement]:
    """
    Yield what *role* is granted by all its policies together, but for those of AWS.

    Raises:
        UnknownValue: After the others, where a policy is not in this document.
    """
    return graph.each(("held", role.address), lambda: _held(role, graph))


def _held(role: Resource, graph: ResourceGraph) -> Iterator[Statement]:
    unknown = ""
    for find in _SOURCES:
        found, reason = drained(find(role, graph))
        yield from found
        unknown = unknown or reason
    if unknown:
        raise UnknownValue(unknown)


def _of_its_own(role: Resource, graph: ResourceGraph) -> Iterator[Statement]:
    for policy in graph.attached_to(role, "aws_iam_role_policy", by="role"):
        yield from granted(policy, graph)


def _by_attachment(role: Resource, graph: ResourceGraph) -> Iterator[Statement]:
    for attachment in graph.attached_to(role, "aws_iam_role_policy_attachment", by="role"):
        yield from _managed(attachment, "policy_arn", graph)


def _by_list(role: Resource, graph: ResourceGraph) -> Iterator[Statement]:
    for attachment in graph.attached_to(role, "aws_iam_policy_attachment", by="roles"):
        yield from _managed(attachment, "policy_arn", graph)


def _by_name(role: Resource, graph: ResourceGraph) -> Iterator[Statement]:
    yield from _managed(role, "managed_policy_arns", graph)


def _managed(holder: Resource, path: str, graph: ResourceGraph) -> Iterator[Statement]:
    missing = ""
    for name in holder.reference(path):
        found = [policy for policy in graph.named(name) if policy.type in DOCUMENTS]
        if not found and ":iam::aws:policy/" not in name:
            missing = name
        for policy in found:
            yield from granted(policy, graph)
    if missing:
        raise UnknownValue(f"{path} names {missing}, which is not in this document")


def granted(holder: Resource, graph: ResourceGraph) -> Iterator[Statement]:
    """Yield what *holder*, of one of the DOCUMENTS or a role, grants an identity."""
    return graph.each(("granted", holder.address), lambda: _granted(holder, graph))


def _granted(holder: Resource, graph: ResourceGraph) -> Iterator[Statement]:
    if holder.type == DOCUMENT:
        yield from _of_nobody(holder, graph)
    if holder.type in DOCUMENTS:
        yield from statements(holder, DOCUMENTS[holder.type])
    for inline in holder.blocks(INLINE_POLICY):
        yield from statements(inline, "policy")


def _of_nobody(document: Resource, graph: ResourceGraph) -> Iterator[Statement]:
    """Yield what a document that nothing here uses grants whoever is given it elsewhere."""
    used = graph.index("documents that are used", lambda: frozenset(_used(graph)))
    if document.base in used:
        return
    written = replace(document, values={"policy": _made(document)})
    for statement in statements(written, "policy"):
        if not statement.has("Principal") and not statement.has("NotPrincipal"):
            yield statement


def _made(document: Resource) -> Any:
    """
    Return what *document* makes: its name in a stack; in a plan, what that read, or will read.

    Raises:
        UnknownValue: It is made of something that is not known here.
    """
    if document.syntax.templates:
        return f"${{{document.base}.json}}"
    if document.is_known("json") and document.is_set("json"):
        return document.get("json")
    try:
        return policy_document(dict(document.values))
    except Undecided as reason:
        raise UnknownValue(f"json is not known: {reason}") from reason


def _used(graph: ResourceGraph) -> Iterator[str]:
    if graph.of_type(DOCUMENT):
        for resource in graph.resources:
            yield from _NAMED.findall(repr((resource.values, resource.expressions)))


_NAMED = re.compile(rf"(?:module\.[\w-]+\.)*{re.escape(DOCUMENT)}\.[\w-]+(?=[.\[])")


def allowed(holder: Resource, graph: ResourceGraph) -> Iterator[Statement]:
    """Yield those of the statements of *holder*, as `granted` does, that allow something."""
    return (statement for statement in granted(holder, graph) if statement.allows)


_SOURCES = (granted, _of_its_own, _by_attachment, _by_list, _by_name)
"""Where a role has its permissions from."""


@lru_cache(maxsize=1 << 16)
def reaches(pattern: str, texts: frozenset[str]) -> bool:
    """Whether *pattern* covers at least one of *texts*."""
    return any(matches(pattern, text) for text in texts)


@lru_cache(maxsize=1 << 16)
def covers_arns(pattern: str, arns: frozenset[str]) -> bool:
    """Whether *pattern* covers every one of *arns*, in whichever account and region it is."""
    return all(matches(_located(pattern, arn), arn) for arn in arns)


def _located(pattern: str, arn: str) -> str:
    """Return *pattern* with the partition, region and account of *arn* in place of its own."""
    parts, there = pattern.split(":", 5), arn.split(":", 5)
    if len(parts) == len(there) and parts[0] == "arn":
        parts[1], parts[3], parts[4] = there[1], there[3], there[4]
    return ":".join(parts)


@lru_cache(maxsize=1 << 16)
def matches(pattern: str, text: str) -> bool:
    """Whether *pattern*, with IAM's wildcards, covers *text*; both in the same case."""
    first, *others = pattern.split("*")
    if not others:
        return _fits(pattern, text)
    *between, last = others
    place = len(first)
    for part in between:
        found = _found(part, text, place)
        if found is None:
            return False
        place = found + len(part)
    end = len(text) - len(last)
    return end >= place and _fits(first, text[: len(first)]) and _fits(last, text[end:])


def _fits(part: str, text: str) -> bool:
    """Whether *part*, which has no star in it, covers *text*."""
    return part == text or ("?" in part and _one_by_one(part).fullmatch(text) is not None)


def _found(part: str, text: str, place: int) -> int | None:
    """Return where *part*, which has no star in it, first covers a piece of *text*."""
    if "?" in part:
        match = _one_by_one(part).search(text, place)
        return match.start() if match else None
    found = text.find(part, place)
    return found if found >= 0 else None


@lru_cache(maxsize=1 << 12)
def _one_by_one(part: str) -> re.Pattern[str]:
    return re.compile("".join("." if c == "?" else re.escape(c) for c in part), re.DOTALL)


_HERE = re.compile(r"\$\{\s*data\.aws_(?:caller_identity|partition|region)\.[\w.-]+\s*\}")
"""What names this account, its partition or its region, and so nobody else's."""


def _is_of_this_account(value: Unknown) -> bool:
    """Whether all that is not known of *value* is the number of this account, or its place."""
    return bool(_HERE.search(value.expression)) and "${" not in _HERE.sub("", value.expression)


def _items(body: Mapping[str, Any], key: str) -> Iterator[Any]:
    """Yield what stands at *key*, one or a list of them, unknown ones too."""
    if key in body:
        value = body.peek(key) if isinstance(body, Object) else body[key]
        yield from value.peek() if isinstance(value, Items) else [value]


def _written(body: Mapping[str, Any], key: str, *, partly: bool = False) -> Iterator[str]:
    """
    Yield the text or texts at *key*, attributes of resources as they are written.

    So are texts that are known *partly*, where that is asked for.
    """
    unknown = None
    for item in _items(body, key):
        if isinstance(item, Unknown):
            if item.attribute or _is_named(item):
                yield item.written
                continue
            is_told = partly and item.is_partly_written
            if is_told:
                yield item.expression
            if not is_told or item.quoted:
                unknown = item
        elif item is not None:
            yield str(item)
    if unknown:
        raise UnknownValue(f"{key} is not known: {unknown.expression}")


def _is_named(item: Unknown) -> bool:
    """Whether all that is not known of *item* is what names resources, or this account."""
    names = item.names if item.references is None else None
    return names is not None and all(
        _HERE.fullmatch(f"${{{name}}}") or name.count(".") < 2 + name.startswith("data.")
        for name in names
    )


def _texts(
    body: Mapping[str, Any], key: str, specific: tuple[str, ...] = (), *, partly: bool = False
) -> Iterator[str]:
    """
    Yield the text or texts at *key*; the attributes *specific* of a resource are left out.

    Texts that are known *partly* are yielded as they are written, where that is asked for.
    """
    unknown = None
    for item in _items(body, key):
        if isinstance(item, Unknown):
            if _is_of_this_account(item) or (partly and item.is_partly_written):
                yield item.expression
                unknown = item if item.quoted and item.names is None else unknown
            elif item.attribute not in specific:
                unknown = item
        elif isinstance(item, list | dict | Mapping):
            raise UnknownValue(f"{key} is no text")
        elif item is not None:
            yield str(item)
    if unknown:
        raise UnknownValue(f"{key} is not known: {unknown.expression}")
