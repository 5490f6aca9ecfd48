"""From a row, and the rows of its lines, to a canonical record, or to words about why there is none. Pure."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from pydantic import ValidationError

from counterfoil.sources import Seen, Unreadable
from counterfoil_adapters.csv.cells import CellError, Cells, amount
from counterfoil_adapters.csv.columns import joined_id
from counterfoil_adapters.csv.lines import Problems, charge_lines, detail_lines, payout_parts, refused
from counterfoil_adapters.csv.mapping import RecordName
from counterfoil_adapters.csv.pay import pay_lines
from counterfoil_adapters.csv.plans import KindPlan, RowOf
from counterfoil_adapters.csv.reading import BrokenRow
from counterfoil_adapters.csv.rejected import Faults
from counterfoil_schema.exact_json import dumps
from counterfoil_schema.records import (
    Application,
    CreditMemo,
    Customer,
    Employee,
    Invoice,
    Payment,
    Payout,
    PayRun,
    Product,
    Refund,
    Vendor,
)

ID_CHARACTERS_MAX = 200
CELLS_LOOKED_AT_MAX = 200
_PROBLEMS_SHOWN_MAX = 5
_ANY_DELIMITER = re.compile(r'[,;\t|\r\n"]')
_ONE_FOR_ALL_ROWS = ("customer", "currency", "number", "status", "won")
Model = type[Customer | Product | Employee | Vendor | Invoice | Payment | CreditMemo | Refund | Payout | PayRun]
_MODELS: Mapping[RecordName, Model] = {
    "customer": Customer,
    "product": Product,
    "employee": Employee,
    "vendor": Vendor,
    "invoice": Invoice,
    "payment": Payment,
    "credit_memo": CreditMemo,
    "refund": Refund,
    "payout": Payout,
    "pay_run": PayRun,
}


def identify(columns: Sequence[str], row: RowOf) -> str | None:
    """The id that a row bears; None where it has none. Of a broken row only a leading id is believed."""
    positions = [row.header.index[column] for column in columns]
    fields = row.row.fields
    if isinstance(row.row, BrokenRow) and positions != list(range(len(positions))):
        return None
    if max(positions) >= len(fields):
        return None
    parts = [fields[position].strip() for position in positions]
    source_id = joined_id(["" if part in row.header.nulls else part for part in parts])
    return source_id if source_id and len(source_id) <= ID_CHARACTERS_MAX else None


def possible_ids(columns: Sequence[str], row: RowOf) -> frozenset[str]:
    """The ids of records to which a row may belong that names none; none at all for one that is not broken.

    Its id stands in its columns, or beside them by as many cells as the row has too many or too few; where the cells
    before the fault do not reach so far, anywhere. Better one record held back that had no part in it than one sent
    without a line.
    """
    broken = row.row
    if not isinstance(broken, BrokenRow):
        return frozenset()
    positions = [row.header.index[column] for column in columns]
    cells, astray = broken.fields, len(broken.fields) - len(row.header.names)
    shifts = range(min(0, astray), max(0, astray) + 1)
    if max(positions) >= len(cells):
        cells = _ANY_DELIMITER.split(broken.raw, CELLS_LOOKED_AT_MAX)
        shifts = range(-max(positions), len(cells))
    found: set[str | None] = set()
    for shift in shifts:
        if min(positions) + shift >= 0 and max(positions) + shift < len(cells):
            found.add(joined_id([cells[position + shift].strip() for position in positions]))
    return frozenset(each for each in found if each and len(each) <= ID_CHARACTERS_MAX)


def nameless_id(row: RowOf) -> str:
    """What stands for the id of a row that has none: the same as long as the row stays as it is."""
    text = row.row.raw if isinstance(row.row, BrokenRow) else "\x1f".join(row.row.fields)
    return f"row {hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def raw_of(plan: KindPlan, row: RowOf | None, lines: Sequence[RowOf] = ()) -> str:
    """The rows as JSON, with the names of their columns, without the columns that are not to be kept."""
    body: dict[str, object] = {}
    own = None if plan.keeps_all() else plan.columns()
    if row is not None:
        body["row"] = _kept(row, own)
    if plan.lines is not None and plan.lines.spec.file is not None:
        columns = None if plan.keeps_all() else plan.lines.columns()
        body["lines"] = [_kept(line, columns) for line in lines]
    elif len(lines) > 1:
        body["more"] = [_kept(line, own) for line in lines if line is not row]
    return dumps(body).decode()


def _kept(row: RowOf, columns: Sequence[str] | None) -> object:
    if isinstance(row.row, BrokenRow):
        return row.row.raw if columns is None else "not kept: its columns cannot be told apart"
    named: dict[str, str] = {}
    for name, field in zip(row.header.names, row.row.fields, strict=True):
        if columns is None or name in columns:
            key = name
            while key in named:
                key += "'"
            named[key] = field
    return named


def build(plan: KindPlan, source_id: str, row: RowOf, lines: Sequence[RowOf] = ()) -> tuple[Seen | Unreadable, Faults]:
    """The record that a proper row stands for, or all that keeps it from being one, and the rows at fault."""
    whole = raw_of(plan, row, lines)
    # Of a payroll the rows are one person's pay each: nothing of them is kept beside their sums.
    raw = whole if plan.kind.pay is None or plan.keeps_all() else dumps({"rows": len(lines)}).decode()
    cells = row.cells()
    values, errors = plan.fields.read(cells)
    problems: Problems = [(row.place(), error) for error in errors]
    if plan.applied is not None:
        _apply(plan, cells, values, row, problems)
    _put_lines(plan, row, lines, values, problems)
    if plan.lines is not None and plan.lines.spec.required and not lines:
        problems.append(
            (
                row.place(),
                CellError(
                    f"{plan.name} {source_id} has no line in {plan.lines.spec.file}.",
                    "Add its lines; or set lines.required = false, if it may have none.",
                ),
            )
        )
    if not plan.kind.one_row_each():
        problems.extend(_contradictions(plan, lines))
    if not problems:
        try:
            record = _MODELS[plan.kind.record].model_validate(values)
        except ValidationError as error:
            problems.append((row.place(), refused(error)))
        else:
            version = hashlib.sha256(whole.encode()).hexdigest()
            return Seen(kind=plan.name, source_id=source_id, version=version, record=record, raw=raw), ()
    return _unreadable(plan.name, source_id, problems, raw), _faults(row, lines, problems)


def _put_lines(
    plan: KindPlan, row: RowOf, lines: Sequence[RowOf], values: dict[str, object], problems: Problems
) -> None:
    """What stands in several rows, or in several columns of one."""
    if plan.kind.pay is not None:
        values["lines"] = pay_lines(plan.kind.pay, plan.style, lines, problems)
        for name in ("period_start", "period_end"):
            values.setdefault(name, values.get("check_date"))
    elif plan.kind.record == "payout":
        values["parts"] = tuple(payout_parts(plan, lines, problems))
    elif plan.lines is not None or plan.kind.charges:
        values["lines"] = (*detail_lines(plan, lines, problems), *charge_lines(plan, row, problems))


def _contradictions(plan: KindPlan, rows: Sequence[RowOf]) -> Problems:
    """Where the rows of one record do not agree whose it is, or in which currency."""
    found: Problems = []
    for field in plan.fields.fields:
        if field.field not in _ONE_FOR_ALL_ROWS:
            continue
        said: dict[object, RowOf] = {}
        for row in rows:
            if isinstance(row.row, BrokenRow):
                continue
            try:
                value = field.read(row.cells())
            except CellError:
                continue  # told of the first row already
            if value is not None:
                said.setdefault(value, row)
        if len(said) > 1:
            first, second, *_ = said.values()
            words = f"The rows of one {plan.name} disagree about the {field.field}: lines {first.row.line} and "
            fix = f"Correct {' and '.join(field.columns)}, or choose another id in the mapping."
            found.append((second.place(), CellError(f"{words}{second.row.line}.", fix)))
    return found


def _faults(row: RowOf, lines: Sequence[RowOf], problems: Problems) -> Faults:
    """Each row with what is wrong with it; the record's own also where only its lines are at fault."""
    faults: list[tuple[RowOf, str, str]] = []
    own = row.place()
    for one in (row, *(line for line in lines if line is not row)):
        place = one.place()
        errors = [error for where, error in problems if where == place]
        if errors:
            told = list(dict.fromkeys(error.problem for error in errors))
            fixes = dict.fromkeys(error.fix for error in errors)
            faults.append((one, " ".join(told[:_PROBLEMS_SHOWN_MAX]), " ".join([*fixes][:_PROBLEMS_SHOWN_MAX])))
    if not any(one is row for one, _, _ in faults):
        place, first = next((where, error) for where, error in problems if where != own)
        faults.insert(0, (row, f"{place}: {first.problem}", first.fix))
    return faults


