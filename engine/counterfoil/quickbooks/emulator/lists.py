"""Item, Account, Class, Department, Term and PaymentMethod."""

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.account_types import DEFAULT_SUBTYPE, TYPE_OF_SUBTYPE
from counterfoil.quickbooks.emulator.drafting import Draft, Shaped, check_name, nested, require_unique_name
from counterfoil.quickbooks.emulator.fields import check_text, rows
from counterfoil.quickbooks.emulator.inventory import FIRST_COST
from counterfoil.quickbooks.emulator.parties import currency
from counterfoil.quickbooks.emulator.values import ZERO, as_object, as_text, to_decimal
from counterfoil_schema.exact_json import JsonObject

LEVELS_MAX = 5
# Documented as 7 in the US, UK and India and 20 elsewhere; US companies have been seen to take longer ones.
ACCOUNT_NUMBER_MAX = 20
SHORT_NAME_MAX = 31

CLASSIFICATION = {
    "Bank": "Asset",
    "Accounts Receivable": "Asset",
    "Other Current Asset": "Asset",
    "Fixed Asset": "Asset",
    "Other Asset": "Asset",
    "Accounts Payable": "Liability",
    "Credit Card": "Liability",
    "Other Current Liability": "Liability",
    "Long Term Liability": "Liability",
    "Equity": "Equity",
    "Income": "Revenue",
    "Other Income": "Revenue",
    "Cost of Goods Sold": "Expense",
    "Expense": "Expense",
    "Other Expense": "Expense",
    "Non-Posting": "Asset",
}
INCOME_TYPES = frozenset({"Income", "Other Income"})
EXPENSE_TYPES = frozenset({"Expense", "Other Expense", "Cost of Goods Sold"})
ASSET_TYPES = frozenset({"Other Current Asset"})


def shape_item(draft: Draft) -> Shaped:
    body = _named(draft)
    kind = as_text(body.get("Type"))
    if not kind:
        raise faults.required("Type")
    nested(draft, body, "Name", levels=LEVELS_MAX)
    require_unique_name(draft, body)
    _item_accounts(draft, body)
    missing: tuple[str, ...] = ()
    if kind == "Inventory":
        missing = ("TrackQtyOnHand", "QtyOnHand", "InvStartDate", "AssetAccountRef", "IncomeAccountRef",
                   "ExpenseAccountRef")  # fmt: skip
    elif kind in {"Service", "NonInventory"} and "ExpenseAccountRef" not in body:
        missing = ("IncomeAccountRef",)
    for name in missing:
        if name not in body:
            raise faults.required(name)
    if "PrefVendorRef" in body:
        body["PrefVendorRef"] = draft.reference(body["PrefVendorRef"], "Vendor", "PrefVendorRef")
    body.setdefault("Taxable", False)
    body.setdefault("TrackQtyOnHand", False)
    body.setdefault("UnitPrice", 0)
    body.setdefault("PurchaseCost", 0)
    for line in rows(as_object(body.get("ItemGroupDetail")), "ItemGroupLine"):
        draft.resolve(line.get("ItemRef"), "Item", "ItemGroupDetail.ItemGroupLine.ItemRef")
    before: JsonObject = draft.current.body if draft.current is not None else {}
    if "QtyOnHand" in draft.sent:
        # What a client says there is now, counts from here on.
        since = draft.ledger.stock(draft.identifier) - to_decimal(before.get("QtyOnHand", 0), "QtyOnHand")
        body["QtyOnHand"] = to_decimal(body["QtyOnHand"], "QtyOnHand") - since
    if kind == "Inventory":
        # Another cost is that of those to come.
        body[FIRST_COST] = before.get(FIRST_COST, body["PurchaseCost"])
    return Shaped(body)


def _item_accounts(draft: Draft, body: JsonObject) -> None:
    for name, permitted in (
        ("IncomeAccountRef", INCOME_TYPES),
        ("ExpenseAccountRef", EXPENSE_TYPES),
        ("AssetAccountRef", ASSET_TYPES),
    ):
        if name not in body:
            continue
        account = draft.resolve(body[name], "Account", name)
        kind = as_text(account.body.get("AccountType"))
        if kind not in permitted:
            raise faults.wrong_account(f"{name} names an account of type {kind}, which is not allowed here.", name)
        body[name] = draft.reference(body[name], "Account", name)


def shape_account(draft: Draft) -> Shaped:
    body = _named(draft, forbidden=':"\t\n\r')
    kind, subtype = as_text(body.get("AccountType")), as_text(body.get("AccountSubType"))
    if not kind and not subtype:
        raise faults.required("AccountType")
    if not kind:
        kind = TYPE_OF_SUBTYPE.get(subtype, "")
        if not kind:
            raise faults.bad_enum("AccountSubType", subtype[:40])
    body["AccountType"] = kind
    body["AccountSubType"] = subtype or DEFAULT_SUBTYPE[kind]
    body["Classification"] = CLASSIFICATION[kind]
    check_text("AcctNum", body.get("AcctNum"), ACCOUNT_NUMBER_MAX)
    nested(draft, body, "Name", levels=LEVELS_MAX)
    require_unique_name(draft, body)
    body["SubAccount"] = "ParentRef" in body
    body["CurrencyRef"] = currency(draft, "")
    if not body["Active"] and draft.ledger.account(draft.identifier) != ZERO:
        raise faults.QuickBooksFaultError(
            "6220", "Cannot deactivate", "The account has a balance and cannot be made inactive.", element="Active"
        )
    return Shaped(body)


def shape_class(draft: Draft) -> Shaped:
    return _tree(draft, "SubClass")


def shape_department(draft: Draft) -> Shaped:
    return _tree(draft, "SubDepartment")


def _tree(draft: Draft, flag: str) -> Shaped:
    body = _named(draft)
    nested(draft, body, "Name", levels=LEVELS_MAX)
    require_unique_name(draft, body)
    body[flag] = "ParentRef" in body
    return Shaped(body)


def shape_term(draft: Draft) -> Shaped:
    body = _named(draft)
    check_text("Name", body["Name"], SHORT_NAME_MAX)
    if "DueDays" not in body and not {"DayOfMonthDue", "DueNextMonthDays"} <= body.keys():
        raise faults.required("DueDays")
    body["Type"] = "STANDARD" if "DueDays" in body else "DATE_DRIVEN"
    require_unique_name(draft, body)
    return Shaped(body)


def shape_payment_method(draft: Draft) -> Shaped:
    body = _named(draft)
    check_text("Name", body["Name"], SHORT_NAME_MAX)
    body.setdefault("Type", "NON_CREDIT_CARD")
    require_unique_name(draft, body)
    return Shaped(body)


def shape_journal_code(draft: Draft) -> Shaped:
    body = _named(draft)
    require_unique_name(draft, body)
    return Shaped(body)


def shape_budget(draft: Draft) -> Shaped:
    """A budget, kept as it is sent; its type is the profit and loss account unless it says otherwise."""
    body = dict(draft.body)
    for name in ("StartDate", "EndDate"):
        if name not in body:
            raise faults.required(name)
    body.setdefault("Active", True)
    body.setdefault("BudgetType", "ProfitAndLoss")
    body.setdefault("BudgetEntryType", "Monthly")
    return Shaped(body)


def _named(draft: Draft, *, forbidden: str = ":\t\n\r") -> JsonObject:
    body = dict(draft.body)
    name = as_text(body.get("Name"))
    if not name:
        raise faults.required("Name")
    check_name(name, "Name", forbidden=forbidden)
    body.setdefault("Active", True)
    return body
