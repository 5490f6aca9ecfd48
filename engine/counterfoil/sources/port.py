"""What a source adapter is: a small Protocol, found by the entry point `counterfoil.sources`.

An adapter reads, normalises, verifies webhooks and writes back. It decides nothing, stores nothing and retries
nothing on its own beyond one call: the engine records, plans, paces and repeats.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import aiohttp
from pydantic import SecretStr

from counterfoil.errors import CounterfoilError
from counterfoil.ports import Clock, Entropy
from counterfoil_schema.events.receipts import Hint
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Record


class SourceError(CounterfoilError):
    """A source could not be read now. Nothing follows from it about any record.

    Args:
        retry_after: seconds after which another try makes sense; None where trying again cannot help.
        one_kind: only the kind that was asked for is concerned (a file of its own); the others are read all the same.
    """

    def __init__(
        self, message: str, *, remedy: str = "", retry_after: float | None = None, one_kind: bool = False
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after = retry_after
        self.one_kind = one_kind


class UnknownNameError(SourceError):
    """A field or an object that the mapping or the settings name, and that the source does not have (or not for us).

    Args:
        name: as it is written there.
    """

    def __init__(self, message: str, *, name: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.name = name


class BadSignatureError(CounterfoilError):
    """A delivery whose signature is missing, wrong or too old: refused with 401, counted, never acted on."""


class MalformedDeliveryError(CounterfoilError):
    """A delivery with a right signature and a body that cannot be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A record as the source shows it now. `version` changes whenever the record does; `raw` is the payload."""

    kind: str
    source_id: str
    version: str
    record: Record
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """The source's own word that a record is deleted, or merged into another."""

    kind: str
    source_id: str
    evidence: str
    merged_into: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Something that came in and could not be normalised; `place` is where a person finds it."""

    kind: str
    source_id: str
    place: str
    problem: str
    fix: str
    raw: str


SourceChange = Seen | Removed | Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some changes of one kind, and the cursor from which reading goes on once they are recorded.

    `done` says that nothing more was there at the time of reading. `afresh`: why reading began anew with this page,
    although a cursor was given; told on the first page alone.
    """

    changes: Sequence[SourceChange]
    cursor: str
    done: bool = False
    afresh: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A delivery as it came in: method, the public URL it was sent to, lower-case headers, raw body."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A verified delivery: an id to de-duplicate by, and hints of what to read.

    `answer` is the body of the response where a handshake asks for one.
    """

    delivery_id: str
    hints: Sequence[Hint]
    answer: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteBack:
    """Values for one source record. Setting them twice must leave what setting them once leaves.

    `deadline` is an instant of the clock's monotonic scale after which nothing may leave any more: by then newer
    values may be on their way from another process. The engine gives up waiting at the same instant.
    """

    kind: str
    source_id: str
    values: Mapping[str, str]
    request_id: str
    deadline: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteBackResult:
    """How a write-back ended.

    `accepted`: the source holds the values. `rejected`: it refuses them (`reason`, `fix` in plain words).
    `uncertain`: nobody knows; the engine repeats it, which is harmless. `later`: not now, after `retry_after` s.
    """

    outcome: Literal["accepted", "rejected", "uncertain", "later"]
    version: str | None = None
    reason: str = ""
    fix: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The document that a record of an own kind calls for.

    `entity` is one that the engine knows (Customer, Item, Invoice, JournalEntry …); `body` is symbolic: amounts as
    Decimal, `{"$record": key}` for the document of another record, `{"$name": [entity, name]}` for one by its name.
    `needs` are the keys of the records named so. `amount` is what the mapping's review rule looks at.
    """

    entity: str
    body: JsonObject
    needs: tuple[str, ...] = ()
    doc_number: str | None = None
    name: str | None = None
    amount: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotWanted:
    """Why a record calls for no document. With `fix` it is parked, and a person sees it; else it is passed over."""

    reason: str
    code: str = "not_wanted"
    fix: str = ""


class SourceState(Protocol):
    """What a projection may know."""

    def record(self, record_key: str) -> Record | None:
        """Another record as last observed; None where the source never showed it, or removed it."""
        ...

    def home_currency(self) -> str:
        """The books' own currency."""
        ...


@runtime_checkable
class Projecting(Protocol):
    """What an adapter offers beside SourceAdapter if it brings kinds of record of its own (`records.Custom`)."""

    def project(self, record_key: str, record: Record, state: SourceState) -> Wanted | NotWanted:
        """The document that a record calls for. Pure: the same record and state always give the same; no I/O."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceNames:
    """Names that a source has, whether any record bears them or not.

    `statuses`: from a sale's status, as its records bear it, to what people call it at the source; all of them, or
    None where they are not told. `unknown`: names in the mapping that the source lacks and that nobody makes there.
    `kinds`: every kind of record that it can show, where it reads only those that the mapping takes.
    """

    statuses: Mapping[str, str] | None = None
    kinds: Sequence[str] = ()
    unknown: Sequence[UnknownNameError] = ()


@runtime_checkable
class Describing(Protocol):
    """What an adapter may offer beside SourceAdapter, so that a mapping is checked and begun with whole lists."""

    async def describe(self) -> SourceNames:
        """The names, read now.

        Raises:
            SourceError: the source cannot be read now.
        """
        ...


@runtime_checkable
class AtOneInstant(Protocol):
    """What an adapter may say of itself: that a reading shows all parts of a record as they were at one instant.

    Of others a sale may have been read before an edit and its lines after it; where the two do not add up, it is read
    once more.
    """

    at_one_instant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something that must be at the source for what the mapping writes back (a property), or for its webhooks.

    `path` is the key of the mapping (or of the connection's settings) that asks for it, `what` says what it is and
    where (`text property of deals`). `wrong`: it is there, and not fit; it is somebody's, and stays as it is. `scopes`:
    what a token needs to set it up. `known` are the names that the source has in that place.
    """

    path: tuple[str, ...]
    name: str
    what: str
    state: Literal["there", "missing", "wrong"]
    problem: str = ""
    scopes: tuple[str, ...] = ()
    known: Sequence[str] = ()


