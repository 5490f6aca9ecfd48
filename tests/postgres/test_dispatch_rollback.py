"""Rollbacks taken up by whoever holds the lease: exactly what was shown, once, and on nothing changed since."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from counterfoil.dispatch.outbox import Ready
from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.rollback import taking
from counterfoil.dispatch.rollback.loading import RollbackLoader
from counterfoil.dispatch.rollback.preview import Preview, preview_of
from counterfoil.dispatch.rollback.taking import RollbackTaker
from counterfoil.dispatch.view import ViewLoader
from counterfoil.log import Appended, Guard
from counterfoil.postgres import Pool
from counterfoil.state.rows import IntentRow
from counterfoil_schema.events import decisions as done
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.rollbacks import RollbackDecided, RollbackPolicy, RollbackRequested, RollbackScope
from counterfoil_schema.exact_json import JsonObject
from support.dispatching import COMPANY, Dispatcher
from support.postgres import Database
from support.stories import accepted, books, observed, planned, sent

SCOPE = RollbackScope(source="shop")
POLICY = RollbackPolicy()


@dataclass
class Desk:
    """A dispatcher and the room that takes up rollbacks."""

    dispatcher: Dispatcher

    @property
    def taker(self) -> RollbackTaker:
        made = self.dispatcher
        events = LogEvents(made.log)
        view = ViewLoader(company=COMPANY, store=made.store, events=events, hashes=made.keyring)
        loader = RollbackLoader(company=COMPANY, store=made.store, reader=made.log)
        return RollbackTaker(session=made.session, store=made.store, events=events, view=view, loader=loader)

    async def preview(self) -> Preview:
        return preview_of(await self.taker.loader.load(SCOPE, POLICY))

    async def ask(self, preview: Preview, author: str = "Ann") -> str:
        asked = RollbackRequested(
            scope=SCOPE,
            policy=POLICY,
            author=author,
            reason="wrong",
            previewed=preview.position,
            preview=preview.hash,
            steps=tuple(sorted(preview.digests)),
        )
        return f"rollback-{await self.dispatcher.write(asked)}"

    async def take(self) -> RollbackDecided:
        """Take up what waits, as often as it takes."""
        while await self.taker.take(await self.dispatcher.folder.to_head()):
            pass
        await self.dispatcher.folder.to_head()
        event = await self.dispatcher.last()
        assert isinstance(event, RollbackDecided)
        return event

    async def intents(self, run: str) -> list[IntentRow]:
        return await self.dispatcher.store.some(IntentRow, "intents_of_run", COMPANY, run)


@pytest.fixture
async def desk(database: Database, pool: Pool) -> Desk:
    made = Dispatcher(pool, database.names)
    await made.open()
    for number in ("1", "2", "3"):
        key = f"shop:order:{number}"
        change = await made.write(observed(number))
        await made.write(
            planned(change, key, f"i{number}"),
            sent(f"r{number}", (change, key, f"i{number}")),
            accepted(change, key, f"i{number}", f"r{number}", invoice(number)),
        )
    return Desk(made)


def invoice(number: str, version: str = "0", **more: str) -> JsonObject:
    return {"Id": number, "SyncToken": version, "DocNumber": f"100{number}", "TotalAmt": 10, "Balance": 10, **more}


async def test_what_was_shown_is_planned_once_however_often_it_is_begun(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = await desk.preview()
    assert len(preview.plan.steps) == 3, preview.plan
    run = await desk.ask(preview)
    monkeypatch.setattr(taking, "STEPS_PER_APPEND", 1)
    left, append = [2], desk.dispatcher.session.decide_each

    # The first holder gets as far as two of three, and dies; another one goes on.
    async def dying(events: Sequence[tuple[Event, str | None]], *, guard: Guard | None = None) -> Appended:
        if not left[0]:
            raise RuntimeError("killed")
        left[0] -= 1
        return await append(events, guard=guard)

    monkeypatch.setattr(desk.dispatcher.session, "decide_each", dying)
    with pytest.raises(RuntimeError, match="killed"):
        await desk.taker.take(await desk.dispatcher.folder.to_head())
    await desk.dispatcher.take_over()
    decided = await desk.take()
    assert (decided.planned, decided.refused) == (3, ())
    intents = await desk.intents(run)
    assert sorted(row.record_key for row in intents) == ["shop:order:1", "shop:order:2", "shop:order:3"]
    assert {row.operation for row in intents} == {"void"}
    plans = [one for one in await desk.dispatcher.events() if isinstance(one, done.IntentPlanned) and one.run == run]
    assert len(plans) == 3


async def test_what_has_changed_since_the_preview_is_refused(desk: Desk) -> None:
    preview = await desk.preview()
    await desk.dispatcher.write(books("Invoice", "2", invoice("2", "1", TxnDate="2026-05-01")))
    await desk.ask(preview)
    decided = await desk.take()
    assert decided.planned == 2
    assert [(one.document_id, one.code) for one in decided.refused] == [("2", "edited")]


async def test_two_operators_at_once_take_it_back_once(desk: Desk) -> None:
    preview = await desk.preview()
    first, second = await desk.ask(preview), await desk.ask(preview, "Bo")
    await desk.take()
    assert [len(await desk.intents(run)) for run in (first, second)] == [3, 0]
    decided = [one for one in await desk.dispatcher.events() if isinstance(one, RollbackDecided)]
    assert [one.planned for one in decided] == [3, 0]
    assert {one.code for one in decided[1].refused} == {"in_flight"}


async def test_it_goes_out_on_the_content_that_was_shown_and_on_no_other(desk: Desk) -> None:
    run = await desk.ask(await desk.preview())
    await desk.take()
    by_key = {row.record_key: row for row in await desk.intents(run)}
    # A payment let go of the first: its token and links moved, and nothing else.
    await desk.dispatcher.write(books("Invoice", "1", invoice("1", "4")))
    await desk.dispatcher.write(books("Invoice", "2", invoice("2", "1", PrivateNote="disputed")))
    await desk.dispatcher.write(books("Invoice", "3", {**invoice("3", "1"), "Balance": 4}))
    await desk.dispatcher.folder.to_head()
    ready = await desk.dispatcher.outbox.prepare(by_key["shop:order:1"])
    assert isinstance(ready, Ready)
    assert (ready.item.operation, ready.body) == ("void", {"Id": "1", "SyncToken": "4"})
    parked = [await desk.dispatcher.outbox.prepare(by_key[f"shop:order:{number}"]) for number in ("2", "3")]
    assert [one.code for one in parked if isinstance(one, done.IntentParked)] == ["changed_since", "payment_applied"]
