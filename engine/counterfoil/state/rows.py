"""The rows of every projection: plain values that are all found in events, so that a rebuild gives the same.

Each row names its table and its key. Bodies stay in the log: a row holds the position where one is to be found,
so personal data is never copied out of its seal.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import attrgetter
from typing import ClassVar, Literal, TypeVar

from msgspec import Struct, field

from counterfoil_schema.events.receipts import TaxMode

ChangeState = Literal["waiting", "applied", "unchanged", "skipped", "parked"]
IntentState = Literal[
    "held", "ready", "sent", "uncertain", "accepted", "reconnect", "refetch", "adopt", "parked", "withdrawn"
]
DocumentStatus = Literal["live", "deleted", "voided"]
LinkStatus = DocumentStatus | Literal["released"]
"""Of a link also that its adoption was taken back: then no document stands for its record."""

OPEN_INTENTS: frozenset[IntentState] = frozenset(
    {"held", "ready", "sent", "uncertain", "reconnect", "refetch", "adopt"}
)
"""Intents whose end is still to come."""

IN_FLIGHT: frozenset[IntentState] = frozenset({"sent", "uncertain"})
"""Intents that may have had an effect of which we do not know."""


class CompanyRow(Struct, frozen=True, kw_only=True):
    """The company: its books and where they are. `approved`: where a person let its documents go out.

    `recovery` names the last recovery that was begun; `recovering` is where, until it has ended.
    """

    table: ClassVar[str] = "companies"
    key: ClassVar[tuple[str, ...]] = ()

    company: int
    name: str = ""
    zone: str = "UTC"
    home_currency: str = "USD"
    realm_id: str | None = None
    environment: str | None = None
    fingerprint: str | None = None
    multi_currency: bool = False
    custom_numbers: bool = True
    preferences_hash: str = ""
    closed_until: str | None = None
    tax_mode: TaxMode = "none"
    class_tracking: bool = False
    department_tracking: bool = False
    approved: int | None = None
    recovery: str = ""
    recovering: int | None = None


class MappingRow(Struct, frozen=True, kw_only=True):
    """Where the mapping that holds now is to be found."""

    table: ClassVar[str] = "mappings"
    key: ClassVar[tuple[str, ...]] = ("connection",)

    company: int
    connection: str
    position: int
    digest: str


class RecordRow(Struct, frozen=True, kw_only=True):
    """A source record as last observed; of the kind `erased` where it is a person's who was.

    `told`: the plan by which its source shows a problem, until that is cleared.
    """

    table: ClassVar[str] = "records"
    key: ClassVar[tuple[str, ...]] = ("record_key",)

    company: int
    record_key: str
    kind: str
    position: int
    version: str
    content_hash: str
    removed: bool = False
    told: int | None = None


class ChangeRow(Struct, frozen=True, kw_only=True):
    """One observed change and what became of it. `intents` leads from intent id to its state.

    `repair`: it was reopened to bring its documents back to what they were.
    """

    table: ClassVar[str] = "changes"
    key: ClassVar[tuple[str, ...]] = ("position",)

    company: int
    position: int
    record_key: str
    side: Literal["source", "books"]
    state: ChangeState
    code: str
    reason: str = ""
    fix: str = ""
    decided: int | None = None
    intents: dict[str, str] = field(default_factory=dict)
    repair: bool = False


class IntentRow(Struct, frozen=True, kw_only=True):
    """One entry of the outbox: a change wanted on the other side, from plan to settlement.

    `run`: under which it was planned. `undoes`: the intents whose effect it takes back; `undone_by`: the one that took
    back its own, and still does. `waits_for`: what has to end before it.
    """

    table: ClassVar[str] = "intents"
    key: ClassVar[tuple[str, ...]] = ("intent_id",)

    company: int
    intent_id: str
    change: int
    record_key: str
    target: str
    entity: str
    operation: str
    state: IntentState
    lane: str
    needs: tuple[str, ...]
    content_hash: str
    planned: int
    doc_number: str | None = None
    name_key: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    generation: int = 0
    attempts: int = 0
    request_id: str | None = None
    sent: int | None = None
    settled: int | None = None
    code: str = ""
    reason: str = ""
    fix: str = ""
    run: str = ""
    undoes: tuple[str, ...] = ()
    undone_by: str | None = None
    waits_for: tuple[str, ...] = ()


class LinkRow(Struct, frozen=True, kw_only=True):
    """A source record and its document. The positions say where the two images are to be found.

    After a merge in QuickBooks a document may stand for several records: it is `shared_with` the one whose it was.
    `adopted`: it was there before, and what it holds has not been found equal, or made equal, yet. `undone`: the run
    that took back what was written for the record, until a person asks for it again. `renew`: that run ended the
    document, so that another may be made in its place. `kept`: fields and `Line[KEY]` that are left as the books have
    them, each with the position of what both sides last agreed on, or of a person's answer.
    """

    table: ClassVar[str] = "links"
    key: ClassVar[tuple[str, ...]] = ("record_key",)

    company: int
    record_key: str
    entity: str
    document_id: str
    sync_token: str | None
    content_hash: str
    image: int
    latest: int
    sent: int | None = None
    incarnation: int = 1
    status: LinkStatus = "live"
    doc_number: str | None = None
    name_key: str | None = None
    lines: dict[str, str] = field(default_factory=dict)
    shared_with: str | None = None
    adopted: bool = False
    undone: str = ""
    renew: bool = False
    kept: dict[str, int] = field(default_factory=dict)


class DocumentRow(Struct, frozen=True, kw_only=True):
    """A document of the books as last seen; `name` only where a name is no personal data.

    `created` is when QuickBooks made it, in UTC to the second, as far as an answer or a reading said so; `merged_into`
    the Id of the record that it went into; `account_type` that of an account.
    """

    table: ClassVar[str] = "documents"
    key: ClassVar[tuple[str, ...]] = ("entity", "document_id")

    company: int
    entity: str
    document_id: str
    position: int
    sync_token: str | None
    status: DocumentStatus
    content_hash: str = ""
    record_key: str | None = None
    name: str | None = None
    created: str | None = None
    merged_into: str | None = None
    account_type: str | None = None


class PaymentRow(Struct, frozen=True, kw_only=True):
    """What one payment in the books does: per invoice, the cash and the credited part."""

    table: ClassVar[str] = "payments"
    key: ClassVar[tuple[str, ...]] = ("payment_id",)

    company: int
    payment_id: str
    position: int
    status: DocumentStatus
    invoices: tuple[str, ...] = ()
    unapplied: Decimal = Decimal(0)


class SettlementRow(Struct, frozen=True, kw_only=True):
    """The part of one payment that settles one invoice; zero once the payment no longer does."""

    table: ClassVar[str] = "settlements"
    key: ClassVar[tuple[str, ...]] = ("invoice_id", "payment_id")

    company: int
    invoice_id: str
    payment_id: str
    cash: Decimal
    credited: Decimal
    unapplied: Decimal
    dated: str | None = None


class CallRow(Struct, frozen=True, kw_only=True):
    """A call under one request id."""

    table: ClassVar[str] = "calls"
    key: ClassVar[tuple[str, ...]] = ("request_id",)

    company: int
    request_id: str
    target: str
    sent: int
    attempts: int
    body_hash: str
    open_items: tuple[str, ...]


class HintRow(Struct, frozen=True, kw_only=True):
    """Something that was said to have changed; open until it was read."""

    table: ClassVar[str] = "hints"
    key: ClassVar[tuple[str, ...]] = ("connection", "kind", "source_id")

    company: int
    connection: str
    kind: str
    source_id: str
    operation: str
    received: int
    settled: int | None = None


class SourceRow(Struct, frozen=True, kw_only=True):
    """Where a source last refused to be read; None once it could be read again."""

    table: ClassVar[str] = "sources"
    key: ClassVar[tuple[str, ...]] = ("connection",)

    company: int
    connection: str
    refused: int | None
    digest: str


class RequestRow(Struct, frozen=True, kw_only=True):
    """What an operator asked for, open until it is taken up. `document`: what is to stand for the record, `Item:45`."""

    table: ClassVar[str] = "requests"
    key: ClassVar[tuple[str, ...]] = ("position",)

    company: int
    position: int
    action: str
    record_key: str
    intent_id: str | None
    author: str
    taken: int | None = None
    document: str | None = None


class ReviewRow(Struct, frozen=True, kw_only=True):
    """What a person said of a source record that nothing in the books stood for; `adopt` in the end."""

    table: ClassVar[str] = "reviews"
    key: ClassVar[tuple[str, ...]] = ("record_key",)

    company: int
    record_key: str
    verdict: str
    position: int


class RunRow(Struct, frozen=True, kw_only=True):
    """Work that a person asked for as a whole, such as a rollback; sessions of the engine have no row.

    `asked` is the position of the request, `taken` where all of it was planned. `later`: what becomes of newer changes
    of records that it took back.
    """

    table: ClassVar[str] = "runs_asked"
    key: ClassVar[tuple[str, ...]] = ("run",)

    company: int
    run: str
    kind: str
    asked: int
    author: str
    reason: str
    taken: int | None = None
    later: str = ""
    planned: int = 0
    refused: int = 0


class ErasureRow(Struct, frozen=True, kw_only=True):
    """A key that was destroyed for somebody's sake, and where that is recorded. `erased_on` is a date in ISO form.

    `is_person`: it is the person; else a document or record that names them.
    """

    table: ClassVar[str] = "erasures"
    key: ClassVar[tuple[str, ...]] = ("subject",)

    company: int
    subject: str
    position: int
    erased_on: str
    is_person: bool


class DriftRow(Struct, frozen=True, kw_only=True):
    """A difference between source, log and books; `cleared` once it is there no more."""

    table: ClassVar[str] = "drifts"
    key: ClassVar[tuple[str, ...]] = ("about", "kind")

    company: int
    about: str
    kind: str
    entity: str
    digest: str
    found: int
    document_id: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    cleared: int | None = None


class RecoveredRow(Struct, frozen=True, kw_only=True):
    """Documents that a recovery found by the sign that they bear; more than one where somebody has copied one.

    `observed` is the reading that holds the last of them.
    """

    table: ClassVar[str] = "recovered"
    key: ClassVar[tuple[str, ...]] = ("entity", "sign")

    company: int
    entity: str
    sign: str
    documents: tuple[str, ...]
    observed: int


Row = (
    CompanyRow
    | MappingRow
    | RecordRow
    | ChangeRow
    | IntentRow
    | LinkRow
    | DocumentRow
    | PaymentRow
    | SettlementRow
    | CallRow
    | HintRow
    | RequestRow
    | ReviewRow
    | SourceRow
    | RunRow
    | ErasureRow
    | DriftRow
    | RecoveredRow
)
ROW_TYPES: tuple[type[Row], ...] = (
    CompanyRow,
    MappingRow,
    RecordRow,
    ChangeRow,
    IntentRow,
    LinkRow,
    DocumentRow,
    PaymentRow,
    SettlementRow,
    CallRow,
    HintRow,
    RequestRow,
    ReviewRow,
    SourceRow,
    RunRow,
    ErasureRow,
    DriftRow,
    RecoveredRow,
)

R = TypeVar("R", bound=Row)
Key = tuple[str, ...]
"""The key of a row inside its company and table, each part as text."""


def key_of(row: Row) -> Key:
    """The key of a row."""
    return _KEY_OF[type(row)](row)


def _key_reader(row_type: type[Row]) -> Callable[[Row], Key]:
    match row_type.key:
        case ():
            return lambda _: ()
        case (name,):
            part = attrgetter(name)
            return lambda row: (str(part(row)),)
        case names:
            parts = attrgetter(*names)
            return lambda row: tuple(map(str, parts(row)))


_KEY_OF: Mapping[type[Row], Callable[[Row], Key]] = {row_type: _key_reader(row_type) for row_type in ROW_TYPES}
