"""Accounts under the accounts that they belong to: a section each, what was posted to the upper one in its heading."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.reports.layout import Amounts, Line, cells, data, plus, summary, text_of
from counterfoil.quickbooks.emulator.values import ZERO, as_text, reference_id
from counterfoil_schema.exact_json import JsonObject, JsonValue


def nested(books: Books, lines: Sequence[Line]) -> list[JsonValue]:
    """The rows of accounts, in the order in which they came; each under its own parent, which is shown even if nothing
    was posted to it.
    """
    accounts = books.tables.table("Account").rows
    own = {line.id: line for line in lines}
    below: defaultdict[str, list[str]] = defaultdict(list)
    highest: list[str] = []
    for line in lines:
        identifier = line.id
        while (parent := _parent(books, identifier)) in accounts:
            if identifier in below[parent]:
                break
            below[parent].append(identifier)
            identifier = parent
        else:
            if identifier not in highest:
                highest.append(identifier)
    zero: Amounts = (ZERO,) * len(lines[0].amounts) if lines else ()

    def shown(identifier: str) -> tuple[JsonObject, Amounts]:
        row = accounts.get(identifier)
        name = as_text(row.body.get("Name")) if row is not None else own[identifier].name
        line = replace(own.get(identifier, Line("", identifier, zero)), name=name)
        if not below[identifier]:
            return data(line), line.amounts
        inside = [shown(one) for one in below[identifier]]
        total = plus(line.amounts, *(amounts for _, amounts in inside))
        heading = cells(name, [text_of(amount) if amount else "" for amount in line.amounts], identifier)
        section: JsonObject = {
            "Header": heading,
            "Rows": {"Row": [one for one, _ in inside]},
            "Summary": summary(f"Total {name}", total),
            "type": "Section",
        }
        return section, total

    return [shown(identifier)[0] for identifier in highest]


def _parent(books: Books, identifier: str) -> str:
    row = books.tables.get("Account", identifier)
    return reference_id(row.body.get("ParentRef")) if row is not None else ""