def _unreadable(kind: str, source_id: str, problems: Problems, raw: str) -> Unreadable:
    place, first = problems[0]
    told = [first.problem]
    for other, error in problems[1:_PROBLEMS_SHOWN_MAX]:
        words = error.problem if other == place else f"{other}: {error.problem}"
        if words not in told:
            told.append(words)
    if len(problems) > _PROBLEMS_SHOWN_MAX:
        told.append(f"And {len(problems) - _PROBLEMS_SHOWN_MAX} more.")
    fixes = dict.fromkeys(error.fix for _, error in problems[:_PROBLEMS_SHOWN_MAX])
    return Unreadable(kind=kind, source_id=source_id, place=place, problem=" ".join(told), fix=" ".join(fixes), raw=raw)


def _apply(plan: KindPlan, cells: Cells, values: dict[str, object], row: RowOf, problems: Problems) -> None:
    applied = plan.kind.applied
    if plan.applied is None or applied is None:
        return
    found, _ = plan.applied.read(cells)
    invoice = found.get("invoice")
    if not isinstance(invoice, str):
        return
    part = values.get("amount")
    if applied.amount:
        try:
            part = amount(applied.amount, cells.given(applied.amount), plan.style)
        except CellError as error:
            problems.append((row.place(), error))
            return
    if isinstance(part, Decimal):
        values["applied"] = (Application(invoice=invoice, amount=part),)
