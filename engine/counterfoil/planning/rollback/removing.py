"""What becomes of a document that we created: what Intuit allows for its kind, and what the policy wants of it.

Void forms exist for invoices, payments, sales receipts and payments of bills; everything else can be deleted, set off
by a document beside it, or made inactive (Intuit: entity pages).
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from counterfoil.planning.rollback.common import (
    NAME_LISTS,
    closed,
    edited,
    is_closed,
    make_step,
    refuse,
    was_sent,
)
from counterfoil.planning.rollback.mirrors import mirrored
from counterfoil.planning.rollback.types import Applied, Conditions, Refusal, Step, Taken

SHOWN_MAX: Final = 3
_VOIDABLE: Final = frozenset({"Payment", "SalesReceipt", "BillPayment"})
_OPEN_PERIOD: Final = "Open the period in QuickBooks and preview again; or take it back there by hand."
_OPEN_OR_DATED: Final = "Name a day in an open period: --dated YYYY-MM-DD. No date is moved without your word."
_BY_HAND: Final = "Take it back in QuickBooks by hand, if that is right."

Gone = Collection[tuple[str, str]]
"""Entity and Id of documents whose own compensation ends them."""


def remove(taken: Taken, conditions: Conditions, gone: Gone) -> Step | Refusal:
    """Take back a document that we created.

    Args:
        gone: documents that are ended before this one.
    """
    if taken.effects[0].adopted:
        reason = "It was in the books before, and was not created here; it is never deleted."
        return refuse(taken, conditions, "adopted", reason, "Nothing needs doing: nothing was written when it came.")
    found = edited(taken, conditions)
    if found is not None:
        return found
    entity = taken.standing.entity
    if entity in NAME_LISTS:
        return _inactivated(taken, conditions, gone)
    holding = [one for one in taken.standing.applied if (one.entity, one.document_id) not in gone]
    if holding:
        return _held(taken, conditions, holding)
    return _transaction(taken, conditions)


def _transaction(taken: Taken, conditions: Conditions) -> Step | Refusal:
    entity = taken.standing.entity
    match entity:
        case "Invoice":
            return _invoice(taken, conditions)
        case "JournalEntry" | "Bill" if not _may_delete(taken) or _is_closed(taken, conditions):
            return mirrored(taken, conditions)
        case "TimeActivity" if taken.standing.latest.get("BillableStatus") == "HasBeenBilled":
            reason = "The hours have been billed to the customer."
            return refuse(taken, conditions, "billed", reason, "Credit the customer if they were wrong.")
        case "Estimate" if not _may_delete(taken):
            return _closed_offer(taken, conditions)
        case _ if entity in _VOIDABLE:
            return _voided(taken, conditions)
        case _:
            return _deleted(taken, conditions)


def _invoice(taken: Taken, conditions: Conditions) -> Step | Refusal:
    in_closed = _is_closed(taken, conditions)
    if conditions.policy.sales == "credit" or (in_closed and conditions.policy.dated is not None):
        return mirrored(taken, conditions)
    return closed(taken, conditions, _OPEN_OR_DATED) if in_closed else _voided(taken, conditions)


def _voided(taken: Taken, conditions: Conditions) -> Step | Refusal:
    if _is_closed(taken, conditions):
        return closed(taken, conditions, _OPEN_PERIOD)
    return make_step(taken, conditions, "void", "void", {})


def _deleted(taken: Taken, conditions: Conditions) -> Step | Refusal:
    if not _may_delete(taken):
        number = taken.standing.latest.get("DocNumber")
        why = "it was sent to a customer" if was_sent(taken.standing.latest) else f"it bears the issued number {number}"
        reason = f"QuickBooks has no void for this kind, and {why}: it is not deleted."
        return refuse(taken, conditions, "issued", reason, _BY_HAND)
    if _is_closed(taken, conditions):
        return closed(taken, conditions, _OPEN_PERIOD)
    return make_step(taken, conditions, "delete", "delete", {})


def _closed_offer(taken: Taken, conditions: Conditions) -> Step | Refusal:
    """An estimate posts nothing: what was sent, or bears a number, is told to be closed."""
    if taken.standing.latest.get("TxnStatus") == "Closed":
        return refuse(taken, conditions, "already", "It is closed already.", "Nothing needs doing.")
    made = make_step(taken, conditions, "close", "update", {"TxnStatus": "Closed"})
    return replace(made, becomes=taken.standing.latest)


def _inactivated(taken: Taken, conditions: Conditions, gone: Gone) -> Step | Refusal:
    standing = taken.standing
    users = [one for one in standing.users if (one.entity, one.document_id) not in gone]
    if users:
        reason = f"Others use it: {_some(one.label for one in users)}."
        return refuse(taken, conditions, "used_by_others", reason, "It stays, for their sake; nothing needs doing.")
    if standing.latest.get("Active") is False:
        return refuse(taken, conditions, "already", "It is inactive already.", "Nothing needs doing.")
    made = make_step(taken, conditions, "inactivate", "update", {"Active": False})
    return replace(made, becomes=standing.latest)


def _is_closed(taken: Taken, conditions: Conditions) -> bool:
    return is_closed(taken.standing.latest.get("TxnDate"), conditions)


def _may_delete(taken: Taken) -> bool:
    """What a rollback wrote itself; else only what no customer was sent and bears no number."""
    if taken.effects[0].of_rollback:
        return True
    latest = taken.standing.latest
    return not was_sent(latest) and not latest.get("DocNumber")


def _held(taken: Taken, conditions: Conditions, holding: list[Applied]) -> Refusal:
    shown = _some(one.label for one in holding)
    deposited = all(one.entity == "Deposit" for one in holding)
    if deposited:
        reason, code = f"Its money was deposited ({shown}).", "deposited"
    else:
        reason, code = f"{shown} {'is' if len(holding) == 1 else 'are'} applied to it.", "payment_applied"
    return refuse(taken, conditions, code, reason, "Undo that in QuickBooks first, then preview again.")


def _some(labels: Iterable[str]) -> str:
    all_of_them = sorted(labels)
    more = len(all_of_them) - SHOWN_MAX
    return ", ".join(all_of_them[:SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
