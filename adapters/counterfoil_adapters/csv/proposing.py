"""A first `[csv]` table for a folder that nobody has mapped yet: what its files seem to hold. Blocking: it reads them.

It is a beginning to read and correct, and says of each file what it was taken for; what is not recognised is named in a
comment, never left out in silence.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

from counterfoil.errors import ConfigurationError
from counterfoil_adapters.csv.files import TITLE_ROWS_MAX, inspect
from counterfoil_adapters.csv.reading import BrokenRow, RowReader, choose_delimiter
from counterfoil_adapters.csv.recognising import ACTIVE, WON, Sheet, date_forms, has_decimal_comma, is_ambiguous, plain

SUFFIXES = frozenset({".csv", ".tsv", ".txt"})
ROWS_MAX = 2_000
FILES_MAX = 50
_VENDORS = ("vendor", "supplier", "shipper")
_HEADER_CELLS_MIN = 2
_ALIKE_MIN = 4


def propose(settings: Mapping[str, object]) -> str:
    """The tables, as TOML.

    Raises:
        ConfigurationError: there is no such folder, or no file in it that could be read.
        SourceError: a file cannot be read.
    """
    folder, single = settings.get("folder"), settings.get("file")
    paths: list[Path] = []
    if isinstance(folder, str | Path) and Path(folder).is_dir():
        paths = sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    elif isinstance(single, str | Path) and Path(single).is_file():
        paths = [Path(single)]
    sheets = [sheet for path in paths[:FILES_MAX] if (sheet := read_sheet(path)) is not None]
    if not sheets:
        raise ConfigurationError(
            "There is no CSV file with a header at the connection's folder or file.",
            remedy="Put an export there, or correct the setting; then run it again.",
        )
    return tables(_together(sheets))


def read_sheet(path: Path) -> Sheet | None:
    """The header and the first rows; None where there is nothing like a header."""
    encoding = inspect(path, "auto").encoding
    with path.open(encoding=encoding, errors="replace", newline="") as stream:
        head = [line for line in islice(stream, TITLE_ROWS_MAX) if line.strip()]
        if not head:
            return None
        delimiter = choose_delimiter(max(head, key=len), ())
        stream.seek(0)
        rows = [
            list(row.fields)
            for row in islice(RowReader(stream, delimiter, encoding).rows(), ROWS_MAX)
            if not isinstance(row, BrokenRow)
        ]
    start = _header_place(rows)
    if start is None:
        return None
    columns = tuple(cell.strip() for cell in rows[start])
    return Sheet(name=path.name, columns=columns, rows=[row for row in rows[start + 1 :] if len(row) == len(columns)])


def _header_place(rows: Sequence[Sequence[str]]) -> int | None:
    """The first row that is filled as far as the widest of those at the beginning."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows[:TITLE_ROWS_MAX]]
    most = max(filled, default=0)
    if most < _HEADER_CELLS_MIN:
        return None
    return next(place for place, count in enumerate(filled) if count >= most * 0.8)


def _together(sheets: Sequence[Sheet]) -> list[Sheet]:
    """Files with the same columns and a common beginning of their names (one for each year) are one, by a pattern."""
    groups: dict[tuple[str, ...], list[Sheet]] = {}
    for sheet in sheets:
        groups.setdefault(sheet.columns, []).append(sheet)
    made: list[Sheet] = []
    for columns, alike in groups.items():
        prefix = _common([sheet.name for sheet in alike]).rstrip("0123456789")
        suffix = _common([sheet.name[::-1] for sheet in alike])[::-1]
        pattern = f"{prefix}*{suffix}"
        fitting = {sheet.name for sheet in sheets if sheet.name.startswith(prefix) and sheet.name.endswith(suffix)}
        if len(alike) > 1 and len(prefix) >= _ALIKE_MIN and fitting == {sheet.name for sheet in alike}:
            rows = [row for sheet in alike for row in sheet.rows]
            made.append(Sheet(name=pattern, columns=columns, rows=rows))
        else:
            made.extend(alike)
    return made


def _common(names: Sequence[str]) -> str:
    """What all of them begin with."""
    shared = 0
    for characters in zip(*names, strict=False):
        if len(set(characters)) > 1:
            break
        shared += 1
    return names[0][:shared]


