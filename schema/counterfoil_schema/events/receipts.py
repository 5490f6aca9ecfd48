"""Receipts: what came in. Anybody may append them; nothing is decided here."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal

from counterfoil_schema.documents import Document
from counterfoil_schema.events.base import Event, PersonalText, RawText, RawTextOrNone, Shape, registry
from counterfoil_schema.records import Record, record_key

How = Literal["sync", "poll", "webhook", "sweep", "look-up", "edit"]
"""What made us look: a full reading, a poll, a webhook's hint, a change-data sweep, a look-up of our own, or (`edit`)
nothing: a person corrected what had been seen."""

TaxMode = Literal["none", "codes", "automated", "abroad", "abroad_none"]
"""How the books tax: a US company without sales tax, with its own codes, or with automated tax; one abroad with or
without a registration for tax."""


@registry.register
class CompanyRegistered(Event):
    """A set of books and its connections."""

    event_type: ClassVar[str] = "company.registered"
    when: ClassVar[str] = "A company is set up; always its first event."

    name: str
    zone: str
    home_currency: str


@registry.register
class RealmPinned(Event):
    """The QuickBooks realm that this company writes into, and no other."""

    event_type: ClassVar[str] = "realm.pinned"
    when: ClassVar[str] = (
        "A QuickBooks company is connected for the first time, or exchanged on purpose, or has a new name."
    )

    realm_id: str
    environment: Literal["emulator", "sandbox", "production"]
    fingerprint: str


@registry.register
class MappingRecorded(Event):
    """The text of a mapping, as it holds from here on."""

    event_type: ClassVar[str] = "mapping.recorded"
    when: ClassVar[str] = "A connection's mapping is loaded and differs from the one recorded last."

    connection: str
    digest: str
    text: str


class Hint(Shape):
    """That something changed, not what: the record is read before anything is decided."""

    kind: str
    source_id: str
    operation: str
    occurred_at: datetime | None = None
    other_id: str | None = None


@registry.register
class WebhookReceived(Event):
    """A delivery whose signature was right, recorded before it was acknowledged."""

    event_type: ClassVar[str] = "webhook.received"
    when: ClassVar[str] = "A source or QuickBooks delivers a webhook."

    connection: str
    delivery_id: str
    hints: tuple[Hint, ...]
    raw: RawText


@registry.register
class SourceObserved(Event):
    """A source record, read whole and normalised, with the payload it came from.

    `version` is a keyed hash of the source's version of the record: some sources' versions are made of the content.
    """

    event_type: ClassVar[str] = "source.observed"
    when: ClassVar[str] = "A source record is read and differs from what was last observed of it."

    connection: str
    source_kind: str
    source_id: str
    version: str
    content_hash: str
    how: How
    record: Record
    raw: RawTextOrNone = None

    def subject(self) -> str | None:
        return record_key(self.connection, self.source_kind, self.source_id)


@registry.register
class SourceEdited(SourceObserved):
    """A source record as a person corrected it, since it could not be carried over as its source has it.

    `corrects` is the position of what it was made from; where the source has shown the record anew since, it is void.
    `observed_hash` is the hash of the content that the source shows: until that changes, the correction holds.
    `fields` are the places that were corrected, by name; `content_hash` is that of the corrected content.
    """

    event_type: ClassVar[str] = "source.edited"
    when: ClassVar[str] = "A person corrects a record that is parked."

    corrects: int
    observed_hash: str
    fields: tuple[str, ...]
    author: str
    reason: str


@registry.register
class SourceRemoved(Event):
    """Positive proof that a source record was deleted or merged away; a failed read never says so."""

    event_type: ClassVar[str] = "source.removed"
    when: ClassVar[str] = "A source states that a record was deleted or merged into another."

    connection: str
    source_kind: str
    source_id: str
    how: How
    evidence: str
    merged_into: str | None = None


@registry.register
class SourceUnreadable(Event):
    """Something came in that could not be understood; it is kept whole, and counts until it is mended."""

    event_type: ClassVar[str] = "source.unreadable"
    when: ClassVar[str] = "A row, file or payload cannot be normalised."

    connection: str
    source_kind: str
    source_id: str
    content_hash: str
    place: str
    problem: str
    fix: str
    raw: RawTextOrNone = None


@registry.register
class SourceRefused(Event):
    """A source that refuses to be read, or may not be read, until a person does something; nothing follows for records.

    `digest` is of the problem, which may hold words of the vendor's: the same refusal is recorded once.
    """

    event_type: ClassVar[str] = "source.refused"
    when: ClassVar[str] = (
        "A source refuses credentials or a permission, shows another account than the configured one, or lacks a field "
        "that the mapping names; once, until it says something else."
    )

    connection: str
    digest: str
    problem: RawText
    fix: str


@registry.register
class SourceAnswered(Event):
    """A source that refused can be read again."""

    event_type: ClassVar[str] = "source.answered"
    when: ClassVar[str] = "A source was read whole, for the first time since it refused."

    connection: str


@registry.register
class PersonErased(Event):
    """A person is erased: the keys of all these subjects are destroyed, and none is ever made for them again.

    `subjects` are the source records and documents of the books whose personal parts are theirs; `people` those that
    are the person, and not a sale to them; `payload_keys` the ids of keys for payloads as they came in, some of which
    name the person.
    """

    event_type: ClassVar[str] = "person.erased"
    when: ClassVar[str] = "Somebody answers a person's request to be erased, before the keys are destroyed."

    subjects: tuple[str, ...]
    people: tuple[str, ...]
    payload_keys: tuple[str, ...] = ()
    erased_on: date
    author: str
    reason: str


@registry.register
class SourceWithheld(Event):
    """A source still shows somebody who was erased, or something of theirs: nothing of what it shows is recorded.

    `person` is whose data it is: the record itself, or the employee of a time entry.
    """

    event_type: ClassVar[str] = "source.withheld"
    when: ClassVar[str] = "A source shows a person after they were erased here; once for each record."

    connection: str
    source_kind: str
    source_id: str
    how: How
    person: str
    erased_on: date
    then: Literal["park", "skip"]


@registry.register
class BooksObserved(Event):
    """A document as QuickBooks shows it."""

    event_type: ClassVar[str] = "books.observed"
    when: ClassVar[str] = "A document is read from QuickBooks after a webhook, a sweep or a look-up."

    entity: str
    document_id: str
    sync_token: str | None
    status: Literal["live", "deleted", "voided"]
    content_hash: str
    how: How
    document: Document

    def subject(self) -> str | None:
        return f"quickbooks:{self.entity}:{self.document_id}"


@registry.register
class BooksMerged(Event):
    """Two records of a name list became one: the source records that had `gone_id` have `document_id` from here on."""

    event_type: ClassVar[str] = "books.merged"
    when: ClassVar[str] = "A record of a name list that is known here was merged into another in QuickBooks."

    entity: str
    gone_id: str
    document_id: str
    sync_token: str | None
    evidence: Literal["webhook", "document"]
    records: tuple[str, ...] = ()
    document: Document

    def subject(self) -> str | None:
        return f"quickbooks:{self.entity}:{self.document_id}"


class DirectoryEntry(Shape):
    """A document that others name: an account, a class, a department, a term."""

    document_id: str
    name: str
    active: bool = True
    account_type: str | None = None


@registry.register
class DirectoryObserved(Event):
    """The names that the books hold for one entity, whole."""

    event_type: ClassVar[str] = "directory.observed"
    when: ClassVar[str] = "A list of names is read from the books and differs from the last reading."

    entity: str
    content_hash: str
    entries: tuple[DirectoryEntry, ...]


@registry.register
class PreferencesObserved(Event):
    """What the books allow: currencies, numbers, closed periods, tracking, and how they tax."""

    event_type: ClassVar[str] = "preferences.observed"
    when: ClassVar[str] = "Preferences and company information are read and differ from the last reading."

    content_hash: str
    home_currency: str
    multi_currency: bool
    custom_numbers: bool
    class_tracking: bool
    department_tracking: bool
    closed_until: date | None = None
    tax_mode: TaxMode = "none"


@registry.register
class HintsSettled(Event):
    """Hints that were followed: their records were read, whether or not anything had changed."""

    event_type: ClassVar[str] = "hints.settled"
    when: ClassVar[str] = "Records that a webhook hinted at have been read."

    connection: str
    through: int
    settled: tuple[tuple[str, str], ...]


@registry.register
class CoverageChecked(Event):
    """How many documents of a kind QuickBooks counts, and how many are known here; `found` were read since."""

    event_type: ClassVar[str] = "coverage.checked"
    when: ClassVar[str] = "Once a week, for each kind of document in use; again the next day where the counts differ."

    entity: str
    created_from: datetime
    created_before: datetime
    counted: int
    known: int
    found: int = 0


class DriftField(Shape):
    """One field of a document: what it must be, and what the books hold."""

    field: str
    ours: PersonalText
    books: PersonalText


DriftKind = Literal[
    "missing_in_books",
    "voided_in_books",
    "changed_in_books",
    "does_not_tie_out",
    "doubled_in_books",
    "extra_in_books",
    "missing_in_log",
    "changed_at_source",
    "not_shown_by_source",
]
"""How source, log and books can disagree on one document or record."""


@registry.register
class DriftFound(Event):
    """A document or record on which source, log and books disagree. `amount`: books less source, tax included.

    `about` is the record's key, or that of the document where it stands for none; `digest` a keyed hash of all that
    differs.
    """

    event_type: ClassVar[str] = "drift.found"
    when: ClassVar[str] = "A reconciliation finds a difference, or finds a known one changed; not again while it lasts."

    about: str
    kind: DriftKind
    entity: str
    document_id: str | None = None
    digest: str
    fields: tuple[DriftField, ...] = ()
    amount: Decimal | None = None
    currency: str | None = None
    what_to_do: str = ""

    def subject(self) -> str | None:
        return self.about


@registry.register
class DriftCleared(Event):
    """A difference that was found before is there no more."""

    event_type: ClassVar[str] = "drift.cleared"
    when: ClassVar[str] = "A reconciliation looks at a document or record again, and its sides agree."

    about: str
    kind: DriftKind


class ReconciledType(Shape):
    """One type of document, read whole: ours, all that pages showed, and all that QuickBooks counts."""

    entity: str
    ours: int
    shown: int
    counted: int


class DriftCount(Shape):
    """How many documents or records differ in one way."""

    kind: DriftKind
    documents: int


class NotComparedPart(Shape):
    """What could not be read, a type or a source's kind, and why: nothing follows from it for any record."""

    what: str
    reason: RawText


