"""Recording what sources show: nothing in the clear that could be tried with guessed names."""

import hashlib
import hmac
from collections.abc import AsyncIterator, Sequence

import pytest

from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.sources import SourceReader
from counterfoil.postgres import Pool
from counterfoil.sources import Page, Removed, Seen, SourceChange
from counterfoil.sources.plain import PlainSource
from counterfoil.state.rows import HintRow
from counterfoil_schema.events.receipts import Hint, SourceObserved, SourceRemoved, WebhookReceived
from counterfoil_schema.records import Customer
from support.dispatching import COMPANY, Dispatcher
from support.postgres import Database

RAW = "id,name\n7,Søren Kierkegaard\n"
UNKEYED = hashlib.sha256(RAW.encode()).hexdigest()


@pytest.fixture
async def dispatcher(database: Database, pool: Pool) -> Dispatcher:
    made = Dispatcher(pool, database.names)
    await made.open()
    return made


async def test_a_version_that_is_a_hash_of_the_content_is_keyed_before_it_is_recorded(dispatcher: Dispatcher) -> None:
    reader = SourceReader(
        session=dispatcher.session,
        store=dispatcher.store,
        events=LogEvents(dispatcher.log),
        hashes=dispatcher.keyring,
        adapters={},
        clock=dispatcher.clock,
        instruments=dispatcher.instruments,
    )
    record = Customer(name="Søren Kierkegaard", currency="USD")
    seen = Seen(kind="customer", source_id="7", version=UNKEYED, record=record, raw=RAW)
    assert await reader.record("shelf", [seen], "sync") == 1
    (event,) = await dispatcher.events()
    assert isinstance(event, SourceObserved)
    assert event.version == await dispatcher.keyring.keyed_hash(COMPANY, UNKEYED.encode())
    assert event.version != hmac.new(b"", UNKEYED.encode(), hashlib.sha256).hexdigest()
    recorded = await dispatcher.log.read(COMPANY)
    assert not [one for one in recorded if UNKEYED.encode() in one.body or b"Kierkegaard" in one.body]


class Merging(PlainSource):
    """Shows that a record is gone, and not into which it was merged."""

    def kinds(self) -> Sequence[str]:
        return ("customer",)

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        del kind, cursor
        yield Page(changes=(), cursor="0", done=True)

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        return [Removed(kind=kind, source_id=source_id, evidence="It is shown as deleted.")]


async def test_what_only_a_webhook_says_of_a_merge_is_recorded_with_the_removal(dispatcher: Dispatcher) -> None:
    reader = SourceReader(
        session=dispatcher.session,
        store=dispatcher.store,
        events=LogEvents(dispatcher.log),
        hashes=dispatcher.keyring,
        adapters={"shelf": Merging()},
        clock=dispatcher.clock,
        instruments=dispatcher.instruments,
    )
    known = [
        Seen(kind="customer", source_id=one, version="1", record=Customer(name=one), raw=RAW) for one in ("7", "8")
    ]
    await reader.record("shelf", known, "sync")
    hints = (
        Hint(kind="customer", source_id="7", operation="merge", other_id="2"),
        Hint(kind="customer", source_id="8", operation="delete"),
    )
    at = await dispatcher.write(WebhookReceived(connection="shelf", delivery_id="d-1", hints=hints, raw="{}"))
    rows = [
        HintRow(
            company=COMPANY,
            connection="shelf",
            kind=hint.kind,
            source_id=hint.source_id,
            operation=hint.operation,
            received=at,
        )
        for hint in hints
    ]
    assert await reader.follow("shelf", rows) == []
    removed = [event for event in await dispatcher.events() if isinstance(event, SourceRemoved)]
    assert [(one.source_id, one.merged_into) for one in removed] == [("7", "2"), ("8", None)]
    assert "merged into 2" in removed[0].evidence
