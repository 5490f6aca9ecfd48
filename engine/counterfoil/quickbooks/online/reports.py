"""Reports as typed rows: nested sections laid flat, amounts as Decimal, blanks as None.

Source: Intuit's page on running reports. A report over about 400,000 cells comes cut off, with a sentence for its end;
such a one is refused here, because half a report is no report.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

from counterfoil.errors import CounterfoilError
from counterfoil_schema.exact_json import JsonObject, JsonValue

ReportName = Literal[
    "AgedPayables", "AgedReceivables", "BalanceSheet", "CashFlow", "GeneralLedger", "ProfitAndLoss", "TrialBalance"
]
RowKind = Literal["data", "summary"]
CUT_OFF: Final = "unable to display more data"
DEPTH_MAX: Final = 40
PARAMETERS: Final = frozenset(
    {
        "start_date", "end_date", "date_macro", "accounting_method", "summarize_column_by", "customer", "vendor",
        "class", "department", "item", "sort_order", "report_date", "aging_method", "aging_period", "num_periods",
    }
)  # fmt: skip
MONEY: Final = frozenset({"Money", "subt_nat_amount", "rbal_nat_amount"})


class ReportError(CounterfoilError):
    """A report that cannot be asked for so, or that came back cut off or unreadable."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column behind the first: its title, and the time it covers where it is one of several."""

    title: str
    kind: str
    start: date | None = None
    end: date | None = None

    @property
    def is_money(self) -> bool:
        return self.kind in MONEY


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One row.

    Attributes:
        path: titles of the sections that it lies in, outermost first.
        kind: data, or the sum of a section.
        group: Intuit's name of the section (Income, NetIncome, GrandTotal …), where it has one.
        name, id: what the row is about.
        amounts: the money columns in order; None where the report shows a blank.
        texts: all columns behind the first as they came.
    """

    path: tuple[str, ...]
    kind: RowKind
    group: str
    name: str
    id: str
    amounts: tuple[Decimal | None, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report."""

    name: str
    basis: str
    start: date | None
    end: date | None
    currency: str
    columns: tuple[Column, ...]
    rows: tuple[ReportRow, ...]

    def total(self, group: str) -> Decimal | None:
        """The first amount of the sum that Intuit calls so, as NetIncome; None if there is none."""
        found = [row.amounts for row in self.rows if row.kind == "summary" and row.group == group and row.amounts]
        return found[-1][-1] if found else None


def check_parameters(parameters: Mapping[str, str]) -> None:
    """Refuse what no report takes.

    Raises:
        ReportError: an unknown parameter.
    """
    unknown = sorted(set(parameters) - PARAMETERS)
    if unknown:
        raise ReportError(
            f"QuickBooks' reports take no {', '.join(unknown)}.", remedy=f"Use {', '.join(sorted(PARAMETERS))}."
        )


def report_from(document: JsonObject) -> Report:
    """The report in an answer.

    Raises:
        ReportError: it is none, or it is cut off.
    """
    header = _object(document.get("Header"))
    columns = tuple(_column(one) for one in _objects(_object(document.get("Columns")).get("Column")))
    if not header or not columns:
        raise ReportError("QuickBooks answered with something that is no report.")
    rows = tuple(_rows(_object(document.get("Rows")), columns[1:], (), "", 0))
    if any(CUT_OFF in text.lower() for row in rows for text in (row.name, *row.texts)):
        raise ReportError(
            f"The report {_text(header.get('ReportName'))} is too large: QuickBooks cut it off.",
            remedy="Ask for a shorter time, six months at most, or fewer columns.",
        )
    return Report(
        name=_text(header.get("ReportName")),
        basis=_text(header.get("ReportBasis")),
        start=_day(header.get("StartPeriod")),
        end=_day(header.get("EndPeriod")),
        currency=_text(header.get("Currency")),
        columns=columns[1:],
        rows=rows,
    )


def _rows(
    holder: JsonObject, columns: Sequence[Column], path: tuple[str, ...], group: str, depth: int
) -> Iterator[ReportRow]:
    if depth > DEPTH_MAX:
        raise ReportError("QuickBooks answered with a report that nests without end.")
    for row in _objects(holder.get("Row")):
        own = _text(row.get("group")) or group
        if "ColData" in row:
            yield _row(_objects(row["ColData"]), columns, path, "data", own)
        titles = _objects(_object(row.get("Header")).get("ColData"))
        title = _text(titles[0].get("value")) if titles else ""
        if titles and _text(titles[0].get("id")) and any(_text(cell.get("value")) for cell in titles[1:]):
            # What was posted to an account itself stands in the heading of those below it.
            yield _row(titles, columns, path, "data", own)
        inside = (*path, title) if title else path
        yield from _rows(_object(row.get("Rows")), columns, inside, own, depth + 1)
        summary = _objects(_object(row.get("Summary")).get("ColData"))
        if summary:
            yield _row(summary, columns, inside, "summary", _text(row.get("group")))


def _row(
    cells: Sequence[JsonObject], columns: Sequence[Column], path: tuple[str, ...], kind: RowKind, group: str
) -> ReportRow:
    texts = tuple(_text(cell.get("value")) for cell in cells[1:])
    amounts = tuple(_amount(text) for text, column in zip(texts, columns, strict=False) if column.is_money)
    first = cells[0] if cells else {}
    return ReportRow(path, kind, group, _text(first.get("value")), _text(first.get("id")), amounts, texts)


def _column(value: JsonObject) -> Column:
    told = {_text(one.get("Name")): _day(one.get("Value")) for one in _objects(value.get("MetaData"))}
    return Column(_text(value.get("ColTitle")), _text(value.get("ColType")), told.get("StartDate"), told.get("EndDate"))


def _amount(text: str) -> Decimal | None:
    try:
        found = Decimal(text) if text else None
    except InvalidOperation as error:
        raise ReportError(f"A report holds {text[:40]!r} where an amount belongs.") from error
    if found is not None and not found.is_finite():
        raise ReportError(f"A report holds {text[:40]!r} where an amount belongs.")
    return found


def _day(value: JsonValue) -> date | None:
    try:
        return date.fromisoformat(_text(value)) if value else None
    except ValueError:
        return None


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _objects(value: JsonValue) -> list[JsonObject]:
    return [member for member in value if isinstance(member, dict)] if isinstance(value, list) else []
