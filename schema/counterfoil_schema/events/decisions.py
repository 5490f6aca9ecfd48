"""Decisions and their effects: only the holder of the company's lease may append them."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal

from counterfoil_schema.documents import Document
from counterfoil_schema.events.base import Event, PersonalText, RawTextOrNone, Shape, registry

Operation = Literal["create", "update", "delete", "void", "adopt", "write_back", "note"]
Lane = Literal["live", "retry", "backfill", "reconcile"]


class Decision(Event):
    """About one observed change (its position) of one record.

    `person` is the record key of the party whose data the document bears, where that is another record.
    """

    decision: ClassVar[bool] = True

    change: int
    record_key: str
    person: str | None = None

    def subject(self) -> str | None:
        return self.person or self.record_key


class Inputs(Shape):
    """Hashes of everything that a plan was made from: equal inputs give an equal plan."""

    record: str
    mapping: str
    planner: str
    preferences: str


class Figures(Shape):
    """What a document must come to, by the source's figures and the mapping's rules.

    `net` is the sum of the lines that are ours; `tax` is None where the source leaves it to the books. A difference in
    tax up to `tolerance` is put up with, and told. `home` is the books' own currency. `included`: prices contain the
    tax, so that the total counts, and not how it is parted.
    """

    currency: str
    home: str
    net: Decimal
    tax: Decimal | None = None
    tolerance: Decimal = Decimal(0)
    included: bool = False


class TieOut(Shape):
    """How an accepted document stands to its figures, in its own currency.

    `total` and `tax` are the books', `expected` is what the total must be; `home_total` is None in home money.
    """

    currency: str
    total: Decimal
    tax: Decimal
    expected: Decimal | None = None
    rate: Decimal | None = None
    home_total: Decimal | None = None


@registry.register
class IntentPlanned(Decision):
    """One change that we want in the books, or at the source; it names other records symbolically.

    A `note` only tells the source how its own change stands, and is no part of what the change calls for.
    `problem`: the values tell that its record is parked, and why. `remark`: what else its change holds that calls for
    nothing, as somebody's edit in the same reading; or what to know before it is approved. `breaker`: it waits for
    approval because so many documents of its kind would be voided or deleted. `run`: under which run it was planned. It
    takes back what the intents `undoes` did, on the document as it stands at `builds_on` and on no other, once the
    intents `waits_for` have ended.
    """

    event_type: ClassVar[str] = "intent.planned"
    when: ClassVar[str] = "An observed change calls for a change on the other side."

    intent_id: str
    target: str
    entity: str
    operation: Operation
    body: Document
    needs: tuple[str, ...] = ()
    content_hash: str
    lane: Lane
    review: bool = False
    doc_number: str | None = None
    name_key: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    figures: Figures | None = None
    problem: bool = False
    remark: str = ""
    breaker: bool = False
    inputs: Inputs
    run: str = ""
    undoes: tuple[str, ...] = ()
    builds_on: int | None = None
    waits_for: tuple[str, ...] = ()


@registry.register
class ChangeUnchanged(Decision):
    """The other side already holds what this change asks for."""

    event_type: ClassVar[str] = "change.unchanged"
    when: ClassVar[str] = "An observed change calls for nothing; the hash proves it."

    proof: str
    reason: str


@registry.register
class ChangeSkipped(Decision):
    """Deliberately not carried over."""

    event_type: ClassVar[str] = "change.skipped"
    when: ClassVar[str] = "A rule, a newer change or a person says that a change is not to be carried over."

    code: str
    reason: str


@registry.register
class ChangeParked(Decision):
    """Cannot be carried over until somebody acts. `outside`: the reason for the source, if it is another."""

    event_type: ClassVar[str] = "change.parked"
    when: ClassVar[str] = "A change cannot be planned."

    code: str
    reason: str
    fix: str
    outside: str = ""


@registry.register
class ChangeReopened(Decision):
    """A change is to be decided afresh. `again`: even one that was rolled back, by a person's word. `repair`: so that
    its documents hold again what the source wants, even where a person changed or deleted them.
    """

    event_type: ClassVar[str] = "change.reopened"
    when: ClassVar[str] = (
        "A person asks for another try or a repair, or what stood in the way is gone: a record that was missing."
    )

    reason: str
    again: bool = False
    repair: bool = False


@registry.register
class RecordAdopted(Event):
    """A document that was in the books before stands for a source record from here on; nothing is written for it.

    `why` says by what they were matched, `score` how well (0 to 100); neither names anybody. `name_key` is the keyed
    hash of the name that a list's entry bears. `person` is the record key of the party whose data the document bears,
    where that is another record.
    """

    event_type: ClassVar[str] = "record.adopted"
    when: ClassVar[str] = "A person says, on the first day in existing books, what stands there for a source record."
    decision: ClassVar[bool] = True

    record_key: str
    person: str | None = None
    entity: str
    document_id: str
    sync_token: str | None
    document: Document
    doc_number: str | None = None
    name_key: str | None = None
    why: str = ""
    score: Decimal | None = None
    author: str

    def subject(self) -> str | None:
        return self.person or self.record_key


@registry.register
class RecordReviewed(Event):
    """Nothing in the books stands for a source record: it is new there, left out, or (`ask`) still to be decided on."""

    event_type: ClassVar[str] = "record.reviewed"
    when: ClassVar[str] = (
        "A person says, on the first day in existing books, that a record is new, not wanted, or doubtful."
    )
    decision: ClassVar[bool] = True

    record_key: str
    verdict: Literal["create", "skip", "ask"]
    author: str

    def subject(self) -> str | None:
        return self.record_key


@registry.register
class RecordReleased(Event):
    """What was adopted for a source record stands for it no longer; nothing is written for it, and it is undecided.

    `adopted` is the position of the adoption that is taken back.
    """

    event_type: ClassVar[str] = "record.released"
    when: ClassVar[str] = "A person takes an adoption back, after which nothing was written that rests on it."
    decision: ClassVar[bool] = True

    record_key: str
    entity: str
    document_id: str
    adopted: int
    author: str

    def subject(self) -> str | None:
        return self.record_key


@registry.register
class RequestTaken(Decision):
    """An operator's request has been decided; `outcome` says how, in words."""

    event_type: ClassVar[str] = "request.taken"
    when: ClassVar[str] = "The holder of the lease has acted on an operator's request."

    request: int
    outcome: str


