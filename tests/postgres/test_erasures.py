"""An erased person's keys go in every process, stay gone after an old backup, and are never made again."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import SecretStr

from counterfoil.clock import SystemClock, SystemEntropy
from counterfoil.dispatch.erasures import Erasures
from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.sources import SourceReader
from counterfoil.log import MasterKey, NewEvent, PostgresKeyring
from counterfoil.log.keyring import person_scope
from counterfoil.postgres import Pool
from counterfoil.sources import Removed, Seen
from counterfoil.state.rows import ChangeRow
from counterfoil_schema.documents import Document
from counterfoil_schema.events.decisions import Inputs, IntentParked, IntentPlanned
from counterfoil_schema.events.receipts import PersonErased, SourceObserved, SourceWithheld
from counterfoil_schema.records import Customer, Invoice, InvoiceLine, TimeEntry
from support.dispatching import COMPANY, Dispatcher
from support.postgres import Database

ADA = "shelf:customer:7"
KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
RAW = "raw/2026-03/1"


@pytest.fixture
async def dispatcher(pool: Pool, database: Database) -> Dispatcher:
    made = Dispatcher(pool, database.names)
    await made.open()
    return made


def ring(pool: Pool, database: Database) -> PostgresKeyring:
    entropy = SystemEntropy()
    master = MasterKey(SecretStr(KEY), entropy)
    return PostgresKeyring(pool, database.names, master, clock=SystemClock(), entropy=entropy)


def erased(*subjects: str, people: tuple[str, ...] = (ADA,), payload_keys: tuple[str, ...] = ()) -> PersonErased:
    return PersonErased(
        subjects=(*people, *subjects),
        people=people,
        payload_keys=payload_keys,
        erased_on=date(2026, 3, 14),
        author="Ann",
        reason="request 31",
    )


def reader_of(dispatcher: Dispatcher, then: str = "park") -> SourceReader:
    return SourceReader(
        session=dispatcher.session,
        store=dispatcher.store,
        events=LogEvents(dispatcher.log),
        hashes=dispatcher.keyring,
        adapters={},
        clock=dispatcher.clock,
        instruments=dispatcher.instruments,
        erased_people="skip" if then == "skip" else "park",
    )


def ada(name: str = "Ada Lovelace") -> Seen:
    return Seen(kind="customer", source_id="7", version=name, record=Customer(name=name), raw=f'{{"n":"{name}"}}')


async def test_a_process_that_has_keys_at_hand_forgets_them_when_it_follows_the_event(
    dispatcher: Dispatcher, pool: Pool, database: Database
) -> None:
    command, engine = ring(pool, database), ring(pool, database)
    assert await engine.sealing_key(COMPANY, person_scope(ADA)) is not None
    assert await engine.sealing_key(COMPANY, "raw/2026-03") is not None
    assert await engine.opening_key(COMPANY, f"{person_scope(ADA)}/1") is not None
    event = erased(payload_keys=(RAW,))
    await dispatcher.session.receive([NewEvent(event=event, record_key=ADA)])
    assert await command.destroy(COMPANY, ADA) == 1
    assert await command.destroy_key(COMPANY, RAW) == 1
    # What shows that this test could fail: without being told, it goes on with its copy.
    assert await engine.opening_key(COMPANY, f"{person_scope(ADA)}/1") is not None

    erasures = Erasures(company=COMPANY, store=dispatcher.store, events=LogEvents(dispatcher.log), keyring=engine)
    await erasures.follow(await dispatcher.log.read(COMPANY))

    assert await engine.opening_key(COMPANY, f"{person_scope(ADA)}/1") is None
    assert await engine.sealing_key(COMPANY, person_scope(ADA)) is None
    fresh = await engine.sealing_key(COMPANY, "raw/2026-03")
    assert fresh is not None
    assert fresh.id == "raw/2026-03/2"


async def test_a_key_that_comes_back_with_a_backup_goes_again(
    dispatcher: Dispatcher, pool: Pool, database: Database
) -> None:
    keys = ring(pool, database)
    for scope in (person_scope(ADA), "raw/2026-03", person_scope("shelf:customer:8")):
        await keys.sealing_key(COMPANY, scope)
    backup = await pool.fetch("SELECT * FROM counterfoil_state.sealing_keys WHERE company = $1", COMPANY)
    await dispatcher.write(erased(payload_keys=(RAW,)))
    erasures = Erasures(company=COMPANY, store=dispatcher.store, events=LogEvents(dispatcher.log), keyring=keys)
    await erasures.enforce()
    for row in backup:
        await pool.execute(
            "UPDATE counterfoil_state.sealing_keys SET wrapped = $3, destroyed_at = NULL"
            " WHERE company = $1 AND scope = $2 AND generation = 1",
            COMPANY,
            row["scope"],
            row["wrapped"],
        )

    await erasures.enforce()

    living = await pool.fetch(
        "SELECT scope FROM counterfoil_state.sealing_keys WHERE company = $1 AND destroyed_at IS NULL", COMPANY
    )
    assert [row["scope"] for row in living] == [person_scope("shelf:customer:8")]


@pytest.mark.parametrize(("then", "state"), [("park", "parked"), ("skip", "skipped")])
async def test_a_source_that_still_shows_the_person_is_told_once_and_nothing_is_taken_in(
    dispatcher: Dispatcher, then: str, state: str
) -> None:
    reader = reader_of(dispatcher, then)
    assert await reader.record("shelf", [ada()], "sync") == 1
    await dispatcher.write(erased())
    await dispatcher.keyring.destroy(COMPANY, ADA)

    assert await reader.record("shelf", [ada("Ada Byron")], "poll") == 1
    event = await dispatcher.last()
    assert isinstance(event, SourceWithheld)
    position = len(await dispatcher.events())
    change = await dispatcher.change(position)
    assert (change.state, change.code) == (state, "erased")
    assert "erased on 2026-03-14, and shelf still shows it" in change.reason
    assert ("Ask whoever answers for shelf" in change.fix) == (then == "park")
    assert await reader.record("shelf", [ada("Ada King"), ada("Ada Again")], "poll") == 0

    gone = Removed(kind="customer", source_id="7", evidence="It is shown as deleted.")
    assert await reader.record("shelf", [gone], "poll") == 1
    await dispatcher.folder.to_head()
    overtaken = await dispatcher.store.one(ChangeRow, COMPANY, str(position))
    assert overtaken is not None
    assert overtaken.state == "skipped"


async def test_notes_of_an_erased_employee_are_withheld_and_payloads_that_may_name_somebody_are_left_out(
    dispatcher: Dispatcher,
) -> None:
    await dispatcher.write(erased("shelf:deal:9", people=(ADA, "shelf:employee:e1")))
    reader = reader_of(dispatcher)
    note = TimeEntry(employee="shelf:employee:e1", dated=date(2026, 3, 1), note="sick")
    lines = (InvoiceLine(line_id="1", unit_price=Decimal(10)),)
    deal = Invoice(customer=ADA, status="won", won=True, currency="USD", lines=lines)
    shown = [
        Seen(kind="day", source_id="1", version="1", record=note, raw="sick"),
        Seen(kind="deal", source_id="9", version="1", record=deal, raw='{"of": "Ada Lovelace"}'),
    ]
    assert await reader.record("shelf", shown, "poll") == 2

    withheld, kept = (await dispatcher.events())[-2:]
    assert isinstance(withheld, SourceWithheld)
    assert withheld.person == "shelf:employee:e1"
    assert isinstance(kept, SourceObserved)
    assert (kept.record, kept.raw) == (deal, None)


async def test_a_plan_that_lost_what_was_personal_does_not_go_out(dispatcher: Dispatcher) -> None:
    await reader_of(dispatcher).record("shelf", [ada()], "sync")
    await dispatcher.folder.to_head()
    planned = IntentPlanned(
        change=1,
        record_key=ADA,
        intent_id="i1",
        target="quickbooks",
        entity="Customer",
        operation="create",
        body=Document.of("Customer", {"DisplayName": "Ada Lovelace"}),
        content_hash="h",
        lane="live",
        inputs=Inputs(record="r", mapping="m", planner="p", preferences="q"),
    )
    await dispatcher.write(planned, erased())
    await dispatcher.keyring.destroy(COMPANY, ADA)

    parked = await dispatcher.outbox.prepare(await dispatcher.intent("i1"))

    assert isinstance(parked, IntentParked)
    assert (parked.code, "Ada" in f"{parked.reason} {parked.fix}") == ("erased", False)
