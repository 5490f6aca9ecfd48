"""Lines of invoices and credit memos: what was sold, and what it comes to, to the cent."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import CENT, plain, price_for, text, to_cents
from counterfoil.planning.outcome import name_ref, named, record_ref
from counterfoil.planning.sections import SaleSection
from counterfoil.planning.types import LINE_KEY, Park, StateView
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import InvoiceLine

_DESCRIPTION_MAX = 4000
CATCH_ALL_LINE = "whole"
"""The key of the one line that stands for a sale without lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleLines:
    """Symbolic lines, their sum, and the products that must exist first."""

    lines: list[JsonValue]
    total: Decimal
    needs: tuple[str, ...]


def sale_lines(
    key: str, source: Sequence[InvoiceLine], section: SaleSection, mapping: Mapping, view: StateView
) -> SaleLines | Park:
    """All lines, or the first reason why one of them cannot be written."""
    lines: list[JsonValue] = []
    needs: list[str] = []
    total = Decimal(0)
    seen: dict[str, int] = {}
    for line in source:
        if line.role != "goods" and line.product is None and not _stated(line):
            continue
        item = _item(key, line, section, mapping, view)
        if isinstance(item, Park):
            return item
        figures = _figures(key, line)
        if isinstance(figures, Park):
            return figures
        if "$record" in item and line.product is not None and line.product not in needs:
            needs.append(line.product)
        seen[line.line_id] = seen.get(line.line_id, 0) + 1
        line_key = line.line_id if seen[line.line_id] == 1 else f"{line.line_id}#{seen[line.line_id]}"
        amount, quantity, price = figures
        total += amount
        lines.append(_line(line_key, line.description, item, amount, quantity, price, section.tax_code))
    return SaleLines(lines=lines, total=total, needs=tuple(needs))


def whole_sale(total: Decimal, item: str, section: SaleSection, description: str | None) -> SaleLines:
    """One line over the whole amount, for a sale that states no lines."""
    amount = to_cents(total)
    line = _line(
        CATCH_ALL_LINE, description, name_ref("Item", item), amount, Decimal(1), plain(amount), section.tax_code
    )
    return SaleLines(lines=[line], total=amount, needs=())


def _line(
    key: str,
    description: str | None,
    item: JsonObject,
    amount: Decimal,
    quantity: Decimal,
    price: Decimal,
    tax_code: str,
) -> JsonObject:
    detail: JsonObject = {"ItemRef": item, "Qty": quantity, "UnitPrice": price}
    if tax_code:
        detail["TaxCodeRef"] = {"value": tax_code}
    line: JsonObject = {LINE_KEY: key, "Amount": amount}
    if description is not None and description.strip():
        line["Description"] = description.strip()[:_DESCRIPTION_MAX]
    line["DetailType"] = "SalesItemLineDetail"
    line["SalesItemLineDetail"] = detail
    return line


def _stated(line: InvoiceLine) -> Decimal:
    return line.amount if line.amount is not None else line.quantity * line.unit_price * (1 - line.discount)


def _figures(key: str, line: InvoiceLine) -> tuple[Decimal, Decimal, Decimal] | Park:
    """Amount, quantity and unit price, so that quantity x price is the amount to the cent."""
    exact_price = line.unit_price * (1 - line.discount)
    worked_out = to_cents(line.quantity * exact_price)
    amount = worked_out if line.amount is None else to_cents(line.amount)
    if abs(amount - worked_out) > CENT:
        return Park(
            code="line_mismatch",
            reason=f"Line {line.line_id} of {named(key)} states {text(amount)}, but {_sum_of(line)} is "
            f"{text(worked_out)}: a difference of {text(amount - worked_out)}.",
            fix="Correct quantity, price, discount or amount of the line at the source.",
        )
    price = price_for(line.quantity, exact_price, amount)
    if price is None:
        return Park(
            code="line_inexpressible",
            reason=f"Line {line.line_id} of {named(key)} comes to {text(amount)}, which no unit price with seven "
            f"decimals gives for a quantity of {plain(line.quantity)}; QuickBooks would refuse it.",
            fix="Split the line, or change its quantity and price at the source.",
        )
    return amount, plain(line.quantity), price


def _sum_of(line: InvoiceLine) -> str:
    product = f"{plain(line.quantity)} x {plain(line.unit_price)}"
    return f"{product} less {plain(line.discount * 100)} %" if line.discount else product


def _item(key: str, line: InvoiceLine, section: SaleSection, mapping: Mapping, view: StateView) -> JsonObject | Park:
    if line.product is not None:
        if view.is_known(line.product) or view.link(line.product) is not None:
            return record_ref(line.product)
        if mapping.product.unknown == "catch_all" and section.catch_all is not None:
            return name_ref("Item", section.catch_all)
        return Park(
            code="unknown_product",
            reason=f"Line {line.line_id} of {named(key)} names {named(line.product)}, which the source does not show.",
            fix='Restore the product or choose another; or set [product] unknown = "catch_all" and a catch_all item.',
        )
    own = {"goods": section.catch_all, "freight": section.freight_item, "fee": section.fee_item}[line.role]
    if own is not None:
        return name_ref("Item", own)
    setting = {"goods": "catch_all", "freight": "freight_item", "fee": "fee_item"}[line.role]
    return Park(
        code=f"no_{setting}",
        reason=f"Line {line.line_id} of {named(key)} is a {line.role} line without a product.",
        fix=f"Choose a product for it at the source, or name an item for such lines in the mapping ({setting}).",
    )
