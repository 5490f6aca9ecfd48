"""A record of an own kind through the log: observed by its adapter, decided by its own projection."""

from pathlib import Path

import pytest

from counterfoil.dispatch.decide import Decider
from counterfoil.dispatch.mappings import Mappings
from counterfoil.dispatch.projecting import projections_of
from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.view import ViewLoader
from counterfoil.dispatch.write_back_plans import WriteBackPlans
from counterfoil.postgres import Pool
from counterfoil.sources import Seen
from counterfoil_schema.events.decisions import IntentPlanned
from counterfoil_schema.events.receipts import MappingRecorded, SourceObserved
from support.dispatching import COMPANY, Dispatcher
from support.postgres import Database
from support.sources import context_of
from third_party.meters.meters import Meters

MAPPING = '[connection]\nsource = "meters"\nzone = "UTC"\n'


@pytest.fixture
async def dispatcher(database: Database, pool: Pool) -> Dispatcher:
    made = Dispatcher(pool, database.names)
    await made.open()
    return made


async def test_takings_become_a_journal_entry_without_a_change_in_the_engine(
    dispatcher: Dispatcher, tmp_path: Path
) -> None:
    file = tmp_path / "takings.json"
    file.write_text('[{"id": "m1", "day": "2026-03-01", "amount": 17.50, "meter": "Main St"}]', encoding="utf-8")
    adapter = Meters(context_of("meters", {"file": str(file)}))
    (seen,) = [change async for page in adapter.changes("takings", None) for change in page.changes]
    assert isinstance(seen, Seen)
    await dispatcher.write(MappingRecorded(connection="meters", digest="d", text=MAPPING))
    observed = SourceObserved(
        connection="meters",
        source_kind=seen.kind,
        source_id=seen.source_id,
        version="1",
        content_hash="h",
        how="sync",
        record=seen.record,
        raw=seen.raw,
    )
    position = await dispatcher.write(observed)
    events = LogEvents(dispatcher.log)
    view = ViewLoader(company=COMPANY, store=dispatcher.store, events=events, hashes=dispatcher.keyring)
    mappings = Mappings(company=COMPANY, store=dispatcher.store, events=events)
    plans = WriteBackPlans(
        company=COMPANY,
        store=dispatcher.store,
        events=events,
        view=view,
        mappings=mappings,
        in_flight=dispatcher.in_flight,
    )
    decider = Decider(
        company=COMPANY,
        store=dispatcher.store,
        events=events,
        view=view,
        mappings=mappings,
        in_flight=dispatcher.in_flight,
        plans=plans,
        projections=projections_of({"meters": adapter}),
    )
    decided = await decider.decide(await dispatcher.change(position), observed)
    assert decided is not None
    (planned,) = [event for event in decided.events if isinstance(event, IntentPlanned)]
    await dispatcher.write(*decided.events)
    assert (planned.entity, planned.operation, planned.record_key) == ("JournalEntry", "create", "meters:takings:m1")
