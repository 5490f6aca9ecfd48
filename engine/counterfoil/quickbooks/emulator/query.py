"""The query language: text to a parsed query, or a fault with Intuit's parser text.

Source: Intuit's data-query page; the parser's texts from recorded answers.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from counterfoil.quickbooks.emulator import faults

# Intuit documents no "!=", yet takes it: a public client's own tests lean on it.
Operator = Literal["=", "!=", "<", ">", "<=", ">=", "IN", "LIKE"]
Value = str | bool | Decimal

PAGE_DEFAULT = 100
PAGE_MAX = 1000
CONDITIONS_MAX = 200
QUERY_CHARACTERS_MAX = 60_000
POSITION_DIGITS_MAX = 10

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
    |(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<number>-?\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*(?:\.\*)?)
    |(?P<symbol><=|>=|!=|[=<>(),*;])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_RESERVED = frozenset({"SELECT", "FROM", "WHERE", "AND", "ORDERBY", "ORDER", "STARTPOSITION", "MAXRESULTS"})


@dataclass(frozen=True, slots=True)
class Condition:
    """`property operator value`; several values only with IN."""

    property: str
    operator: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Ordering:
    """One property to sort by."""

    property: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query. `columns` are kept, yet whole records are returned."""

    entity: str
    columns: tuple[str, ...] = ("*",)
    count: bool = False
    conditions: tuple[Condition, ...] = ()
    ordering: tuple[Ordering, ...] = ()
    start_position: int = 1
    max_results: int = PAGE_DEFAULT


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int
    column: int


def parse(text: str) -> Query:
    """Parse one SELECT statement.

    Raises:
        QuickBooksFaultError: 4000, with line and column.
    """
    if len(text) > QUERY_CHARACTERS_MAX:
        raise faults.syntax(f"Invalid content. The query is longer than {QUERY_CHARACTERS_MAX} characters.")
    return _Parser(list(_tokens(text))).statement()


