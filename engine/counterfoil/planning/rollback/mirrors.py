"""Documents that take back another one by standing beside it: credit memos, vendor credits, reversing entries."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from counterfoil.planning.rollback.common import (
    beside_key,
    is_closed,
    label_of,
    make_step,
    noted,
    numbered,
    refuse,
)
from counterfoil.planning.rollback.types import Action, Conditions, Refusal, Step, Taken
from counterfoil.planning.values import real_lines
from counterfoil_schema.exact_json import JsonObject, JsonValue

MIRRORS: Final[Mapping[str, str]] = {"Invoice": "CreditMemo", "Bill": "VendorCredit", "JournalEntry": "JournalEntry"}
"""By what a document is taken back that stays."""

_KEPT: Final[Mapping[str, tuple[str, ...]]] = {
    "Invoice": (
        *("CustomerRef", "CurrencyRef", "ExchangeRate", "DepartmentRef", "ClassRef", "GlobalTaxCalculation"),
        *("TxnTaxDetail", "BillAddr", "ShipAddr", "ShipFromAddr", "ApplyTaxAfterDiscount"),
    ),
    "Bill": ("VendorRef", "APAccountRef", "CurrencyRef", "ExchangeRate", "DepartmentRef", "GlobalTaxCalculation"),
    "JournalEntry": ("CurrencyRef", "ExchangeRate"),
}
_NUMBERED: Final[Mapping[str, str]] = {"Invoice": "-CR", "Bill": "-CR", "JournalEntry": "-RV"}
_OF_THE_LINE: Final = frozenset({"Id", "LineNum", "LinkedTxn"})
_SIDES: Final[Mapping[str, str]] = {"Debit": "Credit", "Credit": "Debit"}


def mirrored(taken: Taken, conditions: Conditions) -> Step | Refusal:
    """The document that sets another one off, line by line, on the same accounts.

    It stands on the day that the policy names, else on that of the other document; never on a day that nobody named.
    """
    standing = taken.standing
    held, entity = standing.latest, standing.entity
    dated: JsonValue = conditions.policy.dated.isoformat() if conditions.policy.dated else held.get("TxnDate")
    if is_closed(dated, conditions):
        reason = f"It stands on {dated}, and the books are closed to {conditions.closed_until} inclusive."
        fix = "Name a day in an open period: --dated YYYY-MM-DD. No date is moved without your word."
        return refuse(taken, conditions, "period_closed", reason, fix)
    label = label_of(held, entity, standing.document_id)
    body: JsonObject = {name: held[name] for name in _KEPT[entity] if held.get(name) not in (None, "")}
    body["TxnDate"] = dated
    number = numbered(held.get("DocNumber"), _NUMBERED[entity])
    if number and (conditions.custom_numbers or entity != "Invoice"):
        body["DocNumber"] = number
    lines: list[JsonValue] = [_line(line, turned=entity == "JournalEntry") for line in real_lines(held)]
    body["Line"] = lines
    what = "Reversal" if entity == "JournalEntry" else "Takes back"
    of = f" of {label}" if entity == "JournalEntry" else f" {label}"
    body.update(noted(MIRRORS[entity], f"{what}{of} of {held.get('TxnDate')}."))
    action: Action = "reverse" if entity == "JournalEntry" else "credit"
    made = make_step(taken, conditions, action, "create", body, key=beside_key(taken), entity=MIRRORS[entity])
    moved = f"; it stood on {held.get('TxnDate')}" if dated != held.get("TxnDate") else ""
    return replace(made, becomes=held, writes=body, dated=str(dated), number=number, detail=f"dated {dated}{moved}")


def _line(line: JsonObject, *, turned: bool) -> JsonObject:
    kept: JsonObject = {name: value for name, value in line.items() if name not in _OF_THE_LINE}
    detail = kept.get("JournalEntryLineDetail")
    if turned and isinstance(detail, dict):
        kept["JournalEntryLineDetail"] = {**detail, "PostingType": _SIDES[str(detail.get("PostingType"))]}
    return kept
