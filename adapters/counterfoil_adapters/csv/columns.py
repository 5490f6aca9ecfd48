"""From a mapping's `columns` to functions that read a field of a canonical record out of a row. Pure."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from counterfoil.errors import ConfigurationError
from counterfoil_adapters.csv.cells import CellError, Cells, Style, amount, day, instant, share
from counterfoil_adapters.csv.mapping import ColumnPlan, Columns, Constant, RecordName, suggestion
from counterfoil_schema.records import Address, record_key

FieldKind = Literal["text", "amount", "share", "date", "instant", "flag", "reference", "address", "currency"]

PartName = Literal["line", "part"]
FIELDS: Mapping[RecordName | PartName, Mapping[str, FieldKind]] = {
    "customer": {
        "name": "text",
        "company_name": "text",
        "given_name": "text",
        "family_name": "text",
        "email": "text",
        "phone": "text",
        "billing": "address",
        "currency": "currency",
        "active": "flag",
    },
    "product": {
        "name": "text",
        "sku": "text",
        "description": "text",
        "unit_price": "amount",
        "currency": "currency",
        "active": "flag",
    },
    "employee": {
        "given_name": "text",
        "family_name": "text",
        "email": "text",
        "department": "text",
        "hired": "date",
        "active": "flag",
        "location": "text",
        "job": "text",
        "books_id": "text",
    },
    "vendor": {"name": "text", "email": "text", "currency": "text", "active": "flag"},
    "invoice": {
        "customer": "reference",
        "number": "text",
        "status": "text",
        "won": "flag",
        "happened_at": "instant",
        "dated": "date",
        "due": "date",
        "currency": "currency",
        "stated_total": "amount",
        "memo": "text",
        "tax_included": "flag",
        "stated_tax": "amount",
        "exchange_rate": "amount",
    },
    "payment": {
        "customer": "reference",
        "dated": "date",
        "currency": "currency",
        "amount": "amount",
        "reference": "text",
        "exchange_rate": "amount",
        "status": "text",
        "received": "flag",
    },
    "credit_memo": {
        "customer": "reference",
        "number": "text",
        "dated": "date",
        "currency": "currency",
        "tax_included": "flag",
        "stated_tax": "amount",
        "exchange_rate": "amount",
    },
    "refund": {
        "customer": "reference",
        "number": "text",
        "dated": "date",
        "currency": "currency",
        "tax_included": "flag",
        "stated_tax": "amount",
        "exchange_rate": "amount",
    },
    "payout": {
        "reference": "text",
        "dated": "date",
        "currency": "currency",
        "amount": "amount",
        "fee": "amount",
        "exchange_rate": "amount",
    },
    "pay_run": {
        "status": "text",
        "processed": "flag",
        "check_date": "date",
        "period_start": "date",
        "period_end": "date",
        "currency": "currency",
        "off_cycle": "flag",
        "stated_debit": "amount",
        "reverses": "reference",
    },
    "part": {"payment": "reference", "refund": "reference", "amount": "amount"},
    "line": {
        "product": "reference",
        "description": "text",
        "quantity": "amount",
        "unit_price": "amount",
        "discount": "share",
        "amount": "amount",
        "role": "text",
        "taxed": "flag",
        "tax": "amount",
        "tax_rate": "share",
        "tax_code": "text",
    },
}
"""Which fields a mapping may fill, and from what kind of cell."""

REQUIRED: Mapping[RecordName | PartName, Sequence[str]] = {
    "customer": ("name",),
    "product": ("name",),
    "employee": ("given_name", "family_name"),
    "vendor": ("name",),
    "invoice": ("customer", "status", "won", "currency"),
    "payment": ("customer", "dated", "currency", "amount"),
    "credit_memo": ("customer", "dated", "currency"),
    "refund": ("customer", "dated", "currency"),
    "payout": ("dated", "currency", "amount"),
    "pay_run": ("status", "processed", "check_date", "currency"),
    "part": ("amount",),
    "line": ("unit_price",),
}
"""Fields without which there is no such record; `customer` of an invoice may be empty in a row, and parks it."""

_MAY_BE_EMPTY = {("invoice", "customer")}
_NEVER_EMPTY = {("line", "quantity")}
"""A quantity left empty is not one piece: once its column is mapped, it must be filled."""

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_REFERENCE_FORM = '{ kind = "…", column = "…" }'
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """How one field is read. `read` gives None for an empty cell, which `nullable` fields pass on."""

    field: str
    columns: tuple[str, ...]
    read: Callable[[Cells], object]
    required: bool = False
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """How all fields of a record or a line are read from a row."""

    fields: tuple[FieldPlan, ...]
    constants: Mapping[str, Constant]

    def columns(self) -> tuple[str, ...]:
        """The columns that the file must have, in the mapping's order."""
        return tuple(dict.fromkeys(column for plan in self.fields for column in plan.columns))

    def read(self, cells: Cells) -> tuple[dict[str, object], list[CellError]]:
        """The fields that the row fills, and everything that is wrong with it."""
        values: dict[str, object] = dict(self.constants)
        errors: list[CellError] = []
        for plan in self.fields:
            try:
                value = plan.read(cells)
            except CellError as error:
                errors.append(error)
                continue
            if value is not None:
                values[plan.field] = value
            elif plan.nullable:
                values.setdefault(plan.field, None)
            elif plan.required and plan.field not in values:
                errors.append(_missing(plan, cells))
        return values, errors


