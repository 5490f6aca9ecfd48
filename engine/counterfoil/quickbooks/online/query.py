"""Queries are built, never concatenated: known fields, known operators, every value escaped.

Grammar and filterable fields follow Intuit's page "Data queries": AND only, `LIKE` with `%`, `Id` by `=` and `IN`,
backslash escapes. A field that is not in the list gives fault 4001 there, and an error here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, Literal, Self

from counterfoil.errors import CounterfoilError

PAGE_ROWS_MAX: Final = 1_000
IN_VALUES_MAX: Final = 500
Operator = Literal["=", "<", ">", "<=", ">=", "IN", "LIKE"]
Value = str | int | bool | Decimal | date | datetime

_TIMES: Final = frozenset({"MetaData.CreateTime", "MetaData.LastUpdatedTime"})
_EVERY: Final = frozenset({"Id"}) | _TIMES
_TRANSACTION: Final = _EVERY | {"DocNumber", "TxnDate"}
_SALE: Final = _TRANSACTION | {"CustomerRef"}
_PURCHASE: Final = _TRANSACTION | {"VendorRef"}
_NAMED: Final = _EVERY | {"Name", "Active"}
_PARTY: Final = _EVERY | {"DisplayName", "Active"}

FILTERABLE: Final[dict[str, frozenset[str]]] = {
    "Customer": _PARTY | {"Balance"},
    "Vendor": _PARTY | {"Balance"},
    "Employee": _PARTY,
    "Item": _NAMED,
    "Account": _NAMED,
    "Class": _NAMED,
    "Department": _NAMED,
    "Term": _NAMED,
    "PaymentMethod": _NAMED,
    "TaxCode": _NAMED,
    "TaxRate": _NAMED,
    "TaxAgency": _EVERY,
    "CompanyCurrency": _EVERY | {"Active"},
    "JournalCode": _EVERY | {"Name"},
    "Invoice": _SALE | {"Balance"},
    "CreditMemo": _SALE | {"Balance"},
    "SalesReceipt": _SALE,
    "RefundReceipt": _SALE,
    "Estimate": _SALE,
    "Payment": _EVERY | {"TxnDate", "CustomerRef"},
    "Bill": _PURCHASE | {"Balance"},
    "BillPayment": _PURCHASE,
    "VendorCredit": _PURCHASE,
    "Purchase": _TRANSACTION,
    "PurchaseOrder": _PURCHASE,
    "JournalEntry": _TRANSACTION,
    "TimeActivity": _EVERY | {"TxnDate", "EmployeeRef", "VendorRef", "CustomerRef"},
    "Deposit": _TRANSACTION,
    "Transfer": _EVERY | {"TxnDate"},
    "Attachable": _EVERY,
    "CompanyInfo": _EVERY,
    "Preferences": _EVERY,
}
"""Entity → the fields that Intuit lets one filter and sort by. PrivateNote is in none of them."""


class QueryError(CounterfoilError):
    """A query that QuickBooks would refuse; a fault of the caller, found before anything is sent."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a WHERE clause."""

    field: str
    operator: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A query over one entity; every method returns a new one.

    Build it with `select("Invoice").where("DocNumber", "=", "1001")`.
    """

    entity: str
    conditions: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    start_position: int | None = None
    max_results: int | None = None
    counting: bool = False

    def where(self, field: str, operator: Operator, *values: Value) -> Self:
        """Add a comparison; all of them must hold. Only `IN` takes several values.

        Raises:
            QueryError: a field that cannot be filtered by, or values that do not fit the operator.
        """
        self._require_field(field)
        if not values or (len(values) > 1 and operator != "IN") or len(values) > IN_VALUES_MAX:
            raise QueryError(f"{operator} cannot compare {self.entity}.{field} with {len(values)} values.")
        if field == "Id" and operator not in {"=", "IN"}:
            raise QueryError(f"QuickBooks compares Id by = and IN only, not by {operator}.")
        return replace(self, conditions=(*self.conditions, Condition(field, operator, values)))

    def with_inactive(self) -> Self:
        """Include what was made inactive: lists show active records only unless asked.

        Raises:
            QueryError: the entity has no `Active`.
        """
        return self.where("Active", "IN", True, False)

    def order_by(self, field: str, *, descending: bool = False) -> Self:
        """Sort by a field, after those named before.

        Raises:
            QueryError: a field that cannot be sorted by.
        """
        self._require_field(field)
        return replace(self, order=(*self.order, (field, descending)))

    def page(self, start_position: int, max_results: int) -> Self:
        """Ask for one page; positions begin at 1.

        Raises:
            QueryError: beyond Intuit's limit of 1,000 rows.
        """
        if start_position < 1 or not 1 <= max_results <= PAGE_ROWS_MAX:
            raise QueryError(f"A page of {max_results} rows from {start_position} cannot be asked for.")
        return replace(self, start_position=start_position, max_results=max_results)

    def count(self) -> Self:
        """Ask for the number of matching records instead."""
        return replace(self, counting=True, order=(), start_position=None, max_results=None)

    @property
    def text(self) -> str:
        """The query as it is sent."""
        parts = ["select", "count(*)" if self.counting else "*", "from", self.entity]
        if self.conditions:
            parts.append("where " + " and ".join(_condition(condition) for condition in self.conditions))
        if self.order:
            parts.append("orderby " + ", ".join(f"{field} {'desc' if down else 'asc'}" for field, down in self.order))
        if self.start_position is not None:
            parts.append(f"startposition {self.start_position}")
        if self.max_results is not None:
            parts.append(f"maxresults {self.max_results}")
        return " ".join(parts)

    def _require_field(self, field: str) -> None:
        allowed = FILTERABLE[self.entity]
        if field not in allowed:
            raise QueryError(
                f"QuickBooks does not filter or sort {self.entity} by {field!r}.",
                remedy=f"Use one of {', '.join(sorted(allowed))}, and compare the rest after reading.",
            )


def select(entity: str) -> Query:
    """Begin a query.

    Raises:
        QueryError: an entity that is not known, or not in QuickBooks' own spelling.
    """
    if entity not in FILTERABLE:
        raise QueryError(f"There is no QuickBooks entity {entity!r} that can be queried.")
    return Query(entity)


def quote(text: str) -> str:
    """A string literal: QuickBooks escapes by backslash; doubled quotes fail there.

    Raises:
        QueryError: control characters, which no literal can hold.
    """
    if any(ord(character) < ord(" ") for character in text):
        raise QueryError("A query cannot look for text with control characters in it.")
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def literal(value: Value) -> str:
    """A value as the query language writes it: `true` and `false` bare, everything else quoted.

    Raises:
        QueryError: an instant without a zone, or text that no literal can hold.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise QueryError("An instant in a query needs a time zone.")
        return quote(instant(value))
    if isinstance(value, date):
        return quote(value.isoformat())
    if isinstance(value, Decimal):
        return quote(f"{value:f}")
    return quote(str(value))


def instant(value: datetime) -> str:
    """An instant as Intuit reads it, in UTC, to the millisecond below."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def chunks_of_ids(ids: Sequence[str], size: int = 200) -> list[tuple[str, ...]]:
    """Ids cut into lists that fit one `Id IN (…)` each."""
    return [tuple(ids[start : start + size]) for start in range(0, len(ids), size)]


def _condition(condition: Condition) -> str:
    values = ", ".join(literal(value) for value in condition.values)
    if condition.operator == "IN":
        return f"{condition.field} IN ({values})"
    return f"{condition.field} {condition.operator} {values}"
