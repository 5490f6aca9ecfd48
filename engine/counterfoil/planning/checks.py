"""What QuickBooks would refuse is found before it is sent, and told by the field and the value at fault.

Lengths, permitted values and types come from the wire models, what must be there from `required`, sums and products
from Intuit's error table (2050, 2170, 2250, 2300, 6070). Planned bodies are symbolic, so a reference counts as given
however it is written. Numbers, dates and enumerations are shown; free text is told by its length alone, because reasons
are not sealed and it may be about a person.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from pydantic import ValidationError

from counterfoil.planning.required import missing_of, missing_of_lines, out_of_range, partyless
from counterfoil.planning.taxes import UNTAXED
from counterfoil.planning.types import LINE_KEY, NAME_REF, RATE_REF, RECORD_REF, Intent, Park
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.quickbooks import MODELS

CENT = Decimal("0.01")
SHOWN_MAX = 60
LATIN1_LAST = 0xFF
CHARACTERS_SHOWN_MAX = 3
NAME_LISTS = frozenset(
    {"Account", "Class", "Customer", "Department", "Employee", "Item", "PaymentMethod", "Term", "Vendor"}
)
LINES_MAX = 10_000
TAXED_LINES_MAX = 750
# Of 7 characters in the US, the UK and India, and of 20 elsewhere; US companies have been seen to take longer ones.
LONGEST: Mapping[tuple[str, str], int] = {("Account", "AcctNum"): 20}
WORDS = {
    "string_too_long": "is {length} characters long, and QuickBooks takes {max_length}",
    "literal_error": "is none of the values that QuickBooks takes ({expected})",
    "string_pattern_mismatch": "is no address that QuickBooks takes",
}
# Of these the value may be shown: it is one of few words, or a number or name that is nobody's.
SHOWN_TEXT = frozenset({"literal_error"})
SHOWN_FIELDS = frozenset({"DocNumber", "PaymentRefNum", "Sku", "AcctNum"})
FORBIDDEN: Mapping[str, str] = {"Account": '":', "Customer": ":", "Employee": ":", "Item": ":", "Vendor": ":"}


AccountType = Callable[[JsonObject], tuple[str | None, str]]
"""Of a reference to an account, as it is planned: the account's AccountType where it is known, and what to call it."""


def unknown_accounts(reference: JsonObject) -> tuple[str | None, str]:
    """Nothing is known of any account."""
    del reference
    return None, ""


def refusal(
    intent: Intent,
    *,
    closed_until: date | None,
    home: str,
    latin1: bool = False,
    account_type: AccountType = unknown_accounts,
) -> Park | None:
    """Why QuickBooks would refuse what is wanted, or None.

    Args:
        intent: a document for QuickBooks; intents for other targets pass.
        closed_until: the last day of the closed period, if there is one.
        home: the currency that the books are kept in.
        latin1: text outside ISO-8859-1 is refused, as in companies of the United States.
        account_type: tells of accounts.
    """
    if intent.target != "quickbooks" or intent.entity not in MODELS:
        return None
    closed = closed_refusal(intent.entity, intent.body, closed_until)
    if closed is not None:
        return closed
    rateless = _rateless(intent, home)
    if rateless is not None:
        return rateless
    found = [*problems(intent.entity, intent.operation, intent.body), *_partyless(intent, account_type)]
    if found:
        return Park(
            code="not_acceptable",
            reason=f"QuickBooks would refuse the {intent.entity}: {'; '.join(found[:5])}.",
            fix="Correct the value at the source, or what the mapping makes of it.",
        )
    strange = list(_outside_latin1(intent.body)) if latin1 else []
    if not strange:
        return None
    return Park(
        code="not_acceptable",
        reason=f"By the mapping these books take ISO-8859-1 text only: {'; '.join(strange[:5])}.",
        fix='Write it otherwise at the source; or, where they take it, set text = "unicode" under [connection] in the '
        "mapping.",
    )


def _partyless(intent: Intent, account_type: AccountType) -> Iterator[str]:
    if intent.entity != "JournalEntry":
        return
    for number, line in enumerate(_objects(intent.body.get("Line")), start=1):
        reference = _object(_object(line.get("JournalEntryLineDetail")).get("AccountRef"))
        if reference:
            yield from partyless(number, line, *account_type(reference))