@registry.register
class IntentApproved(Decision):
    """A reviewed intent may go out."""

    event_type: ClassVar[str] = "intent.approved"
    when: ClassVar[str] = "A person's approval is taken up."

    intent_id: str
    author: str


@registry.register
class IntentWithdrawn(Decision):
    """An intent that was not sent, and will not be. `held` is its body where the document holds all of it already.

    `kept`: what of it is left as the books have it, by the mapping's rule for fields that both sides may change.
    """

    event_type: ClassVar[str] = "intent.withdrawn"
    when: ClassVar[str] = (
        "A newer change, a retry or a person overtakes an intent before it was sent, or it proves needless."
    )

    intent_id: str
    code: str
    reason: str
    held: Document | None = None
    kept: tuple[str, ...] = ()


class CallItem(Shape):
    """One intent's part of a call. `body` is what goes out, with references resolved.

    `kept`: fields that do not, and `Line[KEY]` that go out as the books have them, because a person changed them there.
    """

    intent_id: str
    change: int
    record_key: str
    person: str | None = None
    batch_id: str | None = None
    entity: str
    operation: Operation
    sync_token: str | None = None
    body: Document
    line_keys: tuple[str, ...] = ()
    figures: Figures | None = None
    kept: tuple[str, ...] = ()

    def subject(self) -> str | None:
        return self.person or self.record_key


@registry.register
class CallSent(Event):
    """A call that is about to leave; appended first, so that nothing goes out unrecorded.

    The bytes of the call are a pure function of this event; their hash is kept to prove it on a repeat.
    """

    event_type: ClassVar[str] = "call.sent"
    when: ClassVar[str] = "The dispatcher is about to make a call, first time or again."
    decision: ClassVar[bool] = True

    request_id: str
    target: str
    attempt: int
    deadline_seconds: Decimal
    items: tuple[CallItem, ...]
    body_hash: str