class _Draft:
    """Tables in the making: which kinds there are, and from which column each has its id."""

    def __init__(self) -> None:
        self.lines: list[str] = ["[csv]", 'encoding = "auto"', 'delimiter = "auto"']
        self.kinds: dict[str, tuple[str, set[str]]] = {}
        self.priced: set[str] = set()

    def name(self, wanted: str, sheet: Sheet) -> str:
        """A name that is free."""
        if wanted not in self.kinds:
            return wanted
        bare = sheet.name.rsplit(".", 1)[0].casefold()
        stem = "".join(each if each.isascii() and each.isalnum() else "_" for each in bare).strip("_") or "file"
        stem = f"{stem}_{wanted}"
        return next(f"{stem}{n}" for n in ("", *range(2, FILES_MAX * 3)) if f"{stem}{n}" not in self.kinds)

    def begin(self, record: str, wanted: str, sheet: Sheet, ids: str | Sequence[str], note: str = "") -> str:
        """A kind's own table."""
        name = self.name(wanted, sheet)
        known = set(sheet.values(ids)) if isinstance(ids, str) else set[str]()
        self.kinds[name] = (record, known)
        self.lines += ["", *([f"# {note}"] if note else []), f"[csv.{name}]", f"file = {_text(sheet.name)}"]
        self.lines += [f'record = "{record}"', f"id = {_text(ids) if isinstance(ids, str) else _texts(ids)}"]
        return name

    def dates(self, sheet: Sheet, *columns: str | None) -> None:
        """The forms of its dates, if they are not all ISO."""
        forms: list[str] = []
        doubtful = False
        for column in filter(None, columns):
            forms += [form for form in date_forms(sheet.values(column)) if form not in forms]
            doubtful = doubtful or is_ambiguous(sheet.values(column))
        if forms and forms != ["iso"]:
            remark = "  # or is the day first?" if doubtful else ""
            self.lines.append(f"dates = {_texts(forms)}{remark}")

    def numbers(self, sheet: Sheet, *columns: str | None) -> None:
        """How its numbers are written, if otherwise than 1234.50."""
        if any(has_decimal_comma(sheet.values(column)) for column in columns if column and sheet.values(column)):
            self.lines += ['decimal = ","', 'thousands = "."']

    def table(self, head: str, columns: Mapping[str, str | None]) -> None:
        """Fields and their columns, of those that there are; a value in braces is taken as it is."""
        self.lines.append(f"[{head}]")
        for field, column in columns.items():
            if column:
                self.lines.append(f"{field} = {column if column.startswith('{ ') else _text(column)}")

    def kind_of(self, record: str, values: Sequence[str]) -> str | None:
        """The kind of that record whose ids hold most of these values."""
        found = [(sum(v in ids for v in values), name) for name, (one, ids) in self.kinds.items() if one == record]
        best = max(found, default=(0, ""))
        return best[1] if best[0] * 2 >= max(len(values), 1) and best[0] else None


def tables(sheets: Sequence[Sheet]) -> str:
    """What the files seem to hold, as TOML; what they name comes first."""
    draft = _Draft()
    rest = list(sheets)
    for recognise in (_payroll, _staff, _parties, _products):
        rest = [sheet for sheet in rest if not recognise(draft, sheet)]
    lines = {sheet.name: sheet for sheet in rest if _is_lines_only(sheet)}
    for sheet in [one for one in rest if one.name not in lines]:
        detail = next((one for one in lines.values() if one.column("order_id") and sheet.column("order_id")), None)
        if _sales(draft, sheet, detail):
            rest.remove(sheet)
            if detail is not None and detail in rest:
                rest.remove(detail)
                lines.pop(detail.name)
    for sheet in rest:
        shown = ", ".join(filter(None, sheet.columns))
        draft.lines += ["", f"# {sheet.name} was not recognised (a sale needs a column for its customer). Its columns:"]
        draft.lines.append(f"# {shown}")
    return "\n".join(draft.lines) + "\n"


def _is_lines_only(sheet: Sheet) -> bool:
    order, priced = sheet.column("order_id"), sheet.column("price", "amount", "quantity")
    return bool(order and priced and not sheet.column("ordered") and not sheet.is_unique(order))


def _payroll(draft: _Draft, sheet: Sheet) -> bool:
    paid, net, earned = sheet.column("check_date"), sheet.column("net_pay"), sheet.earnings()
    if not (paid and net and earned):
        return False
    name = draft.begin("pay_run", "pay_run", sheet, paid, f"{sheet.name}: a payroll journal, one run for each {paid}")
    start, end = sheet.column("period_start"), sheet.column("period_end")
    draft.dates(sheet, paid, start, end)
    draft.numbers(sheet, net, *earned)
    draft.lines.append('constants = { status = "paid", processed = true }')
    draft.table(f"csv.{name}.columns", {"check_date": paid, "period_start": start, "period_end": end})
    withheld, borne = sheet.column("employee_taxes"), sheet.column("employer_taxes")
    taxes = [column for column in (withheld, borne) if column]
    draft.table(
        f"csv.{name}.pay",
        {"person": sheet.column("employee_id", "employee_name"), "department": sheet.column("department")},
    )
    parts: dict[str, list[str | None]] = {
        "wages": [*earned],
        "reimbursement": [sheet.column("reimbursement")],
        "employer_tax": [borne],
    }
    parts |= {"net_pay": [net], "tax_payment": [*taxes], "other_deduction": [sheet.column("deductions")]}
    for part, columns in parts.items():
        given = [column for column in columns if column]
        if given:
            draft.lines.append(f"{part} = {_texts(given)}")
    return True


