"""The text of Terraform's templates and expressions in, syntax trees out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any


class Undecided(Exception):
    """An expression whose value this document does not say, or that is not read here."""


Node = tuple[Any, ...]

TOKEN = re.compile(
    r"""(?:
      (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<name>[A-Za-z_][\w-]*)
    | (?P<symbol>&&|\|\||==|!=|<=|>=|=>|\.\.\.|[-+*/%<>!?:.,()\[\]{}=])
    )""",
    re.VERBOSE,
)
BLANK = re.compile(r"(?:\s+|(?:#|//)[^\n]*|/\*.*?\*/)*", re.DOTALL)
"""What separates: blanks and comments."""

SPLAT = re.compile(r"\[\*\]|\.\*")
"""What stands for one attribute of every element, or instance."""

ATTRIBUTE = re.compile(r"\.([A-Za-z_][\w-]*|\d+)")
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
BINDING: dict[str, int] = {
    "||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, ">": 4, "<=": 4, ">=": 4,
    "+": 5, "-": 5, "*": 6, "/": 6, "%": 6,
}  # fmt: skip
"""Operators by how tightly they bind."""

DEEPEST = 100


class _Parser:
    """One template or expression in, its syntax tree out."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def template(self, end: str = "") -> Node:
        """Parse literal text with ``${...}`` in it, up to *end*: a quote, or nothing."""
        parts: list[Node] = []
        literal: list[str] = []
        while True:
            rest = self._text[self._at : self._at + 3]
            if not rest:
                if end:
                    raise Undecided("a text that does not end")
                break
            if end and rest[0] == end:
                self._at += 1
                break
            if rest in {"$${", "%%{"}:
                literal.append(rest[1:])
                self._at += 3
            elif rest[:2] == "%{":
                raise Undecided("a directive")
            elif rest[:2] == "${":
                parts.append(("text", "".join(literal)))
                literal = []
                self._at += 2
                parts.append(("interpolation", *self._sourced()))
                self._take("}")
            elif end and rest[0] == "\\":
                if rest[1:2] not in ESCAPES:
                    raise Undecided("an escape")
                literal.append(ESCAPES[rest[1]])
                self._at += 2
            else:
                literal.append(rest[0])
                self._at += 1
        parts.append(("text", "".join(literal)))
        return ("template", tuple(part for part in parts if part != ("text", "")))

    def expression(self, least: int = 0) -> Node:
        """Parse one expression whose operators bind at least as tightly as *least*."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise Undecided("nested too deeply")
        left = self._unary()
        while (symbol := self._peek()) and BINDING.get(symbol, 0) > least:
            self._take(symbol)
            left = ("binary", symbol, left, self.expression(BINDING[symbol]))
        if not least and self._peek() == "?":
            self._take("?")
            yes = self.expression()
            self._take(":")
            left = ("condition", left, yes, self.expression())
        self._depth -= 1
        return left

    def _unary(self) -> Node:
        symbol = self._peek()
        if symbol in {"!", "-"}:
            self._take(symbol)
            return ("unary", symbol, self._unary())
        return self._postfix(self._primary())

    def _primary(self) -> Node:
        self._skip()
        start = self._at
        if self._text[start : start + 1] == '"':
            self._at += 1
            return self.template('"')
        match = TOKEN.match(self._text, self._at)
        if match is None:
            raise Undecided("no expression")
        self._at = match.end()
        if match["number"]:
            written = match["number"]
            return ("literal", int(written) if written.isdigit() else float(written))
        if match["name"]:
            return self._named(match["name"])
        if match["symbol"] == "(":
            node = self.expression()
            self._take(")")
            return node
        if match["symbol"] in {"[", "{"}:
            return self._collection(match["symbol"])
        raise Undecided(f"{match['symbol']!r} where a value belongs")

    def _named(self, name: str) -> Node:
        if name in {"true", "false", "null"}:
            return ("literal", {"true": True, "false": False, "null": None}[name])
        if self._peek() == "(":
            self._take("(")
            return ("call", name, tuple(self._elements(")")))
        return ("root", name)

    def _collection(self, symbol: str) -> Node:
        before = self._at
        if self._says("for"):
            if self._peek() not in {"=", ":"}:
                return self._for(symbol)
            self._at = before
        if symbol == "[":
            return ("list", tuple(self._elements("]")))
        return ("object", tuple(self._entries()))

    def _for(self, symbol: str) -> Node:
        """Parse what follows ``for``: the names, the collection, what is made of each element."""
        names = [self._name()]
        if self._peek() == ",":
            self._take(",")
            names.append(self._name())
        if not self._says("in"):
            raise Undecided("a for expression that is none")
        collection = self.expression()
        self._take(":")
        made = [self._sourced()]
        if symbol == "{":
            self._take("=>")
            made.append(self._sourced())
        condition = None
        if self._says("if"):
            condition = self.expression()
        self._take("]" if symbol == "[" else "}")
        return ("for", tuple(names), collection, tuple(made), condition)

    def _says(self, word: str) -> bool:
        """Take *word*, where it stands here."""
        match = self._token()
        if match is None or match["name"] != word:
            return False
        self._at = match.end()
        return True

    def _name(self) -> str:
        match = self._token()
        if match is None or not match["name"]:
            raise Undecided("no name where one belongs")
        self._at = match.end()
        return match["name"]

    def _elements(self, end: str) -> Iterator[tuple[Node, str]]:
        """Parse expressions up to *end*; each comes with its text."""
        while self._peek() != end:
            yield self._sourced()
            if self._peek() not in {",", end}:
                raise Undecided("a list that is none")
            if self._peek() == ",":
                self._take(",")
        self._take(end)

    def _entries(self) -> Iterator[tuple[Node, Node, str]]:
        while self._peek() != "}":
            key = self.expression()
            if key[0] == "root":
                key = ("literal", key[1])
            symbol = self._peek()
            if symbol not in {"=", ":"}:
                raise Undecided("an object that is none")
            self._take(symbol)
            yield key, *self._sourced()
            if self._peek() == ",":
                self._take(",")
        self._take("}")

    def _sourced(self) -> tuple[Node, str]:
        start = self._at
        node = self.expression()
        return node, self._text[start : self._at].strip()

    def _postfix(self, node: Node) -> Node:
        while True:
            following = self._text[self._at : self._at + 1]
            if following == ".":
                node = self._attribute(node)
            elif self._text.startswith("[*]", self._at):
                node = self._splat(node, "[*]")
            elif following == "[":
                start = self._at
                self._take("[")
                key = self.expression()
                self._take("]")
                node = ("step", node, key, self._text[start : self._at])
            else:
                return node

    def _attribute(self, node: Node) -> Node:
        if self._text.startswith(".*", self._at):
            return self._splat(node, ".*")
        match = ATTRIBUTE.match(self._text, self._at)
        if match is None:
            raise Undecided("no attribute where one belongs")
        self._at = match.end()
        step = int(match[1]) if match[1].isdigit() else match[1]
        return ("step", node, ("literal", step), match[0])

    def _splat(self, node: Node, symbol: str) -> Node:
        """Parse the attributes of each element; an index is one of what comes out."""
        start = self._at
        self._at += len(symbol)
        attributes = []
        while match := ATTRIBUTE.match(self._text, self._at):
            self._at = match.end()
            attributes.append(match[1])
        if symbol == "[*]" and self._text[self._at : self._at + 1] == "[":
            raise Undecided("an index in each element of a splat")
        return ("splat", node, tuple(attributes), self._text[start : self._at])

    def _skip(self) -> None:
        blank = BLANK.match(self._text, self._at)
        self._at = blank.end() if blank else self._at

    def _token(self) -> re.Match[str] | None:
        """Return the number, name or symbol that comes next, behind blanks and comments."""
        self._skip()
        return TOKEN.match(self._text, self._at)

    def _peek(self) -> str:
        match = self._token()
        return match["symbol"] or "" if match else ""

    def _take(self, symbol: str) -> None:
        match = self._token()
        if match is None or match["symbol"] != symbol:
            raise Undecided(f"no {symbol!r} where one belongs")
        self._at = match.end()


@lru_cache(maxsize=4096)
def parsed(template: str) -> Node:
    """
    Return the syntax tree of *template*, a string of Terraform's JSON.

    Raises:
        Undecided: There is something in it that is not read here, such as a for expression.
    """
    return _Parser(template).template()