@runtime_checkable
class Preparing(Protocol):
    """What an adapter may offer beside SourceAdapter, so that nobody sets up by hand what write-back needs."""

    async def prepare(self, *, write: bool) -> Sequence[Need]:
        """How each need stands; with `write`, after what was missing was set up. Nothing else is ever changed.

        Raises:
            SourceError: the source cannot be asked now, or the token may not; named, with the scope that it lacks.
        """
        ...


@runtime_checkable
class Noticing(Protocol):
    """What an adapter may offer beside SourceAdapter: what people should know of what it has read so far."""

    @property
    def notices(self) -> Sequence[str]:
        """A sentence each; shown with the report of `counterfoil sync`."""
        ...


class SourceAdapter(Protocol):
    """One connection to one source system."""

    def kinds(self) -> Sequence[str]:
        """The source's kinds of record, in the order in which they must be read (customers before deals)."""
        ...

    def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        """Pages of changes of one kind since a cursor; everything where the cursor is None.

        A cursor overlaps on purpose: a record may come again, none may be missed.

        Raises:
            SourceError: the source cannot be read now.
        """
        ...

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        """One record as it is now, preceded by the records that it names and that must be known first.

        Raises:
            SourceError: the source cannot be read now, or does not show the record yet.
        """
        ...

    def receive(self, request: WebhookRequest) -> Delivery:
        """Verify a delivery (constant time, over the raw body) and say what it hints at. Pure, no I/O.

        Raises:
            BadSignatureError: the signature is missing, wrong or too old.
            MalformedDeliveryError: the body cannot be understood.
        """
        ...

    async def write_back(self, request: WriteBack) -> WriteBackResult:
        """Set values on a source record. Never raises for what the source says; see WriteBackResult."""
        ...

    def same_values(self, kind: str, values: Mapping[str, str], raw: str) -> bool:
        """Whether a payload already holds these values: tells our own echo from somebody's edit."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTokens:
    """A connection's tokens as its source granted them; `granted` is what else the answer said, as text.

    `generation` counts how often they were kept: 0 for those that a keeper has never seen.
    """

    access_token: SecretStr | None = None
    refresh_token: SecretStr | None = None
    expires_at: datetime | None = None
    granted: Mapping[str, str] = field(default_factory=dict, repr=False)
    generation: int = 0


class TokenKeeper(Protocol):
    """Where a connection's tokens are kept between runs; see `counterfoil.sources.oauth`.

    Everything is kept by the refresh token that was configured: another one begins anew.
    """

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Be the only one, of all processes, that renews this connection's tokens.

        Raises:
            SourceError: somebody else was for too long.
        """
        ...

    async def load(self, configured: SecretStr) -> SourceTokens | None:
        """Those stored last.

        Raises:
            SourceError: they cannot be had now, or do not open.
        """
        ...

    async def store(self, configured: SecretStr, tokens: SourceTokens) -> bool:
        """Keep new tokens, whose generation follows the one stored last; True once they survive a crash.

        False, with nothing changed, where somebody else was first.

        Raises:
            SourceError: whether they are stored is unknown.
        """
        ...

    async def refused(self, configured: SecretStr, tokens: SourceTokens) -> None:
        """The source refuses these for good: a person must connect again, and is told so."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceContext:
    """What the engine gives an adapter.

    `settings` is the connection's own table from the configuration file, secrets already resolved to SecretStr;
    `mapping` is the connection's mapping as plain data, for adapters that read by it (columns, properties);
    `tokens` keeps what an OAuth source grants, sealed, across restarts; None where nothing is kept. `leaves_no_trace`:
    this is a trial; nothing is to be written, not even beside the source.
    """

    connection: str
    settings: Mapping[str, Any]
    mapping: Mapping[str, Any]
    http: aiohttp.ClientSession
    clock: Clock
    entropy: Entropy
    public_url: str | None = None
    tokens: TokenKeeper | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)
    leaves_no_trace: bool = False


@runtime_checkable
class Proposing(Protocol):
    """What a factory may offer whose adapter reads by tables of the mapping: a first version of these."""

    def propose(self, settings: Mapping[str, Any]) -> str:
        """The tables as TOML, from a look at what is there. Blocking.

        Raises:
            ConfigurationError, SourceError: nothing is there, or it cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A file that lists what could not be used, with reasons: how many rows, and when it was written (UTC)."""

    path: Path
    rows: int
    since: datetime


@runtime_checkable
class Rejecting(Protocol):
    """What a factory may offer whose adapter lists what it could not use in files: where these are now."""

    def rejected(self, settings: Mapping[str, Any], connection: str) -> Sequence[Rejected]:
        """Those of a connection, told without opening it. Blocking; what cannot be read is left out."""
        ...


class SourceFactory(Protocol):
    """What the entry point names: a class or function that opens a connection.

    `name` is the source's name; `personal_kinds` are kinds whose records are people.
    """

    name: str

    def __call__(self, context: SourceContext) -> AbstractAsyncContextManager[SourceAdapter]: ...
