"""What becomes of calls whose answers are missing: decided by evidence, and only when every deadline has passed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import pytest

from counterfoil.dispatch.books import BooksUnreadableError, Call, Refused, Shown, Wanted
from counterfoil.dispatch.errors import LeaseLostError
from counterfoil.dispatch.outbox import Needless
from counterfoil.log import Head, NewEvent
from counterfoil.planning.outcome import MARKER
from counterfoil.postgres import Pool
from counterfoil.testing.memory_books import Fate
from counterfoil_schema.documents import Document
from counterfoil_schema.events import decisions as done
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.receipts import MappingRecorded, PreferencesObserved
from counterfoil_schema.exact_json import JsonObject
from support.dispatching import COMPANY, SERVER_SECONDS, TIMEOUT_SECONDS, Dispatcher
from support.postgres import Database
from support.stories import Then, accepted, books, observed, planned, sent

ORDER = "shop:order:1"
CUSTOMER = "shop:customer:1"
NEW: JsonObject = {"DocNumber": "1001", "PrivateNote": MARKER}
ADOPTING = '[connection]\nsource = "shop"\nzone = "UTC"\n[customer]\nsame_name = "adopt"\n'
PARKING = '[connection]\nsource = "shop"\nzone = "UTC"\n'


@pytest.fixture
async def dispatcher(database: Database, pool: Pool) -> Dispatcher:
    made = Dispatcher(pool, database.names)
    await made.open()
    return made


def create(change: int, intent_id: str = "i1", record: str = ORDER) -> done.IntentPlanned:
    return planned(change, record, intent_id, body=Document.of("Invoice", NEW))


def named(change: int, intent_id: str = "i1") -> done.IntentPlanned:
    body = Document.of("Customer", {"DisplayName": "Ann & Sons"})
    return planned(change, CUSTOMER, intent_id, entity="Customer", body=body)


def dated(change: int, intent_id: str = "i1") -> done.IntentPlanned:
    return planned(change, ORDER, intent_id, body=Document.of("Invoice", {**NEW, "TxnDate": "2026-03-14"}))


async def begin(dispatcher: Dispatcher, plan: Callable[[int], done.IntentPlanned] = create) -> int:
    change = await dispatcher.write(observed("1"))
    await dispatcher.write(plan(change))
    return change


async def linked(dispatcher: Dispatcher, document: JsonObject) -> int:
    """An order whose invoice stands in the books; the position of the change that made it."""
    change = await begin(dispatcher)
    dispatcher.books.put("Invoice", document)
    await dispatcher.write(sent("r", (change, ORDER, "i1")), accepted(change, ORDER, "i1", "r", document))
    return change


async def test_sent_is_recorded_before_the_call_leaves_and_its_end_after(dispatcher: Dispatcher) -> None:
    await begin(dispatcher)
    heads: list[Head] = []

    async def look(call: Call) -> None:
        assert len(call.request_id) == 32
        heads.append((await dispatcher.log.heads([COMPANY]))[COMPANY])

    dispatcher.books.before_send = look
    await dispatcher.send("i1")
    (at_call,) = heads
    kinds = [event.event_type for event in await dispatcher.events()]
    assert kinds[at_call.position - 1 :] == ["call.sent", "intent.accepted"]
    (call, deadline) = dispatcher.books.sent[0]
    assert deadline == TIMEOUT_SECONDS
    assert (await dispatcher.intent("i1")).request_id == call.request_id


async def test_each_decision_names_the_change_that_caused_it(dispatcher: Dispatcher) -> None:
    change = await begin(dispatcher)
    await dispatcher.send("i1")
    recorded = await dispatcher.log.read(COMPANY, limit=100)
    causes = {one.event_type: one.cause for one in recorded if one.event_type.startswith("intent.")}
    assert causes == {"intent.planned": change, "intent.accepted": change}


@pytest.mark.parametrize("fate", ["lost before", "lost after", "unmentioned"])
async def test_no_answer_is_no_knowledge(dispatcher: Dispatcher, fate: Fate) -> None:
    change = await begin(dispatcher)
    dispatcher.books.fate = fate
    await dispatcher.send("i1")
    assert ((await dispatcher.intent("i1")).state, (await dispatcher.change(change)).code) == ("uncertain",) * 2


@pytest.mark.parametrize(
    ("then", "state"),
    [("retry", "ready"), ("refetch", "refetch"), ("adopt", "adopt"), ("park", "parked"), ("reconnect", "reconnect")],
)
async def test_a_refusal_starts_a_new_generation(dispatcher: Dispatcher, then: Then, state: str) -> None:
    await begin(dispatcher)
    dispatcher.books.refusals["i1"] = Refused(code="6000", kind=then, reason="No.", fix="Mend it.", then=then)
    first = (await dispatcher.calls_for("i1"))[0].call.request_id
    await dispatcher.send("i1")
    row = await dispatcher.intent("i1")
    assert (row.state, row.generation, row.attempts) == (state, 1, 1)
    if state == "ready":
        again = (await dispatcher.calls_for("i1"))[0].call
        assert again.request_id != first
        # What comes back for another try lets new live work go first.
        assert again.lane == "retry"


async def test_what_was_refused_goes_out_under_that_id_no_more_whoever_asks_for_it_again(
    dispatcher: Dispatcher,
) -> None:
    """QuickBooks would answer it as it did then: another change of the record, or a rollback, wants the same body."""
    await begin(dispatcher)
    dispatcher.books.refusals["i1"] = Refused(code="610", kind="park", reason="No.", fix="Mend it.", then="park")
    await dispatcher.send("i1")
    change = await dispatcher.write(observed("2"))
    await dispatcher.write(create(change, "i2"))

    ids = {call.call.request_id for _ in range(2) for call in await dispatcher.calls_for("i2")}
    assert (len(ids), dispatcher.books.sent[0][0].request_id in ids) == (1, False)


async def test_a_lost_create_is_found_by_its_marker(dispatcher: Dispatcher) -> None:
    await begin(dispatcher)
    dispatcher.books.fate = "lost after"
    await dispatcher.send("i1")
    assert await dispatcher.settle("i1") == 1
    end = await dispatcher.last()
    assert isinstance(end, done.IntentAccepted)
    assert (end.how, end.document_id, end.document.fields()["DocNumber"]) == ("found", "1", "1001")


async def test_a_document_with_our_number_and_without_our_marker_is_not_ours(dispatcher: Dispatcher) -> None:
    await begin(dispatcher)
    dispatcher.books.fate = "lost before"
    dispatcher.books.put("Invoice", {"Id": "9", "SyncToken": "0", "DocNumber": "1001", "PrivateNote": "by hand"})
    await dispatcher.send("i1")
    assert await dispatcher.settle("i1") == 0


async def test_absent_counts_only_after_every_deadline(dispatcher: Dispatcher) -> None:
    """Our time-out and the server's own time must both have passed; a second earlier nothing is known."""
    await begin(dispatcher)
    first = (await dispatcher.calls_for("i1"))[0]
    dispatcher.books.fate = "lost before"
    await dispatcher.send("i1")
    dispatcher.clock.seconds = TIMEOUT_SECONDS + SERVER_SECONDS - 1
    assert await dispatcher.settle("i1") == 0
    assert (await dispatcher.intent("i1")).state == "uncertain"
    dispatcher.clock.seconds += 1
    assert await dispatcher.settle("i1") == 1
    assert isinstance(await dispatcher.last(), done.IntentAbsent)
    assert (await dispatcher.intent("i1")).state == "ready"
    again = (await dispatcher.calls_for("i1"))[0]
    # Should the first come to an effect after all, the second is the same call to QuickBooks, and has none.
    assert (again.body_hash, again.call.request_id) == (first.body_hash, first.call.request_id)


