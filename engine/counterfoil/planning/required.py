"""What QuickBooks wants of a record before it takes it (Intuit: pages of the entities; faults 2020, 2260, 2290, 6290).

A need is written as names of properties: `A & B` wants both, `A | B` either of them; a dot leads into a property.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from counterfoil_schema.exact_json import JsonObject, JsonValue

_NAME = "DisplayName | Title | GivenName | MiddleName | FamilyName | Suffix"
NEEDS: Final[Mapping[str, Sequence[str]]] = {
    "Account": ("Name", "AccountType | AccountSubType"),
    "Attachable": ("FileName | Note",),
    "Bill": ("VendorRef", "Line"),
    "BillPayment": ("VendorRef", "TotalAmt", "PayType", "Line"),
    "Class": ("Name",),
    "CreditMemo": ("CustomerRef", "Line"),
    "Customer": (_NAME,),
    "Department": ("Name",),
    "Deposit": ("DepositToAccountRef", "Line"),
    "Employee": ("GivenName | FamilyName",),
    "Estimate": ("CustomerRef", "Line"),
    "Invoice": ("CustomerRef", "Line"),
    "Item": ("Name", "Type"),
    "JournalEntry": ("Line",),
    "Payment": ("CustomerRef", "TotalAmt"),
    "PaymentMethod": ("Name",),
    "Purchase": ("PaymentType", "AccountRef", "Line"),
    "PurchaseOrder": ("VendorRef", "APAccountRef", "Line"),
    "RefundReceipt": ("DepositToAccountRef", "Line"),
    # Intuit's page lists the customer; its own forms let it be empty.
    "SalesReceipt": ("CustomerRef", "Line"),
    "TaxAgency": ("DisplayName",),
    "Term": ("Name", "DueDays | DayOfMonthDue & DueNextMonthDays"),
    "TimeActivity": ("NameOf", "Hours | Minutes | StartTime & EndTime"),
    "Transfer": ("FromAccountRef", "ToAccountRef", "Amount"),
    "Vendor": (_NAME,),
    "VendorCredit": ("VendorRef", "Line"),
}
"""Of a record that is created."""

_STOCK = "TrackQtyOnHand & QtyOnHand & InvStartDate & AssetAccountRef & IncomeAccountRef & ExpenseAccountRef"
_SOLD_OR_BOUGHT = "IncomeAccountRef | ExpenseAccountRef"
DEPENDENT: Final[Mapping[tuple[str, str, str], Sequence[str]]] = {
    ("BillPayment", "PayType", "Check"): ("CheckPayment.BankAccountRef",),
    ("BillPayment", "PayType", "CreditCard"): ("CreditCardPayment.CCAccountRef",),
    ("Item", "Type", "Inventory"): (_STOCK,),
    ("Item", "Type", "NonInventory"): (_SOLD_OR_BOUGHT,),
    ("Item", "Type", "Service"): (_SOLD_OR_BOUGHT,),
    ("TimeActivity", "NameOf", "Employee"): ("EmployeeRef",),
    ("TimeActivity", "NameOf", "Vendor"): ("VendorRef",),
    ("TimeActivity", "BillableStatus", "Billable"): ("CustomerRef & HourlyRate",),
}
"""The same, where a property has a value: entity, property, value."""

LINE_NEEDS: Final[Mapping[str, Sequence[str]]] = {
    "AccountBasedExpenseLineDetail": ("Amount", "AccountBasedExpenseLineDetail.AccountRef"),
    "DepositLineDetail": ("Amount", "DepositLineDetail.AccountRef"),
    "ItemBasedExpenseLineDetail": ("Amount", "ItemBasedExpenseLineDetail.ItemRef"),
    "JournalEntryLineDetail": (
        "Amount",
        "JournalEntryLineDetail.PostingType",
        "JournalEntryLineDetail.AccountRef",
    ),
    "SalesItemLineDetail": ("Amount",),
}
"""Of a line, by its type."""

BILLED: Final = ("AccountBasedExpenseLineDetail", "ItemBasedExpenseLineDetail")
LINKED_LINES: Final = frozenset({"Payment", "BillPayment"})
"""Their lines have no type: each names one document and what is paid of it."""

NOT_NEGATIVE: Final[Mapping[str, Sequence[str]]] = {
    "BillPayment": ("TotalAmt",),
    "Payment": ("TotalAmt",),
    "TimeActivity": ("Hours", "Minutes", "HourlyRate"),
    "Transfer": ("Amount",),
}
MINUTES_MAX: Final = 59

ON_ACCOUNT: Final[Mapping[str, str]] = {"Accounts Receivable": "Customer", "Accounts Payable": "Vendor"}
"""Whom a line of a journal entry has to name, by the AccountType of its account."""


def missing_of(entity: str, body: JsonObject) -> Iterator[str]:
    """What a record that is to be created lacks."""
    for need in NEEDS.get(entity, ()):
        yield from _unmet(body, need)
    for (kind, name, value), needs in DEPENDENT.items():
        if kind == entity and body.get(name) == value:
            for need in needs:
                yield from _unmet(body, need, because=f"{name} is {value}")
    if entity == "TimeActivity" and body.get("EmployeeRef") and body.get("VendorRef"):
        yield "EmployeeRef and VendorRef are both given, and QuickBooks takes one of them"


def missing_of_lines(entity: str, lines: Sequence[JsonObject]) -> Iterator[str]:
    """What the lines of a document lack."""
    for number, line in enumerate(lines, start=1):
        place = f"Line.{number}."
        if entity in LINKED_LINES:
            yield from _unmet(line, "Amount & LinkedTxn", place)
            continue
        kind = line.get("DetailType")
        if not isinstance(kind, str) or not kind:
            # What a deposit takes up is named by its link alone.
            if not (entity == "Deposit" and line.get("LinkedTxn")):
                yield f"{place}DetailType is missing"
            continue
        for need in LINE_NEEDS.get(kind, ()):
            yield from _unmet(line, need, place)
        detail = line.get(kind)
        if kind in BILLED and isinstance(detail, dict) and detail.get("BillableStatus") == "Billable":
            yield from _unmet(detail, "CustomerRef", f"{place}{kind}.", because="BillableStatus is Billable")


def partyless(number: int, line: JsonObject, account_type: str | None, account: str) -> Iterator[str]:
    """What a line of a journal entry lacks that stands on receivables or payables."""
    party = ON_ACCOUNT.get(account_type or "")
    detail = line.get("JournalEntryLineDetail")
    named = detail.get("Entity") if isinstance(detail, dict) else None
    if party is None or (isinstance(named, dict) and named.get("Type") == party and _given(named, "EntityRef")):
        return
    yield (
        f"Line.{number}.JournalEntryLineDetail.Entity names no {party}, as a line on {account} has to, "
        f"which is of type {account_type}"
    )


def out_of_range(entity: str, body: JsonObject) -> Iterator[str]:
    """Numbers that QuickBooks refuses for their size."""
    for name in NOT_NEGATIVE.get(entity, ()):
        value = body.get(name)
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and value < 0:
            yield f"{name} {value} is negative"
    minutes = body.get("Minutes")
    if entity == "TimeActivity" and isinstance(minutes, int) and minutes > MINUTES_MAX:
        yield f"Minutes {minutes} is more than {MINUTES_MAX}; whole hours belong in Hours"


def _unmet(holder: JsonObject, need: str, place: str = "", *, because: str = "") -> Iterator[str]:
    ways = [[name.strip() for name in way.split("&")] for way in need.split("|")]
    if any(all(_given(holder, name) for name in names) for names in ways):
        return
    if len(ways) == 1:
        ways = [[name for name in ways[0] if not _given(holder, name)]]
    said = " or ".join(" and ".join(f"{place}{name}" for name in names) for names in ways)
    is_one = len(ways) > 1 or len(ways[0]) == 1
    yield f"{said} {'is' if is_one else 'are'} missing{f', because {because}' if because else ''}"


def _given(holder: JsonObject, path: str) -> bool:
    value: JsonValue = holder
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value not in (None, "", [], {})
