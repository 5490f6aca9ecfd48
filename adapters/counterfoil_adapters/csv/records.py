"""From a row, and the rows of its lines, to a canonical record, or to words about why there is none. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal

from pydantic import ValidationError

from counterfoil.sources import Seen, Unreadable
from counterfoil_adapters.csv.cells import CellError, Cells, amount
from counterfoil_adapters.csv.columns import joined_id
from counterfoil_adapters.csv.lines import Problems, charge_lines, detail_lines, payout_parts, refused
from counterfoil_adapters.csv.mapping import RecordName
from counterfoil_adapters.csv.plans import KindPlan, RowOf
from counterfoil_adapters.csv.reading import BrokenRow
from counterfoil_schema.exact_json import dumps
from counterfoil_schema.records import (
    Application,
    CreditMemo,
    Customer,
    Employee,
    Invoice,
    Payment,
    Payout,
    Product,
    Refund,
    Vendor,
)

ID_CHARACTERS_MAX = 200
_PROBLEMS_SHOWN_MAX = 5
Model = type[Customer | Product | Employee | Vendor | Invoice | Payment | CreditMemo | Refund | Payout]
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
}


def identify(columns: Sequence[str], row: RowOf) -> str | None:
    """The id that a row bears; None where it has none. Of a broken row only a leading id is believed."""
    positions = [row.header.index[column] for column in columns]
    fields = row.row.fields
    if isinstance(row.row, BrokenRow) and positions != list(range(len(positions))):
        return None
    if max(positions) >= len(fields):
        return None
    source_id = joined_id([fields[position].strip() for position in positions])
    return source_id if source_id and len(source_id) <= ID_CHARACTERS_MAX else None


def nameless_id(row: RowOf) -> str:
    """What stands for the id of a row that has none: the same as long as the row stays as it is."""
    text = row.row.raw if isinstance(row.row, BrokenRow) else "\x1f".join(row.row.fields)
    return f"row {hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def raw_of(plan: KindPlan, row: RowOf | None, lines: Sequence[RowOf] = ()) -> str:
    """The rows as JSON, with the names of their columns, without the columns that are not to be kept."""
    body: dict[str, object] = {}
    if row is not None:
        body["row"] = _kept(row, None if plan.keeps_all() else plan.columns())
    if plan.lines is not None:
        columns = None if plan.keeps_all() else plan.lines.columns()
        body["lines"] = [_kept(line, columns) for line in lines]
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


def build(plan: KindPlan, source_id: str, row: RowOf, lines: Sequence[RowOf] = ()) -> Seen | Unreadable:
    """The record that a proper row stands for, or all that keeps it from being one."""
    raw = raw_of(plan, row, lines)
    cells = row.cells()
    values, errors = plan.fields.read(cells)
    problems: Problems = [(row.place(), error) for error in errors]
    if plan.applied is not None:
        _apply(plan, cells, values, row, problems)
    if plan.kind.record == "payout":
        values["parts"] = tuple(payout_parts(plan, lines, problems))
    elif plan.lines is not None or plan.kind.charges:
        values["lines"] = (*detail_lines(plan, lines, problems), *charge_lines(plan, row, problems))
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
    if not problems:
        try:
            record = _MODELS[plan.kind.record].model_validate(values)
        except ValidationError as error:
            problems.append((row.place(), refused(error)))
        else:
            version = hashlib.sha256(raw.encode()).hexdigest()
            return Seen(kind=plan.name, source_id=source_id, version=version, record=record, raw=raw)
    return _unreadable(plan.name, source_id, problems, raw)


def _unreadable(kind: str, source_id: str, problems: Problems, raw: str) -> Unreadable:
    place, first = problems[0]
    told = [first.problem]
    for other, error in problems[1:_PROBLEMS_SHOWN_MAX]:
        told.append(error.problem if other == place else f"{other}: {error.problem}")
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
            part = amount(applied.amount, cells[applied.amount], plan.style)
        except CellError as error:
            problems.append((row.place(), error))
            return
    if isinstance(part, Decimal):
        values["applied"] = (Application(invoice=invoice, amount=part),)