async def test_a_clock_that_jumps_ahead_proves_nothing_of_our_own_call(dispatcher: Dispatcher) -> None:
    """What has elapsed counts, not the time of day: the simulation found a call given up after twenty seconds."""
    await begin(dispatcher)
    dispatcher.clock.seconds = 5 * (TIMEOUT_SECONDS + SERVER_SECONDS)
    dispatcher.books.fate = "lost before"
    await dispatcher.send("i1")
    dispatcher.clock.ahead_seconds = 1200.0
    assert await dispatcher.settle("i1") == 0
    dispatcher.clock.ahead_seconds = -1200.0
    dispatcher.clock.seconds += TIMEOUT_SECONDS + SERVER_SECONDS
    assert await dispatcher.settle("i1") == 1
    assert (await dispatcher.intent("i1")).state == "ready"


async def test_what_is_never_answered_is_given_up(dispatcher: Dispatcher) -> None:
    """A document that breaks something at the other side must not be sent for ever: eight times, then a person."""
    change = await begin(dispatcher)
    dispatcher.books.fate = "lost before"
    for tries in range(1, 9):
        assert (await dispatcher.intent("i1")).state == "ready"
        await dispatcher.send("i1")
        dispatcher.clock.seconds += TIMEOUT_SECONDS + SERVER_SECONDS
        await dispatcher.settle("i1")
        assert len(dispatcher.books.sent) == tries
    row = await dispatcher.change(change)
    assert (row.state, row.code) == ("parked", "no-answer")
    assert "no answer in 8 tries" in row.reason
    assert "The connection broke." in row.reason


