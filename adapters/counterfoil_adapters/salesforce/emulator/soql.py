"""SOQL, as much of it as programs that read records use: parsed into a small tree, refused where it is not SOQL."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeAlias, TypeVar

from counterfoil_adapters.salesforce.emulator.errors import OrgError

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>'(?:[^'\\]|\\.)*')
  | (?P<instant>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
  | (?P<day>\d{4}-\d\d-\d\d)
  | (?P<number>[+-]?\d+(?:\.\d+)?)
  | (?P<word>[A-Za-z_][\w.]*)
  | (?P<sign><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_KEYWORDS = frozenset({"AND", "OR", "ORDER", "LIMIT", "OFFSET", "WHERE", "GROUP", "FROM", "NULLS", "ASC", "DESC"})
OFFSET_MAX = 2000

T = TypeVar("T")

Value: TypeAlias = str | Decimal | bool | datetime | date | None


@dataclass(frozen=True, slots=True)
class Compare:
    """A field held against a value, or against several for IN and NOT IN."""

    field: str
    operator: str
    value: Value | tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Combined:
    """Conditions of which all (AND), any (OR) or the only one not (NOT) must hold."""

    how: str
    parts: "tuple[Condition, ...]"


Condition: TypeAlias = Compare | Combined


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key."""

    field: str
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT; `fields` is empty for COUNT()."""

    fields: tuple[str, ...]
    object: str
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0


def parse(text: str) -> Query:
    """A query.

    Raises:
        OrgError: MALFORMED_QUERY.
    """
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._place = 0
        place = 0
        text = text.strip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None or found.lastgroup is None:
                raise _malformed(f"unexpected token: '{text[place : place + 20].strip()}'")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            place = found.end()

    def query(self) -> Query:
        self._expect("SELECT")
        fields = self._fields()
        self._expect("FROM")
        name = self._word()
        where = self._condition() if self._accept("WHERE") else None
        order: tuple[Order, ...] = ()
        if self._accept("ORDER"):
            self._expect("BY")
            order = tuple(self._several(self._order))
        limit = self._whole() if self._accept("LIMIT") else None
        offset = self._whole() if self._accept("OFFSET") else 0
        if self._place < len(self._tokens):
            raise _malformed(f"unexpected token: '{self._tokens[self._place][1]}'")
        if offset > OFFSET_MAX:
            raise OrgError("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {OFFSET_MAX}")
        return Query(fields, name, where, order, limit, offset)

    def _fields(self) -> tuple[str, ...]:
        if self._peek() == "COUNT":
            self._word()
            self._expect("(")
            self._expect(")")
            return ()
        names = tuple(self._several(self._word))
        repeated = next((name for place, name in enumerate(names) if name in names[:place]), None)
        if repeated is not None:
            raise OrgError("INVALID_FIELD", f"duplicate field selected: {repeated}")
        return names

    def _condition(self) -> Condition:
        first = self._term()
        how = self._peek()
        if how not in {"AND", "OR"}:
            return first
        parts = [first]
        while self._accept(how):
            parts.append(self._term())
        # Salesforce wants parentheses where AND meets OR.
        if self._peek() in {"AND", "OR"}:
            raise _malformed(f"unexpected token: {self._peek()}")
        return Combined(how, tuple(parts))

    def _term(self) -> Condition:
        if self._accept("NOT"):
            return Combined("NOT", (self._term(),))
        if self._accept("("):
            inside = self._condition()
            self._expect(")")
            return inside
        name = self._word()
        operator = self._next()[1].upper()
        if operator == "NOT":
            self._expect("IN")
            operator = "NOT IN"
        if operator in {"IN", "NOT IN"}:
            self._expect("(")
            values = tuple(self._several(self._value))
            self._expect(")")
            return Compare(name, operator, values)
        if operator not in {"=", "!=", "<>", "<", "<=", ">", ">=", "LIKE"}:
            raise _malformed(f"unexpected token: '{operator}'")
        return Compare(name, "!=" if operator == "<>" else operator, self._value())

    def _order(self) -> Order:
        name = self._word()
        descending = self._accept("DESC")
        if not descending:
            self._accept("ASC")
        last = False
        if self._accept("NULLS"):
            last = self._accept("LAST")
            if not last:
                self._expect("FIRST")
        return Order(name, descending, last)

    def _value(self) -> Value:
        kind, token = self._next()
        match kind:
            case "text":
                return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), token[1:-1])
            case "instant":
                return datetime.fromisoformat(token).astimezone(UTC)
            case "day":
                return date.fromisoformat(token)
            case "number":
                return Decimal(token)
        match token.upper():
            case "TRUE" | "FALSE":
                return token.upper() == "TRUE"
            case "NULL":
                return None
            case _:
                raise _malformed(f"unexpected token: '{token}'")

    def _several(self, one: Callable[[], T]) -> list[T]:
        found = [one()]
        while self._accept(","):
            found.append(one())
        return found

    def _whole(self) -> int:
        kind, token = self._next()
        if kind != "number" or not token.isdigit():
            raise _malformed(f"unexpected token: '{token}'")
        return int(token)

    def _word(self) -> str:
        kind, token = self._next()
        if kind != "word" or token.upper() in _KEYWORDS:
            raise _malformed(f"unexpected token: '{token}'")
        return token

    def _peek(self) -> str:
        return self._tokens[self._place][1].upper() if self._place < len(self._tokens) else ""

    def _next(self) -> tuple[str, str]:
        if self._place >= len(self._tokens):
            raise _malformed("unexpected token: '<EOF>'")
        self._place += 1
        return self._tokens[self._place - 1]

    def _accept(self, wanted: str) -> bool:
        if self._peek() != wanted:
            return False
        self._place += 1
        return True

    def _expect(self, wanted: str) -> None:
        _, token = self._next()
        if token.upper() != wanted:
            raise _malformed(f"unexpected token: '{token}' (expecting {wanted})")


def _malformed(message: str) -> OrgError:
    return OrgError("MALFORMED_QUERY", message)