def _missing(plan: FieldPlan, cells: Cells) -> CellError:
    named = " and ".join(repr(column) for column in plan.columns)
    if any(cells.given(column) for column in plan.columns):  # a part of a cell, or a word, that is not there
        return CellError(f"Column {named} is filled, but not with a {plan.field}.", "Correct the cell, or the mapping.")
    return CellError(f"Column {named} is empty.", f"Fill it: it gives the {plan.field}.")


def plan_record(
    where: str,
    record: RecordName | PartName,
    columns: Mapping[str, ColumnPlan],
    constants: Mapping[str, Constant],
    *,
    connection: str,
    kinds: Mapping[str, RecordName],
    style: Style,
    given_elsewhere: Collection[str] = (),
) -> RecordPlan:
    """Check a mapping's `columns` and `constants` against the record's fields.

    Args:
        given_elsewhere: required fields that come from another record where a row leaves them out.

    Raises:
        ConfigurationError: an unknown field or kind, a column given in a wrong form, a required field left out.
    """
    known = FIELDS[record]
    for field in (*columns, *constants):
        if field not in known:
            raise ConfigurationError(
                f"[{where}]: {field!r} is not a field of {_a(record)}.{suggestion(field, list(known))}",
                remedy=f"It may be one of {', '.join(known)}.",
            )
    for field in REQUIRED[record]:
        if field not in columns and field not in constants and field not in given_elsewhere:
            raise ConfigurationError(
                f"[{where}]: nothing gives the {field} of {_a(record)}.",
                remedy=f"Add {field} to columns or to constants.",
            )
    plans = tuple(
        FieldPlan(
            field,
            *_reader(f"{where}.columns.{field}", known[field], spec, connection, kinds, style),
            required=(field in REQUIRED[record] and field not in given_elsewhere) or (record, field) in _NEVER_EMPTY,
            nullable=(record, field) in _MAY_BE_EMPTY,
        )
        for field, spec in columns.items()
    )
    return RecordPlan(plans, dict(constants))


def _a(record: str) -> str:
    return f"an {record}" if record[0] in "aeiou" else f"a {record.replace('_', ' ')}"


_Made = tuple[tuple[str, ...], Callable[[Cells], object]]


def _reader(
    where: str, kind: FieldKind, spec: ColumnPlan, connection: str, kinds: Mapping[str, RecordName], style: Style
) -> _Made:
    match kind:
        case "text":
            return text_of(spec) if isinstance(spec, str) else _piece_of(where, spec)
        case "currency" | "amount" | "share" | "date" | "instant":
            if not isinstance(spec, str):
                raise _wrong_form(where, '"column"')
            return _typed(kind, spec, style)
        case "flag":
            return _flag(where, spec, style)
        case "reference":
            return reference_of(where, spec, connection, kinds)
        case "address":
            return _address(where, spec)


def text_of(spec: str) -> _Made:
    """A column, or a template such as `{first} {last}`; blanks left by empty parts are closed up."""
    names = tuple(_PLACEHOLDER.findall(spec))
    if not names:
        return (spec,), lambda cells: cells[spec] or None

    def fill(cells: Cells) -> str | None:
        if not any(cells[name] for name in names):
            return None
        return " ".join(_PLACEHOLDER.sub(lambda match: cells[match[1]], spec).split())

    return names, fill


def _piece_of(where: str, spec: Mapping[str, Any]) -> _Made:
    """The part of a cell before or after a mark: the family name of `Baker, Zoë`, the first name of `Zoë Baker`."""
    form = '"column", "{first} {last}", or { column = "…", before = "," } (or after = ",")'
    column, sides = spec.get("column"), spec.keys() - {"column"}
    if not isinstance(column, str) or len(sides) != 1 or not sides <= {"before", "after"}:
        raise _wrong_form(where, form)
    (side,) = sides
    mark = spec[side]
    if not isinstance(mark, str) or not mark:
        raise _wrong_form(where, form)

    def read(cells: Cells) -> str | None:
        before, _, after = cells[column].partition(mark)
        return " ".join((before if side == "before" else after).split()) or None

    return (column,), read


