"""Tax: which code a line bears, what it comes to, and what the whole document says, by how the books tax.

US companies say TAX or NON on a line. Where automated tax is on, QuickBooks taxes what does not say NON, so what the
source did not tax always says it. Elsewhere every line names a code of the company's own, and GlobalTaxCalculation
says whether tax comes on top, is contained, or does not apply (Intuit: invoice page). The source's tax is what the
books are held to afterwards (`tie_out`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import text, to_cents
from counterfoil.planning.outcome import name_ref, named
from counterfoil.planning.sections import SaleSection
from counterfoil.planning.types import Park, StateView
from counterfoil_schema.events.receipts import TaxMode
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import CreditMemo, Estimate, Invoice, InvoiceLine, Refund

TAXED, UNTAXED = "TAX", "NON"
NOTHING = Decimal(0)
Sale = Invoice | Estimate | CreditMemo | Refund
Said = Literal["taxed", "untaxed", "unstated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTax:
    """The code of a line, and its tax: None where only QuickBooks can work it out."""

    ref: JsonObject | None
    tax: Decimal | None


def line_tax(
    key: str, sale: Sale, line: InvoiceLine, section: SaleSection, mapping: Mapping, view: StateView
) -> LineTax | Park:
    """What a line bears. `tax` is not yet known for a line that is taxed at a rate: see `amount_of_tax`."""
    mode, said = view.tax_mode(), said_of(sale, line)
    if said == "unstated":
        return _unstated(key, line, section, mapping, mode)
    if said == "untaxed":
        return _exempt(key, line, mapping, mode)
    return _taxed(key, line, mapping, mode)


def said_of(sale: Sale, line: InvoiceLine) -> Said:
    """What the source says of a line: by a word, by its tax, by its code, or by a tax of nothing on the whole."""
    if line.taxed is not None:
        return "taxed" if line.taxed else "untaxed"
    if line.tax is not None:
        return "taxed" if line.tax or line.tax_code else "untaxed"
    if line.tax_code is not None or line.tax_rate:
        return "taxed"
    if line.tax_rate is not None or sale.stated_tax == 0:
        return "untaxed"
    return "unstated"


def _taxed(key: str, line: InvoiceLine, mapping: Mapping, mode: TaxMode) -> LineTax | Park:
    if mode in ("none", "abroad_none"):
        if NOTHING in (line.tax, line.tax_rate):
            return LineTax(ref={"value": UNTAXED} if mode == "none" else None, tax=NOTHING)
        return Park(
            code="tax_switched_off",
            reason=f"Line {line.line_id} of {named(key)} is taxed at the source, but QuickBooks collects no tax.",
            fix="Switch on sales tax in QuickBooks, or correct the record at the source; then retry it.",
        )
    if mode != "abroad":
        return LineTax(ref={"value": TAXED}, tax=line.tax)
    name = mapping.tax.codes.get(line.tax_code) if line.tax_code is not None else mapping.tax.taxed
    if name is None:
        what = f"tax code {line.tax_code!r}" if line.tax_code is not None else "tax without a code"
        return Park(
            code="unknown_tax_code",
            reason=f"Line {line.line_id} of {named(key)} bears {what}, for which the mapping names no tax code of "
            "QuickBooks.",
            fix="Name it under [tax.codes], or [tax] taxed, in the mapping; then retry the record.",
        )
    return LineTax(ref=name_ref("TaxCode", name), tax=line.tax)


def _exempt(key: str, line: InvoiceLine, mapping: Mapping, mode: TaxMode) -> LineTax | Park:
    if mode == "abroad_none":
        return LineTax(ref=None, tax=NOTHING)
    if mode != "abroad":
        return LineTax(ref={"value": UNTAXED}, tax=NOTHING)
    name = mapping.tax.codes.get(line.tax_code) if line.tax_code is not None else mapping.tax.exempt
    if name is None:
        return Park(
            code="no_exempt_code",
            reason=f"Line {line.line_id} of {named(key)} is not taxed, and outside the US every line needs a tax code.",
            fix="Name the code for such lines under [tax] exempt in the mapping, then retry the record.",
        )
    return LineTax(ref=name_ref("TaxCode", name), tax=NOTHING)


def _unstated(key: str, line: InvoiceLine, section: SaleSection, mapping: Mapping, mode: TaxMode) -> LineTax | Park:
    """The source does not say: by the mapping's rule, and never by QuickBooks' own default."""
    if mapping.tax.unstated == "park":
        return Park(
            code="tax_unstated",
            reason=f"The source does not say whether line {line.line_id} of {named(key)} is taxed.",
            fix='State it at the source; or set [tax] unstated = "exempt" or "taxed" in the mapping.',
        )
    if mapping.tax.unstated == "taxed":
        return _taxed(key, line, mapping, mode)
    if section.tax_code in ("", UNTAXED):
        no_code = section.tax_code == "" and mode in ("none", "codes")
        return LineTax(ref=None, tax=None) if no_code else _exempt(key, line, mapping, mode)
    match mode:
        case "automated":
            return Park(
                code="tax_unstated",
                reason=f"The source states no tax for line {line.line_id} of {named(key)}, the mapping says "
                f"{section.tax_code}, and automated sales tax would add to the total.",
                fix='Set [tax] unstated = "taxed" if QuickBooks is to work the tax out, or tax_code = "NON".',
            )
        case "abroad":
            return LineTax(ref=name_ref("TaxCode", section.tax_code), tax=None)
        case "abroad_none":
            return LineTax(ref=None, tax=NOTHING)
        case _:
            return LineTax(ref={"value": section.tax_code}, tax=None)


def amount_of_tax(sale: Sale, line: InvoiceLine, amount: Decimal, found: LineTax) -> Decimal | None:
    """The tax of a line to the cent; out of its amount where that contains it. None where only QuickBooks knows."""
    if found.tax is not None:
        return to_cents(found.tax)
    if line.tax_rate is None:
        return None
    if sale.tax_included:
        return to_cents(amount * line.tax_rate / (1 + line.tax_rate))
    return to_cents(amount * line.tax_rate)


def whole_tax(key: str, sale: Sale, taxes: Sequence[Decimal | None], mapping: Mapping) -> Decimal | Park | None:
    """The tax that the books must show: the source's word on the whole, which its lines must bear out."""
    stated = None if sale.stated_tax is None else to_cents(sale.stated_tax)
    known = [tax for tax in taxes if tax is not None]
    if len(known) < len(taxes):
        return stated
    summed = sum(known, NOTHING)
    if stated is None:
        return summed
    if abs(stated - summed) > mapping.tax.tolerance * max(1, len(taxes)):
        return Park(
            code="tax_mismatch",
            reason=f"{named(key)} states tax of {text(stated)} {sale.currency}, but that of its lines comes to "
            f"{text(summed)}: a difference of {text(stated - summed)}.",
            fix="Correct the tax at the source; or state which of its lines are taxed.",
        )
    return stated


def header(sale: Sale, tax: Decimal | None, view: StateView) -> JsonObject:
    """What the whole document says about tax."""
    match view.tax_mode():
        case "abroad":
            return {"GlobalTaxCalculation": "TaxInclusive" if sale.tax_included else "TaxExcluded"}
        case "abroad_none":
            return {"GlobalTaxCalculation": "NotApplicable"}
        case "codes" if tax:
            return {"TxnTaxDetail": {"TotalTax": tax}}
        case _:
            return {}
