"""Lines of invoices and credit memos: what was sold, what it comes to, and its tax, to the cent."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import CENT, plain, price_for, text, to_cents
from counterfoil.planning.names import ITEM_NAME_MAX, clean, shorten
from counterfoil.planning.outcome import name_ref, named, record_ref
from counterfoil.planning.sections import RefundSection, SaleSection
from counterfoil.planning.taxes import NOTHING, Sale, amount_of_tax, header, line_tax, whole_tax
from counterfoil.planning.types import LINE_KEY, Park, StateView
from counterfoil_schema.events.decisions import Figures
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import InvoiceLine

_DESCRIPTION_MAX = 4000
CATCH_ALL_LINE = "whole"
"""The key of the one line that stands for a sale without lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleLines:
    """Symbolic lines, what they come to, and the products that must exist first.

    `total` is without tax, `stated` the sum as the source has it, with the tax where its prices contain it; `header`
    is what the document says of tax beside its lines.
    """

    lines: list[JsonValue]
    total: Decimal
    stated: Decimal
    tax: Decimal | None
    header: JsonObject
    needs: tuple[str, ...]

    def figures(self, sale: Sale, mapping: Mapping, view: StateView) -> Figures:
        """What the books are held to."""
        return Figures(
            currency=sale.currency,
            home=view.home_currency(),
            net=self.total,
            tax=self.tax,
            tolerance=mapping.tax.tolerance,
            included=sale.tax_included,
        )


def sale_lines(
    key: str, sale: Sale, source: Sequence[InvoiceLine], section: SaleSection, mapping: Mapping, view: StateView
) -> SaleLines | Park:
    """All lines, or the first reason why one of them cannot be written."""
    lines: list[JsonValue] = []
    needs: list[str] = []
    total = stated = NOTHING
    taxes: list[Decimal | None] = []
    seen: dict[str, int] = {}
    for line in source:
        if line.role != "goods" and line.product is None and not _stated(line):
            continue
        item = _item(key, line, section, mapping, view)
        if isinstance(item, Park):
            return item
        priced = _priced(key, sale, line, section, mapping, view)
        if isinstance(priced, Park):
            return priced
        if "$record" in item and line.product is not None and line.product not in needs:
            needs.append(line.product)
        seen[line.line_id] = seen.get(line.line_id, 0) + 1
        line_key = line.line_id if seen[line.line_id] == 1 else f"{line.line_id}#{seen[line.line_id]}"
        total += priced.amount
        stated += priced.stated
        taxes.append(priced.tax)
        lines.append(_line(line_key, line.description, item, priced))
    tax = whole_tax(key, sale, taxes, mapping)
    if isinstance(tax, Park):
        return tax
    said = header(sale, tax, view)
    return SaleLines(lines=lines, total=total, stated=stated, tax=tax, header=said, needs=tuple(needs))


def come_to(lines: Sequence[InvoiceLine]) -> Decimal:
    """What lines come to as their source has them, each to the cent; with the tax where its prices contain it."""
    return sum((_stated_or_worked_out(line) for line in lines), NOTHING)


def _stated_or_worked_out(line: InvoiceLine) -> Decimal:
    exact = line.quantity * line.unit_price * (1 - line.discount) if line.amount is None else line.amount
    return to_cents(exact)


def whole_sale(sale: Sale, total: Decimal, description: str | None) -> InvoiceLine:
    """One line over the whole amount, for a sale that states no lines; its tax is that of the whole."""
    return InvoiceLine(line_id=CATCH_ALL_LINE, description=description, unit_price=to_cents(total), tax=sale.stated_tax)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Priced:
    """A line's figures: without tax, as stated, and its tax (None where only QuickBooks knows)."""

    amount: Decimal
    quantity: Decimal
    price: Decimal
    stated: Decimal
    tax: Decimal | None
    tax_ref: JsonObject | None
    gross: Decimal | None = None


def _priced(
    key: str, sale: Sale, line: InvoiceLine, section: SaleSection, mapping: Mapping, view: StateView
) -> _Priced | Park:
    figures = _figures(key, line)
    if isinstance(figures, Park):
        return figures
    found = line_tax(key, sale, line, section, mapping, view)
    if isinstance(found, Park):
        return found
    amount, quantity, price = figures
    tax = amount_of_tax(sale, line, amount, found)
    if not sale.tax_included:
        return _Priced(amount=amount, quantity=quantity, price=price, stated=amount, tax=tax, tax_ref=found.ref)
    if tax is None:
        return Park(
            code="no_line_tax",
            reason=f"The prices of {named(key)} contain the tax, but the source does not say how much of line "
            f"{line.line_id} is tax.",
            fix="State the tax, or its rate, for each line at the source.",
        )
    net = amount - tax
    net_price = price_for(quantity, net / quantity if quantity else price, net)
    if net_price is None:
        return _inexpressible(key, line, net)
    gross = amount if view.tax_mode() == "abroad" else None
    return _Priced(
        amount=net, quantity=quantity, price=net_price, stated=amount, tax=tax, tax_ref=found.ref, gross=gross
    )


def _line(key: str, description: str | None, item: JsonObject, priced: _Priced) -> JsonObject:
    detail: JsonObject = {"ItemRef": item, "Qty": priced.quantity, "UnitPrice": priced.price}
    if priced.tax_ref is not None:
        detail["TaxCodeRef"] = priced.tax_ref
    if priced.gross is not None:
        detail["TaxInclusiveAmt"] = priced.gross
    line: JsonObject = {LINE_KEY: key, "Amount": priced.amount}
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
        return _inexpressible(key, line, amount)
    return amount, plain(line.quantity), price


def _inexpressible(key: str, line: InvoiceLine, amount: Decimal) -> Park:
    return Park(
        code="line_inexpressible",
        reason=f"Line {line.line_id} of {named(key)} comes to {text(amount)}, which no unit price with seven "
        f"decimals gives for a quantity of {plain(line.quantity)}; QuickBooks would refuse it.",
        fix="Split the line, or change its quantity and price at the source.",
    )


def _sum_of(line: InvoiceLine) -> str:
    product = f"{plain(line.quantity)} x {plain(line.unit_price)}"
    return f"{product} less {plain(line.discount * 100)} %" if line.discount else product


def _item(key: str, line: InvoiceLine, section: SaleSection, mapping: Mapping, view: StateView) -> JsonObject | Park:
    if line.product is not None and (view.is_known(line.product) or view.link(line.product) is not None):
        return record_ref(line.product)
    names_its_item = line.role == "goods" and line.line_id != CATCH_ALL_LINE and not isinstance(section, RefundSection)
    made = _made(key, line, mapping) if names_its_item and mapping.product.unknown == "create" else None
    if made is not None:
        return made
    if line.product is not None:
        if mapping.product.unknown != "park" and section.catch_all is not None:
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


def _made(key: str, line: InvoiceLine, mapping: Mapping) -> JsonObject | Park | None:
    """The item that a line's own words name; None where it has none."""
    said, _, _ = (line.description or "").strip().partition("\n")
    name = clean(said, mapping.product.colon)
    if len(name) > ITEM_NAME_MAX:
        if mapping.product.name_too_long == "park":
            return Park(
                code="name_too_long",
                reason=f"Line {line.line_id} of {named(key)} would name its item by {len(name)} characters; QuickBooks "
                f"takes {ITEM_NAME_MAX}.",
                fix='Choose a product for it at the source, or set [product] name_too_long = "shorten".',
            )
        name = shorten(name, ITEM_NAME_MAX)
    return name_ref("Item", name) if name else None
