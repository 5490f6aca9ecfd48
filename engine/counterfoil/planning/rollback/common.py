"""What all compensations share: labels, closed periods, and whether somebody has edited a document since."""

from decimal import Decimal
from typing import Final

from counterfoil.planning.inbound import Foreign, judge
from counterfoil.planning.outcome import MARKER, NUMBER_MAX
from counterfoil.planning.ownership import note_field
from counterfoil.planning.rollback.digests import MOVING, content_of
from counterfoil.planning.rollback.types import Action, Conditions, Effect, Refusal, Standing, Step, Taken
from counterfoil.planning.types import Link
from counterfoil.planning.values import number, real_lines, same
from counterfoil_schema.documents import is_personal
from counterfoil_schema.events.decisions import Operation
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import record_key, split_key

NAME_LISTS: Final = frozenset({"Account", "Class", "Customer", "Department", "Employee", "Item", "Vendor"})
_EDITS_SHOWN: Final = 3
_MARK: Final = "cf-"


def label_of(document: JsonObject, entity: str, document_id: str) -> str:
    """A document for people: `Invoice 1001`, or its Id where it bears no number."""
    held = document.get("DocNumber")
    return f"{entity} {held}" if isinstance(held, str) and held else f"{entity} id {document_id}"


def amount_of(document: JsonObject) -> Decimal:
    """A document's total; of a journal entry, whose own is always 0, its debits."""
    sides = [
        (detail.get("PostingType"), number(line.get("Amount")))
        for line in real_lines(document)
        if isinstance(detail := line.get("JournalEntryLineDetail"), dict)
    ]
    if sides:
        return sum((amount for side, amount in sides if side == "Debit"), Decimal(0))
    return number(document.get("TotalAmt"))


def currency_of(document: JsonObject, conditions: Conditions) -> str:
    """The currency of a document; the books' own where it names none."""
    reference = document.get("CurrencyRef")
    held = reference.get("value") if isinstance(reference, dict) else None
    return held if isinstance(held, str) else conditions.home


def refuse(taken: Taken, conditions: Conditions, code: str, reason: str, fix: str) -> Refusal:
    """The document stays as it is."""
    standing = taken.standing
    return Refusal(
        record_key=standing.record_key,
        entity=standing.entity,
        document_id=standing.document_id,
        label=label_of(standing.latest or standing.image, standing.entity, standing.document_id),
        code=code,
        reason=reason,
        fix=fix,
        amount=amount_of(standing.latest) if standing.entity not in NAME_LISTS else None,
        currency=currency_of(standing.latest, conditions),
    )


def make_step(
    taken: Taken,
    conditions: Conditions,
    action: Action,
    operation: Operation,
    body: JsonObject,
    *,
    key: str | None = None,
    entity: str | None = None,
) -> Step:
    """A step with what it takes from the document and its effects, whatever it does to them.

    Args:
        key, entity: of what is written, where that is another document.
    """
    standing, last = taken.standing, taken.effects[-1]
    return Step(
        action=action,
        record_key=key or standing.record_key,
        entity=entity or standing.entity,
        operation=operation,
        body=body,
        of_key=standing.record_key,
        of_entity=standing.entity,
        document_id=standing.document_id,
        builds_on=standing.seen_at,
        content=content_of(standing.latest, standing.entity),
        change=last.change,
        undoes=tuple(effect.intent_id for effect in taken.effects),
        label=label_of(standing.latest or standing.image, standing.entity, standing.document_id),
        person=last.person,
        amount=amount_of(standing.latest) if standing.entity not in NAME_LISTS else None,
        currency=currency_of(standing.latest, conditions),
        sent=was_sent(standing.latest),
    )


def was_sent(document: JsonObject) -> bool:
    """Whether QuickBooks sent it to a customer; what left by other ways nobody can see here."""
    return document.get("EmailStatus") == "EmailSent"