def quoted(text: str) -> str:
    """The text as a literal of the language."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def write(query: Query) -> str:
    """The query as text; parsing it gives the query back."""
    parts = ["SELECT", "count(*)" if query.count else ", ".join(query.columns), "FROM", query.entity]
    if query.conditions:
        parts += ["WHERE", " AND ".join(_write_condition(condition) for condition in query.conditions)]
    if query.ordering:
        ordered = (f"{order.property} {'DESC' if order.descending else 'ASC'}" for order in query.ordering)
        parts += ["ORDERBY", ", ".join(ordered)]
    parts += ["STARTPOSITION", str(query.start_position), "MAXRESULTS", str(query.max_results)]
    return " ".join(parts)


def _write_condition(condition: Condition) -> str:
    values = ", ".join(_write_value(value) for value in condition.values)
    if condition.operator == "IN":
        values = f"({values})"
    return f"{condition.property} {condition.operator} {values}"


def _write_value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else f"{value:f}"


def _tokens(text: str) -> Iterable[_Token]:
    position, line, line_start = 0, 1, 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        column = position - line_start + 1
        if match is None:
            found = text[position].replace('"', '\\"')
            raise faults.syntax(
                f"QueryParserError: Invalid content. Lexical error at line {line}, column {column}.  "
                f'Encountered: "{found}" ({ord(text[position])}), after : ""'
            )
        kind = match.lastgroup or ""
        if kind != "space":
            yield _Token(kind, match.group(), line, column)
        breaks = match.group().count("\n")
        if breaks:
            line += breaks
            line_start = position + match.group().rindex("\n") + 1
        position = match.end()
    yield _Token("end", "<EOF>", line, position - line_start + 1)


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._position = 0

    def statement(self) -> Query:
        self._keyword("SELECT")
        columns, count = self._columns()
        self._keyword("FROM")
        entity = self._name()
        conditions = self._conditions() if self._take("WHERE") else ()
        ordering = self._ordering()
        start, most = self._page()
        if self._next.text == ";":
            self._position += 1
        if self._next.kind != "end":
            raise self._unexpected("<EOF>")
        return Query(entity, columns, count, conditions, ordering, start, most)

    @property
    def _next(self) -> _Token:
        return self._tokens[self._position]

    def _advance(self) -> _Token:
        token = self._next
        if token.kind != "end":
            self._position += 1
        return token

    def _is(self, word: str) -> bool:
        return self._next.kind == "word" and self._next.text.upper() == word

    def _take(self, word: str) -> bool:
        if self._is(word):
            self._position += 1
            return True
        return False

    def _keyword(self, word: str) -> None:
        if not self._take(word):
            raise self._unexpected(f'"{word.lower()}"')

    def _symbol(self, text: str) -> None:
        if self._next.kind != "symbol" or self._next.text != text:
            raise self._unexpected(f'"{text}"')
        self._position += 1

    def _name(self) -> str:
        if self._next.kind != "word" or self._next.text.upper() in _RESERVED:
            raise self._unexpected("<IDENTIFIER>")
        return self._advance().text

    def _columns(self) -> tuple[tuple[str, ...], bool]:
        if self._is("COUNT"):
            self._position += 1
            for symbol in ("(", "*", ")"):
                self._symbol(symbol)
            return ("*",), True
        columns = [self._column()]
        while self._next.text == ",":
            self._position += 1
            columns.append(self._column())
        return tuple(columns), False

    def _column(self) -> str:
        if self._next.kind == "symbol" and self._next.text == "*":
            return self._advance().text
        return self._name()

    def _conditions(self) -> tuple[Condition, ...]:
        conditions = [self._condition()]
        while self._take("AND"):
            if len(conditions) >= CONDITIONS_MAX:
                raise faults.syntax(f"Invalid content. No more than {CONDITIONS_MAX} conditions are supported.")
            conditions.append(self._condition())
        return tuple(conditions)

    def _condition(self) -> Condition:
        name = self._name()
        token = self._next
        if self._take("IN"):
            self._symbol("(")
            values = [self._value()]
            while self._next.text == ",":
                self._position += 1
                values.append(self._value())
            self._symbol(")")
            return Condition(name, "IN", tuple(values))
        if self._take("LIKE"):
            return Condition(name, "LIKE", (self._value(),))
        match token.text:
            case "=" | "<" | ">" | "<=" | ">=" | "!=" as operator:
                self._position += 1
                return Condition(name, operator, (self._value(),))
            case _:
                raise self._unexpected('"=" ...')

    def _value(self) -> Value:
        token = self._next
        if token.kind == "string":
            self._position += 1
            return _ESCAPED.sub(r"\1", token.text[1:-1])
        if token.kind == "number":
            self._position += 1
            return Decimal(token.text)
        if self._take("TRUE"):
            return True
        if self._take("FALSE"):
            return False
        raise self._unexpected("<STRING> ...")

    def _ordering(self) -> tuple[Ordering, ...]:
        if self._take("ORDER"):
            self._keyword("BY")
        elif not self._take("ORDERBY"):
            return ()
        ordering = [self._order()]
        while self._next.text == ",":
            self._position += 1
            ordering.append(self._order())
        return tuple(ordering)

    def _order(self) -> Ordering:
        name = self._name()
        if self._take("DESC"):
            return Ordering(name, descending=True)
        self._take("ASC")
        return Ordering(name)

    def _page(self) -> tuple[int, int]:
        start, most = 1, PAGE_DEFAULT
        seen: set[str] = set()
        while True:
            word = self._next.text.upper() if self._next.kind == "word" else ""
            if word not in {"STARTPOSITION", "MAXRESULTS"} or word in seen:
                return start, most
            seen.add(word)
            self._position += 1
            if word == "STARTPOSITION":
                # Positions count from 1, and an extractor in use begins with 0.
                start = max(1, self._whole(least=0))
            else:
                # More than the largest page is cut to it without a word, as clients have found.
                most = min(self._whole(least=0), PAGE_MAX)

    def _whole(self, *, least: int) -> int:
        token = self._next
        whole = token.kind == "number" and token.text.isdigit()
        if whole and len(token.text) <= POSITION_DIGITS_MAX and int(token.text) >= least:
            self._position += 1
            return int(token.text)
        raise self._unexpected("<INTEGER>")

    def _unexpected(self, expected: str) -> faults.QuickBooksFaultError:
        token = self._next
        kind = "<IDENTIFIER> " if token.kind == "word" and token.text.upper() not in _RESERVED else ""
        shown = token.text[:60].replace('"', '\\"')
        return faults.syntax(
            f'QueryParserError: Encountered " {kind}"{shown} "" at line {token.line}, column {token.column}.\n'
            f"Was expecting one of:\n    {expected}"
        )
