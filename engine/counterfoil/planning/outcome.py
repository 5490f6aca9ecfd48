"""What all kinds of record share: create, update or nothing; and the sentences that go with a refusal."""

import hashlib
from dataclasses import dataclass, replace
from decimal import Decimal

from counterfoil.planning.adopted import LISTS, are_ours, differences
from counterfoil.planning.breaker import DEACTIVATED
from counterfoil.planning.inbound import Foreign, judge
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import text
from counterfoil.planning.ownership import Ownership
from counterfoil.planning.sections import section_of
from counterfoil.planning.tie_out import OFF, still_off, told
from counterfoil.planning.types import (
    NAME_REF,
    RECORD_REF,
    Intent,
    Link,
    Park,
    Plan,
    PlanRequest,
    Skip,
    StateView,
    Unchanged,
)
from counterfoil_schema import exact_json
from counterfoil_schema.events.decisions import Figures
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import split_key

MARKER = "{marker}"
MERGED_AT_SOURCE = "merged_at_source"
"""The code of what went into another at its source, until somebody has merged their documents in the books."""
NUMBER_MAX = 21
_PRIVATE_NOTE_MAX = 4000
_MARKER_ROOM = 200


def content_hash(body: JsonObject) -> str:
    """SHA-256 of a symbolic body in its canonical form, in hexadecimal: equal content, equal hash."""
    return hashlib.sha256(exact_json.canonical(body)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A document as it should be, before it is known whether the books hold it already."""

    document: str
    entity: str
    body: JsonObject
    needs: tuple[str, ...] = ()
    person: str | None = None
    doc_number: str | None = None
    name: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    figures: Figures | None = None
    edited: str = "update"


DraftOrRefusal = Draft | Park


def record_ref(key: str) -> JsonObject:
    """A reference to the document that stands for a source record."""
    return {RECORD_REF: key}


def name_ref(entity: str, name: str) -> JsonObject:
    """A reference to the document of an entity that bears a name."""
    return {NAME_REF: [entity, name]}


def named(key: str) -> str:
    """A record for people: `deal 512 (hubspot)`."""
    connection, kind, source_id = split_key(key)
    return f"{kind} {source_id} ({connection})"


def private_note(memo: str) -> str:
    """The memo, ending in the place where the marker goes. A marker's place inside the memo itself is defused."""
    kept = memo.replace(MARKER, "(marker)")[: _PRIVATE_NOTE_MAX - _MARKER_ROOM].strip()
    return f"{kept} {MARKER}".lstrip()


def carry(draft: DraftOrRefusal, request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    """Create what is not there, update what differs, and prove by its hash what is the same."""
    if isinstance(draft, Park):
        return draft
    sendable = mapping.ownership(draft.document)
    link = view.link(request.record_key)
    draft = _told_apart(draft, link)
    body: JsonObject = {name: value for name, value in draft.body.items() if sendable.sends(name)}
    proof = view.body_hash(body)
    if link is None or _may_be_made_anew(link, request.repair):
        return (_new(draft, body, link, mapping),)
    if request.repair and _was_changed_by_others(link, sendable):
        return (_intent(draft, body, mapping, "update"),)
    if link.status != "live":
        return _ended(draft, body, link, request.record_key, mapping)
    if link.shared_with is not None and view.is_known(link.shared_with):
        return merged(request.record_key, link, link.shared_with)
    if link.adopted:
        return _adopted(draft, body, proof, link, request.record_key, mapping, view)
    if link.content_hash == proof:
        return _held(draft, link, request.record_key, proof)
    if draft.edited == "park":
        return Park(
            code="changed_after_posting",
            reason=f"{named(request.record_key)} was changed after it was posted as {label(link)}.",
            fix="Correct the document in QuickBooks or undo the change at the source; then mark this as settled.",
        )
    if link.entity in LISTS and (link.renew or link.content_hash == view.body_hash(DEACTIVATED)):
        # We made it inactive, for a rollback or because the source had removed it; and it is wanted again.
        body = {**body, "Active": True}
    return (_intent(draft, body, mapping, "update"),)


def _told_apart(draft: Draft, link: Link | None) -> Draft:
    """The number that a document was given because the one before it, voided, keeps the plain one."""
    if link is None or link.status != "live" or link.incarnation == 1:
        return draft
    held = link.image.get("DocNumber")
    if not isinstance(held, str) or held != next_number(draft.doc_number, link.incarnation):
        return draft
    return replace(draft, body={**draft.body, "DocNumber": held}, doc_number=held)


def _ended(draft: Draft, body: JsonObject, link: Link, key: str, mapping: Mapping) -> Plan:
    """A record that is wanted, whose document was voided or deleted: by us, and then by its rule, or by a person."""
    rules = getattr(mapping, section_of(draft.document), None)
    ours = voided_by_us(link)
    match getattr(rules, "restored" if ours else "gone", "park"):
        case "anew":
            return (_new(draft, body, link, mapping),)
        case "ignore":
            return Skip(
                code=f"{link.status}_in_books",
                reason=f"{named(key)} changed, but {label(link)} was {link.status} in QuickBooks, and stays so.",
            )
        case _:
            return _restored(key, link) if ours else gone(key, link)


def voided_by_us(link: Link) -> bool:
    """Whether the document was voided because its record was removed or reopened: then that was our own last word."""
    return link.status == "voided" and bool(link.sent) and not link.sent.keys() - {"Id", "SyncToken", "sparse"}


def _restored(key: str, link: Link) -> Park:
    return Park(
        code="restored",
        reason=f"{named(key)} is wanted again, but {label(link)} was voided for it, and QuickBooks takes no void back.",
        fix='Enter it anew by hand and mark this as settled; or set restored = "anew" in the mapping, then retry.',
    )


def _adopted(
    draft: Draft, body: JsonObject, proof: str, link: Link, key: str, mapping: Mapping, view: StateView
) -> Plan:
    """What was there before is written over by nobody's silence: a person sees in what it differs."""
    rules = mapping.ownership(draft.document)
    differing = differences(body, link, rules, view)
    off = still_off(draft.figures, link)
    if not differing and not off:
        return Unchanged(proof=proof, reason=f"{label(link)}, which was there before, holds the same.")
    if link.entity in LISTS:
        intent = _intent(draft, body, mapping, "update")
        if are_ours(differing, rules):
            return (intent,)
        remark = f"{label(link)} was there before and says otherwise: {', '.join(differing)}."
        return (replace(intent, review=True, remark=remark),)
    sums = f" ({told(named(key), label(link), off)[0]})" if off else ""
    what = f" in {', '.join(differing)}" if differing else ""
    return Park(
        code="adopted_differs",
        reason=f"{label(link)} was there before and stands for {named(key)}, but differs{what}{sums}.",
        fix="Correct the document in QuickBooks or the record at its source, then retry; or skip it. "
        "A document that was adopted is never written over.",
    )


def _held(draft: Draft, link: Link, record_key: str, proof: str) -> Unchanged | Park:
    """What the document says already is proven by its hash; what it came to is told for as long as it is off."""
    off = still_off(draft.figures, link)
    if off:
        reason, fix = told(named(record_key), label(link), off)
        return Park(code=OFF, reason=reason, fix=fix)
    return Unchanged(proof=proof, reason=f"{label(link)} already holds this content.")


def _may_be_made_anew(link: Link, repair: bool) -> bool:
    """Whether another document may take the place of the one that a record had."""
    ended = link.renew and link.status != "live"
    return bool(ended) or deleted_by_us(link) or (repair and link.status == "deleted")


def _new(draft: Draft, body: JsonObject, link: Link | None, mapping: Mapping) -> Intent:
    """A first document; or another in the place of one that has ended: a voided one keeps its number."""
    intent = _intent(draft, body, mapping, "create")
    voided = link is not None and link.status == "voided"
    number = next_number(draft.doc_number, link.renew or link.incarnation + 1) if link is not None and voided else None
    return intent if number is None else replace(intent, body={**body, "DocNumber": number}, doc_number=number)


def next_number(held: str | None, place: int) -> str | None:
    """The number of the how manieth document in a row, inside QuickBooks' 21 characters: `1001-2`."""
    ending = f"-{place}"
    return f"{held[: NUMBER_MAX - len(ending)]}{ending}" if held else None


def rolled_back(key: str, link: Link) -> Park:
    """What was written for a record was taken back: a newer change of it waits for a person."""
    return Park(
        code="rolled_back",
        reason=f"{named(key)} changed, but what was written for it was rolled back ({link.undone}).",
        fix=f"`counterfoil retry {key}` brings it back with what the source says now; or skip it.",
    )


def _was_changed_by_others(link: Link, rules: Ownership) -> bool:
    """Whether a document of ours alone says something else, in fields of the source's, than after our last write."""
    if link.status != "live" or link.shared_with is not None or link.adopted:
        return False
    verdict = judge(link.latest, link.status, link, rules)
    return isinstance(verdict, Foreign) and any(one.owner == "source" for one in verdict.details)


def deleted_by_us(link: Link) -> bool:
    """Whether the document is gone because we deleted it: then our own last word on it says so."""
    return link.status == "deleted" and link.image.get("status") == "Deleted"


def label(link: Link) -> str:
    """A document for people: `Invoice 1001`, or its id where it bears no number or name that may be shown."""
    number = link.latest.get("DocNumber")
    return f"{link.entity} {number}" if isinstance(number, str) and number else f"{link.entity} id {link.document_id}"


def gone(key: str, link: Link) -> Park:
    """The document was deleted or voided in the books, so that the source's change finds nothing to change."""
    return Park(
        code=f"{link.status}_in_books",
        reason=f"{named(key)} changed, but {label(link)} was {link.status} in QuickBooks.",
        fix="If the document is wanted after all, enter it in QuickBooks; else mark this as settled.",
    )


def merged(key: str, link: Link, owner: str) -> Skip:
    """The document was made one with another record's: its details are that one's, its documents go on."""
    return Skip(
        code="merged",
        reason=f"{named(key)} was merged in QuickBooks into {label(link)}, which is that of {named(owner)}; "
        "its details stay as they are there.",
    )


def _intent(draft: Draft, body: JsonObject, mapping: Mapping, operation: str) -> Intent:
    return Intent(
        target="quickbooks",
        entity=draft.entity,
        operation="create" if operation == "create" else "update",
        body=body,
        needs=draft.needs,
        person=draft.person,
        review=mapping.reviews(draft.document, draft.amount),
        doc_number=draft.doc_number,
        name=draft.name,
        amount=draft.amount,
        currency=draft.currency,
        figures=draft.figures,
    )


def void(mapping: Mapping, link: Link, document: str, *, person: str | None) -> Plan:
    """Void a document, unless money has already been set against it."""
    if link.status != "live":
        return Unchanged(proof=link.content_hash, reason=f"{label(link)} is already {link.status}.")
    total, balance = link.latest.get("TotalAmt"), link.latest.get("Balance")
    amount = Decimal(total) if isinstance(total, int | Decimal) else None
    if document == "invoice" and amount is not None and isinstance(balance, int | Decimal) and amount != balance:
        return Park(
            code="paid_in_part",
            reason=f"{label(link)} should be voided, but {text(amount - balance)} has been paid on it.",
            fix="Move or refund the payment in QuickBooks, then retry; or mark this as settled.",
        )
    intent = Intent(
        target="quickbooks",
        entity=link.entity,
        operation="void",
        body={},
        person=person,
        review=mapping.reviews(document, amount),
        amount=amount,
    )
    return (intent,)


def delete(key: str, link: Link, mapping: Mapping, document: str) -> Plan:
    """Delete a document that posts nothing, unless it has been billed already."""
    if link.status != "live":
        return Unchanged(proof=link.content_hash, reason=f"{label(link)} is already {link.status}.")
    if link.latest.get("BillableStatus") == "HasBeenBilled":
        return Park(
            code="billed_already",
            reason=f"{named(key)} is gone at the source, but {label(link)} has been billed to the customer.",
            fix="Credit the customer in QuickBooks if the hours were wrong; then mark this as settled.",
        )
    intent = Intent(
        target="quickbooks", entity=link.entity, operation="delete", body={}, review=mapping.reviews(document, None)
    )
    return (intent,)
