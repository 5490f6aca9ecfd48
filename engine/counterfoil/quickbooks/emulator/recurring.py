"""Templates of transactions that recur: kept and changed like their kind, and posting nothing.

Source: Intuit's page of RecurringTransaction; the wire form as its Python client sends it: one object, named after
the kind of transaction, with RecurringInfo in it.
"""

from dataclasses import dataclass

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.catalog import BY_PATH, EntitySpec
from counterfoil.quickbooks.emulator.values import as_object, as_text
from counterfoil_schema.exact_json import JsonObject

KINDS = frozenset(
    {
        "Bill", "Purchase", "CreditMemo", "Deposit", "Estimate", "Invoice", "JournalEntry", "RefundReceipt",
        "SalesReceipt", "Transfer", "VendorCredit", "PurchaseOrder",
    }
)  # fmt: skip
TYPE = "Type"


@dataclass(frozen=True, slots=True)
class Template:
    """What a client sent: the kind of transaction, and the template itself."""

    spec: EntitySpec
    body: JsonObject


def template_in(body: JsonObject) -> Template:
    """The one template in a body.

    Raises:
        QuickBooksFaultError: 2020, none that is known, or several.
    """
    found = [
        Template(spec, as_object(value))
        for name, value in body.items()
        if isinstance(value, dict) and (spec := BY_PATH.get(name.lower())) is not None and spec.name in KINDS
    ]
    if len(found) != 1:
        raise faults.required("one transaction")
    return found[0]


def require_schedule(body: JsonObject) -> None:
    """Refuse a template that does not say how it recurs.

    Raises:
        QuickBooksFaultError: 2020 or 2170.
    """
    info = as_object(body.get("RecurringInfo"))
    for name in ("Name", "RecurType"):
        if not as_text(info.get(name)):
            raise faults.required(f"RecurringInfo.{name}")
    if as_text(info["RecurType"]) not in {"Automated", "Reminded", "UnScheduled"}:
        raise faults.bad_enum("RecurringInfo.RecurType", as_text(info["RecurType"])[:40])


def shown_as(view: JsonObject) -> JsonObject:
    """A template under the name of its kind."""
    kind = as_text(view.get(TYPE))
    return {kind: {name: value for name, value in view.items() if name != TYPE}}
