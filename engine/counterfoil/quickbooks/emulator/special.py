"""Records with rules of their own: the two that a company has once, exchange rates, templates, and tax codes.

Everything here is checked whole before anything happens, as in the books themselves.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.catalog import ENTITIES, EntitySpec, Kind
from counterfoil.quickbooks.emulator.currencies import checked_rate, same_rate
from counterfoil.quickbooks.emulator.fields import checked, fields_of
from counterfoil.quickbooks.emulator.recurring import TYPE, require_schedule, template_in
from counterfoil.quickbooks.emulator.shapers import SHAPERS
from counterfoil.quickbooks.emulator.tables import Row
from counterfoil.quickbooks.emulator.taxes import made_by_service, rate_body, rate_lists
from counterfoil.quickbooks.emulator.values import as_object, as_text, clean
from counterfoil_schema.exact_json import JsonObject

if TYPE_CHECKING:
    from counterfoil.quickbooks.emulator.books import Books, Write
    from counterfoil.quickbooks.emulator.journal import Origin


def write_single(books: "Books", spec: EntitySpec, write: "Write", origin: "Origin") -> JsonObject:
    """Change CompanyInfo or Preferences, group by group.

    Raises:
        QuickBooksFaultError: 500 for anything but a change, and whatever is wrong with it.
    """
    if write.operation not in {"update", "create"}:
        raise faults.unsupported_operation(f"{write.operation} {spec.path}")
    row = books.current(spec, {"Id": "1", **write.body})
    sent = checked(spec.name, clean(write.body, latin1=books.latin1).values)
    body = dict(row.body)
    for name, value in sent.items():
        body[name] = {**as_object(body.get(name)), **value} if isinstance(value, dict) else value
    row = replace(row, token=row.token + 1, updated=books.now(), body=body)
    books.keep(spec, row, "update", origin)
    return books.show(spec.name, row)


def write_rate(books: "Books", spec: EntitySpec, write: "Write", origin: "Origin") -> JsonObject:
    """Set the rate of a currency for a day, whether there was one or not.

    Raises:
        QuickBooksFaultError: 500 for a removal, 5030 where the company deals in one currency, else what is wrong.
    """
    if write.operation not in {"update", "create"}:
        raise faults.unsupported_operation(f"{write.operation} {spec.path}")
    sent = checked(spec.name, clean(write.body, latin1=books.latin1).values)
    body = checked_rate(sent, books.home_currency, books.today())
    now = books.now()
    before = same_rate(books.tables, body)
    row = Row(books.tables.next_id(spec), 0, now, now, body)
    if before is not None:
        row = replace(before, token=before.token + 1, updated=now, body=body)
    books.keep(spec, row, "create" if before is None else "update", origin)
    return books.show(spec.name, row)


def write_template(books: "Books", spec: EntitySpec, write: "Write", origin: "Origin") -> JsonObject:
    """Make, change or delete a template; its transaction is checked as one of its kind, and posts nothing.

    Raises:
        QuickBooksFaultError: whatever is wrong with it.
    """
    if write.operation == "void":
        raise faults.unsupported_operation(f"void {spec.path}")
    template = template_in(write.body)
    current = books.current(spec, template.body) if as_text(template.body.get("Id")) else None
    if write.operation == "delete":
        if current is None:
            raise faults.required("Id")
        books.drop(spec, current, origin)
        return {template.spec.name: {"status": "Deleted", "domain": "QBO", "Id": current.id}}
    cleaned = clean(template.body, latin1=books.latin1)
    sent = checked(template.spec.name, cleaned.values)
    if current is not None and template.body.get("sparse") is True:
        sent = {**_writable(template.spec, current.body), **sent}
    require_schedule(sent)
    draft = books.draft(template.spec, sent, current, write.include, sent=frozenset(sent))
    # Its Id is that of a template, and no document's.
    shaped = SHAPERS[template.spec.name](replace(draft, identifier=""))
    now = books.now()
    body: JsonObject = {**shaped.body, TYPE: template.spec.name}
    if current is None:
        row = Row(books.tables.next_id(spec), 0, now, now, body, shaped.lines_made)
    else:
        made = max(current.lines_made, shaped.lines_made)
        row = replace(current, token=current.token + 1, updated=now, body=body, lines_made=made)
    row.body["RecurDataRef"] = {"value": row.id}
    books.keep(spec, row, "create" if current is None else "update", origin)
    return books.show(spec.name, row)


def _writable(spec: EntitySpec, body: JsonObject) -> JsonObject:
    table = fields_of(spec.name)
    return {name: value for name, value in body.items() if name in table and not table[name].read_only}


def write_tax_code(books: "Books", body: JsonObject, origin: "Origin") -> JsonObject:
    """The tax service: a code, with rates that are there or are made for it.

    Raises:
        QuickBooksFaultError: whatever is wrong; then nothing is made.
    """
    code, details = made_by_service(clean(body, latin1=books.latin1).values, books.tables)
    now = books.now()
    for detail in details:
        if "TaxRateId" not in detail:
            spec = ENTITIES["TaxRate"]
            row = Row(books.tables.next_id(spec), 0, now, now, rate_body(detail))
            books.keep(spec, row, "create", origin)
            detail["TaxRateId"] = row.id
    spec = ENTITIES["TaxCode"]
    row = Row(books.tables.next_id(spec), 0, now, now, {**code, **rate_lists(details)})
    books.keep(spec, row, "create", origin)
    return {"TaxCode": code["Name"], "TaxCodeId": row.id, "TaxRateDetails": [*details]}


def refuse(_books: "Books", spec: EntitySpec, write: "Write", _origin: "Origin") -> JsonObject:
    """Read only.

    Raises:
        QuickBooksFaultError: 500.
    """
    raise faults.unsupported_operation(f"{write.operation} {spec.path}")


SPECIAL: "dict[Kind, Callable[[Books, EntitySpec, Write, Origin], JsonObject]]" = {
    "single": write_single,
    "fixed": refuse,
    "rate": write_rate,
    "template": write_template,
}
