"""What must hold of a company after whatever happened: worked out from the log, the books and the orders."""

from collections import Counter
from decimal import Decimal

from counterfoil.clock import SystemClock, SystemEntropy
from counterfoil.log import EventCodec, MasterKey, PostgresAudit, PostgresKeyring, PostgresLogReader, verify
from counterfoil.postgres import Names, Pool
from counterfoil.state.rows import ROW_TYPES, Key, Row, key_of
from counterfoil.state.store import PostgresStateStore
from counterfoil.testing.memory_state import fold_afresh
from counterfoil_schema.exact_json import JsonObject
from support.sales import Sales

OBSERVED = ("source.observed", "source.edited", "source.removed", "source.unreadable", "books.observed")
OUTCOMES = {"applied", "unchanged", "skipped", "parked", "waiting"}


def effects_of(journal: JsonObject, operation: str, entity: str, name: str) -> Counter[str]:
    """How often which document was written by the engine, by name or number."""
    effects = journal["effects"]
    assert isinstance(effects, list)
    assert len(effects) == journal["total"]
    return Counter(
        str(effect[name])
        for effect in effects
        if isinstance(effect, dict)
        and (effect["app"], effect["operation"], effect["entity"]) == ("api", operation, entity)
    )


def assert_books_hold(sales: Sales, journal: JsonObject, totals: JsonObject) -> None:
    """Each record exactly once, none twice, none missing, and the sum of all invoices to the cent."""
    assert dict.fromkeys(sales.orders, 1) == dict(effects_of(journal, "create", "Invoice", "doc_number"))
    names = {f"Customer {source_id}": 1 for source_id in sales.customers}
    assert names == dict(effects_of(journal, "create", "Customer", "name"))
    products = {f"Product {source_id}": 1 for source_id in sales.products}
    assert products == dict(effects_of(journal, "create", "Item", "name"))
    updates = effects_of(journal, "update", "Invoice", "doc_number")
    assert [number for number, count in updates.items() if count > sales.orders[number].states - 1] == []
    documents = totals["documents"]
    assert isinstance(documents, dict)
    invoices = documents["Invoice"]
    assert isinstance(invoices, dict)
    assert (len(sales.orders), sales.total) == (invoices["count"], Decimal(str(invoices["total"])))


async def assert_state_adds_up(pool: Pool, names: Names, master: MasterKey, company: int = 1) -> None:
    """The chain is whole, folding afresh gives the same rows, and every change has exactly one outcome."""
    clock, entropy = SystemClock(), SystemEntropy()
    keyring = PostgresKeyring(pool, names, master, clock=clock, entropy=entropy)
    reader = PostgresLogReader(pool, names, EventCodec(keyring, clock=clock, entropy=entropy), clock=clock)
    assert (await verify(reader, PostgresAudit(pool, names))).faults == ()
    store = PostgresStateStore(pool, names)
    afresh = await fold_afresh(reader, company)
    assert (await store.checkpoint(company)).position == (await afresh.checkpoint(company)).position
    kept: dict[tuple[str, Key], Row] = {}
    for kind in ROW_TYPES:
        kept.update({(row.table, key_of(row)): row for row in await store.some(kind, f"all_{kind.table}", company)})
    assert dict(afresh.rows(company)) == kept
    observed = [event.position async for event in reader.stream(company) if event.event_type in OBSERVED]
    outcomes = await store.records("outcomes", company)
    assert len(observed) == sum(row[2] for row in outcomes)
    assert {row[0] for row in outcomes} <= OUTCOMES


async def outcomes_of(pool: Pool, names: Names, company: int = 1) -> dict[tuple[str, str], int]:
    """How many changes are in which state, and why."""
    return {(row[0], row[1]): row[2] for row in await PostgresStateStore(pool, names).records("outcomes", company)}