def _outside_latin1(value: JsonValue, path: str = "") -> Iterator[str]:
    """Where text cannot be written in ISO-8859-1 (Intuit: REST API features); its other characters are not shown."""
    match value:
        case str():
            strange = dict.fromkeys(character for character in value if ord(character) > LATIN1_LAST)
            if strange:
                shown = ", ".join(f"“{one}” (U+{ord(one):04X})" for one in [*strange][:CHARACTERS_SHOWN_MAX])
                yield f"{path} holds {shown}"
        case list():
            for place, member in enumerate(value, start=1):
                yield from _outside_latin1(member, f"{path}.{place}")
        case dict() if not value.keys() & {RECORD_REF, NAME_REF, RATE_REF}:
            for name, member in value.items():
                if name != LINE_KEY:
                    yield from _outside_latin1(member, f"{path}.{name}" if path else name)
        case _:
            return


def _rateless(intent: Intent, home: str) -> Park | None:
    """A document in another currency that does not say so, or names no rate: QuickBooks would count it one to one.

    What the mapping makes has a rate or is parked before it comes here; this is for what an adapter's projection makes.
    """
    if intent.operation not in ("create", "update") or intent.entity in NAME_LISTS:
        return None
    named = _object(intent.body.get("CurrencyRef")).get("value")
    currency = named if isinstance(named, str) else intent.currency or home
    if currency == home or (named == currency and intent.body.get("ExchangeRate") not in (None, "")):
        return None
    lacks = "names no ExchangeRate" if named == currency else "bears no CurrencyRef"
    return Park(
        code="no_rate",
        reason=f"{intent.entity} is in {currency} and {lacks}; QuickBooks would count one {currency} as one {home}.",
        fix="State the currency and a rate of the day; an adapter's projection has to name both.",
    )


def problems(entity: str, operation: str, body: JsonObject) -> Iterator[str]:
    """Everything that is wrong with a body, each naming its field and value."""
    try:
        MODELS[entity].model_validate(_resolved(body))
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=True):
            yield _said(detail["loc"], detail["type"], detail["msg"], detail["input"], detail.get("ctx", {}))
    for (kind, name), most in LONGEST.items():
        value = body.get(name)
        if kind == entity and isinstance(value, str) and len(value) > most:
            yield _said((name,), "string_too_long", "", value, {"max_length": most})
    if operation == "create":
        yield from missing_of(entity, body)
    yield from out_of_range(entity, body)
    yield from _forbidden(entity, body)
    lines = _objects(body.get("Line"))
    yield from missing_of_lines(entity, lines)
    if entity == "JournalEntry" and "Line" in body:
        yield from _unbalanced(lines)
    else:
        yield from _too_many(lines)
    for number, line in enumerate(lines, start=1):
        yield from _wrong_product(number, line)


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


def closed_refusal(entity: str, body: JsonObject, closed_until: date | None, *, in_books: bool = False) -> Park | None:
    """Why a document cannot be dated as it is: its period is closed.

    Args:
        in_books: it stands in QuickBooks on that day, and is to be changed.
    """
    day = body.get("TxnDate")
    if closed_until is None or not isinstance(day, str) or day > closed_until.isoformat():
        return None
    closed = f"the books are closed to {closed_until.isoformat()} inclusive"
    if in_books:
        return Park(
            code="period_closed",
            reason=f"The {entity} stands in QuickBooks on {day}, and {closed}: it cannot be changed there.",
            fix="Open the period in QuickBooks, then retry it; or enter the difference by hand in an open period.",
        )
    return Park(
        code="period_closed",
        reason=f"The {entity} is dated {day}, and {closed}.",
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


def _too_many(lines: Sequence[JsonObject]) -> Iterator[str]:
    """Intuit: REST API features; a journal entry has no such bound."""
    taxed = any(_is_taxed(line) for line in lines)
    most = TAXED_LINES_MAX if taxed else LINES_MAX
    if len(lines) > most:
        yield f"Line has {len(lines)} members, and QuickBooks takes {most}{' where any is taxed' if taxed else ''}"


def _is_taxed(line: JsonObject) -> bool:
    code = _object(_object(line.get(str(line.get("DetailType")))).get("TaxCodeRef"))
    return bool(code) and code.get("value") != UNTAXED


def _unbalanced(lines: Sequence[JsonObject]) -> Iterator[str]:
    sums = {"Debit": Decimal(0), "Credit": Decimal(0)}
    for line in lines:
        side = _object(line.get("JournalEntryLineDetail")).get("PostingType")
        amount = _number(line.get("Amount"))
        if isinstance(side, str) and side in sums and amount is not None:
            sums[side] += amount
    for number, line in enumerate(lines, start=1):
        amount = _number(line.get("Amount"))
        if amount is not None and amount <= 0:
            yield f"Line.{number}.Amount {amount} is not positive, as each side of an entry is"
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
