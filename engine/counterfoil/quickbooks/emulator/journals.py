"""JournalEntry: debits equal credits, and TotalAmt is always 0."""

from collections import defaultdict
from decimal import Decimal

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.drafting import Draft, Shaped
from counterfoil.quickbooks.emulator.lines import line_amount, number_lines, resolve_details, sent_lines
from counterfoil.quickbooks.emulator.parties import currency
from counterfoil.quickbooks.emulator.postings import About, Effect, Posting, balanced
from counterfoil.quickbooks.emulator.tables import Tables
from counterfoil.quickbooks.emulator.values import ZERO, as_list, as_object, as_text, reference_id, to_decimal
from counterfoil_schema.exact_json import JsonObject

PARTY_ENTITIES = frozenset({"Customer", "Vendor", "Employee"})
NEEDS_PARTY = {"Accounts Receivable": "Customer", "Accounts Payable": "Vendor"}


def shape_journal_entry(draft: Draft) -> Shaped:
    """A balanced entry.

    Raises:
        QuickBooksFaultError: 2260, 2290, 2300 and those of its references.
    """
    body = dict(draft.body)
    body.setdefault("TxnDate", draft.today.isoformat())
    body.setdefault("Adjustment", False)
    if draft.preference("CurrencyPrefs", "MultiCurrencyEnabled") is True and "CurrencyRef" not in body:
        raise faults.required("CurrencyRef")
    body["CurrencyRef"] = currency(draft, reference_id(body.get("CurrencyRef")))
    lines = [_line(draft, line) for line in sent_lines(draft)]
    numbered, made = number_lines(draft, lines, first=0)
    body["Line"] = [*numbered]
    effect = journal_effect(body, draft.tables)
    sides = {posting.amount > ZERO for posting in effect.postings}
    if sides != {True, False} or not balanced(effect.postings):
        raise faults.QuickBooksFaultError("2300", "Please balance your debits and credits.", element="Line")
    body["TotalAmt"] = 0
    return Shaped(body, lines_made=made)


def journal_effect(body: JsonObject, tables: Tables) -> Effect:
    """What the lines of an entry post, and what they make customers owe and vendors be owed."""
    postings: list[Posting] = []
    owed: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for line in (as_object(member) for member in as_list(body.get("Line"))):
        detail = as_object(line.get("JournalEntryLineDetail"))
        if not detail:
            continue
        account = reference_id(detail.get("AccountRef"))
        amount = _signed(as_text(detail.get("PostingType")), to_decimal(line.get("Amount", 0), "Amount"))
        entity = as_object(detail.get("Entity"))
        party = reference_id(entity.get("EntityRef"))
        about = About(
            tracked_class=reference_id(detail.get("ClassRef")),
            department=reference_id(detail.get("DepartmentRef")),
            party_kind=as_text(entity.get("Type")),
            party=party,
        )
        postings.append(Posting(account, amount, about))
        sign = sign_on_account(account, tables)
        if sign:
            owed[party] += sign * amount
    return Effect(tuple(postings), tuple(owed.items()))


def sign_on_account(account: str, tables: Tables) -> int:
    """Whether a debit there lets a customer owe more (1) or a vendor be owed less (-1), or neither (0)."""
    row = tables.get("Account", account)
    party = NEEDS_PARTY.get(as_text(row.body.get("AccountType"))) if row is not None else None
    return {"Customer": 1, "Vendor": -1}.get(party or "", 0)


def _line(draft: Draft, line: JsonObject) -> JsonObject:
    kind = as_text(line.get("DetailType"))
    if kind == "DescriptionOnly":
        return {name: value for name, value in line.items() if name != "Amount"}
    if kind != "JournalEntryLineDetail":
        raise faults.bad_enum("Line.DetailType", kind)
    sent = as_object(line.get(kind))
    side = as_text(sent.get("PostingType"))
    if not side:
        raise faults.QuickBooksFaultError(
            "2260", "PostingType is missing", element="Line.JournalEntryLineDetail.PostingType"
        )
    if side not in {"Debit", "Credit"}:
        raise faults.bad_enum("PostingType", side[:40])
    amount = line_amount(line)
    if amount <= ZERO:
        raise faults.negative_amount("Line.Amount")
    if not reference_id(sent.get("AccountRef")):
        raise faults.required("Line.JournalEntryLineDetail.AccountRef")
    detail = resolve_details(draft, sent, f"Line.{kind}")
    detail["PostingType"] = side
    entity = _party(draft, as_object(sent.get("Entity")))
    _require_party(draft, detail, entity)
    if entity:
        detail["Entity"] = entity
    else:
        detail.pop("Entity", None)
    shaped: JsonObject = {**{name: value for name, value in line.items() if not name.endswith("Detail")}}
    shaped["Amount"] = amount
    shaped[kind] = detail
    return shaped


def _signed(side: str, amount: Decimal) -> Decimal:
    return amount if side == "Debit" else -amount


def _party(draft: Draft, entity: JsonObject) -> JsonObject:
    kind = as_text(entity.get("Type"))
    identifier = reference_id(entity.get("EntityRef"))
    if not kind and not identifier:
        return {}
    if kind not in PARTY_ENTITIES:
        raise faults.bad_enum("Entity.Type", kind[:40])
    return {"Type": kind, "EntityRef": draft.reference(entity.get("EntityRef"), kind, "Entity.EntityRef")}


def _require_party(draft: Draft, detail: JsonObject, entity: JsonObject) -> None:
    account = draft.tables.get("Account", reference_id(detail["AccountRef"]))
    kind = as_text(account.body.get("AccountType")) if account is not None else ""
    needed = NEEDS_PARTY.get(kind)
    if needed is not None and as_text(entity.get("Type")) != needed:
        raise faults.business(
            f"When you use {kind}, you must choose a {needed.lower()} in the Name field.", element="Entity"
        )
