"""Invoice and CreditMemo: lines, sub-total, discount, tax, balance, and what they post."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from counterfoil.quickbooks.emulator import chart, faults
from counterfoil.quickbooks.emulator.drafting import Draft, Shaped
from counterfoil.quickbooks.emulator.ledger import Effect, Ledger, Posting
from counterfoil.quickbooks.emulator.lines import line_amount, number_lines, resolve_details, sent_lines
from counterfoil.quickbooks.emulator.parties import currency
from counterfoil.quickbooks.emulator.tables import Row, Tables
from counterfoil.quickbooks.emulator.values import (
    ZERO,
    as_list,
    as_object,
    as_text,
    cents,
    reference_id,
    to_decimal,
)
from counterfoil_schema.exact_json import JsonObject, JsonValue

ON_SALES_FORMS = frozenset({"SalesItemLineDetail", "DescriptionOnly", "DiscountLineDetail", "GroupLineDetail"})


@dataclass(frozen=True, slots=True)
class Sums:
    """What the lines of a sales form come to."""

    items: Decimal
    discount: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        return self.items - self.discount + self.tax


def shape_sale(draft: Draft) -> Shaped:
    """A sales form with computed lines, totals and balance.

    Raises:
        QuickBooksFaultError: whatever is wrong with it, as Intuit's codes have it.
    """
    body = dict(draft.body)
    body.setdefault("TxnDate", draft.today.isoformat())
    if "CustomerRef" not in body:
        raise faults.required("CustomerRef")
    customer = draft.resolve(body["CustomerRef"], "Customer", "CustomerRef")
    body["CustomerRef"] = draft.reference(body["CustomerRef"], "Customer", "CustomerRef")
    for name, entity in (("SalesTermRef", "Term"), ("ClassRef", "Class"), ("DepartmentRef", "Department"),
                         ("PaymentMethodRef", "PaymentMethod"), ("DepositToAccountRef", "Account")):  # fmt: skip
        if name in body:
            body[name] = draft.reference(body[name], entity, name)
    body["CurrencyRef"] = _document_currency(draft, body, customer)
    lines = [_sales_line(draft, line) for line in sent_lines(draft)]
    sums, lines = _summed(lines, body)
    if sums.total < ZERO:
        raise faults.business("Transaction amount must be 0 or greater.")
    numbered, made = number_lines(draft, lines, first=1)
    subtotal: JsonObject = {"Amount": sums.items, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
    body["Line"] = [*numbered, subtotal]
    body["TotalAmt"] = sums.total
    body.setdefault("PrintStatus", "NotSet")
    body.setdefault("EmailStatus", "NotSet")
    body.setdefault("ApplyTaxAfterDiscount", False)
    if draft.spec.name == "Invoice":
        body.setdefault("DueDate", _due(draft, body))
    body["TxnTaxDetail"] = {**as_object(body.get("TxnTaxDetail")), "TotalTax": sums.tax}
    settled = with_balance(draft.spec.name, draft.identifier, body, draft.ledger)
    return Shaped(settled, effect=sale_effect(draft.spec.name, settled, draft.tables), lines_made=made)


def with_balance(entity: str, identifier: str, body: JsonObject, ledger: Ledger) -> JsonObject:
    """The body with its open balance and its links to payments."""
    settled = dict(body)
    key = (entity, identifier)
    total = to_decimal(body.get("TotalAmt", 0), "TotalAmt")
    settled["Balance"] = total - ledger.applied_to(key)
    if entity == "CreditMemo":
        settled["RemainingCredit"] = settled["Balance"]
    settled["LinkedTxn"] = [{"TxnId": payment, "TxnType": "Payment"} for payment in ledger.payments_of(key)]
    return settled


def sale_effect(entity: str, body: JsonObject, tables: Tables) -> Effect:
    """Receivable against income, discount and tax; a credit memo the other way round."""
    sign = -1 if entity == "CreditMemo" else 1
    amounts: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    amounts[chart.ACCOUNTS_RECEIVABLE] = sign * to_decimal(body.get("TotalAmt", 0), "TotalAmt")
    for line in (as_object(member) for member in as_list(body.get("Line"))):
        kind = as_text(line.get("DetailType"))
        amount = sign * to_decimal(line.get("Amount", 0), "Amount")
        detail = as_object(line.get(kind))
        if kind == "SalesItemLineDetail":
            amounts[_income_account(detail, tables)] -= amount
        elif kind == "DiscountLineDetail":
            amounts[reference_id(detail.get("DiscountAccountRef")) or chart.DISCOUNTS_GIVEN] += amount
    tax = to_decimal(as_object(body.get("TxnTaxDetail")).get("TotalTax", 0), "TotalTax")
    amounts[chart.SALES_TAX_PAYABLE] -= sign * tax
    postings = tuple(Posting(account, amount) for account, amount in amounts.items() if amount)
    owed = sign * to_decimal(body.get("Balance", 0), "Balance")
    return Effect(postings, reference_id(body.get("CustomerRef")), owed)


def voided(body: JsonObject) -> JsonObject:
    """The same form with every amount at zero and its note marked."""
    lines: list[JsonValue] = []
    for line in (as_object(member) for member in as_list(body.get("Line"))):
        kind = as_text(line.get("DetailType"))
        detail = dict(as_object(line.get(kind)))
        for name in ("Qty", "UnitPrice"):
            if name in detail:
                detail[name] = 0
        emptied: JsonObject = {**line, "Amount": ZERO}
        if kind in line:
            emptied[kind] = detail
        lines.append(emptied)
    return {
        **body,
        "Line": lines,
        "TotalAmt": ZERO,
        "TxnTaxDetail": {"TotalTax": ZERO},
        "PrivateNote": f"Voided - {as_text(body.get('PrivateNote'))}"[:4000].removesuffix(" - "),
    }


def _income_account(detail: JsonObject, tables: Tables) -> str:
    named = reference_id(detail.get("ItemAccountRef"))
    if named and tables.get("Account", named) is not None:
        return named
    item = tables.get("Item", reference_id(detail.get("ItemRef")))
    return (reference_id(item.body.get("IncomeAccountRef")) if item is not None else "") or chart.SERVICES


def _sales_line(draft: Draft, line: JsonObject) -> JsonObject:
    kind = as_text(line.get("DetailType"))
    if kind not in ON_SALES_FORMS or kind == "GroupLineDetail":
        raise faults.bad_enum("Line.DetailType", kind)
    result: JsonObject = {name: value for name, value in line.items() if not name.endswith("Detail")}
    if kind == "DescriptionOnly":
        result["DescriptionLineDetail"] = resolve_details(
            draft, as_object(line.get("DescriptionLineDetail")), "Line.DescriptionLineDetail"
        )
        result.pop("Amount", None)
        return result
    detail = resolve_details(draft, as_object(line.get(kind)), f"Line.{kind}")
    if kind == "SalesItemLineDetail":
        if "ItemRef" not in detail:
            raise faults.required("Line.SalesItemLineDetail.ItemRef")
        result["Amount"] = _item_amount(line, detail)
        detail.setdefault("TaxCodeRef", {"value": "NON"})
    elif detail.get("PercentBased") is not True:
        result["Amount"] = line_amount(line)
    result[kind] = detail
    return result


def _item_amount(line: JsonObject, detail: JsonObject) -> Decimal:
    quantity = _number(detail, "Qty")
    price = _number(detail, "UnitPrice")
    # Clients that give an amount alone send both factors as zero.
    factors_given = quantity is not None and price is not None and (quantity != 0 or price != 0)
    if "Amount" not in line and factors_given and quantity is not None and price is not None:
        raise faults.required("Line.Amount")
    amount = line_amount(line)
    if factors_given and quantity is not None and price is not None and amount != cents(quantity * price):
        raise faults.amount_mismatch(str(line["Amount"]))
    if not factors_given and quantity == 0 and price == 0:
        del detail["Qty"], detail["UnitPrice"]
    return amount


def _number(detail: JsonObject, name: str) -> Decimal | None:
    if name not in detail:
        return None
    number = to_decimal(detail[name], f"Line.SalesItemLineDetail.{name}")
    detail[name] = number
    return number


def _summed(lines: list[JsonObject], body: JsonObject) -> tuple[Sums, list[JsonObject]]:
    items = ZERO
    for line in lines:
        if line["DetailType"] == "SalesItemLineDetail":
            items += to_decimal(line["Amount"], "Amount")
    discount = ZERO
    for line in lines:
        if line["DetailType"] != "DiscountLineDetail":
            continue
        detail = as_object(line["DiscountLineDetail"])
        if detail.get("PercentBased") is True:
            percent = to_decimal(detail.get("DiscountPercent", 0), "DiscountPercent")
            line["Amount"] = cents(items * percent / 100)
        discount += to_decimal(line["Amount"], "Amount")
    tax = cents(to_decimal(as_object(body.get("TxnTaxDetail")).get("TotalTax", 0), "TotalTax"))
    return Sums(items=items, discount=discount, tax=tax), lines


def _document_currency(draft: Draft, body: JsonObject, customer: Row) -> JsonObject:
    own = reference_id(customer.body.get("CurrencyRef"))
    named = reference_id(body.get("CurrencyRef"))
    if not named and draft.preference("CurrencyPrefs", "MultiCurrencyEnabled") is True:
        raise faults.required("CurrencyRef")
    chosen = currency(draft, named or own)
    if reference_id(chosen) != own:
        raise faults.bad_currency(reference_id(chosen))
    return chosen


def _due(draft: Draft, body: JsonObject) -> str:
    term = draft.tables.get("Term", reference_id(body.get("SalesTermRef")))
    days = term.body.get("DueDays") if term is not None else 30
    start = date.fromisoformat(as_text(body["TxnDate"]))
    try:
        return (start + timedelta(days=days if isinstance(days, int) else 0)).isoformat()
    except OverflowError as error:
        raise faults.bad_date("TxnDate", start.isoformat()) from error
