"""A reconciliation as a page: tables, and a plot by month. One file, no script, nothing loaded from anywhere."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from html import escape

from counterfoil.cli.html import html_table, whole_page
from counterfoil.cli.output import money
from counterfoil.cli.tasks.reconcile_show import Shown, conclusion
from counterfoil.planning.money import text
from counterfoil.planning.reconciling.drifts import IN_WORDS, Drift
from counterfoil.planning.reconciling.totals import DIMENSIONS, Cell, by_month

SIDES = ("source", "log", "books")
_COLOURS = ("#33658a", "#86bbd8", "#f26419")
_PLOT_HEIGHT, _BAR, _GAP, _LEFT = 160, 12, 14, 8


def page_of(shown: Sequence[Shown], now: datetime) -> str:
    """The page. Whatever comes from sources or books stands in it as text, never as markup."""
    body = "\n".join(_company(one) for one in shown)
    names = ", ".join(one.company.name for one in shown)
    heading = f"<h1>Reconciliation</h1>\n<p>{escape(f'{now:%Y-%m-%d %H:%M}')} UTC</p>"
    return whole_page(f"Reconciliation: {names}", f"{heading}\n{body}")


def _company(one: Shown) -> str:
    report = one.report
    scope = f", {report.scope.month}" if report.scope.month else ""
    parts = [
        f"<h2>{escape(one.company.name)} (company {one.company.company}){escape(scope)}</h2>",
        f'<p class="{"fine" if report.ties_out else "bad"}">{escape(conclusion(report))}</p>',
    ]
    if report.not_compared:
        rows = [(part.what, part.reason) for part in report.not_compared]
        parts.append(html_table("Not compared", ("what", "why"), rows))
    parts += [_plot(currency, months) for currency, months in by_month(report.totals.cells()).items()]
    parts += [_differences(one)] if report.drifts else []
    for dimension in DIMENSIONS:
        parts.append(_sums(one, dimension, list(report.totals.cells(dimension))))
    if report.apart:
        rows = [(key, ", ".join(fields)) for key, fields in report.apart]
        parts.append(html_table("Changed by others, as they may", ("record", "fields"), rows))
    proof = [(read.entity, f"{read.ours:,}", f"{read.shown:,}", f"{read.counted:,}") for read in report.reads]
    parts.append(html_table("How it was read", ("type", ">ours", ">shown", ">counted by QuickBooks"), proof))
    return "\n".join(parts)


def _differences(one: Shown) -> str:
    columns = ("record", "document", "what", "field", "source and log", "books", ">books less source", "what to do")
    rows = [row for drift in one.report.drifts for row in _rows(one, drift)]
    return html_table(f"Differences: {len(one.report.drifts):,}", columns, rows)


def _rows(one: Shown, drift: Drift) -> Iterable[tuple[str, ...]]:
    document = f"{drift.entity} {drift.number or drift.document_id or ''}".strip()
    head = (drift.record_key or "", document, IN_WORDS[drift.kind])
    if not drift.fields:
        yield (*head, "", "", "", money(drift.amount, drift.currency), drift.what_to_do)
    for number, each in enumerate(drift.fields):
        values = (one.masked(drift, each.field, each.ours), one.masked(drift, each.field, each.books))
        told = (money(drift.amount, drift.currency), drift.what_to_do) if number == 0 else ("", "")
        yield (*(head if number == 0 else ("", "", "")), each.field, *values, *told)


def _sums(one: Shown, dimension: str, cells: Sequence[Cell]) -> str:
    if not cells:
        return ""
    heading = "Totals by type" if dimension == "type" else f"Totals by type and {dimension}"
    columns = (
        *("currency", "type", dimension if dimension != "type" else ""),
        *(f">{side}: documents" for side in SIDES),
        *(f">{side}: net" for side in SIDES),
        *(f">{side}: tax" for side in SIDES),
        ">difference",
    )
    rows: list[tuple[str, ...]] = []
    off: set[int] = set()
    for cell in cells:
        sides = (cell.source, cell.log, cell.books)
        off |= {len(rows)} if cell.differs else set()
        rows.append(
            (
                *(cell.place.currency, cell.place.entity, one.value(cell)),
                *(f"{side.documents:,}" for side in sides),
                *(text(side.net) for side in sides),
                *(text(side.tax) for side in sides),
                text(cell.difference),
            )
        )
    return html_table(heading, columns, rows, off)


def _plot(currency: str, months: dict[str, Cell]) -> str:
    """Three bars a month: what source, log and books come to."""
    ordered = sorted(months)
    most = max(
        (abs(side.total) for cell in months.values() for side in (cell.source, cell.log, cell.books)),
        default=Decimal(0),
    )
    if not most:
        return ""
    width = _LEFT + len(ordered) * (3 * _BAR + _GAP) + _LEFT
    bars: list[str] = []
    for place, month in enumerate(ordered):
        left = _LEFT + place * (3 * _BAR + _GAP)
        for number, side in enumerate((months[month].source, months[month].log, months[month].books)):
            height = int(_PLOT_HEIGHT * abs(side.total) / most)
            said = f"{month}, {SIDES[number]}: {text(side.total)} {currency}"
            bars.append(
                f'<rect x="{left + number * _BAR}" y="{_PLOT_HEIGHT - height}" width="{_BAR - 1}" height="{height}" '
                f'fill="{_COLOURS[number]}"><title>{escape(said)}</title></rect>'
            )
        bars.append(f'<text x="{left}" y="{_PLOT_HEIGHT + 14}">{escape(month[2:])}</text>')
    legend = " · ".join(
        f'<span style="color:{colour}">■</span> {side}' for side, colour in zip(SIDES, _COLOURS, strict=True)
    )
    label = escape(f"What source, log and books come to by month, in {currency}")
    return (
        f"<h3>By month, {escape(currency)}</h3>\n<p>{legend}; the tallest is {escape(money(most, currency))}</p>\n"
        f'<div style="overflow-x:auto"><svg role="img" aria-label="{label}" width="{width}" '
        f'height="{_PLOT_HEIGHT + 20}">{"".join(bars)}</svg></div>'
    )