def _staff(draft: _Draft, sheet: Sheet) -> bool:
    number, whole = sheet.column("employee_id"), sheet.column("employee_name")
    given, family = sheet.column("given_name"), sheet.column("family_name")
    about = sheet.column("hired") or sheet.column("department") or sheet.column("job")
    if not number or not about or sheet.column("order_id") or not sheet.is_unique(number):
        return False
    name = draft.begin("employee", "employee", sheet, number, f"{sheet.name}: people")
    hired = sheet.column("hired")
    draft.dates(sheet, hired)
    comma = whole is not None and sum("," in value for value in sheet.values(whole)) * 2 > len(sheet.values(whole))
    mark = _text("," if comma else " ")
    sides = ("after", "before") if comma else ("before", "after")
    columns: dict[str, str | None] = {"given_name": given, "family_name": family}
    if not (given and family) and whole:
        for field, side in zip(columns, sides, strict=True):
            columns[field] = f"{{ column = {_text(whole)}, {side} = {mark} }}"
    elif not (given and family):  # a list without names, as data sets for study are
        columns = {"family_name": number}
        draft.lines.append('constants = { given_name = "Employee" }')
    more = {"email": sheet.column("email"), "department": sheet.column("department"), "hired": hired}
    draft.table(f"csv.{name}.columns", {**columns, **more, "job": sheet.column("job"), "active": _active(sheet)})
    return True


def _parties(draft: _Draft, sheet: Sheet) -> bool:
    priced = sheet.column("price", "amount", "quantity", "order_id", "deal")
    names = sheet.column("customer_name") or sheet.column("name")
    given, family = sheet.column("given_name"), sheet.column("family_name")
    if priced or sheet.column("product_id") or not (names or (given and family)):
        return False
    candidates = (sheet.column("customer_id"), sheet.own_id(), names)
    number = next((column for column in candidates if column and sheet.is_unique(column)), None)
    if number is None:
        return False
    if plain(sheet.name).startswith(_VENDORS) and names:
        name = draft.begin("vendor", "vendor", sheet, number, f"{sheet.name}: vendors")
        draft.table(f"csv.{name}.columns", {"name": names, "email": sheet.column("email")})
        return True
    name = draft.begin("customer", "customer", sheet, number, f"{sheet.name}: customers")
    shown = names if names and not (names == number and given and family) else f"{{{given}}} {{{family}}}"
    draft.table(
        f"csv.{name}.columns",
        {
            "name": shown,
            "given_name": given,
            "family_name": family,
            "email": sheet.column("email"),
            "phone": sheet.column("phone"),
            "billing": _address(sheet),
            "active": _active(sheet),
        },
    )
    return True


def _active(sheet: Sheet) -> str | None:
    """Which words say that somebody is there still; None where no word of the column is one of those."""
    column = sheet.column("active")
    words = [value for value in dict.fromkeys(sheet.values(column) if column else ()) if value.casefold() in ACTIVE]
    return f"{{ column = {_text(column)}, when = {_texts(words)} }}" if column and words else None


def _address(sheet: Sheet) -> str | None:
    parts = {part: sheet.column(part) for part in ("city", "region", "postal_code", "country")}
    street = sheet.column("street")
    given = [f"lines = {_texts([street])}"] if street else []
    given += [f"{part} = {_text(column)}" for part, column in parts.items() if column]
    return f"{{ {', '.join(given)} }}" if given else None


def _products(draft: _Draft, sheet: Sheet) -> bool:
    number, called = sheet.column("product_id") or sheet.own_id(), sheet.column("product_name", "name")
    price = sheet.column("price")
    sold = sheet.column("order_id", "ordered", "customer_id")
    own = next((column for column in (number, called) if column and sheet.is_unique(column)), None)
    if sold or own is None or not (price or sheet.column("product_id")):
        return False
    name = draft.begin("product", "product", sheet, own, f"{sheet.name}: products")
    draft.numbers(sheet, price)
    draft.table(f"csv.{name}.columns", {"name": called or own, "unit_price": price})
    if price:
        draft.priced.add(name)
    return True