@registry.register
class BooksReconciled(Event):
    """One reconciliation, in sum. `month` and `entities` say to what it was narrowed; empty for nothing.

    `sources`: they were read too. `new` and `cleared`: differences that were not known before, and that are gone since.
    `metered`: reads that Intuit meters.
    """

    event_type: ClassVar[str] = "books.reconciled"
    when: ClassVar[str] = "A reconciliation of a company has ended, scheduled or by a command."

    month: str | None = None
    entities: tuple[str, ...] = ()
    sources: bool
    compared: tuple[ReconciledType, ...]
    drifts: tuple[DriftCount, ...] = ()
    new: int = 0
    cleared: int = 0
    not_compared: tuple[NotComparedPart, ...] = ()
    metered: int = 0


@registry.register
class CompanyApproved(Event):
    """From here on documents may go out. `previewed` is the position up to which its author saw what would."""

    event_type: ClassVar[str] = "company.approved"
    when: ClassVar[str] = "A person approves a company's first run in production, which only previews before."

    author: str
    previewed: int


@registry.register
class RestoreBegun(Event):
    """The books of another company are made anew in these, out of its log as it stood at `through`.

    What its sources had shown follows, each as `source.observed` with this event as its cause.
    """

    event_type: ClassVar[str] = "restore.begun"
    when: ClassVar[str] = "A person restores a company's books into an empty company of QuickBooks."

    from_company: int
    through: int
    author: str
    reason: str


@registry.register
class OperatorRequested(Event):
    """What a person asked for; whoever holds the company's lease decides it.

    `document` is what stands for the record in the books from here on, where that is asked for: `Item:45`.
    To `resolve` a conflict, recorded at `parked`, is to `keep` one side's version of these `fields`, or of all.
    """

    event_type: ClassVar[str] = "operator.requested"
    when: ClassVar[str] = (
        "Somebody approves, retries, skips or maps something, resolves a conflict, or has a difference repaired."
    )

    action: Literal["approve", "retry", "skip", "map", "repair", "resolve"]
    record_key: str
    intent_id: str | None = None
    author: str
    reason: str | None = None
    document: str | None = None
    keep: Literal["source", "books"] | None = None
    fields: tuple[str, ...] = ()
    parked: int | None = None
