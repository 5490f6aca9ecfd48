"""Recording what sources show: nothing in the clear that could be tried with guessed names."""

import hashlib
import hmac

import pytest

from counterfoil.dispatch.sources import SourceReader
from counterfoil.postgres import Pool
from counterfoil.sources import Seen
from counterfoil_schema.events.receipts import SourceObserved
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
