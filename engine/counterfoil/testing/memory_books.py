"""Books in memory: documents that can be created, changed, looked for and lost sight of. For tests of dispatching."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from counterfoil.dispatch.books import (
    BooksFacts,
    BooksUnreadableError,
    Call,
    Done,
    Item,
    Listing,
    Lost,
    Outcome,
    Refused,
    Shown,
    Slot,
    Span,
    Swept,
    Wanted,
)
from counterfoil_schema import exact_json
from counterfoil_schema.events.decisions import Lane
from counterfoil_schema.exact_json import JsonObject

Fate = Literal["done", "lost before", "lost after", "unmentioned"]
"""How a call ends: answered; lost without, or with, an effect; answered without a word about the item."""

_NAMES = ("DisplayName", "Name", "DocNumber")
_PARTIES = ("Customer", "Vendor", "Employee")


class _Slot:
    """The right to make a call."""


@dataclass
class MemoryBooks:
    """One company's books.

    Attributes:
        documents: by entity and id, as they stand.
        fate: what becomes of calls, unless a refusal is given for them.
        refusals: by intent id: the books' answer to that item.
        sent: every call, with the deadline that it was given.
        readable: whether reads and searches work.
        before_send: called with each call before anything happens.
        waits: seconds until there is a slot for a single call, and for a batch.
        seconds_per_batch: how much later each further batch finds one.
    """

    documents: dict[tuple[str, str], Shown] = field(default_factory=dict)
    fate: Fate = "done"
    refusals: dict[str, Refused] = field(default_factory=dict)
    sent: list[tuple[Call, float]] = field(default_factory=list)
    readable: bool = True
    connected: bool = True
    before_send: Callable[[Call], Awaitable[None]] | None = None
    waits: tuple[float, float] = (0.0, 0.0)
    seconds_per_batch: float = 0.0

    def put(self, entity: str, document: JsonObject, status: Literal["live", "deleted", "voided"] = "live") -> Shown:
        """Let a document stand as it is given."""
        identity = str(document["Id"])
        shown = Shown(entity=entity, document_id=identity, status=status, document=document)
        self.documents[entity, identity] = shown
        return shown

    def body_bytes(self, call: Call) -> bytes:
        """See `Books.body_bytes`."""
        return exact_json.dumps([item.body for item in call.items])

    def slot(self, call: Call) -> AbstractAsyncContextManager[Slot]:
        """See `Books.slot`: there is always one."""
        del call
        return self._slot()

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[Slot]:
        yield _Slot()

    def wait_seconds(self, lane: str, *, batch: bool, ahead: int = 0) -> float:
        """See `Books.wait_seconds`."""
        del lane
        return self.waits[batch] + (ahead * self.seconds_per_batch if batch else 0.0)

    async def send(self, call: Call, *, slot: Slot, deadline: float) -> Mapping[str, Outcome]:
        """See `Books.send`."""
        del slot
        if self.before_send is not None:
            await self.before_send(call)
        self.sent.append((call, deadline))
        outcomes: dict[str, Outcome] = {}
        for item in call.items:
            outcome = self._outcome(item)
            if outcome is not None:
                outcomes[item.intent_id] = outcome
        return outcomes

    def _outcome(self, item: Item) -> Outcome | None:
        refused = self.refusals.get(item.intent_id)
        if refused is not None:
            return refused
        if self.fate == "lost before":
            return Lost(reason="The connection broke.")
        document = self._write(item)
        match self.fate:
            case "done":
                return Done(document=document, intuit_tid="1-tid")
            case "lost after":
                return Lost(reason="The answer was lost.")
            case "unmentioned":
                return None

    def _write(self, item: Item) -> JsonObject:
        identity = str(item.body.get("Id") or len(self.documents) + 1)
        before = self.documents.get((item.entity, identity))
        token = int(str(before.document["SyncToken"])) + 1 if before else 0
        base: JsonObject = before.document if before else {}
        document: JsonObject = {**base, **item.body, "Id": identity, "SyncToken": str(token)}
        self.put(item.entity, document, "voided" if item.operation == "void" else "live")
        return document

    async def find(self, wanted: Sequence[Wanted], *, sent_at: datetime, thorough: bool = False) -> Mapping[str, Shown]:
        """See `Books.find`: by marker, or by name."""
        del sent_at, thorough
        self._check()
        return {
            one.item.intent_id: shown
            for one in wanted
            for shown in self.documents.values()
            if shown.entity == one.item.entity
            and (
                one.marker in str(shown.document.get("PrivateNote", ""))
                or self._bears(shown, one.item.body, _NAMES[:2])
            )
        }

    async def named(self, entity: str, body: JsonObject) -> Shown | None:
        """See `Books.named`: customers, vendors and employees share one list."""
        self._check()
        among = _PARTIES if entity in _PARTIES else (entity,)
        found = (one for one in self.documents.values() if one.entity in among and self._bears(one, body, _NAMES))
        return next(found, None)

    def _bears(self, shown: Shown, body: JsonObject, names: Sequence[str]) -> bool:
        return any(body.get(name) is not None and body.get(name) == shown.document.get(name) for name in names)

    async def read(self, entity: str, document_ids: Sequence[str], lane: Lane) -> Sequence[Shown]:
        """See `Books.read`."""
        del lane
        self._check()
        gone = {
            one: Shown(entity=entity, document_id=one, status="deleted", document={"Id": one}) for one in document_ids
        }
        return [self.documents.get((entity, one), gone[one]) for one in document_ids]

    async def sweep(self, entities: Sequence[str], since: datetime, lane: Lane) -> Swept:
        """See `Books.sweep`: everything there is."""
        del lane
        self._check()
        return Swept(shown=[one for one in self.documents.values() if one.entity in entities], until=since)

    async def changed_since(self, entity: str, since: datetime, lane: Lane) -> AsyncIterator[Sequence[Shown]]:
        """See `Books.changed_since`: everything there is."""
        del since, lane
        yield [one for one in self.documents.values() if one.entity == entity]

    async def within(self, entity: str, lane: Lane, span: Span) -> AsyncIterator[Sequence[Shown]]:
        """See `Books.within`: everything there is."""
        del lane, span
        self._check()
        yield [one for one in self.documents.values() if one.entity == entity and one.status != "deleted"]

    async def count(
        self,
        entity: str,
        lane: Lane,
        *,
        changed_since: datetime | None = None,
        created: tuple[datetime, datetime] | None = None,
        dated: tuple[date, date] | None = None,
    ) -> int:
        """See `Books.count`: everything there is."""
        del lane, changed_since, created, dated
        self._check()
        return sum(one.entity == entity and one.status != "deleted" for one in self.documents.values())

    async def names(self, entity: str, lane: Lane) -> Sequence[Listing]:
        """See `Books.names`."""
        del lane
        self._check()
        return [
            Listing(
                document_id=one.document_id,
                name=str(one.document.get("Name", "")),
                active=one.document.get("Active") is not False,
                account_type=str(one.document["AccountType"]) if "AccountType" in one.document else None,
            )
            for one in self.documents.values()
            if one.entity == entity and one.status != "deleted"
        ]

    async def rate(self, currency: str, day: date) -> Shown | None:
        """See `Books.rate`: as put there under currency and day."""
        self._check()
        return self.documents.get(("ExchangeRate", f"{currency} {day.isoformat()}"))

    async def is_connected(self) -> bool:
        """See `Books.is_connected`."""
        return self.connected

    async def facts(self) -> BooksFacts:
        """See `Books.facts`."""
        self._check()
        return BooksFacts(
            realm_id="9130",
            name="Memory",
            fingerprint="f",
            home_currency="USD",
            multi_currency=False,
            custom_numbers=True,
            class_tracking=False,
            department_tracking=False,
            closed_until=None,
        )

    def _check(self) -> None:
        if not self.readable:
            raise BooksUnreadableError("The books cannot be read now.", retry_after=1.0)


def _is_marked(shown: Shown, wanted: Wanted) -> bool:
    return wanted.marker in str(shown.document.get("PrivateNote", ""))


def _gone(entity: str, document_id: str) -> Shown:
    return Shown(entity=entity, document_id=document_id, status="deleted", document={"Id": document_id})
