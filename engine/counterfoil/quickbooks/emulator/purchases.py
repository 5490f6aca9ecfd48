"""What is bought: bills, credits of vendors, purchases paid at once, orders; their lines and what they post.

Source: Intuit's entity pages of Bill, VendorCredit, Purchase and PurchaseOrder.
"""

from counterfoil.quickbooks.emulator import chart, faults
from counterfoil.quickbooks.emulator.drafting import Draft, Shaped
from counterfoil.quickbooks.emulator.fields import rows
from counterfoil.quickbooks.emulator.inventory import bought
from counterfoil.quickbooks.emulator.lines import line_amount, number_lines, resolve_details, sent_lines
from counterfoil.quickbooks.emulator.parties import currency
from counterfoil.quickbooks.emulator.postings import About, Effect, Sums
from counterfoil.quickbooks.emulator.sales import due_date, factored_amount, with_balance
from counterfoil.quickbooks.emulator.tables import Tables
from counterfoil.quickbooks.emulator.values import ZERO, as_list, as_object, as_text, cents, reference_id, to_decimal
from counterfoil_schema.exact_json import JsonObject

ON_PURCHASES = frozenset({"AccountBasedExpenseLineDetail", "ItemBasedExpenseLineDetail", "DescriptionOnly"})
PAYMENT_TYPES = frozenset({"Cash", "Check", "CreditCard"})
PARTIES = frozenset({"Customer", "Employee", "Vendor"})


def shape_bill(draft: Draft) -> Shaped:
    """A Bill or a VendorCredit: owed to a vendor until it is paid or used up.

    Raises:
        QuickBooksFaultError: 2020 without vendor or lines, and those of its references.
    """
    body = _from_vendor(draft)
    if "APAccountRef" in body:
        body["APAccountRef"] = payables(draft, body)
    else:
        body["APAccountRef"] = {"value": chart.ACCOUNTS_PAYABLE, "name": "Accounts Payable (A/P)"}
    if "SalesTermRef" in body:
        body["SalesTermRef"] = draft.reference(body["SalesTermRef"], "Term", "SalesTermRef")
    made = _with_lines(draft, body)
    if draft.spec.name == "Bill":
        body.setdefault("DueDate", due_date(draft, body))
    settled = with_balance(draft.spec.name, draft.identifier, body, draft.ledger)
    return Shaped(settled, lines_made=made)


def shape_purchase(draft: Draft) -> Shaped:
    """Something paid at once, by cash, cheque or card; `Credit` turns it into a refund on the card.

    Raises:
        QuickBooksFaultError: 2020 without PaymentType, AccountRef or lines; 2170 for another type of payment.
    """
    body = _begun(draft)
    kind = as_text(body.get("PaymentType"))
    if not kind:
        raise faults.required("PaymentType")
    if kind not in PAYMENT_TYPES:
        raise faults.bad_enum("PaymentType", kind)
    if "AccountRef" not in body:
        raise faults.required("AccountRef")
    account = draft.resolve(body["AccountRef"], "Account", "AccountRef")
    wanted = "Credit Card" if kind == "CreditCard" else "Bank"
    if as_text(account.body.get("AccountType")) != wanted:
        raise faults.wrong_account(f"AccountRef must name an account of type {wanted}.", "AccountRef")
    body["AccountRef"] = draft.reference(body["AccountRef"], "Account", "AccountRef")
    if "EntityRef" in body:
        # The check of references drops the type, so it is read where the client put it.
        party = as_text(as_object(draft.body.get("EntityRef")).get("type")) or _kind_of(draft, body)
        named = draft.reference(body["EntityRef"], party, "EntityRef")
        body["EntityRef"] = {**named, "type": party}
    body["CurrencyRef"] = currency(draft, reference_id(body.get("CurrencyRef")))
    made = _with_lines(draft, body)
    return Shaped(body, lines_made=made)


def shape_purchase_order(draft: Draft) -> Shaped:
    """An order, which posts nothing.

    Raises:
        QuickBooksFaultError: 2020 without vendor, APAccountRef or lines.
    """
    body = _from_vendor(draft)
    if "APAccountRef" not in body:
        raise faults.required("APAccountRef")
    body["APAccountRef"] = payables(draft, body)
    for name, entity in (("ClassRef", "Class"), ("SalesTermRef", "Term")):
        if name in body:
            body[name] = draft.reference(body[name], entity, name)
    body.setdefault("POStatus", "Open")
    made = _with_lines(draft, body)
    return Shaped(body, lines_made=made)


def payables(draft: Draft, body: JsonObject) -> JsonObject:
    """The payable account that a body names.

    Raises:
        QuickBooksFaultError: it is of another type.
    """
    account = draft.resolve(body["APAccountRef"], "Account", "APAccountRef")
    if as_text(account.body.get("AccountType")) != "Accounts Payable":
        raise faults.wrong_account("APAccountRef must name an account of type Accounts Payable.", "APAccountRef")
    return draft.reference(body["APAccountRef"], "Account", "APAccountRef")


def bill_effect(entity: str, body: JsonObject, tables: Tables) -> Effect:
    """Expenses against the payable; a vendor's credit the other way round."""
    sign = -1 if entity == "VendorCredit" else 1
    sums = _expenses(body, tables, sign)
    account = reference_id(body.get("APAccountRef")) or chart.ACCOUNTS_PAYABLE
    sums.add(account, -sign * to_decimal(body.get("TotalAmt", 0), "TotalAmt"))
    owed = sign * to_decimal(body.get("Balance", 0), "Balance")
    return Effect(sums.postings(), ((reference_id(body.get("VendorRef")), owed),), sums.stock())


