"""What all documents with lines share: ids that stay with their lines, and references inside details."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.catalog import REFERENCES
from counterfoil.quickbooks.emulator.drafting import Draft
from counterfoil.quickbooks.emulator.fields import check_text, rows
from counterfoil.quickbooks.emulator.values import as_list, as_object, as_text, cents, to_decimal
from counterfoil_schema.exact_json import JsonObject, JsonValue

LINES_MAX = 10_000
DESCRIPTION_MAX = 4000
TAX_CODES = frozenset({"TAX", "NON"})
DETAIL_TYPES = frozenset(
    {
        "PaymentLineDetail", "DiscountLineDetail", "TaxLineDetail", "SalesItemLineDetail",
        "ItemBasedExpenseLineDetail", "AccountBasedExpenseLineDetail", "DepositLineDetail",
        "PurchaseOrderItemLineDetail", "ItemReceiptLineDetail", "JournalEntryLineDetail", "GroupLineDetail",
        "DescriptionOnly", "SubTotalLineDetail", "SalesOrderItemLineDetail", "TDSLineDetail",
        "ReimburseLineDetail", "ItemAdjustmentLineDetail",
    }
)  # fmt: skip


def sent_lines(draft: Draft) -> list[JsonObject]:
    """The lines to keep, without the sub-total line that the server makes itself.

    Raises:
        QuickBooksFaultError: 2250 without any, 2020 or 2170 for a line without a proper type, 6000 for too many.
    """
    lines = [line for line in rows(draft.body, "Line") if line.get("DetailType") != "SubTotalLineDetail"]
    if not lines:
        raise faults.lines_missing()
    if len(lines) > LINES_MAX and draft.spec.name != "JournalEntry":
        raise faults.business(f"A transaction may have no more than {LINES_MAX} lines.", element="Line")
    for line in lines:
        kind = as_text(line.get("DetailType"))
        if not kind:
            raise faults.required("Line.DetailType")
        if kind not in DETAIL_TYPES:
            raise faults.bad_enum("Line.DetailType", kind[:40])
        check_text("Line.Description", line.get("Description"), DESCRIPTION_MAX)
    return lines


def flat(lines: Iterable[JsonObject]) -> Iterator[JsonObject]:
    """The lines, those of a bundle in place of the bundle."""
    for line in lines:
        inside = as_object(line.get("GroupLineDetail"))
        if inside:
            yield from flat(as_object(member) for member in as_list(inside.get("Line")))
        else:
            yield line


def number_lines(draft: Draft, lines: list[JsonObject], *, first: int) -> tuple[list[JsonObject], int]:
    """Give each line its Id and LineNum: a line sent with its Id keeps it, any other gets a new one.

    Returns:
        The lines, Id first, and how many Ids the document has given out.

    Raises:
        QuickBooksFaultError: 2030 for an Id that the document does not have, or that comes twice.
    """
    known = _line_ids(draft)
    made = draft.current.lines_made if draft.current is not None else 0
    seen: set[str] = set()
    numbered: list[JsonObject] = []
    for position, line in enumerate(lines, start=1):
        identifier = as_text(line.get("Id")) if draft.current is not None else ""
        if identifier and (identifier not in known or identifier in seen):
            raise faults.bad_id("Line.Id", identifier[:40])
        if not identifier:
            identifier = str(made + first)
            made += 1
        seen.add(identifier)
        rest: JsonObject = {name: value for name, value in line.items() if name not in {"Id", "LineNum"}}
        bundle = as_object(rest.get("GroupLineDetail"))
        if bundle:
            inside: list[JsonValue] = []
            for member in flat([line]):
                made += 1
                inside.append({"Id": str(made - 1 + first), **{name: member[name] for name in member if name != "Id"}})
            rest["GroupLineDetail"] = {**bundle, "Line": inside}
        numbered.append({"Id": identifier, "LineNum": position, **rest})
    return numbered, made


def _line_ids(draft: Draft) -> set[str]:
    if draft.current is None:
        return set()
    return {
        as_text(line.get("Id"))
        for line in (as_object(member) for member in as_list(draft.current.body.get("Line")))
        if line.get("Id") is not None
    }


def line_amount(line: JsonObject) -> Decimal:
    """The amount of a line, to the cent.

    Raises:
        QuickBooksFaultError: 2020 or 2090.
    """
    if "Amount" not in line:
        raise faults.required("Line.Amount")
    return cents(to_decimal(line["Amount"], "Line.Amount"))


def resolve_details(draft: Draft, detail: JsonObject, where: str) -> JsonObject:
    """The detail with every reference resolved and named.

    Raises:
        QuickBooksFaultError: 2500 or 610 for a reference to nothing or to something inactive, 6100 for a tax code.
    """
    resolved: JsonObject = {}
    for name, value in detail.items():
        if not name.endswith("Ref"):
            resolved[name] = value
            continue
        identifier = as_text(as_object(value).get("value"))
        if not identifier:
            # Clients send references that hold nothing; they count as absent.
            continue
        if name in REFERENCES:
            resolved[name] = draft.reference(value, REFERENCES[name], f"{where}.{name}")
        elif name == "TaxCodeRef":
            resolved[name] = _tax_code(draft, identifier, f"{where}.{name}")
        else:
            resolved[name] = {"value": identifier}
    return resolved


def _tax_code(draft: Draft, identifier: str, element: str) -> JsonObject:
    """A line's tax code: in the US one of two words, elsewhere a code of the company."""
    company = draft.tables.get("CompanyInfo", "1")
    at_home = company is None or as_text(company.body.get("Country")) in {"", "US", "USA"}
    if at_home != (identifier in TAX_CODES):
        words = "US companies use TAX or NON as the tax code of a line, others a code of their own."
        raise faults.QuickBooksFaultError("6100", "Invalid Tax Code", words, element="TaxCodeRef")
    return {"value": identifier} if at_home else draft.reference({"value": identifier}, "TaxCode", element)
