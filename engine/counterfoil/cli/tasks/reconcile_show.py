"""A reconciliation for people, in tables, and for programs, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from counterfoil.cli.output import add_row, console, money, table
from counterfoil.planning.money import text
from counterfoil.planning.reconciling.drifts import IN_WORDS, Drift
from counterfoil.planning.reconciling.report import Report
from counterfoil.planning.reconciling.totals import DIMENSIONS, Cell, Sum
from counterfoil.settings import CompanySettings
from counterfoil.state.store import StateStore
from counterfoil_schema import exact_json
from counterfoil_schema.documents import MASK, is_personal, without_names

ROWS_SHOWN_MAX = 40
DRIFTS_SHOWN_MAX = 60
VALUE_SHOWN_MAX = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One company's report as it is shown; `accounts` leads from the Id of an account to its name."""

    company: CompanySettings
    report: Report
    accounts: Mapping[str, str]
    personal: bool = False

    def value(self, cell: Cell) -> str:
        """What a sum is of, for people."""
        place = cell.place
        if place.dimension != "account":
            return place.value
        return self.accounts.get(place.value, f"account {place.value}" if place.value else "no account named")

    def masked(self, drift: Drift, field: str, value: str) -> str:
        """A field's value without what is personal in it, unless that was asked for."""
        if self.personal:
            return value
        if is_personal(drift.entity, field.partition("[")[0].partition(".")[0]):
            return MASK
        try:
            read = exact_json.loads(value)
        except ValueError:
            return value
        return exact_json.dumps(without_names({field: read})[field]).decode() if isinstance(read, dict) else value


async def names_of_accounts(store: StateStore, company: int) -> dict[str, str]:
    """Id → name of each account that is known."""
    rows = await store.records("living_names", company, "Account")
    return {row["document_id"]: row["name"] for row in rows if row["name"]}


def as_data(one: Shown) -> dict[str, Any]:
    """The whole report, for programs."""
    report = one.report
    return {
        "company": one.company.company,
        "name": one.company.name,
        "ties_out": report.ties_out,
        "month": report.scope.month,
        "types": sorted(report.scope.entities),
        "sources_read": report.scope.sources,
        "source_records": report.source_records,
        "reads": report.reads,
        "metered_reads": report.metered,
        "totals": [_cell(one, cell) for cell in report.totals.cells()],
        "drifts": [_drift(one, drift) for drift in report.drifts],
        "drifts_left_out": report.drifts_left_out,
        "drift_counts": report.counts(),
        "drift_amounts": report.amounts(),
        "others": [{"record": key, "fields": fields} for key, fields in report.apart],
        "open": [{"state": state, "code": code, "changes": changes} for state, code, changes in report.open],
        "not_compared": report.not_compared,
    }


def _cell(one: Shown, cell: Cell) -> dict[str, Any]:
    place = cell.place
    return {
        "by": place.dimension,
        "type": place.entity,
        "value": place.value,
        "name": one.value(cell),
        "currency": place.currency,
        **{side: _sum(amount) for side, amount in (("source", cell.source), ("log", cell.log), ("books", cell.books))},
        "difference": cell.difference,
        "differs": cell.differs,
    }


def _sum(amount: Sum) -> dict[str, Any]:
    return {"documents": amount.documents, "net": amount.net, "tax": amount.tax, "total": amount.total}


def _drift(one: Shown, drift: Drift) -> dict[str, Any]:
    return {
        "kind": drift.kind,
        "type": drift.entity,
        "record": drift.record_key,
        "document": drift.document_id,
        "number": drift.number,
        "fields": [
            {
                "field": each.field,
                "ours": one.masked(drift, each.field, each.ours),
                "books": one.masked(drift, each.field, each.books),
                "restored": each.restored,
            }
            for each in drift.fields
        ],
        "others": drift.apart,
        "amount": drift.amount,
        "currency": drift.currency,
        "repair": drift.repair,
        "why_not": drift.why_not,
        "what_to_do": drift.what_to_do,
    }