def purchase_effect(body: JsonObject, tables: Tables) -> Effect:
    """Expenses against the account that paid them."""
    sign = -1 if body.get("Credit") is True else 1
    sums = _expenses(body, tables, sign)
    sums.add(reference_id(body.get("AccountRef")), -sign * to_decimal(body.get("TotalAmt", 0), "TotalAmt"))
    return Effect(sums.postings(), stock=sums.stock())


def _begun(draft: Draft) -> JsonObject:
    body = dict(draft.body)
    body.setdefault("TxnDate", draft.today.isoformat())
    if "DepartmentRef" in body:
        body["DepartmentRef"] = draft.reference(body["DepartmentRef"], "Department", "DepartmentRef")
    return body


def _from_vendor(draft: Draft) -> JsonObject:
    body = _begun(draft)
    if "VendorRef" not in body:
        raise faults.required("VendorRef")
    vendor = draft.resolve(body["VendorRef"], "Vendor", "VendorRef")
    body["VendorRef"] = draft.reference(body["VendorRef"], "Vendor", "VendorRef")
    own = reference_id(vendor.body.get("CurrencyRef"))
    chosen = currency(draft, reference_id(body.get("CurrencyRef")) or own)
    if reference_id(chosen) != own:
        raise faults.bad_currency(reference_id(chosen))
    body["CurrencyRef"] = chosen
    return body


def _kind_of(draft: Draft, body: JsonObject) -> str:
    identifier = reference_id(body.get("EntityRef"))
    return next((kind for kind in sorted(PARTIES) if draft.tables.get(kind, identifier) is not None), "Vendor")


def _require_orders(draft: Draft, body: JsonObject) -> None:
    """An order that a bill names must be there."""
    for holder in (body, *rows(body, "Line")):
        for link in rows(holder, "LinkedTxn"):
            if as_text(link.get("TxnType")) == "PurchaseOrder":
                draft.tables.find("PurchaseOrder", as_text(link.get("TxnId")))


def _with_lines(draft: Draft, body: JsonObject) -> int:
    _require_orders(draft, body)
    lines = [_line(draft, line) for line in sent_lines(draft)]
    numbered, made = number_lines(draft, lines, first=1)
    tax = cents(to_decimal(as_object(body.get("TxnTaxDetail")).get("TotalTax", 0), "TotalTax"))
    body["Line"] = [*numbered]
    total = sum((to_decimal(line.get("Amount", 0), "Amount") for line in lines), ZERO) + tax
    if total < ZERO:
        raise faults.business("Transaction amount must be 0 or greater.")
    body["TotalAmt"] = total
    return made


def _line(draft: Draft, line: JsonObject) -> JsonObject:
    kind = as_text(line.get("DetailType"))
    if kind not in ON_PURCHASES:
        raise faults.bad_enum("Line.DetailType", kind)
    result: JsonObject = {name: value for name, value in line.items() if not name.endswith("Detail")}
    if kind == "DescriptionOnly":
        result.pop("Amount", None)
        return result
    detail = resolve_details(draft, as_object(line.get(kind)), f"Line.{kind}")
    needed = "AccountRef" if kind == "AccountBasedExpenseLineDetail" else "ItemRef"
    if needed not in detail:
        raise faults.required(f"Line.{kind}.{needed}")
    detail.setdefault("TaxCodeRef", {"value": "NON"})
    detail.setdefault("BillableStatus", "NotBillable")
    if detail["BillableStatus"] == "Billable" and "CustomerRef" not in detail:
        raise faults.required(f"Line.{kind}.CustomerRef")
    result["Amount"] = line_amount(line) if needed == "AccountRef" else factored_amount(line, detail, kind)
    result[kind] = detail
    return result


def _expenses(body: JsonObject, tables: Tables, sign: int) -> Sums:
    sums = Sums()
    for line in (as_object(member) for member in as_list(body.get("Line"))):
        kind = as_text(line.get("DetailType"))
        amount = sign * to_decimal(line.get("Amount", 0), "Amount")
        detail = as_object(line.get(kind))
        if kind == "AccountBasedExpenseLineDetail":
            sums.add(reference_id(detail.get("AccountRef")), amount, _about(detail))
        elif kind == "ItemBasedExpenseLineDetail":
            sums.add(_expense_account(detail, tables), amount, _about(detail))
            bought(sums, detail, amount, sign, as_text(body.get("TxnDate")), tables)
    tax = to_decimal(as_object(body.get("TxnTaxDetail")).get("TotalTax", 0), "TotalTax")
    sums.add(chart.SALES_TAX_PAYABLE, sign * tax)
    return sums


def _about(detail: JsonObject) -> About:
    customer = reference_id(detail.get("CustomerRef"))
    return About(
        item=reference_id(detail.get("ItemRef")),
        tracked_class=reference_id(detail.get("ClassRef")),
        party_kind="Customer" if customer else "",
        party=customer,
    )


def _expense_account(detail: JsonObject, tables: Tables) -> str:
    item = tables.get("Item", reference_id(detail.get("ItemRef")))
    if item is None:
        return chart.COST_OF_GOODS_SOLD
    for name in ("AssetAccountRef", "ExpenseAccountRef"):
        if found := reference_id(item.body.get(name)):
            return found
    return chart.COST_OF_GOODS_SOLD
