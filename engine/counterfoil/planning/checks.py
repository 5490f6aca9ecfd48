"""What QuickBooks would refuse is found before it is sent, and told by the field and the value at fault.

Lengths, permitted values and types come from the wire models; sums, products and required parts from Intuit's error
table (2020, 2050, 2170, 2250, 2300, 6070). Planned bodies are symbolic, so a reference counts as given however it is
written. Numbers, dates and enumerations are shown; free text is told by its length alone, because reasons are not
sealed and it may be about a person.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from pydantic import ValidationError

from counterfoil.planning.types import NAME_REF, RATE_REF, RECORD_REF, Intent, Park
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.quickbooks import MODELS

CENT = Decimal("0.01")
SHOWN_MAX = 60
LINES_MAX = 10_000
REQUIRED: Mapping[str, Sequence[str]] = {
    "Account": ("Name",),
    "BillPayment": ("VendorRef", "TotalAmt", "PayType"),
    "Bill": ("VendorRef", "Line"),
    "Class": ("Name",),
    "CreditMemo": ("CustomerRef", "Line"),
    "Department": ("Name",),
    "Deposit": ("DepositToAccountRef", "Line"),
    "Estimate": ("CustomerRef", "Line"),
    "Invoice": ("CustomerRef", "Line"),
    "Item": ("Name", "Type"),
    "JournalEntry": ("Line",),
    "Payment": ("CustomerRef", "TotalAmt"),
    "PaymentMethod": ("Name",),
    "Purchase": ("PaymentType", "AccountRef", "Line"),
    "PurchaseOrder": ("VendorRef", "APAccountRef", "Line"),
    "RefundReceipt": ("DepositToAccountRef", "Line"),
    "SalesReceipt": ("Line",),
    "Term": ("Name",),
    "TimeActivity": ("NameOf",),
    "Transfer": ("FromAccountRef", "ToAccountRef", "Amount"),
    "VendorCredit": ("VendorRef", "Line"),
}
WORDS = {
    "string_too_long": "is {length} characters long, and QuickBooks takes {max_length}",
    "literal_error": "is none of the values that QuickBooks takes ({expected})",
    "string_pattern_mismatch": "is no address that QuickBooks takes",
}
# At least one of these: what a party is called by (Intuit: entity pages).
NAME_PARTS: Mapping[str, Sequence[str]] = {
    "Customer": ("DisplayName", "Title", "GivenName", "MiddleName", "FamilyName", "Suffix"),
    "Employee": ("GivenName", "FamilyName"),
    "Vendor": ("DisplayName", "Title", "GivenName", "MiddleName", "FamilyName", "Suffix"),
}
# Of these the value may be shown: it is one of few words, or a number or name that is nobody's.
SHOWN_TEXT = frozenset({"literal_error"})
SHOWN_FIELDS = frozenset({"DocNumber", "PaymentRefNum", "Sku", "AcctNum"})
FORBIDDEN: Mapping[str, str] = {"Account": '":', "Customer": ":", "Employee": ":", "Item": ":", "Vendor": ":"}


def refusal(intent: Intent, *, closed_until: date | None) -> Park | None:
    """Why QuickBooks would refuse what is wanted, or None.

    Args:
        intent: a document for QuickBooks; intents for other targets pass.
        closed_until: the last day of the closed period, if there is one.
    """
    if intent.target != "quickbooks" or intent.entity not in MODELS:
        return None
    closed = closed_refusal(intent.entity, intent.body, closed_until)
    if closed is not None:
        return closed
    found = list(problems(intent.entity, intent.operation, intent.body))
    if not found:
        return None
    return Park(
        code="not_acceptable",
        reason=f"QuickBooks would refuse the {intent.entity}: {'; '.join(found[:5])}.",
        fix="Correct the value at the source, or what the mapping makes of it.",
    )


def problems(entity: str, operation: str, body: JsonObject) -> Iterator[str]:
    """Everything that is wrong with a body, each naming its field and value."""
    try:
        MODELS[entity].model_validate(_resolved(body))
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=True):
            yield _said(detail["loc"], detail["type"], detail["msg"], detail["input"], detail.get("ctx", {}))
    if operation == "create":
        yield from _missing(entity, body)
    yield from _forbidden(entity, body)
    lines = _objects(body.get("Line"))
    if entity == "JournalEntry" and "Line" in body:
        yield from _unbalanced(lines)
    elif len(lines) > LINES_MAX:
        yield f"Line has {len(lines)} members, and QuickBooks takes {LINES_MAX}"
    for number, line in enumerate(lines, start=1):
        yield from _wrong_product(number, line)


def _missing(entity: str, body: JsonObject) -> Iterator[str]:
    for name in REQUIRED.get(entity, ()):
        if body.get(name) in (None, "", []):
            yield f"{name} is missing"
    parts = NAME_PARTS.get(entity, ())
    if parts and not any(body.get(name) for name in parts):
        yield f"{' or '.join(parts)} is missing"


def _forbidden(entity: str, body: JsonObject) -> Iterator[str]:
    """Characters that no name may hold (Intuit: entity pages; fault 2040)."""
    for name in ("DisplayName", "GivenName", "MiddleName", "FamilyName", "CompanyName", "Name"):
        value = body.get(name)
        if not isinstance(value, str) or entity not in FORBIDDEN:
            continue
        if any(character in FORBIDDEN[entity] or character in "\t\r\n" for character in value):
            yield f"{name} holds a character that QuickBooks refuses (one of {FORBIDDEN[entity]}, tab, new line)"


def _resolved(value: JsonValue, name: str = "") -> JsonValue:
    """The value with every symbolic reference given some Id."""
    if isinstance(value, list):
        return [_resolved(member) for member in value]
    if not isinstance(value, dict):
        return value
    if RECORD_REF in value or NAME_REF in value:
        return {"value": "0"} if name.endswith("Ref") else "0"
    if RATE_REF in value:
        return Decimal(1)
    return {key: _resolved(member, key) for key, member in value.items()}


def closed_refusal(entity: str, body: JsonObject, closed_until: date | None) -> Park | None:
    """Why a document cannot be dated as it is: its period is closed."""
    day = body.get("TxnDate")
    if closed_until is None or not isinstance(day, str) or day > closed_until.isoformat():
        return None
    return Park(
        code="period_closed",
        reason=f"The {entity} is dated {day}, and the books are closed to {closed_until.isoformat()} inclusive.",
        fix="Open the period in QuickBooks, or date the document into an open one at the source; then retry it.",
    )


def _said(place: Sequence[int | str], kind: str, message: str, value: object, context: Mapping[str, object]) -> str:
    path = ".".join(str(step + 1) if isinstance(step, int) else step for step in place)
    is_free_text = isinstance(value, str) and kind not in SHOWN_TEXT and path not in SHOWN_FIELDS
    shown = "" if is_free_text else f": {str(value)[:SHOWN_MAX]}"
    length = len(value) if isinstance(value, str) else 0
    words = WORDS.get(kind)
    why = words.format_map({**context, "length": length}) if words else f"does not fit ({message})"
    return f"{path} {why}{shown}"


def _unbalanced(lines: Sequence[JsonObject]) -> Iterator[str]:
    sums = {"Debit": Decimal(0), "Credit": Decimal(0)}
    for line in lines:
        side = _object(line.get("JournalEntryLineDetail")).get("PostingType")
        amount = _number(line.get("Amount"))
        if isinstance(side, str) and side in sums and amount is not None:
            sums[side] += amount
    for number, line in enumerate(lines, start=1):
        amount = _number(line.get("Amount"))
        if amount is not None and amount < 0:
            yield f"Line.{number}.Amount {amount} is negative, and a side of an entry is not"
    if not all(sums.values()):
        yield "Line needs a debit and a credit"
    if sums["Debit"] != sums["Credit"]:
        yield f"Line does not balance: debits {sums['Debit']}, credits {sums['Credit']}"


def _wrong_product(number: int, line: JsonObject) -> Iterator[str]:
    for name in ("SalesItemLineDetail", "ItemBasedExpenseLineDetail"):
        detail = _object(line.get(name))
        quantity, price = _number(detail.get("Qty")), _number(detail.get("UnitPrice"))
        amount = _number(line.get("Amount"))
        if quantity is None or price is None or amount is None:
            continue
        product = (quantity * price).quantize(CENT, ROUND_HALF_UP)
        if product != amount:
            yield f"Line.{number}.Amount {amount} is not Qty {quantity} times UnitPrice {price}, which is {product}"


def _objects(value: JsonValue) -> list[JsonObject]:
    return [member for member in value if isinstance(member, dict)] if isinstance(value, list) else []


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _number(value: JsonValue) -> Decimal | None:
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None