def _typed(kind: Literal["currency", "amount", "share", "date", "instant"], column: str, style: Style) -> _Made:
    def read(cells: Cells) -> object:
        text = cells.given(column)
        if not text:
            return None
        match kind:
            case "amount":
                return amount(column, text, style)
            case "share":
                return share(column, text, style)
            case "date":
                return day(column, text, style)
            case "instant":
                return instant(column, text, style)
            case "currency":
                code = text.upper()
                if not _CURRENCY.fullmatch(code):
                    raise CellError(
                        f"{style.show(text)} in column {column!r} is not a currency code.",
                        "Use three letters, such as USD.",
                    )
                return code

    return (column,), read


def _flag(where: str, spec: ColumnPlan, style: Style) -> _Made:
    """True where the cell holds one of `when`; without `when`, the usual words for yes and no are read."""
    form = '"column" or { column = "…", when = ["…"] }'
    if isinstance(spec, str):
        column = spec
        words = {"1": True, "true": True, "yes": True, "y": True, "0": False, "false": False, "no": False, "n": False}

        def plain(cells: Cells) -> bool | None:
            text = cells.given(column)
            if not text:
                return None
            if text.casefold() not in words:
                raise CellError(
                    f"{style.show(text)} in column {column!r} is neither yes nor no.",
                    "Correct the cell, or list the words for yes with when = […] in the mapping.",
                )
            return words[text.casefold()]

        return (column,), plain
    name, when = spec.get("column"), spec.get("when")
    if not isinstance(name, str) or not isinstance(when, list) or set(spec) != {"column", "when"}:
        raise _wrong_form(where, form)
    wanted = {str(word).strip().casefold() for word in when}
    return (name,), lambda cells: cells[str(name)].casefold() in wanted


def reference_of(where: str, spec: ColumnPlan, connection: str, kinds: Mapping[str, RecordName]) -> _Made:
    """The key of another record, from the column that holds its id.

    `{ kind, column }` says of which kind it is, and `connection` in which connection if not in this one; a column
    alone will do where only one kind comes into question.
    """
    whole = _whole_reference(where, spec, kinds)
    kind, column, other = whole.get("kind"), whole.get("column"), whole.get("connection", connection)
    columns: Columns = (column,) if isinstance(column, str) else tuple(str(each) for each in column or ())
    if not isinstance(kind, str) or not columns or not isinstance(other, str):
        raise _wrong_form(where, _REFERENCE_FORM)
    if other == connection and kind not in kinds:
        raise ConfigurationError(
            f"[{where}]: there is no [csv.{kind}] table.{suggestion(kind, list(kinds))}",
            remedy=f"Name one of {', '.join(kinds)}, or add the table.",
        )

    def read(cells: Cells) -> str | None:
        source_id = joined_id([cells[each] for each in columns])
        return record_key(other, kind, source_id) if source_id else None

    return columns, read


def _whole_reference(where: str, spec: ColumnPlan, kinds: Mapping[str, RecordName]) -> Mapping[str, Any]:
    if isinstance(spec, str):
        record = where.rsplit(".", 1)[1]
        fitting = [name for name, each in kinds.items() if each == record]
        if len(fitting) != 1:
            raise _wrong_form(where, f"{_REFERENCE_FORM}, as {len(fitting)} tables are {record}s")
        return {"kind": fitting[0], "column": spec}
    if not set(spec) <= {"kind", "column", "connection"}:
        raise _wrong_form(where, _REFERENCE_FORM)
    return spec


def joined_id(parts: Sequence[str]) -> str | None:
    """The id that columns make up: as it stands if one, else joined by `/` so that no two combinations meet."""
    if not all(parts):
        return None
    if len(parts) == 1:
        return parts[0]
    return "/".join(part.replace("\\", "\\\\").replace("/", "\\/") for part in parts)


def _address(where: str, spec: ColumnPlan) -> _Made:
    form = '{ lines = ["…"], city = "…", region = "…", postal_code = "…", country = "…" }'
    names = ("city", "region", "postal_code", "country")
    if isinstance(spec, str) or not set(spec) <= {"lines", *names} or not spec:
        raise _wrong_form(where, form)
    lines: Any = spec.get("lines", [])
    if not isinstance(lines, list) or not all(
        isinstance(each, str) for each in [*lines, *map(spec.get, spec.keys() - {"lines"})]
    ):
        raise _wrong_form(where, form)
    rest = {name: str(spec[name]) for name in names if name in spec}

    def read(cells: Cells) -> Address | None:
        rows = [line.strip() for column in lines for line in cells[column].splitlines() if line.strip()]
        parts = {name: cells[column] or None for name, column in rest.items()}
        if not rows and not any(parts.values()):
            return None
        return Address(lines=tuple(rows), **parts)

    return (*lines, *rest.values()), read


def _wrong_form(where: str, form: str) -> ConfigurationError:
    return ConfigurationError(f"[{where}] is given in a form that is not understood.", remedy=f"Write {form}.")
