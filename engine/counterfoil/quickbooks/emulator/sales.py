"""The sales forms: lines, sub-total, discount, tax, balance, and what they post."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from counterfoil.quickbooks.emulator import chart, faults
from counterfoil.quickbooks.emulator.drafting import Draft, Shaped
from counterfoil.quickbooks.emulator.fields import rows
from counterfoil.quickbooks.emulator.inventory import sold
from counterfoil.quickbooks.emulator.ledger import Ledger
from counterfoil.quickbooks.emulator.lines import flat, line_amount, number_lines, resolve_details, sent_lines
from counterfoil.quickbooks.emulator.parties import currency, home_currency
from counterfoil.quickbooks.emulator.postings import NO_EFFECT, About, Effect, Sums
from counterfoil.quickbooks.emulator.tables import Row, Tables
from counterfoil.quickbooks.emulator.taxes import SalesTax, default_line_code, sales_tax
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

SIGNS = {"Invoice": 1, "SalesReceipt": 1, "CreditMemo": -1, "RefundReceipt": -1}
ON_ACCOUNT = frozenset({"Invoice", "CreditMemo"})
CUSTOMER_OPTIONAL = frozenset({"SalesReceipt", "RefundReceipt"})
PAID_BY = {
    "Invoice": "Payment",
    "CreditMemo": "Payment",
    "Bill": "BillPaymentCheck",
    "VendorCredit": "BillPaymentCheck",
}
SOURCES = frozenset({"Estimate", "PurchaseOrder", "TimeActivity"})
DEFAULT_ITEM = "1"
IN_BUNDLES = frozenset({"SalesItemLineDetail", "DescriptionOnly"})
ON_SALES_FORMS = frozenset({"SalesItemLineDetail", "DescriptionOnly", "DiscountLineDetail", "GroupLineDetail"})


@dataclass(frozen=True, slots=True)
class _Totals:
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
    customer: Row | None = None
    if "CustomerRef" in body:
        customer = draft.resolve(body["CustomerRef"], "Customer", "CustomerRef")
        body["CustomerRef"] = draft.reference(body["CustomerRef"], "Customer", "CustomerRef")
    elif draft.spec.name not in CUSTOMER_OPTIONAL:
        raise faults.required("CustomerRef")
    _require_sources(draft, body)
    for name, entity in (("SalesTermRef", "Term"), ("ClassRef", "Class"), ("DepartmentRef", "Department"),
                         ("PaymentMethodRef", "PaymentMethod"), ("DepositToAccountRef", "Account")):  # fmt: skip
        if name in body:
            body[name] = draft.reference(body[name], entity, name)
    body["CurrencyRef"] = _document_currency(draft, body, customer)
    lines = [_sales_line(draft, line) for line in sent_lines(draft)]
    sums, lines, tax = _summed(draft, lines, body)
    if sums.total < ZERO:
        raise faults.business("Transaction amount must be 0 or greater.")
    numbered, made = number_lines(draft, lines, first=1)
    subtotal: JsonObject = {"Amount": sums.items, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
    # A discount comes after the sub-total that it is taken from.
    discounts = [line for line in numbered if line["DetailType"] == "DiscountLineDetail"]
    body["Line"] = [*(line for line in numbered if line not in discounts), subtotal, *discounts]
    body["TotalAmt"] = sums.total
    body.setdefault("PrintStatus", "NotSet")
    body.setdefault("EmailStatus", "NotSet")
    body.setdefault("ApplyTaxAfterDiscount", False)
    body["TxnTaxDetail"] = tax.detail
    _complete(draft, body)
    settled = with_balance(draft.spec.name, draft.identifier, body, draft.ledger)
    return Shaped(settled, lines_made=made)


def _complete(draft: Draft, body: JsonObject) -> None:
    """What each form has beside lines and totals."""
    match draft.spec.name:
        case "Invoice":
            body.setdefault("DueDate", due_date(draft, body))
            _check_deposit(body)
        case "Estimate":
            body.setdefault("TxnStatus", "Pending")
        case "SalesReceipt":
            body.setdefault("DepositToAccountRef", {"value": chart.UNDEPOSITED_FUNDS, "name": "Undeposited Funds"})
            body["Balance"] = ZERO
        case "RefundReceipt":
            if "DepositToAccountRef" not in body:
                raise faults.required("DepositToAccountRef")
            body["Balance"] = ZERO


def _check_deposit(body: JsonObject) -> None:
    """What was paid when the invoice was made lies where the body says, or undeposited."""
    if "Deposit" not in body:
        return
    paid = cents(to_decimal(body["Deposit"], "Deposit"))
    if paid < ZERO:
        raise faults.negative_amount("Deposit")
    if paid > to_decimal(body["TotalAmt"], "TotalAmt"):
        raise faults.business("The deposit exceeds the total of the invoice.", element="Deposit")
    body["Deposit"] = paid
    body.setdefault("DepositToAccountRef", {"value": chart.UNDEPOSITED_FUNDS, "name": "Undeposited Funds"})


def deposit_of(entity: str, body: JsonObject) -> Decimal:
    """What was paid of an invoice when it was made."""
    return to_decimal(body.get("Deposit", 0), "Deposit") if entity == "Invoice" else ZERO


def _require_sources(draft: Draft, body: JsonObject) -> None:
    """What a form was made from must be there."""
    for link in rows(body, "LinkedTxn"):
        if as_text(link.get("TxnType")) in SOURCES:
            draft.tables.find(as_text(link["TxnType"]), as_text(link.get("TxnId")))


def with_balance(entity: str, identifier: str, body: JsonObject, ledger: Ledger) -> JsonObject:
    """The body with its open balance and its links to payments."""
    if entity not in PAID_BY:
        return body
    settled = dict(body)
    key = (entity, identifier)
    total = to_decimal(body.get("TotalAmt", 0), "TotalAmt")
    settled["Balance"] = total - deposit_of(entity, body) - ledger.applied_to(key)
    if entity == "CreditMemo":
        settled["RemainingCredit"] = settled["Balance"]
    made_from: list[JsonValue] = [link for link in rows(body, "LinkedTxn") if as_text(link.get("TxnType")) in SOURCES]
    paid_by: list[JsonValue] = [{"TxnId": payment, "TxnType": PAID_BY[entity]} for payment in ledger.payments_of(key)]
    settled["LinkedTxn"] = [*made_from, *paid_by]
    return settled


def sale_effect(entity: str, body: JsonObject, tables: Tables) -> Effect:
    """Receivable, or money, against income, discount and tax; what goes back to the customer the other way round."""
    sign = SIGNS.get(entity, 0)
    if not sign:
        return NO_EFFECT
    on_account = entity in ON_ACCOUNT
    against = chart.ACCOUNTS_RECEIVABLE if on_account else reference_id(body.get("DepositToAccountRef"))
    sums = Sums()
    deposit = deposit_of(entity, body)
    sums.add(against, sign * to_decimal(body.get("TotalAmt", 0), "TotalAmt") - deposit)
    sums.add(reference_id(body.get("DepositToAccountRef")), deposit)
    for line in flat(as_object(member) for member in as_list(body.get("Line"))):
        kind = as_text(line.get("DetailType"))
        amount = sign * to_decimal(line.get("Amount", 0), "Amount")
        detail = as_object(line.get(kind))
        if kind == "SalesItemLineDetail":
            sums.add(_income_account(detail, tables), -amount, _about(detail))
            sold(sums, detail, sign, as_text(body.get("TxnDate")), tables)
        elif kind == "DiscountLineDetail":
            account = reference_id(detail.get("DiscountAccountRef")) or chart.DISCOUNTS_GIVEN
            sums.add(account, amount, _about(detail))
    tax = to_decimal(as_object(body.get("TxnTaxDetail")).get("TotalTax", 0), "TotalTax")
    sums.add(chart.SALES_TAX_PAYABLE, -sign * tax)
    if not on_account:
        return Effect(sums.postings(), stock=sums.stock())
    owed = sign * to_decimal(body.get("Balance", 0), "Balance")
    return Effect(sums.postings(), ((reference_id(body.get("CustomerRef")), owed),), sums.stock())


def _about(detail: JsonObject) -> About:
    return About(item=reference_id(detail.get("ItemRef")), tracked_class=reference_id(detail.get("ClassRef")))


def _emptied(line: JsonObject) -> JsonObject:
    kind = as_text(line.get("DetailType"))
    detail = dict(as_object(line.get(kind)))
    for name in ("Qty", "UnitPrice", "Quantity"):
        if name in detail:
            detail[name] = 0
    if "Line" in detail:
        detail["Line"] = [_emptied(as_object(member)) for member in as_list(detail["Line"])]
    emptied: JsonObject = {**line, "Amount": ZERO}
    if kind in line:
        emptied[kind] = detail
    return emptied


def voided(body: JsonObject) -> JsonObject:
    """The same form with every amount at zero and its note marked."""
    return {
        **body,
        "Line": [_emptied(as_object(member)) for member in as_list(body.get("Line"))],
        "TotalAmt": ZERO,
        "TxnTaxDetail": {"TotalTax": ZERO},
        **({"Deposit": ZERO} if "Deposit" in body else {}),
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
    if kind not in ON_SALES_FORMS:
        raise faults.bad_enum("Line.DetailType", kind)
    if kind == "GroupLineDetail":
        return _bundle(draft, line)
    result: JsonObject = {name: value for name, value in line.items() if not name.endswith("Detail")}
    if kind == "DescriptionOnly":
        result["DescriptionLineDetail"] = resolve_details(
            draft, as_object(line.get("DescriptionLineDetail")), "Line.DescriptionLineDetail"
        )
        result.pop("Amount", None)
        return result
    detail = resolve_details(draft, as_object(line.get(kind)), f"Line.{kind}")
    if kind == "SalesItemLineDetail":
        if "ItemRef" not in detail and draft.tables.get("Item", DEFAULT_ITEM) is not None:
            # Clients leave it out, and get the company's first item.
            detail["ItemRef"] = draft.reference({"value": DEFAULT_ITEM}, "Item", "ItemRef")
        if "ItemRef" not in detail:
            raise faults.required("Line.SalesItemLineDetail.ItemRef")
        result["Amount"] = factored_amount(line, detail, kind)
        if default_code := default_line_code(draft):
            detail.setdefault("TaxCodeRef", {"value": default_code})
    elif detail.get("PercentBased") is not True:
        result["Amount"] = line_amount(line)
    result[kind] = detail
    return result


def _bundle(draft: Draft, line: JsonObject) -> JsonObject:
    """A bundle with its lines, which are those that were sent, else what the item holds; it costs what they cost."""
    sent = as_object(line.get("GroupLineDetail"))
    if not reference_id(sent.get("GroupItemRef")):
        raise faults.required("Line.GroupLineDetail.GroupItemRef")
    item = draft.resolve(sent["GroupItemRef"], "Item", "Line.GroupLineDetail.GroupItemRef")
    number = to_decimal(sent.get("Quantity", 1), "Line.GroupLineDetail.Quantity")
    inside = rows(sent, "Line") or [_of_bundle(draft, part, number) for part in parts_of(item.body)]
    if any(as_text(member.get("DetailType")) not in IN_BUNDLES for member in inside):
        raise faults.bad_enum("Line.GroupLineDetail.Line.DetailType", "")
    shaped = [_sales_line(draft, member) for member in inside]
    detail: JsonObject = {
        "GroupItemRef": draft.reference(sent["GroupItemRef"], "Item", "Line.GroupLineDetail.GroupItemRef"),
        "Quantity": number,
        "Line": [*shaped],
    }
    kept: JsonObject = {name: value for name, value in line.items() if not name.endswith("Detail")}
    return {**kept, "Amount": ZERO, "GroupLineDetail": detail}


def _of_bundle(draft: Draft, part: JsonObject, number: Decimal) -> JsonObject:
    item = draft.resolve(part.get("ItemRef"), "Item", "ItemGroupDetail.ItemGroupLine.ItemRef")
    quantity = number * to_decimal(part.get("Qty", 1), "Qty")
    price = to_decimal(item.body.get("UnitPrice", 0), "UnitPrice")
    return {
        "Amount": cents(quantity * price),
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": item.id}, "Qty": quantity, "UnitPrice": price},
    }


def parts_of(item: JsonObject) -> list[JsonObject]:
    """What a bundle is made of."""
    return rows(as_object(item.get("ItemGroupDetail")), "ItemGroupLine")


def factored_amount(line: JsonObject, detail: JsonObject, kind: str) -> Decimal:
    """The amount of a line about an item, which must be quantity times price where both are given.

    Raises:
        QuickBooksFaultError: 2020 without an amount, 6070 for one that is not the product.
    """
    quantity = _number(detail, "Qty", kind)
    price = _number(detail, "UnitPrice", kind)
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


def _number(detail: JsonObject, name: str, kind: str) -> Decimal | None:
    if name not in detail:
        return None
    number = to_decimal(detail[name], f"Line.{kind}.{name}")
    detail[name] = number
    return number


def _summed(draft: Draft, lines: list[JsonObject], body: JsonObject) -> tuple[_Totals, list[JsonObject], SalesTax]:
    items = _sold(lines)
    discount = ZERO
    for line in lines:
        if line["DetailType"] != "DiscountLineDetail":
            continue
        detail = as_object(line["DiscountLineDetail"])
        if detail.get("PercentBased") is True:
            percent = to_decimal(detail.get("DiscountPercent", 0), "DiscountPercent")
            line["Amount"] = cents(items * percent / 100)
        discount += to_decimal(line["Amount"], "Amount")
    tax = sales_tax(draft, body, list(flat(lines)), discount)
    for line in lines:
        if line["DetailType"] == "GroupLineDetail":
            line["Amount"] = _sold([line])
    # Where prices contain the tax, the lines have become smaller.
    return _Totals(items=_sold(lines), discount=discount, tax=tax.total), lines, tax


def _sold(lines: list[JsonObject]) -> Decimal:
    found = (line for line in flat(lines) if line["DetailType"] == "SalesItemLineDetail")
    return sum((to_decimal(line["Amount"], "Amount") for line in found), ZERO)


def _document_currency(draft: Draft, body: JsonObject, customer: Row | None) -> JsonObject:
    own = reference_id(customer.body.get("CurrencyRef")) if customer is not None else home_currency(draft)
    named = reference_id(body.get("CurrencyRef"))
    if not named and draft.preference("CurrencyPrefs", "MultiCurrencyEnabled") is True:
        raise faults.required("CurrencyRef")
    chosen = currency(draft, named or own)
    if reference_id(chosen) != own:
        raise faults.bad_currency(reference_id(chosen))
    return chosen


def due_date(draft: Draft, body: JsonObject) -> str:
    """The date of the document and its terms' days; 30 without terms."""
    term = draft.tables.get("Term", reference_id(body.get("SalesTermRef")))
    days = term.body.get("DueDays") if term is not None else 30
    start = date.fromisoformat(as_text(body["TxnDate"]))
    try:
        return (start + timedelta(days=days if isinstance(days, int) else 0)).isoformat()
    except OverflowError as error:
        raise faults.bad_date("TxnDate", start.isoformat()) from error