def show(one: Shown) -> None:
    """Print it."""
    report, out = one.report, console()
    narrowed = f", {report.scope.month}" if report.scope.month else ""
    title = f"{one.company.name} (company {one.company.company}){narrowed}"
    shown = table(title, "", "", ">source", ">log", ">books", ">source", ">log", ">books", ">difference")
    for cell in report.totals.cells("type"):
        _add(one, shown, cell)
    out.print(shown)
    for dimension in DIMENSIONS[1:]:
        _show_differing(one, dimension)
    _show_drifts(one)
    for part in report.not_compared:
        out.print(Text(f"Not compared: {part.what}. {part.reason}"), style="yellow", soft_wrap=True)
    if report.apart:
        names = sorted({name for _, fields in report.apart for name in fields})
        said = f"Others changed what is theirs to change in {len(report.apart):,} documents: {', '.join(names)}."
        out.print(Text(said), soft_wrap=True)
    if report.open:
        waiting = ", ".join(f"{changes:,} {state} ({code})" for state, code, changes in report.open)
        out.print(
            Text(f"Not in the books yet, or not as wanted: {waiting}; `counterfoil parked` and `review` say more.")
        )
    out.print(Text(_proof(report)), soft_wrap=True)
    out.print(Text(conclusion(report)), style="green" if report.ties_out else "red")
    out.print()


def _proof(report: Report) -> str:
    shown = sum(one.shown for one in report.reads)
    counted = sum(one.counted for one in report.reads)
    ours = sum(one.ours for one in report.reads)
    sources = f" {report.source_records:,} records of the sources were read." if report.scope.sources else ""
    return (
        f"{ours:,} documents of ours, among {shown:,} that QuickBooks shows and {counted:,} that it counts; "
        f"{report.metered:,} metered reads.{sources}"
    )


def conclusion(report: Report) -> str:
    """The end of it in one sentence."""
    if report.ties_out:
        return "Source, log and books tie out."
    parts = [f"{count:,} {IN_WORDS[kind]}" for kind, count in report.counts().items()]
    parts += [f"{len(report.not_compared):,} not compared"] if report.not_compared else []
    amounts = "; ".join(money(amount, currency) for currency, amount in report.amounts().items() if amount)
    told = f" The books come to {amounts} more than the source in these." if amounts else ""
    return f"{', '.join(parts) or 'Sums differ'}.{told}"


def _add(one: Shown, shown: Any, cell: Cell) -> None:
    counts = (f"{side.documents:,}" for side in (cell.source, cell.log, cell.books))
    sums = (text(side.total) for side in (cell.source, cell.log, cell.books))
    name = " ".join(part for part in (cell.place.entity, one.value(cell)) if part)
    add_row(shown, cell.place.currency, name, *counts, *sums, text(cell.difference))


def _show_differing(one: Shown, dimension: str) -> None:
    cells = [cell for cell in one.report.totals.cells() if cell.place.dimension == dimension and cell.differs]
    if not cells:
        return
    out = console()
    shown = table(
        f"Differing by {dimension}", "", "", ">source", ">log", ">books", ">source", ">log", ">books", ">difference"
    )
    for cell in cells[:ROWS_SHOWN_MAX]:
        _add(one, shown, cell)
    out.print(shown)
    if len(cells) > ROWS_SHOWN_MAX:
        out.print(Text(f"… and {len(cells) - ROWS_SHOWN_MAX:,} more: --json, --csv and --html have all."))


def _show_drifts(one: Shown) -> None:
    drifts: Sequence[Drift] = one.report.drifts
    if not drifts:
        return
    out = console()
    shown = table(f"Differences: {len(drifts):,}", "record", "document", "what", ">books less source", "what to do")
    for drift in drifts[:DRIFTS_SHOWN_MAX]:
        document = f"{drift.entity} {drift.number or drift.document_id or ''}".strip()
        what = [IN_WORDS[drift.kind]]
        what += [
            f"{each.field}: {_short(one.masked(drift, each.field, each.ours))} → "
            f"{_short(one.masked(drift, each.field, each.books))}"
            for each in drift.fields[:5]
        ]
        add_row(
            shown,
            drift.record_key or "",
            document,
            "\n".join(what),
            money(drift.amount, drift.currency),
            drift.what_to_do,
        )
    out.print(shown)
    more = len(drifts) - DRIFTS_SHOWN_MAX + one.report.drifts_left_out
    if more > 0:
        out.print(Text(f"… and {more:,} more: --json, --csv and --html have them."))


def _short(value: str) -> str:
    return value if len(value) <= VALUE_SHOWN_MAX else value[:VALUE_SHOWN_MAX] + "…"
