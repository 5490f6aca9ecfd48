"""Made-up histories of a company as an engine could have written them, with what became of every change.

The outcomes are kept here by the rules of the field, in plain words: a change is parked if any part of it is, waits
while any part is open, is applied if any part was accepted, and was skipped otherwise.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from counterfoil_schema.documents import Document
from counterfoil_schema.events import decisions as done
from counterfoil_schema.events import receipts as seen
from counterfoil_schema.events.base import Event
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Invoice, InvoiceLine

Status = Literal["live", "deleted", "voided"]
Then = Literal["retry", "refetch", "adopt", "park", "reconnect"]
SOURCES = ("a", "b", "c", "d")
OPEN = {"held", "ready", "sent", "uncertain", "refetch", "adopt", "reconnect"}
FLYING = {"sent", "uncertain"}
STATUSES: tuple[Status, ...] = ("live", "live", "voided", "deleted")
ENDS: tuple[Then, ...] = ("retry", "refetch", "adopt", "park", "reconnect")
AFTER: dict[str, str] = {
    "retry": "ready",
    "refetch": "refetch",
    "adopt": "adopt",
    "park": "parked",
    "reconnect": "reconnect",
}


@dataclass(frozen=True)
class Written:
    """An event at its place, as the log gives it."""

    position: int
    written: Event

    @property
    def event_type(self) -> str:
        return self.written.event_type

    async def event(self) -> Event:
        return self.written


@dataclass
class Change:
    """What became of one observed change: a decision about it as a whole, or the state of each of its parts."""

    record: str
    decided: Literal["", "unchanged", "skipped", "parked", "planned"] = ""
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        if self.decided != "planned":
            return self.decided or "waiting"
        states = set(self.parts.values())
        if "parked" in states:
            return "parked"
        if states & OPEN:
            return "waiting"
        return "applied" if "accepted" in states else "skipped"


def invoice(amount: str = "10.00") -> Invoice:
    line = InvoiceLine(line_id="1", unit_price=Decimal(amount))
    return Invoice(customer=None, status="won", won=True, dated=date(2026, 3, 14), currency="USD", lines=(line,))


def observed(source_id: str, mark: str = "h", connection: str = "shop") -> seen.SourceObserved:
    return seen.SourceObserved(
        connection=connection,
        source_kind="order",
        source_id=source_id,
        version=mark,
        content_hash=mark,
        how="poll",
        record=invoice(),
    )


def planned(change: int, record: str, intent_id: str, *, review: bool = False, **more: object) -> done.IntentPlanned:
    values: dict[str, object] = {
        "change": change,
        "record_key": record,
        "intent_id": intent_id,
        "target": "quickbooks",
        "entity": "Invoice",
        "operation": "create",
        "body": Document.of("Invoice", {"DocNumber": "1"}),
        "content_hash": f"body of {intent_id}",
        "lane": "live",
        "review": review,
        "inputs": done.Inputs(record="r", mapping="m", planner="p", preferences=""),
    }
    return done.IntentPlanned.model_validate({**values, **more})


def sent(request_id: str, *items: tuple[int, str, str]) -> done.CallSent:
    """A call whose items are (change, record, intent)."""
    return done.CallSent(
        request_id=request_id,
        target="quickbooks",
        attempt=1,
        deadline_seconds=Decimal(30),
        items=tuple(
            done.CallItem(
                intent_id=intent_id,
                change=change,
                record_key=record,
                batch_id=str(number) if len(items) > 1 else None,
                entity="Invoice",
                operation="create",
                body=Document.of("Invoice", {"DocNumber": "1"}),
            )
            for number, (change, record, intent_id) in enumerate(items, start=1)
        ),
        body_hash="b",
    )


def accepted(
    change: int, record: str, intent_id: str, request_id: str = "r", document: JsonObject | None = None
) -> done.IntentAccepted:
    shown = document or {"Id": f"doc of {record}", "SyncToken": "0"}
    return done.IntentAccepted(
        change=change,
        record_key=record,
        intent_id=intent_id,
        request_id=request_id,
        entity="Invoice",
        document_id=str(shown["Id"]),
        sync_token=str(shown.get("SyncToken")),
        document=Document.of("Invoice", shown),
        how="answered",
    )


def rejected(change: int, record: str, intent_id: str, then: Then) -> done.IntentRejected:
    return done.IntentRejected(
        change=change,
        record_key=record,
        intent_id=intent_id,
        request_id="r",
        code="6000",
        kind=then,
        reason="Refused.",
        fix="Mend it.",
        then=then,
    )


def payment(
    payment_id: str,
    applied: dict[str, Decimal],
    *,
    status: Status = "live",
    dated: str = "2026-03-20",
    total: Decimal | None = None,
    token: int = 0,
) -> seen.BooksObserved:
    """A payment in the books that applies amounts to invoices."""
    document: JsonObject = {"Id": payment_id, "SyncToken": str(token)}
    if status == "live":
        document |= {
            "TxnDate": dated,
            "TotalAmt": sum(applied.values(), Decimal(0)) if total is None else total,
            "Line": [
                {"Amount": amount, "LinkedTxn": [{"TxnId": invoice_id, "TxnType": "Invoice"}]}
                for invoice_id, amount in applied.items()
            ],
        }
    return books("Payment", payment_id, document, status)


def books(entity: str, document_id: str, document: JsonObject, status: Status = "live") -> seen.BooksObserved:
    return seen.BooksObserved(
        entity=entity,
        document_id=document_id,
        sync_token=str(document.get("SyncToken")),
        status=status,
        content_hash="h",
        how="webhook",
        document=Document.of(entity, document),
    )


class Story:
    """Writes a history at random and keeps account of it."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.events: list[Written] = []
        self.changes: dict[int, Change] = {}
        self.tallies: dict[int, Counter[str]] = {}  # after each step, by its last position
        self.paid: dict[str, dict[str, Decimal]] = {}
        self._latest: dict[str, int] = {}
        self._intents = 0

    def write(self, event: Event) -> int:
        self.events.append(Written(len(self.events) + 1, event))
        return len(self.events)

    def tell(self, steps: int) -> None:
        """So many steps, each by whatever can happen now."""
        while len(self.events) < steps:
            self._chance.choice(self._possible())()
            self.tallies[len(self.events)] = Counter(change.outcome for change in self.changes.values())

    def _possible(self) -> list[Callable[[], object]]:
        steps: list[Callable[[], object]] = [self._observe, self._observe, self._pay, self._look_at_books, self._aside]
        if self._in_state(_is_of_source):
            steps.append(self._note)
        if self._in_state(_may_decide):
            steps += [self._decide] * 3
        for states, step in (
            ({"ready"}, self._send),
            ({"ready"}, self._send),
            (FLYING, self._settle),
            (FLYING, self._settle),
            ({"held"}, self._approve),
            ({"refetch", "adopt", "reconnect"}, self._resume),
            ({"held", "ready", "parked", "reconnect"}, self._withdraw),
            ({"ready", "adopt"}, self._park),
        ):
            if self._parts(states):
                steps.append(step)
        if self._in_state(_is_parked):
            steps.append(self._reopen)
        return steps

    def _in_state(self, holds: Callable[[Change], bool]) -> list[int]:
        return [position for position, change in self.changes.items() if holds(change)]

    def _parts(self, states: set[str]) -> list[tuple[int, str]]:
        return [
            (position, intent)
            for position, change in self.changes.items()
            for intent, state in change.parts.items()
            if state in states
        ]

    def _arrived(self, position: int, record: str, decided: Literal["", "parked"] = "") -> None:
        """A newer change of a record overtakes what is parked of the older one."""
        before = self.changes.get(self._latest.get(record, 0))
        if before is not None and before.outcome == "parked" and not FLYING & set(before.parts.values()):
            before.parts = {name: "withdrawn" if at == "parked" else at for name, at in before.parts.items()}
            before.decided = "skipped"
        self.changes[position] = Change(record, decided)
        self._latest[record] = position

    def _observe(self) -> None:
        source_id = self._chance.choice(SOURCES)
        place = {"connection": "shop", "source_kind": "order", "source_id": source_id}
        record = f"shop:order:{source_id}"
        match self._chance.randrange(8):
            case 0:
                removed = seen.SourceRemoved.model_validate({**place, "how": "poll", "evidence": "It says so."})
                self._arrived(self.write(removed), record)
            case 1:
                broken = {"content_hash": "x", "place": "row 7", "problem": "No amount.", "fix": "Write one."}
                self._arrived(self.write(seen.SourceUnreadable.model_validate({**place, **broken})), record, "parked")
            case _:
                self._arrived(self.write(observed(source_id, f"v{len(self.events)}")), record)

    def _look_at_books(self) -> None:
        known = [f"doc of shop:order:{name}" for name in SOURCES] + ["a stranger"]
        document_id = self._chance.choice(known)
        status = self._chance.choice(STATUSES)
        position = self.write(
            books("Invoice", document_id, {"Id": document_id, "SyncToken": str(len(self.events))}, status)
        )
        self._arrived(position, f"quickbooks:Invoice:{document_id}")

    def _pay(self) -> None:
        payment_id = self._chance.choice(("p1", "p2", "p3"))
        names = self._chance.sample(("i1", "i2", "i3", "i4"), self._chance.randint(1, 3))
        applied = {name: Decimal(self._chance.randint(1, 99_999)) / 100 for name in names}
        gone = self._chance.randrange(4) == 0
        status: Status = "deleted" if gone else "live"
        self.paid[payment_id] = {} if gone else applied
        position = self.write(payment(payment_id, applied, status=status, token=len(self.events)))
        self._arrived(position, f"quickbooks:Payment:{payment_id}")

    def _aside(self) -> None:
        """What concerns no change."""
        hint = seen.Hint(kind="order", source_id="a", operation="update")
        asides: list[Event] = [
            seen.WebhookReceived(connection="shop", delivery_id=str(len(self.events)), hints=(hint,), raw=""),
            seen.HintsSettled(connection="shop", through=len(self.events), settled=(("order", "a"),)),
            seen.OperatorRequested(action="retry", record_key="shop:order:a", author="Ann"),
            seen.MappingRecorded(connection="shop", digest="d", text=""),
            seen.DirectoryObserved(
                entity="Account", content_hash="h", entries=(seen.DirectoryEntry(document_id="1", name="Sales"),)
            ),
        ]
        self.write(self._chance.choice(asides))

    def _note(self) -> None:
        """The source is told how its change stands; whatever becomes of that is no part of the change."""
        at = self._chance.choice(self._in_state(_is_of_source))
        record, note = self.changes[at].record, f"note {len(self.events)}"
        tells = self._chance.randrange(2) == 0
        self.write(planned(at, record, note, target="shop", entity="order", operation="note", problem=tells))
        match self._chance.randrange(4):
            case 0:
                self.write(sent(f"r{len(self.events)}", (at, record, note)))
                self.write(accepted(at, record, note))
            case 1:
                self.write(sent(f"r{len(self.events)}", (at, record, note)))
                self.write(rejected(at, record, note, "park"))
            case 2:
                words = {
                    "change": at,
                    "record_key": record,
                    "intent_id": note,
                    "code": "superseded",
                    "reason": "Newer.",
                }
                self.write(done.IntentWithdrawn.model_validate(words))
            case _:
                pass

    def _decide(self) -> None:
        position = self._chance.choice(self._in_state(_may_decide))
        change = self.changes[position]
        about = {"change": position, "record_key": change.record}
        for name, state in change.parts.items():
            if state in {"held", "ready", "reconnect"}:
                words = {**about, "intent_id": name, "code": "superseded", "reason": "Decided afresh."}
                self.write(done.IntentWithdrawn.model_validate(words))
                change.parts[name] = "withdrawn"
        match self._chance.randrange(6):
            case 0:
                change.decided = "unchanged"
                self.write(done.ChangeUnchanged.model_validate({**about, "proof": "h", "reason": "Same."}))
            case 1:
                change.decided = "skipped"
                self.write(done.ChangeSkipped.model_validate({**about, "code": "rule", "reason": "A rule."}))
            case 2:
                change.decided = "parked"
                words = {"code": "no-lines", "reason": "No lines.", "fix": "Add some."}
                self.write(done.ChangeParked.model_validate({**about, **words}))
            case _:
                change.decided = "planned"
                for _ in range(self._chance.randint(1, 2)):
                    self._intents += 1
                    intent, review = f"i{self._intents}", self._chance.randrange(4) == 0
                    change.parts[intent] = "held" if review else "ready"
                    self.write(planned(position, change.record, intent, review=review))

    def _send(self) -> None:
        ready = self._parts({"ready"})
        chosen = self._chance.sample(ready, self._chance.randint(1, min(3, len(ready))))
        self.write(sent(f"r{len(self.events)}", *((at, self.changes[at].record, name) for at, name in chosen)))
        for at, name in chosen:
            self._set(at, name, "sent")

    def _settle(self) -> None:
        at, name = self._chance.choice(self._parts(FLYING))
        record = self.changes[at].record
        match self._chance.randrange(4):
            case 0:
                then = self._chance.choice(ENDS)
                self.write(rejected(at, record, name, then))
                self._set(at, name, AFTER[then])
            case 1:
                words = {"change": at, "record_key": record, "intent_id": name, "request_id": "r"}
                if self.changes[at].parts[name] == "uncertain":
                    self.write(done.IntentAbsent.model_validate({**words, "evidence": "None."}))
                    self._set(at, name, "ready")
                else:
                    self.write(done.IntentUncertain.model_validate({**words, "reason": "No answer."}))
                    self._set(at, name, "uncertain")
            case _:
                self.write(accepted(at, record, name))
                self._set(at, name, "accepted")

    def _about(self, states: set[str]) -> tuple[int, str, dict[str, object]]:
        at, name = self._chance.choice(self._parts(states))
        return at, name, {"change": at, "record_key": self.changes[at].record, "intent_id": name}

    def _approve(self) -> None:
        at, name, about = self._about({"held"})
        self.write(done.IntentApproved.model_validate({**about, "author": "Ann"}))
        self._set(at, name, "ready")

    def _resume(self) -> None:
        at, name, about = self._about({"refetch", "adopt", "reconnect"})
        self.write(done.IntentResumed.model_validate({**about, "reason": "Read afresh."}))
        self._set(at, name, "ready")

    def _withdraw(self) -> None:
        at, name, about = self._about({"held", "ready", "parked", "reconnect"})
        self.write(done.IntentWithdrawn.model_validate({**about, "code": "operator", "reason": "Ann said so."}))
        self._set(at, name, "withdrawn")

    def _park(self) -> None:
        at, name, about = self._about({"ready", "adopt"})
        words = {"code": "conflict", "reason": "Both sides changed it.", "fix": "Agree."}
        self.write(done.IntentParked.model_validate({**about, **words}))
        self._set(at, name, "parked")

    def _reopen(self) -> None:
        at = self._chance.choice(self._in_state(_is_parked))
        change = self.changes[at]
        self.write(done.ChangeReopened(change=at, record_key=change.record, reason="Ann asked."))
        change.decided = ""
        change.parts = {name: "withdrawn" if state == "parked" else state for name, state in change.parts.items()}

    def _set(self, at: int, name: str, state: str) -> None:
        """A part moves; a change that was decided is judged by its parts again."""
        change = self.changes[at]
        change.parts[name] = state
        change.decided = "planned" if change.decided else ""


def _is_of_source(change: Change) -> bool:
    return change.record.startswith("shop:")


def _is_parked(change: Change) -> bool:
    return change.outcome == "parked"


def _may_decide(change: Change) -> bool:
    return not change.decided and not {*FLYING, "refetch", "adopt"} & set(change.parts.values())