def _sales(draft: _Draft, sheet: Sheet, detail: Sheet | None) -> bool:
    order = sheet.column("order_id", "own_id")
    price, amount = sheet.column("price"), sheet.column("amount")
    price_from = _priced_kind(draft, sheet)
    if not order or not (price or amount or detail or price_from):
        return False
    is_deal = sheet.column("deal") is not None
    # Open deals have no amount yet, which no line may lack: it is a charge.
    in_rows = detail is None and not is_deal and (not sheet.is_unique(order) or bool(sheet.column("product_id")))
    if sheet.column("customer_id") is None:
        return False
    buyer = _named_party(draft, sheet)
    ware = _named_product(draft, detail or sheet)
    what = "opportunities" if is_deal else "sales, each row a line" if in_rows else "sales"
    name = draft.begin("invoice", "deal" if is_deal else "order", sheet, order, f"{sheet.name}: {what}")
    dated, stage = sheet.column("ordered"), sheet.column("stage")
    draft.dates(sheet, dated)
    draft.numbers(sheet, price, amount)
    columns: dict[str, str | None] = {"customer": buyer, "dated": dated, "currency": sheet.column("currency")}
    if stage:
        won = [value for value in dict.fromkeys(sheet.values(stage)) if value.casefold() in WON]
        columns |= {"status": stage, "won": f"{{ column = {_text(stage)}, when = {_texts(won or ['won'])} }}"}
    else:
        draft.lines.append('constants = { status = "sold", won = true }')
    draft.table(f"csv.{name}.columns", columns)
    if detail is not None:
        draft.lines += [f"[csv.{name}.lines]", f"file = {_text(detail.name)}"]
        draft.lines.append(f"key = {_text(detail.column('order_id') or order)}")
        _line_columns(draft, name, detail, ware)
    elif in_rows:
        draft.lines.append(f"[csv.{name}.lines]")
        line = sheet.column("line_id")
        if line is not None and sheet.is_unique(line):
            draft.lines.append(f"id = {_text(line)}")
        if price_from and not (price or amount):
            draft.lines.append(f"price_from = {_text(price_from)}")
        _line_columns(draft, name, sheet, ware)
    else:
        draft.lines += [f"[[csv.{name}.charges]]", f"column = {_text(amount or price or order)}", 'role = "goods"']
        draft.lines += [f"product = {ware}"] if ware else []
    freight = sheet.column("freight")
    if freight and not in_rows:
        draft.lines += [f"[[csv.{name}.charges]]", f"column = {_text(freight)}", 'role = "freight"']
    return True


def _priced_kind(draft: _Draft, sheet: Sheet) -> str | None:
    """The products whose prices hold for lines that state none but name what was sold, and how many."""
    column = sheet.column("product_id")
    kind = draft.kind_of("product", sheet.values(column)) if column and sheet.column("quantity") else None
    return kind if kind in draft.priced else None


def _line_columns(draft: _Draft, name: str, sheet: Sheet, ware: str | None) -> None:
    price, amount = sheet.column("price"), sheet.column("amount")
    columns: dict[str, str | None] = {"product": ware, "description": sheet.column("product_name")}
    # An amount is that of the whole line.
    columns["quantity"] = sheet.column("quantity") if price or not amount else None
    columns["unit_price"] = price or amount
    columns["discount"] = sheet.column("discount") if price else None
    draft.table(f"csv.{name}.lines.columns", columns)


def _named_party(draft: _Draft, sheet: Sheet) -> str | None:
    column = sheet.column("customer_id")
    if column is None:
        return None
    kind = draft.kind_of("customer", sheet.values(column))
    if kind is None:
        shown = sheet.column("customer_name") or column
        kind = _beside(draft, "customer", "customer", sheet, column, shown)
    return f"{{ kind = {_text(kind)}, column = {_text(column)} }}"


def _named_product(draft: _Draft, sheet: Sheet) -> str | None:
    column = sheet.column("product_id", "product_name")
    if column is None:
        return None
    kind = draft.kind_of("product", sheet.values(column))
    if kind is None:
        kind = _beside(draft, "product", "product", sheet, column, column)
    return f"{{ kind = {_text(kind)}, column = {_text(column)} }}"


def _beside(draft: _Draft, record: str, wanted: str, sheet: Sheet, column: str, shown: str) -> str:
    """A kind whose records stand in the rows of something else."""
    name = draft.begin(record, wanted, sheet, column, f"{sheet.name}: the {record}s named in it")
    draft.lines.append('repeated = "first"')
    draft.table(f"csv.{name}.columns", {"name": shown})
    return name


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _texts(values: Iterable[str]) -> str:
    return f"[{', '.join(_text(value) for value in values)}]"
