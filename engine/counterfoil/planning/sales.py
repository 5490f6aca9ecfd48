"""What invoices and credit memos have in common: customer and memo."""

from collections.abc import Mapping as AbstractMapping
from decimal import Decimal

from counterfoil.planning.money import text, to_cents
from counterfoil.planning.outcome import named, private_note
from counterfoil.planning.sections import SaleSection
from counterfoil.planning.templates import fill
from counterfoil.planning.types import Park, StateView
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import CreditMemo, Estimate, Invoice, Payment, Payout, Refund, split_key

_CUSTOMER_MEMO_MAX = 1000


def known_customer(key: str, customer: str | None, view: StateView) -> str | Park:
    """The record key of the customer, or why there is none to post to."""
    if customer is None:
        return no_customer(key)
    if not view.is_known(customer) and view.link(customer) is None:
        return Park(
            code="unknown_customer",
            reason=f"{named(key)} names {named(customer)}, which the source does not show.",
            fix="Restore the customer at the source, or choose another.",
        )
    return customer


def no_customer(key: str) -> Park:
    """A document of nobody's."""
    return Park(
        code="no_customer",
        reason=f"{named(key)} has no customer.",
        fix="Associate it with a customer at the source.",
    )


def template_values(
    key: str, record: Invoice | Estimate | CreditMemo | Refund | Payment | Payout
) -> AbstractMapping[str, str]:
    """What the templates of a document may name. A missing number is replaced by the record's id."""
    connection, kind, source_id = split_key(key)
    number = record.reference if isinstance(record, Payment | Payout) else record.number
    memo = record.memo if isinstance(record, Invoice | Estimate) else None
    return {
        "id": source_id,
        "number": (number or "").strip() or source_id,
        "connection": connection,
        "kind": kind,
        "memo": memo or "",
    }


def put_notes(body: JsonObject, section: SaleSection, values: AbstractMapping[str, str]) -> None:
    """The memo for the customer, if there is one, and our own with the marker's place at its end."""
    for_customer = fill(section.customer_memo, values)
    if for_customer:
        body["CustomerMemo"] = {"value": for_customer[:_CUSTOMER_MEMO_MAX]}
    body["PrivateNote"] = private_note(fill(section.memo, values))


def negative(key: str, total: str) -> Park:
    """A sale that comes to less than nothing is no invoice."""
    return Park(
        code="negative_total",
        reason=f"{named(key)} comes to {total}, and QuickBooks takes no document below zero.",
        fix='Enter a credit memo instead; or let negative = "credit_memo" stand in [invoice] of the mapping.',
    )


def total_mismatch(key: str, record: Invoice | Estimate, come_to: Decimal) -> Park:
    """A sale whose stated total is not that of its lines."""
    stated = record.stated_total or Decimal(0)
    return Park(
        code="total_mismatch",
        reason=f"{named(key)} states {text(stated)} {record.currency}, but its lines come to {text(come_to)}: "
        f"a difference of {text(to_cents(stated) - come_to)}.",
        fix="Correct the amount or the lines at the source, or set a tolerance in the mapping.",
    )


def no_date(key: str, why: str) -> Park:
    """A document without a usable date."""
    return Park(
        code="wrong_date",
        reason=f"{named(key)} cannot be dated: {why}.",
        fix="Give it its right date at the source.",
    )
