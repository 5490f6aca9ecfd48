"""What the planner sees and what it says.

Planned bodies are symbolic QuickBooks documents: references to other records and to names in the books stand as

    {"$record": "hubspot:company:12"}              the document linked to that source record
    {"$name": ["Account", "Sales of Product"]}     the document of that entity bearing that name
    {"$rate": ["EUR", "2026-03-14"]}               the books' own rate of that currency on that day
    {"$line": "hubspot:line:9", …}                 (inside a line) the source line that it stands for

and are resolved by `compose` just before the call is recorded and sent. So a plan can be made, shown and compared
before any of its references exists.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal, Protocol

from counterfoil_schema.events.decisions import Figures, Lane, Operation
from counterfoil_schema.events.receipts import TaxMode
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import PayRun, Record

PLANNER_VERSION = "1"
RECORD_REF = "$record"
NAME_REF = "$name"
RATE_REF = "$rate"
LINE_KEY = "$line"


Side = Literal["source", "books"]
"""Whose version of something counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What both sides last agreed on of a field, or of a line, that has been left as the books have it since."""

    value: JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A person's answer about a field or line: `source` and `books` are the versions, as text, that they chose from.

    `shown` is what they were told that both had started from.
    """

    keep: Side
    source: str
    books: str
    shown: str = ""


Base = Common | Chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A source record and the document that stands for it.

    `image` is the whole document as it was after our own last write (or its adoption): what an echo is told
    from an edit by. `latest` is the document as last seen, by anybody's hand. `content_hash` is that of the
    symbolic body last accepted. `lines` leads from source line to Line.Id. `sent` holds, for each field, the value
    that we sent last (the merged composed bodies): what a change at the source is told from a standstill by; `bases`
    the same for fields and `Line[KEY]` that were left as the books had them, by rule or by a person's answer.
    `shared_with` is the record whose the document is, where it stands for this one since a merge in QuickBooks.
    `adopted`: it was there before and has not been found equal yet, so that nothing of it is written over unseen.
    `undone`: the run that took back what was written, until a person asks for it again. `renew`: the how manieth
    document is to be made, where a rollback ended this one; 0 where none is. `incarnation`: the how manieth it is.
    """

    record_key: str
    entity: str
    document_id: str
    sync_token: str | None
    content_hash: str
    image: JsonObject
    latest: JsonObject
    lines: Mapping[str, str] = field(default_factory=dict)
    sent: JsonObject = field(default_factory=dict)
    bases: Mapping[str, Base] = field(default_factory=dict)
    status: Literal["live", "deleted", "voided"] = "live"
    shared_with: str | None = None
    adopted: bool = False
    undone: str = ""
    renew: int = 0
    incarnation: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What has been paid on one invoice, by what: sums over live payments.

    `cash` was received, `credited` was set off against credit memos; `unapplied` is the part of the same payments
    that no document has taken (an overpayment). Amounts are in the invoice's currency.
    """

    cash: Decimal = Decimal(0)
    credited: Decimal = Decimal(0)
    unapplied: Decimal = Decimal(0)
    last_paid: str | None = None
    payment_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """A pay run that takes back another one, and where it was observed last: of two, the earlier one comes first."""

    record_key: str
    position: int
    record: PayRun


class StateView(Protocol):
    """State at one position, as far as a plan may depend on it."""

    def link(self, record_key: str) -> Link | None:
        """The document that stands for a source record, if there is one."""
        ...

    def is_known(self, record_key: str) -> bool:
        """Whether the source has shown such a record (and not removed it)."""
        ...

    def sent_number(self, doc_number: str) -> str | None:
        """The record key of ours that already bears this document number, if any."""
        ...

    def name_taken(self, entity: str, name: str) -> str | None:
        """The record key of ours planned or linked under this display name (case folded), if any."""
        ...

    def body_hash(self, body: JsonObject) -> str:
        """The hash of a symbolic body under the company's key: bodies hold personal data."""
        ...

    def home_currency(self) -> str:
        """The books' own currency."""
        ...

    def multi_currency(self) -> bool:
        """Whether the books take foreign documents."""
        ...

    def closed_until(self) -> date | None:
        """The last day of the closed period, if there is one."""
        ...

    def tax_mode(self) -> TaxMode:
        """How the books tax."""
        ...

    def tracks(self, dimension: Literal["class", "department"]) -> bool:
        """Whether the books track classes, or departments (which QuickBooks calls locations)."""
        ...

    def account_type(self, *, name: str = "", document_id: str = "") -> str | None:
        """The AccountType of a live account, by its full name or its Id; None where none such is known."""
        ...

    def record(self, record_key: str) -> Record | None:
        """A source record as last observed; None where the source never showed it, or removed it."""
        ...

    def reversals_of(self, record_key: str) -> Sequence[Reversal]:
        """All pay runs of the same connection that take back some or all of this one, in order of observation."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One change wanted on the other side, before it has an id.

    `target` is `quickbooks` or the connection written back to; `needs` are the record keys whose documents must
    exist first; `person` is the record key of the party whose personal data the body bears. `record_key` is given
    where the document stands for something else than the changed record: a party's second entry. `remark` is what a
    person should know before approving it.
    """

    target: str
    entity: str
    operation: Operation
    body: JsonObject
    needs: tuple[str, ...] = ()
    person: str | None = None
    lane: Lane = "live"
    review: bool = False
    doc_number: str | None = None
    name: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    figures: Figures | None = None
    record_key: str | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """The other side already holds it; `proof` is the hash that says so."""

    proof: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Not to be carried over, by rule."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Park:
    """Cannot be carried over until somebody acts: what happened, to which record, and what to do.

    `outside` is the reason as the record's own source may read it, where the reason names what is not that source's.
    """

    code: str
    reason: str
    fix: str
    outside: str = ""


Plan = Sequence[Intent] | Unchanged | Skip | Park


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """Everything that a plan is made from.

    `position` is the observed change; `recording` the record key; `record` None where the source removed it, and then
    `merged_into` the key of the record that it went into there, if it did. `repair`: its documents are to hold again
    what the source wants, even where a person changed or deleted them.
    """

    connection: str
    record_key: str
    record: Record | None
    position: int
    removed_evidence: str | None = None
    repair: bool = False
    merged_into: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A body with every reference resolved, ready to be recorded and sent as it is.

    `line_keys` names, for each line of `body` in order, the source line ("" for lines that are not ours). `changes`
    names the fields that will differ from the document as last seen; an update without any needs no call. `kept` names
    those that stay as the books have them, because they were changed there; lines as `Line[KEY]`.
    """

    entity: str
    operation: Operation
    body: JsonObject
    sync_token: str | None
    line_keys: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """References that lead nowhere yet: records without a document, names that the books do not hold.

    `read_first` names documents (entity, id) that an update builds on and whose present image is not known; `rates`
    (currency, day) those that were never asked of the books.
    """

    records: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    read_first: tuple[tuple[str, str], ...] = ()
    rates: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Both sides changed the same shared field, or line (`Line[KEY]`); three versions, as text, to choose from."""

    field: str
    ours: str
    base: str
    theirs: str
    owner: Literal["source", "books", "ask", "last_writer"] = "ask"


@dataclass(frozen=True, slots=True)
class Conflicts:
    """All that stands in the way of an update until it is known whose version counts."""

    conflicts: tuple[Conflict, ...]