def is_closed(day: JsonValue, conditions: Conditions) -> bool:
    """Whether a day lies in the closed period."""
    closed = conditions.closed_until
    return closed is not None and isinstance(day, str) and day <= closed.isoformat()


def closed(taken: Taken, conditions: Conditions, fix: str) -> Refusal:
    """The document stands in a closed period."""
    day = taken.standing.latest.get("TxnDate")
    until = conditions.closed_until
    reason = f"It stands on {day}, and the books are closed to {until} inclusive."
    return refuse(taken, conditions, "period_closed", reason, fix)


def edited(taken: Taken, conditions: Conditions) -> Refusal | None:
    """A refusal with the three versions where somebody else changed the document since our own last write."""
    standing = taken.standing
    verdict = judge(standing.latest, standing.status, _link(standing))
    if not isinstance(verdict, Foreign):
        return None
    shown = []
    for change in verdict.details[:_EDITS_SHOWN]:
        head = change.field.partition("[")[0]
        if is_personal(standing.entity, head):
            shown.append(f"{change.field} (personal)")
        else:
            base = _before(taken.effects[0], head) if head == change.field else ""
            was = f"it was {base}, " if base else ""
            shown.append(f"{change.field}: {was}we wrote {change.before or 'nothing'}, now {change.after or 'nothing'}")
    more = len(verdict.details) - len(shown)
    reason = f"Somebody changed it in QuickBooks since: {'; '.join(shown)}{f'; and {more} more' if more > 0 else ''}."
    fix = "Undo the edit in QuickBooks and preview again, or take the document back there by hand."
    return refuse(taken, conditions, "edited", reason, fix)


def content_changed(planned_on: JsonObject, now: JsonObject, entity: str) -> tuple[str, ...]:
    """The fields in which a document differs from the one that a step was planned on, whoever cares for them.

    What QuickBooks moves by itself when a payment lets go of a document, its balance and links, is none.
    """
    names = sorted({*planned_on, *now} - MOVING - {"Line"})
    found = [name for name in names if not same(planned_on.get(name), now.get(name))]
    before, after = [_plain(line) for line in real_lines(planned_on)], [_plain(line) for line in real_lines(now)]
    if entity != "Payment" and not same([*before], [*after]):
        found.append("Line")
    return tuple(found)


def _plain(line: JsonObject) -> JsonObject:
    return {name: value for name, value in line.items() if name not in ("LineNum", "LinkedTxn")}


def _link(standing: Standing) -> Link:
    return Link(
        record_key=standing.record_key,
        entity=standing.entity,
        document_id=standing.document_id,
        sync_token=None,
        content_hash="",
        image=standing.image,
        latest=standing.latest,
        status="live",
    )


def _before(effect: Effect, name: str) -> str:
    held = (effect.before or {}).get(name)
    return "" if held is None or isinstance(held, dict | list) else str(held)


def beside_key(taken: Taken) -> str:
    """The record key of what stands beside a document to take it back: `shop:order@undo-41:1001`."""
    connection, kind, source_id = split_key(taken.standing.record_key)
    return record_key(connection, f"{kind}@undo-{taken.effects[0].position}", source_id)


def numbered(held: JsonValue, ending: str) -> str | None:
    """A number of its own for what follows a document, inside QuickBooks' 21 characters; None without one to go by."""
    return f"{held[: NUMBER_MAX - len(ending)]}{ending}" if isinstance(held, str) and held else None


def note(text: str) -> str:
    """What a document of ours says in its note; the marker takes its place when it is sent."""
    return f"{text} {MARKER}"


def without_marker(value: JsonValue) -> str:
    """A note as it was before the marker was put behind it."""
    return value.partition(_MARK)[0].strip() if isinstance(value, str) else ""


def noted(entity: str, text: str) -> JsonObject:
    """The field that bears the note of an entity."""
    return {note_field(entity): note(text).lstrip()}