async def test_what_comes_while_we_search_is_not_absent(
    dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search that begins in time and is held up proves nothing about the time that it took."""
    await begin(dispatcher)
    dispatcher.books.fate = "lost before"
    await dispatcher.send("i1")
    dispatcher.clock.seconds = TIMEOUT_SECONDS + SERVER_SECONDS - 1
    find = dispatcher.books.find

    async def slowly(wanted: Sequence[Wanted], *, sent_at: datetime, thorough: bool = False) -> Mapping[str, Shown]:
        found = await find(wanted, sent_at=sent_at, thorough=thorough)
        dispatcher.clock.seconds += 60
        return found

    monkeypatch.setattr(dispatcher.books, "find", slowly)
    assert await dispatcher.settle("i1") == 0
    assert (await dispatcher.intent("i1")).state == "uncertain"


async def test_the_clock_of_another_holder_proves_nothing(dispatcher: Dispatcher) -> None:
    """Whose call it was kept its clock some minutes behind: the server's time counts from when we took over."""
    await begin(dispatcher)
    dispatcher.books.fate = "lost before"
    await dispatcher.send("i1")
    dispatcher.clock.seconds = TIMEOUT_SECONDS + SERVER_SECONDS
    await dispatcher.take_over()
    assert await dispatcher.settle("i1") == 0
    dispatcher.clock.seconds += SERVER_SECONDS
    assert await dispatcher.settle("i1") == 1
    assert (await dispatcher.intent("i1")).state == "ready"


@pytest.mark.parametrize("status", ["deleted", "voided"])
async def test_an_update_of_what_is_gone_meanwhile_parks(
    dispatcher: Dispatcher, status: Literal["deleted", "voided"]
) -> None:
    """It was planned while the document stood; sent now, it would fail, or bring a voided invoice back to life."""
    change = await linked(dispatcher, {"Id": "5", "SyncToken": "0", "DocNumber": "1001", "Line": []})
    line: JsonObject = {"Amount": Decimal("11.00"), "DetailType": "SalesItemLineDetail"}
    body = Document.of("Invoice", {"DocNumber": "1001", "Line": [line]})
    await dispatcher.write(planned(change, ORDER, "i2", operation="update", body=body))
    await dispatcher.write(books("Invoice", "5", {"Id": "5", "SyncToken": "1"}, status))
    prepared = await dispatcher.outbox.prepare(await dispatcher.intent("i2"))
    assert isinstance(prepared, done.IntentParked)
    assert (prepared.code, status in prepared.reason) == (f"{status}_in_books", True)


async def test_a_void_of_what_is_void_already_is_needless(dispatcher: Dispatcher) -> None:
    change = await linked(dispatcher, {"Id": "5", "SyncToken": "0", "DocNumber": "1001"})
    await dispatcher.write(planned(change, ORDER, "i2", operation="void", body=Document.of("Invoice", {})))
    await dispatcher.write(books("Invoice", "5", {"Id": "5", "SyncToken": "1"}, "voided"))
    assert isinstance(await dispatcher.outbox.prepare(await dispatcher.intent("i2")), Needless)


async def test_a_search_that_fails_proves_nothing(dispatcher: Dispatcher) -> None:
    await begin(dispatcher)
    dispatcher.books.fate = "lost before"
    await dispatcher.send("i1")
    dispatcher.clock.seconds = 10 * (TIMEOUT_SECONDS + SERVER_SECONDS)
    dispatcher.books.readable = False
    with pytest.raises(BooksUnreadableError):
        await dispatcher.settle("i1")
    assert (await dispatcher.intent("i1")).state == "uncertain"


async def test_each_member_of_a_lost_batch_is_settled_by_its_own_evidence(dispatcher: Dispatcher) -> None:
    for number in (1, 2):
        change = await dispatcher.write(observed(str(number)))
        await dispatcher.write(create(change, f"i{number}", f"shop:order:{number}"))
    (call,) = await dispatcher.calls_for("i1", "i2")
    assert [item.batch_id for item in call.items] == ["1", "2"]
    dispatcher.books.fate = "lost before"
    await dispatcher.send("i1", "i2")
    sign = call.items[1].body.fields()["PrivateNote"]
    dispatcher.books.put("Invoice", {"Id": "5", "SyncToken": "0", "DocNumber": "1001", "PrivateNote": sign})
    assert await dispatcher.settle("i1", "i2") == 1
    assert [(await dispatcher.intent(one)).state for one in ("i1", "i2")] == ["uncertain", "accepted"]


async def test_each_member_of_a_batch_ends_in_the_trace_of_its_own_plan(dispatcher: Dispatcher) -> None:
    traces = {f"i{number}": f"00-{number:032x}-{number:016x}-01" for number in (1, 2)}
    for number in (1, 2):
        change = await dispatcher.write(observed(str(number)))
        await dispatcher.write(create(change, f"i{number}", f"shop:order:{number}"))
    (call,) = await dispatcher.calls_for("i1", "i2")
    await dispatcher.sender.send(call, traces=traces)
    ends = [one for one in await dispatcher.log.read(COMPANY, limit=100) if one.event_type == "intent.accepted"]
    assert {str(one.light()["intent_id"]): one.trace for one in ends} == traces


async def lost_update(dispatcher: Dispatcher, shown: JsonObject) -> str:
    """What becomes of an update to number 1002, from token 0, whose answer was lost, if the books then show this."""
    change = await linked(dispatcher, {"Id": "5", "SyncToken": "0", "DocNumber": "1001"})
    update = planned(change, ORDER, "i2", operation="update", body=Document.of("Invoice", {"DocNumber": "1002"}))
    await dispatcher.write(update)
    dispatcher.books.fate = "lost before"
    await dispatcher.send("i2")
    dispatcher.books.put("Invoice", {"Id": "5", **shown})
    await dispatcher.settle("i2")
    return (await dispatcher.intent("i2")).state


async def test_an_update_that_shows_is_accepted(dispatcher: Dispatcher) -> None:
    assert await lost_update(dispatcher, {"SyncToken": "1", "DocNumber": "1002"}) == "accepted"


async def test_an_update_that_somebody_overtook_is_read_afresh(dispatcher: Dispatcher) -> None:
    assert await lost_update(dispatcher, {"SyncToken": "1", "DocNumber": "7"}) == "refetch"


async def test_an_update_at_the_old_token_may_still_come(dispatcher: Dispatcher) -> None:
    assert await lost_update(dispatcher, {"SyncToken": "0", "DocNumber": "1001"}) == "uncertain"
    dispatcher.clock.seconds = TIMEOUT_SECONDS + SERVER_SECONDS
    assert await dispatcher.settle("i2") == 1
    assert (await dispatcher.intent("i2")).state == "ready"


async def test_a_void_that_shows_is_accepted(dispatcher: Dispatcher) -> None:
    change = await linked(dispatcher, {"Id": "5", "SyncToken": "0", "DocNumber": "1001"})
    await dispatcher.write(planned(change, ORDER, "i2", operation="void", body=Document.of("Invoice", {})))
    dispatcher.books.fate = "lost before"
    await dispatcher.send("i2")
    assert await dispatcher.settle("i2") == 0
    dispatcher.books.put("Invoice", {"Id": "5", "SyncToken": "1", "PrivateNote": "Voided", "TotalAmt": 0}, "voided")
    assert await dispatcher.settle("i2") == 1
    assert (await dispatcher.intent("i2")).state == "accepted"


async def clash(dispatcher: Dispatcher, mapping: str, entity: str = "Customer") -> list[Event]:
    """A new customer whose name is taken; what is decided of it."""
    await dispatcher.write(MappingRecorded(connection="shop", digest="d", text=mapping))
    await begin(dispatcher, named)
    refusal = Refused(code="6240", kind="adopt", reason="Duplicate name.", fix="Rename it.", then="adopt")
    dispatcher.books.refusals["i1"] = refusal
    dispatcher.books.put(entity, {"Id": "58", "SyncToken": "4", "DisplayName": "Ann & Sons"})
    await dispatcher.send("i1")
    return await dispatcher.settler.adopt(await dispatcher.intent("i1"))


async def test_a_taken_name_is_adopted_where_the_mapping_says_so(dispatcher: Dispatcher) -> None:
    decision, update = await clash(dispatcher, ADOPTING)
    assert isinstance(decision, done.IntentAccepted)
    assert (decision.how, decision.document_id, decision.sync_token) == ("adopted", "58", str(4))
    assert isinstance(update, done.IntentPlanned)
    assert (update.operation, update.record_key, update.change) == ("update", CUSTOMER, decision.change)


async def test_a_vendor_of_that_name_does_not_stand_for_a_customer(dispatcher: Dispatcher) -> None:
    (decision,) = await clash(dispatcher, ADOPTING, "Vendor")
    assert isinstance(decision, done.IntentParked)
    assert "Vendor 58" in decision.reason


async def test_a_taken_name_is_parked_with_both_records_shown(dispatcher: Dispatcher) -> None:
    (decision,) = await clash(dispatcher, PARKING)
    assert isinstance(decision, done.IntentParked)
    for word in (CUSTOMER, "Customer 58", "no source of ours"):
        assert word in decision.reason
    # A decision stands in the log in the clear: whose name it is stays under its seal.
    assert "Ann" not in decision.reason
    assert "Rename" in decision.fix
    assert "58" not in decision.outside
    assert "the name is already that of something else in QuickBooks" in decision.outside


async def test_what_stands_for_another_record_is_never_adopted(dispatcher: Dispatcher) -> None:
    owner = await dispatcher.write(observed("7"))
    body = Document.of("Customer", {"DisplayName": "Ann & Sons"})
    other = planned(owner, "shop:customer:7", "i7", entity="Customer", body=body)
    shown: JsonObject = {"Id": "58", "SyncToken": "4", "DisplayName": "Ann & Sons"}
    mine = accepted(owner, "shop:customer:7", "i7", "r7", shown).model_copy(update={"entity": "Customer"})
    await dispatcher.write(other, sent("r7", (owner, "shop:customer:7", "i7")), mine)
    (decision,) = await clash(dispatcher, ADOPTING)
    assert isinstance(decision, done.IntentParked)
    assert "shop:customer:7" in decision.reason
    assert "7" not in decision.outside


async def test_our_own_number_found_taken_is_our_own_document(dispatcher: Dispatcher) -> None:
    """An earlier attempt had its effect after all: the refusal 6140 leads to it, by its marker."""
    await begin(dispatcher)
    (call,) = await dispatcher.calls_for("i1")
    sign = call.items[0].body.fields()["PrivateNote"]
    dispatcher.books.put("Invoice", {"Id": "5", "SyncToken": "0", "DocNumber": "1001", "PrivateNote": sign})
    refusal = Refused(code="6140", kind="adopt", reason="Duplicate number.", fix="Renumber.", then="adopt")
    dispatcher.books.refusals["i1"] = refusal
    await dispatcher.send("i1")
    (decision,) = await dispatcher.settler.adopt(await dispatcher.intent("i1"))
    assert isinstance(decision, done.IntentAccepted)
    assert (decision.how, decision.document_id) == ("found", "5")


async def test_whoever_lost_the_lease_sends_nothing(dispatcher: Dispatcher) -> None:
    await begin(dispatcher)
    (call,) = await dispatcher.calls_for("i1")
    dispatcher.clock.seconds = 3_601
    assert await dispatcher.log.acquire(COMPANY, "another", 60.0) is not None
    with pytest.raises(LeaseLostError):
        await dispatcher.sender.send(call, traces={})
    assert dispatcher.books.sent == []


async def test_whoever_lost_the_lease_records_nothing_that_it_read(dispatcher: Dispatcher) -> None:
    """It read before it stalled: recorded now, that would count as newer than what was read since."""
    dispatcher.clock.seconds = 3_601
    assert await dispatcher.log.acquire(COMPANY, "another", 60.0) is not None
    with pytest.raises(LeaseLostError):
        await dispatcher.session.receive([NewEvent(event=observed("1"))])
    assert list(await dispatcher.events()) == []


async def test_a_write_back_is_repeated_only_once_its_time_has_passed(dispatcher: Dispatcher) -> None:
    """Until then the lost call may still be on its way, and newer values must not overtake it."""
    change = await dispatcher.write(observed("1"))
    body = Document.of("order", {"state": "paid"})
    plan = planned(change, ORDER, "i1", target="shop", entity="order", operation="write_back", body=body)
    call = sent("r", (change, ORDER, "i1")).model_copy(update={"target": "shop"})
    lost = done.IntentUncertain(change=change, record_key=ORDER, intent_id="i1", request_id="r", reason="No answer.")
    await dispatcher.write(plan, call, lost)
    dispatcher.clock.seconds = float(call.deadline_seconds) - 1
    # What has elapsed counts, not a time of day that jumps.
    dispatcher.clock.ahead_seconds = 1200.0
    assert await dispatcher.settle("i1") == 0
    dispatcher.clock.ahead_seconds = -1200.0
    dispatcher.clock.seconds += 1
    assert await dispatcher.settle("i1") == 1
    assert (await dispatcher.intent("i1")).state == "ready"


async def test_batches_hold_thirty_and_names_go_alone(dispatcher: Dispatcher) -> None:
    intents: list[str] = []
    for number in range(65):
        change = await dispatcher.write(observed(str(number)))
        intents.append(f"i{number}")
        await dispatcher.write(create(change, f"i{number}", f"shop:order:{number}"))
    change = await dispatcher.write(observed("c"))
    await dispatcher.write(named(change, "name"))
    calls = await dispatcher.calls_for(*intents, "name")
    assert [len(call.items) for call in calls] == [1, 30, 30, 5]
    assert calls[0].items[0].entity == "Customer"
    assert not calls[0].call.is_batch
    for call in calls[1:]:
        assert [item.batch_id for item in call.items] == [str(n) for n in range(1, len(call.items) + 1)]
    sent_intents = [item.intent_id for call in calls for item in call.items]
    assert sorted(sent_intents) == sorted([*intents, "name"])
    assert len({call.call.request_id for call in calls}) == len(calls)


async def test_an_update_builds_on_what_the_books_show_now(dispatcher: Dispatcher) -> None:
    """A bookkeeper's line stays, and the token is that of the last reading."""
    ours: JsonObject = {"Id": "1", "Amount": Decimal("9.50"), "DetailType": "SalesItemLineDetail"}
    change = await linked(dispatcher, {"Id": "5", "SyncToken": "0", "DocNumber": "1001", "Line": [ours]})
    theirs: JsonObject = {"Id": "2", "Amount": Decimal("3.00"), "DetailType": "SalesItemLineDetail"}
    edited: JsonObject = {"Id": "5", "SyncToken": "1", "DocNumber": "1001", "Line": [ours, theirs]}
    await dispatcher.write(books("Invoice", "5", edited))
    new: JsonObject = {"Amount": Decimal("11.00"), "DetailType": "SalesItemLineDetail"}
    body = Document.of("Invoice", {"DocNumber": "1001", "Line": [new]})
    await dispatcher.write(planned(change, ORDER, "i2", operation="update", body=body))
    (call,) = await dispatcher.calls_for("i2")
    sent_body = call.items[0].body.fields()
    assert sent_body["SyncToken"] == str(1)
    lines = sent_body["Line"]
    assert isinstance(lines, list)
    assert Decimal("3.00") in [line["Amount"] for line in lines if isinstance(line, dict)]


CLOSED_IN_MARCH = PreferencesObserved(
    content_hash="h",
    home_currency="USD",
    multi_currency=False,
    custom_numbers=True,
    class_tracking=False,
    department_tracking=False,
    closed_until=date(2026, 3, 31),
)


async def test_a_period_closed_since_the_plan_parks_before_anything_is_sent(dispatcher: Dispatcher) -> None:
    change = await begin(dispatcher, dated)
    await dispatcher.write(CLOSED_IN_MARCH)
    parked = await dispatcher.outbox.prepare(await dispatcher.intent("i1"))
    assert isinstance(parked, done.IntentParked)
    await dispatcher.write(parked)
    row = await dispatcher.change(change)
    assert (row.state, row.code) == ("parked", "period_closed")
    assert "closed to 2026-03-31" in row.reason
    assert dispatcher.books.sent == []


@pytest.mark.parametrize("operation", ["update", "void", "delete"])
async def test_a_document_of_a_closed_period_is_not_touched(dispatcher: Dispatcher, operation: str) -> None:
    """Not even to be dated into an open one: QuickBooks looks at the day on which it stands as well."""
    change = await linked(dispatcher, {"Id": "5", "SyncToken": "0", "TxnDate": "2026-03-30", "Line": []})
    await dispatcher.write(CLOSED_IN_MARCH)
    later = Document.of("Invoice", {"TxnDate": "2026-04-02"} if operation == "update" else {})
    await dispatcher.write(planned(change, ORDER, "i2", operation=operation, body=later))
    parked = await dispatcher.outbox.prepare(await dispatcher.intent("i2"))
    assert isinstance(parked, done.IntentParked)
    assert parked.code == "period_closed"
    assert "stands in QuickBooks on 2026-03-30, and the books are closed to 2026-03-31" in parked.reason
    assert dispatcher.books.sent == []
