"""What Terraform makes of a data source's arguments alone, without asking anybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.engine.functions import as_list, as_object, jsondecode, text
from policies.engine.hcl import Undecided


def policy_document(body: dict[str, Any]) -> dict[str, Any]:
    """
    Return the policy that a data.aws_iam_policy_document with the arguments *body* makes.

    Raises:
        Undecided: It is made of something that is not known here.
    """
    if body.get("dynamic"):
        raise Undecided("a policy document with dynamic blocks")
    statements: dict[str, dict[str, Any]] = {}
    written = [
        *_statements_of(_blocks(body.get("source_json") or None)),
        *_statements_of(body.get("source_policy_documents")),
        *map(_statement, _blocks(body.get("statement"))),
    ]
    for statement in written:
        sid = text(as_object(statement).get("Sid") or f"#{len(statements)}")
        if sid in statements:
            raise Undecided("two statements of one name")
        statements[sid] = statement
    for statement in (
        *_statements_of(_blocks(body.get("override_json") or None)),
        *_statements_of(body.get("override_policy_documents")),
    ):
        sid = text(as_object(statement).get("Sid") or f"#{len(statements)}")
        statements[sid] = statement
    return {"Version": "2012-10-17", "Statement": list(statements.values())}


def _statements_of(documents: Any) -> Iterator[dict[str, Any]]:
    for document in as_list(documents or []):
        yield from _blocks(as_object(jsondecode(document)).get("Statement"))


def _blocks(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _statement(block: dict[str, Any]) -> dict[str, Any]:
    if block.get("dynamic"):
        raise Undecided("a policy document with dynamic blocks")
    statement: dict[str, Any] = {"Effect": block.get("effect") or "Allow"}
    if block.get("sid"):
        statement["Sid"] = block["sid"]
    for argument, element in (
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ):
        if block.get(argument):
            statement[element] = block[argument]
    for argument, element in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
        principals: dict[str, list[Any]] = {}
        for principal in _blocks(block.get(argument)):
            principals.setdefault(text(principal["type"]), []).extend(
                _blocks(principal["identifiers"])
            )
        if principals:
            statement[element] = "*" if principals == {"*": ["*"]} else principals
    conditions: dict[str, dict[str, Any]] = {}
    for condition in _blocks(block.get("condition")):
        tests = conditions.setdefault(text(condition["test"]), {})
        tests.setdefault(text(condition["variable"]), []).extend(_blocks(condition["values"]))
    if conditions:
        statement["Condition"] = conditions
    return statement
