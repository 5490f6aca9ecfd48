"""The books as the dispatcher sees them: a port, behind which QuickBooks Online, or Desktop, or a test stands."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol

from counterfoil.errors import CounterfoilError
from counterfoil_schema.events.decisions import Lane
from counterfoil_schema.events.receipts import TaxMode
from counterfoil_schema.exact_json import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One member of a call: what is done to which document, in exact bytes once composed."""

    intent_id: str
    batch_id: str | None
    entity: str
    operation: str
    body: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call as it was recorded: sending it again sends the same bytes under the same id."""

    request_id: str
    items: tuple[Item, ...]
    lane: Lane

    @property
    def is_batch(self) -> bool:
        """Whether it goes out as a batch."""
        return self.items[0].batch_id is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The effect is there; `document` is the answer, whole."""

    document: JsonObject
    intuit_tid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Definitely no effect; `then` says what follows. `unsent`: nothing left, whatever the document is like.

    `outside` is the reason in our own words alone: what the books say may name others.
    """

    code: str
    kind: str
    reason: str
    fix: str
    then: Literal["retry", "refetch", "adopt", "park", "reconnect"]
    retry_after: float | None = None
    unsent: bool = False
    intuit_tid: str | None = None
    raw: str | None = None
    outside: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Nobody can say whether the effect is there."""

    reason: str


Outcome = Done | Refused | Lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A lost create, and the marker that its document would bear."""

    item: Item
    marker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A document as the books show it; `status` deleted is the books' own word, never a failed read."""

    entity: str
    document_id: str
    status: Literal["live", "deleted", "voided"]
    document: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What changed since an instant, and up to when that is known.

    Attributes:
        shown: what is there.
        gone: entity and id of what is reported deleted; false reports exist, so a read has the last word.
        truncated: there may be more than the answer had room for.
    """

    shown: Sequence[Shown]
    until: datetime | None
    truncated: bool = False
    gone: Sequence[tuple[str, str]] = ()


class Listing(NamedTuple):
    """One entry of a name list, by its full name; `account_type` is that of an account."""

    document_id: str
    name: str
    active: bool
    account_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksFacts:
    """What the books are and allow.

    `fingerprint` has two parts, `what never changes:what they are called`; `former_fingerprint` is the one part that
    earlier releases made of both.
    """

    realm_id: str
    name: str
    fingerprint: str
    home_currency: str
    multi_currency: bool
    custom_numbers: bool
    class_tracking: bool
    department_tracking: bool
    closed_until: date | None
    tax_mode: TaxMode = "none"
    former_fingerprint: str = ""

    def known_as(self, pinned: str) -> Literal["same", "renamed", "others"]:
        """Whether these are the books of a fingerprint that was pinned. A company may change its name."""
        if pinned == self.fingerprint:
            return "same"
        lasting, called, _ = pinned.partition(":")
        if called and lasting == self.fingerprint.partition(":")[0]:
            return "renamed"
        return "renamed" if pinned == self.former_fingerprint else "others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which documents of an entity: created from an instant to before another, or dated from a day to another."""

    created: tuple[datetime, datetime] | None = None
    dated: tuple[date, date] | None = None


class BooksUnreadableError(CounterfoilError):
    """A read failed: nothing follows from it.

    Args:
        retry_after: seconds until another try makes sense; None where it cannot help.
        reconnect: whether somebody must connect QuickBooks again.
        divisible: whether one of several records may be at fault, so that fewer at once can be read.
    """

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        retry_after: float | None = None,
        reconnect: bool = False,
        divisible: bool = False,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after = retry_after
        self.reconnect = reconnect
        self.divisible = divisible


class Slot(Protocol):
    """The right to make one call, for as long as its context lasts."""


class Books(Protocol):
    """One company's books."""

    def body_bytes(self, call: Call) -> bytes:
        """The exact bytes of a call: a pure function of it."""
        ...

    def slot(self, call: Call) -> AbstractAsyncContextManager[Slot]:
        """Wait until the books' limits allow the call; nothing is recorded as sent before."""
        ...

    def wait_seconds(self, lane: str, *, batch: bool, ahead: int = 0) -> float:
        """How long a batch, or a single call, that came after `ahead` others would wait for its slot, if known."""
        ...

    async def send(self, call: Call, *, slot: Slot, deadline: float) -> Mapping[str, Outcome]:
        """Make the call; one outcome for each intent of it. Never later than `deadline` (monotonic seconds)."""
        ...

    async def find(self, wanted: Sequence[Wanted], *, sent_at: datetime, thorough: bool = False) -> Mapping[str, Shown]:
        """The documents that lost creates left behind, by intent id: told by marker or, for names, by creation.

        `thorough` looks through everything created since, whatever number, party or date somebody has given it by
        now: what follows from not finding it is that it is not there.

        Raises:
            BooksUnreadableError: the search failed, which proves nothing.
        """
        ...

    async def named(self, entity: str, body: JsonObject) -> Shown | None:
        """The document, inactive ones included, that bears the name or number of this body.

        Raises:
            BooksUnreadableError: the search failed.
        """
        ...

    async def read(self, entity: str, document_ids: Sequence[str], lane: Lane) -> Sequence[Shown]:
        """Documents by id, in as few metered calls as can be; one that is gone is shown as deleted.

        Raises:
            BooksUnreadableError: a read failed.
        """
        ...

    async def sweep(self, entities: Sequence[str], since: datetime, lane: Lane) -> Swept:
        """All changes since an instant, in one call.

        Raises:
            BooksUnreadableError: the read failed.
        """
        ...

    def changed_since(self, entity: str, since: datetime, lane: Lane) -> AsyncIterator[Sequence[Shown]]:
        """Documents of one entity changed since an instant, page by page; deleted ones are not among them.

        Raises:
            BooksUnreadableError: a read failed.
        """
        ...

    def within(self, entity: str, lane: Lane, span: Span) -> AsyncIterator[Sequence[Shown]]:
        """Every document of one entity within a span, inactive entries of lists included, page by page.

        Raises:
            BooksUnreadableError: a page could not be read; what came before is not all there is.
        """
        ...

    async def count(
        self,
        entity: str,
        lane: Lane,
        *,
        changed_since: datetime | None = None,
        created: tuple[datetime, datetime] | None = None,
        dated: tuple[date, date] | None = None,
    ) -> int:
        """How many documents of an entity there are that changed since, or were created or dated within a span.

        Raises:
            BooksUnreadableError: the read failed.
        """
        ...

    async def names(self, entity: str, lane: Lane) -> Sequence[Listing]:
        """Every entry of a name list, inactive ones included.

        Raises:
            BooksUnreadableError: a read failed.
        """
        ...

    async def rate(self, currency: str, day: date) -> Shown | None:
        """The books' own rate of a foreign currency on a day, or None where they keep none.

        Raises:
            BooksUnreadableError: the read failed.
        """
        ...

    async def is_connected(self) -> bool:
        """Whether there is a usable permission; False until somebody connects QuickBooks again."""
        ...

    async def facts(self) -> BooksFacts:
        """Company information and preferences.

        Raises:
            BooksUnreadableError: a read failed.
        """
        ...
