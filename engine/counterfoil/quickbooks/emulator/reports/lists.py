"""Documents in a list, sums by party, item, class or department, and open balances."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal

from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.catalog import ENTITIES
from counterfoil.quickbooks.emulator.lines import flat
from counterfoil.quickbooks.emulator.reports.aging import PAYABLE, RECEIVABLE, overdue
from counterfoil.quickbooks.emulator.reports.asked import Asked
from counterfoil.quickbooks.emulator.reports.columns import Cell, Entry, chosen, closing, shown, titled
from counterfoil.quickbooks.emulator.reports.layout import Line, Report, cells, data, summary, total_of
from counterfoil.quickbooks.emulator.reports.openness import open_on
from counterfoil.quickbooks.emulator.reports.subjects import headed
from counterfoil.quickbooks.emulator.tables import Row
from counterfoil.quickbooks.emulator.values import ZERO, as_list, as_object, as_text, to_decimal
from counterfoil.quickbooks.emulator.views import amount_of
from counterfoil_schema.exact_json import JsonObject, JsonValue

SALES = (("Invoice", 1), ("SalesReceipt", 1), ("CreditMemo", -1), ("RefundReceipt", -1))
SPENDING = (("Bill", 1), ("Purchase", 1), ("VendorCredit", -1))
AGED_COLUMNS = ("tx_date", "txn_type", "doc_num", "name", "due_date", "subt_nat_amount")
LIST_COLUMNS = ("tx_date", "txn_type", "doc_num", "name", "memo", "subt_nat_amount")
Owing = tuple[tuple[str, int], ...]
Making = Callable[[Books, Asked], Report]


def transaction_list(books: Books, asked: Asked) -> Report:
    """Every document of the period, oldest first."""
    keys = chosen(asked.columns, LIST_COLUMNS)
    return Report(titled(keys), [shown(listed(books, *found), keys) for found in documents(books, asked)])


def transactions_by(party: str) -> Making:
    """A report of every document of the period that names a party, party by party."""

    def made(books: Books, asked: Asked) -> Report:
        keys = chosen(asked.columns, LIST_COLUMNS)
        by_party: defaultdict[Cell, list[Entry]] = defaultdict(list)
        for entity, row in documents(books, asked):
            if row.body.get(party) or as_object(row.body.get("EntityRef")).get("type") == party.removesuffix("Ref"):
                by_party[_named(row, party)].append(listed(books, entity, row))
        return Report(titled(keys), by_section(by_party, keys))

    return made


def documents(books: Books, asked: Asked) -> list[tuple[str, Row]]:
    """Every document of the period with its kind, oldest first."""
    found = sorted(
        (
            (_day(row), entity, row)
            for entity, spec in ENTITIES.items()
            if spec.kind == "transaction"
            for row in books.tables.table(entity).rows.values()
            if row.body.get("TxnDate")
            and asked.start <= _day(row) <= asked.end
            and headed(row, asked.filters)
            and asked.narrowing.holds(books, entity, row)
        ),
        key=lambda one: (one[0], int(one[2].id)),
    )
    return [(entity, row) for _, entity, row in found]


def listed(books: Books, entity: str, row: Row, amount: Decimal | None = None) -> Entry:
    """A document as a whole, with what it is about or with another amount."""
    worth = amount_of(entity, row.body) if amount is None else amount
    return Entry(books, entity, row, amount=to_decimal(row.body.get("Amount", 0), "Amount") if worth is None else worth)


def by_section(parts: Mapping[Cell, list[Entry]], keys: tuple[str, ...]) -> list[JsonValue]:
    """A section for each part, by its name, with its sum."""
    return [_section(part, inside, keys) for part, inside in sorted(parts.items())]


def _section(part: Cell, inside: list[Entry], keys: tuple[str, ...]) -> JsonObject:
    name, identifier = part
    amount = sum((entry.amount for entry in inside if entry.amount is not None), ZERO)
    return {
        "Header": cells(name, [""] * (len(keys) - 1), identifier),
        "Rows": {"Row": [shown(entry, keys) for entry in inside]},
        "Summary": closing(f"Total for {name}", keys, {"subt_nat_amount": amount}),
        "type": "Section",
    }


def sums_by(kinds: tuple[tuple[str, int], ...], reference: str, *, in_lines: bool = False) -> Making:
    """A report of what was sold to, or bought from, each of a list; of lines, where the lines name it."""

    def made(books: Books, asked: Asked) -> Report:
        sums: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        for entity, sign in kinds:
            for row in books.tables.table(entity).rows.values():
                if asked.start <= _day(row) <= asked.end and headed(row, asked.filters):
                    for name, identifier, amount in _parts(row, reference, in_lines=in_lines):
                        sums[name, identifier] += sign * amount
        return _totalled({key: amount for key, amount in sums.items() if amount})

    return made


def balances_of(owing: Owing, party: str) -> Making:
    """A report of what each party owed, or was owed."""

    def made(books: Books, asked: Asked) -> Report:
        sums: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        for _, row, amount in _open(books, asked, owing):
            sums[_named(row, party)] += amount
        return _totalled(sums)

    return made


def open_documents(owing: Owing, party: str) -> Making:
    """A report of each open document, party by party."""

    def made(books: Books, asked: Asked) -> Report:
        keys = chosen(asked.columns, LIST_COLUMNS)
        by_party: defaultdict[Cell, list[Entry]] = defaultdict(list)
        for entity, row, amount in _open(books, asked, owing):
            by_party[_named(row, party)].append(listed(books, entity, row, amount))
        return Report(titled(keys), by_section(by_party, keys))

    return made


def aged_documents(owing: Owing) -> Making:
    """A report of each open document, by how long it is overdue, the longest first."""

    def made(books: Books, asked: Asked) -> Report:
        keys = chosen(asked.columns, AGED_COLUMNS)
        by_age: defaultdict[int, list[Entry]] = defaultdict(list)
        for entity, row, amount in _open(books, asked, owing):
            age = overdue(row, asked.aged_on)
            if asked.aging.overdue is None or age >= asked.aging.overdue:
                by_age[asked.aging.place(age)].append(listed(books, entity, row, amount))
        titles = [f"{title} days past due" for title in asked.aging.titles]
        titles[0], titles[-1] = "Current", titles[-1].replace("and over", "or more")
        sections: list[JsonValue] = [
            _section((titles[place], ""), sorted(by_age[place], key=_due), keys)
            for place in sorted(by_age, reverse=True)
        ]
        return Report(titled(keys), sections)

    return made


def _due(entry: Entry) -> str:
    return as_text(entry.row.body.get("DueDate") or entry.row.body["TxnDate"])


LISTS: Mapping[str, Making] = {
    "AgedPayableDetail": aged_documents(PAYABLE),
    "AgedReceivableDetail": aged_documents(RECEIVABLE),
    "ClassSales": sums_by(SALES, "ClassRef", in_lines=True),
    "CustomerBalance": balances_of(RECEIVABLE, "CustomerRef"),
    "CustomerBalanceDetail": open_documents(RECEIVABLE, "CustomerRef"),
    "CustomerIncome": sums_by(SALES, "CustomerRef"),
    "CustomerSales": sums_by(SALES, "CustomerRef"),
    "DepartmentSales": sums_by(SALES, "DepartmentRef"),
    "ItemSales": sums_by(SALES, "ItemRef", in_lines=True),
    "TransactionList": transaction_list,
    "TransactionListByCustomer": transactions_by("CustomerRef"),
    "TransactionListByVendor": transactions_by("VendorRef"),
    "VendorBalance": balances_of(PAYABLE, "VendorRef"),
    "VendorBalanceDetail": open_documents(PAYABLE, "VendorRef"),
    "VendorExpenses": sums_by(SPENDING, "VendorRef"),
}


def _open(books: Books, asked: Asked, owing: Owing) -> Iterator[tuple[str, Row, Decimal]]:
    for entity, sign in owing:
        for row in books.tables.table(entity).rows.values():
            if _day(row) <= asked.as_of and headed(row, asked.filters):
                amount = sign * open_on(books, entity, row, asked.as_of)
                if amount:
                    yield entity, row, amount


def _parts(row: Row, reference: str, *, in_lines: bool) -> Iterator[tuple[str, str, Decimal]]:
    if not in_lines:
        # A purchase names whom it was made with, of whatever kind.
        named = as_object(row.body.get(reference) or row.body.get("EntityRef"))
        if named:
            yield as_text(named.get("name")), as_text(named.get("value")), _worth(row)
        return
    for line in flat(as_object(member) for member in as_list(row.body.get("Line"))):
        detail = as_object(line.get("SalesItemLineDetail"))
        named = as_object(detail.get(reference))
        if named:
            yield as_text(named.get("name")), as_text(named.get("value")), to_decimal(line.get("Amount", 0), "Amount")


def _worth(row: Row) -> Decimal:
    return to_decimal(row.body.get("TotalAmt", 0), "TotalAmt")


def _totalled(sums: Mapping[tuple[str, str], Decimal]) -> Report:
    lines = [Line(name, identifier, (amount,)) for (name, identifier), amount in sorted(sums.items())]
    rows: list[JsonValue] = [data(line) for line in lines]
    if lines:
        total = total_of([line.amounts for line in lines], 1)
        closing: JsonObject = {"Summary": summary("TOTAL", total), "type": "Section", "group": "GrandTotal"}
        rows.append(closing)
    return Report((("", "Name"), ("Total", "Money")), rows)


def _named(row: Row, party: str) -> tuple[str, str]:
    body = row.body
    named = as_object(body.get(party) or body.get("CustomerRef") or body.get("VendorRef") or body.get("EntityRef"))
    return as_text(named.get("name")), as_text(named.get("value"))


def _day(row: Row) -> date:
    return date.fromisoformat(as_text(row.body["TxnDate"]))