class Settled(Decision):
    """The end of one attempt of one intent."""

    intent_id: str
    request_id: str


class LineLink(Shape):
    """A source line and the line of the document that it became."""

    line_key: str
    line_id: str


@registry.register
class IntentAccepted(Settled):
    """The effect is there, with the whole answer. `kept`: as in the call, what was left as the books had it."""

    event_type: ClassVar[str] = "intent.accepted"
    when: ClassVar[str] = "QuickBooks or the source accepts a call, or evidence shows that it had."

    entity: str
    document_id: str
    sync_token: str | None
    document: Document
    lines: tuple[LineLink, ...] = ()
    how: Literal["answered", "found", "adopted"]
    intuit_tid: str | None = None
    tie_out: TieOut | None = None
    kept: tuple[str, ...] = ()


@registry.register
class IntentRejected(Settled):
    """Definitely no effect; the fault says what is done next. `outside`: the reason without words of the books' own."""

    event_type: ClassVar[str] = "intent.rejected"
    when: ClassVar[str] = "A call is refused."

    code: str
    kind: str
    reason: str
    fix: str
    then: Literal["retry", "refetch", "adopt", "park", "reconnect"]
    intuit_tid: str | None = None
    raw: RawTextOrNone = None
    outside: str = ""


@registry.register
class IntentUncertain(Settled):
    """Nobody can say yet whether the effect is there; evidence will."""

    event_type: ClassVar[str] = "intent.uncertain"
    when: ClassVar[str] = "The answer to a call is lost."

    reason: str


@registry.register
class IntentAbsent(Settled):
    """Proof that an uncertain call had no effect: the intent may go out again."""

    event_type: ClassVar[str] = "intent.absent"
    when: ClassVar[str] = "Evidence shows that a lost call left nothing behind, after every deadline has passed."

    evidence: str


@registry.register
class IntentResumed(Decision):
    """What stood in the way of an intent is gone: it may go out."""

    event_type: ClassVar[str] = "intent.resumed"
    when: ClassVar[str] = "A document was read afresh, QuickBooks was connected again, or a pause is over."

    intent_id: str
    reason: str


class ConflictVersion(Shape):
    """Three versions of what both sides changed: a field, or a line as `Line[KEY]` with the key of the source's line.

    `base` is what both started from, `source` what would be sent now, `books` what stands there now; each as text, in
    JSON where it is more than a text. The instants say since when, as far as it is known; `books_by` is Intuit's id of
    whoever changed the document last, where it says so.
    """

    field: str
    base: PersonalText
    source: PersonalText
    books: PersonalText
    base_at: datetime | None = None
    source_at: datetime | None = None
    books_at: datetime | None = None
    books_by: str = ""


@registry.register
class IntentParked(Decision):
    """An intent that cannot go on until somebody acts. `outside`: the reason without what is another party's.

    `conflicts`: what both sides changed, where that is why.
    """

    event_type: ClassVar[str] = "intent.parked"
    when: ClassVar[str] = "A refusal, a conflict or too many attempts end an intent for now."

    intent_id: str
    code: str
    reason: str
    fix: str
    outside: str = ""
    conflicts: tuple[ConflictVersion, ...] = ()


class ConflictAnswer(Shape):
    """Whose word counts for one field, of the two versions that a person saw."""

    field: str
    keep: Literal["source", "books"]
    base: PersonalText
    source: PersonalText
    books: PersonalText


@registry.register
class ConflictAnswered(Decision):
    """A person has chosen. It holds for the versions that they saw: a side that changes again is asked about again.

    `parked` is the position of the conflict.
    """

    event_type: ClassVar[str] = "conflict.answered"
    when: ClassVar[str] = "A person's answer to a change on both sides is taken up."

    parked: int
    answers: tuple[ConflictAnswer, ...]
    author: str
    reason: str
