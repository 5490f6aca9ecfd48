"""What the source of a parked record is told, when again, and when it is taken back."""

from typing import Literal

import pytest

from counterfoil.cli.tasks.figures import refused_notes
from counterfoil.dispatch.mappings import Mappings
from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.telling import Teller
from counterfoil.dispatch.view import ViewLoader
from counterfoil.dispatch.write_back_plans import WriteBackPlans
from counterfoil.postgres import Pool
from counterfoil_schema.events import decisions as done
from counterfoil_schema.events.receipts import MappingRecorded, OperatorRequested, SourceRemoved
from support.dispatching import COMPANY, Dispatcher
from support.postgres import Database
from support.stories import accepted, books, observed, planned, rejected, sent

ORDER = "shop:order:1"
MAPPING = """
[connection]
source = "shop"
zone = "UTC"

[write_back]
status = "state"
problem = "trouble"
"""


class Told:
    """A company whose shop wants to be told."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        events = LogEvents(dispatcher.log)
        view = ViewLoader(company=COMPANY, store=dispatcher.store, events=events, hashes=dispatcher.keyring)
        self.mappings = Mappings(company=COMPANY, store=dispatcher.store, events=events)
        plans = WriteBackPlans(
            company=COMPANY,
            store=dispatcher.store,
            events=events,
            view=view,
            mappings=self.mappings,
            in_flight=dispatcher.in_flight,
        )
        self.teller = Teller(
            session=dispatcher.session,
            store=dispatcher.store,
            events=events,
            mappings=self.mappings,
            plans=plans,
            connections=("shop",),
            in_flight=dispatcher.in_flight,
        )

    async def note(self) -> done.IntentPlanned | None:
        """What is planned to be told now; None if there is nothing to tell."""
        self.mappings.forget()
        if not await self.teller.tell(await self.dispatcher.folder.to_head()):
            return None
        last = await self.dispatcher.last()
        assert isinstance(last, done.IntentPlanned)
        await self.dispatcher.folder.to_head()
        assert not await self.teller.tell(await self.dispatcher.folder.to_head()), "told once, it is told"
        return last

    async def told(self) -> dict[str, str]:
        """The values of the note that is planned now, which the source takes."""
        note = await self.note()
        assert note is not None
        await self.dispatcher.write(sent("r", (note.change, ORDER, note.intent_id)))
        await self.dispatcher.write(accepted(note.change, ORDER, note.intent_id))
        return {name: str(value) for name, value in note.body.fields().items()}

    async def park(self, reason: str = "No lines.", mark: str = "h") -> int:
        change = await self.dispatcher.write(observed("1", mark))
        await self.dispatcher.write(parked(change, reason))
        return change


def parked(change: int, reason: str = "No lines.") -> done.ChangeParked:
    return done.ChangeParked(change=change, record_key=ORDER, code="no-lines", reason=reason, fix="Add some.")


@pytest.fixture
async def shop(database: Database, pool: Pool) -> Told:
    made = Dispatcher(pool, database.names)
    await made.open()
    await made.write(MappingRecorded(connection="shop", digest="d", text=MAPPING))
    return Told(made)


async def test_a_parked_record_is_told_why_once_and_stays_parked(shop: Told) -> None:
    change = await shop.park()
    assert await shop.told() == {"trouble": "No lines. Add some."}
    row = await shop.dispatcher.change(change)
    assert (row.state, row.code, row.reason, row.intents) == ("parked", "no-lines", "No lines.", {})
    assert await shop.note() is None


async def test_without_a_property_nothing_is_told(shop: Told) -> None:
    text = MAPPING.replace('problem = "trouble"', "")
    await shop.dispatcher.write(MappingRecorded(connection="shop", digest="e", text=text))
    await shop.park()
    assert await shop.note() is None


async def test_another_try_that_fails_is_told_anew(shop: Told) -> None:
    change = await shop.park()
    await shop.told()
    await shop.dispatcher.write(done.ChangeReopened(change=change, record_key=ORDER, reason="Ann asked."))
    assert await shop.note() is None, "not before it is decided"
    await shop.dispatcher.write(parked(change, "Still no lines."))
    assert await shop.told() == {"trouble": "Still no lines. Add some."}


async def test_a_refusal_of_the_books_is_told_and_taken_back_once_it_is_applied(shop: Told) -> None:
    change = await shop.dispatcher.write(observed("1"))
    await shop.dispatcher.write(planned(change, ORDER, "i1"))
    assert await shop.note() is None
    await shop.dispatcher.write(sent("r", (change, ORDER, "i1")), rejected(change, ORDER, "i1", "park"))
    assert "trouble" in await shop.told()
    again = await shop.dispatcher.write(observed("1", "other"))
    await shop.dispatcher.write(planned(again, ORDER, "i2"))
    assert await shop.note() is None, "not before it has an end"
    await shop.dispatcher.write(sent("s", (again, ORDER, "i2")), accepted(again, ORDER, "i2"))
    assert await shop.told() == {"state": "paid", "trouble": ""}


@pytest.mark.parametrize("end", ["unchanged", "skipped"])
async def test_what_calls_for_nothing_any_more_clears_it(shop: Told, end: str) -> None:
    await shop.park()
    await shop.told()
    change = await shop.dispatcher.write(observed("1", "other"))
    decisions: dict[str, done.Decision] = {
        "unchanged": done.ChangeUnchanged(change=change, record_key=ORDER, proof="h", reason="Same."),
        "skipped": done.ChangeSkipped(change=change, record_key=ORDER, code="not-won", reason="Lost."),
    }
    await shop.dispatcher.write(decisions[end])
    assert await shop.told() == {"trouble": ""}
    assert await shop.note() is None


async def test_an_operator_s_skip_clears_it_and_leaves_the_note_alone(shop: Told) -> None:
    """Even where the note waits or was refused: it is no part of what is to be skipped."""
    change = await shop.park()
    note = await shop.note()
    assert note is not None
    await shop.dispatcher.write(OperatorRequested(action="skip", record_key=ORDER, author="Ann"))
    assert await shop.dispatcher.requests.take(await shop.dispatcher.folder.to_head())
    row = await shop.dispatcher.change(change)
    assert (row.state, row.code) == ("skipped", "operator")
    assert (await shop.dispatcher.intent(note.intent_id)).state == "ready"
    assert await shop.told() == {"trouble": ""}
    assert (await shop.dispatcher.intent(note.intent_id)).state == "withdrawn", "the newer values overtake it"


async def refused_note(shop: Told) -> done.IntentPlanned:
    """A record is parked, and its source does not take down why."""
    change = await shop.park()
    note = await shop.note()
    assert note is not None
    await shop.dispatcher.write(sent("r", (change, ORDER, note.intent_id)))
    await shop.dispatcher.write(rejected(change, ORDER, note.intent_id, "park"))
    return note


async def refused(shop: Told) -> list[str]:
    """The records whose notes are shown to people as refused."""
    return [one.record_key for one in await refused_notes(shop.dispatcher.store, COMPANY)]


async def ask(shop: Told, action: Literal["retry", "skip"]) -> None:
    await shop.dispatcher.write(OperatorRequested(action=action, record_key=ORDER, author="Ann"))
    assert await shop.dispatcher.requests.take(await shop.dispatcher.folder.to_head())
    await shop.dispatcher.folder.to_head()


async def test_a_note_that_the_source_refuses_is_not_repeated_but_shown(shop: Told) -> None:
    note = await refused_note(shop)
    assert (await shop.dispatcher.change(note.change)).code == "no-lines"
    assert await shop.note() is None
    (shown,) = await refused_notes(shop.dispatcher.store, COMPANY)
    assert (shown.record_key, shown.target, shown.position) == (ORDER, "shop", note.change)
    assert (shown.code, shown.reason, shown.fix) == ("6000", "Refused.", "Mend it.")


async def test_a_refused_note_is_no_longer_shown_once_a_newer_one_was_taken(shop: Told) -> None:
    await refused_note(shop)
    await shop.park("No date.", "other")
    assert await shop.told() == {"trouble": "No date. Add some."}
    assert await refused(shop) == []


async def test_another_try_of_what_is_parked_tells_it_afresh(shop: Told) -> None:
    note = await refused_note(shop)
    await ask(shop, "retry")
    assert (await shop.dispatcher.change(note.change)).state == "waiting"
    await shop.dispatcher.write(parked(note.change, "Still no lines."))
    assert await shop.told() == {"trouble": "Still no lines. Add some."}
    assert await refused(shop) == []


async def cleared_in_vain(shop: Told) -> done.IntentPlanned:
    """A note was taken, its record is mended, and the source does not take the note back."""
    await shop.park()
    await shop.told()
    change = await shop.dispatcher.write(observed("1", "other"))
    await shop.dispatcher.write(done.ChangeSkipped(change=change, record_key=ORDER, code="not-won", reason="Lost."))
    note = await shop.note()
    assert note is not None
    await shop.dispatcher.write(sent("s", (change, ORDER, note.intent_id)))
    await shop.dispatcher.write(rejected(change, ORDER, note.intent_id, "park"))
    assert await shop.note() is None
    assert await refused(shop) == [ORDER]
    return note


async def test_another_try_of_a_note_alone_sends_it_again_under_an_id_of_its_own(shop: Told) -> None:
    note = await cleared_in_vain(shop)
    before = await shop.dispatcher.intent(note.intent_id)
    await ask(shop, "retry")
    row = await shop.dispatcher.intent(note.intent_id)
    assert (row.state, row.attempts, row.generation) == ("ready", 0, 1)
    assert before.generation == row.generation
    assert (await shop.dispatcher.change(note.change)).state == "skipped", "it tells of the change, and decides nothing"
    assert await refused(shop) == []
    await shop.dispatcher.write(sent("t", (note.change, ORDER, note.intent_id)))
    await shop.dispatcher.write(accepted(note.change, ORDER, note.intent_id))
    assert await shop.note() is None


async def test_a_refused_note_can_be_given_up(shop: Told) -> None:
    note = await cleared_in_vain(shop)
    await ask(shop, "skip")
    row = await shop.dispatcher.intent(note.intent_id)
    assert (row.state, row.code) == ("withdrawn", "operator")
    assert await refused(shop) == []
    assert await shop.note() is None


@pytest.mark.parametrize(
    ("outside", "told"),
    [
        ("The name is taken. (6240)", "The name is taken. (6240) Mend it."),
        ("", "QuickBooks cannot take it (6000). Mend it."),
    ],
)
async def test_what_quickbooks_says_of_others_is_not_passed_on(shop: Told, outside: str, told: str) -> None:
    change = await shop.dispatcher.write(observed("1"))
    await shop.dispatcher.write(planned(change, ORDER, "i1"), sent("r", (change, ORDER, "i1")))
    refusal = rejected(change, ORDER, "i1", "park").model_copy(
        update={"reason": "The name is taken. (QuickBooks 6240: Bob Miller and you were working on this.)"}
    )
    await shop.dispatcher.write(refusal.model_copy(update={"outside": outside}))
    assert await shop.told() == {"trouble": told}
    assert "Bob Miller" in (await shop.dispatcher.change(change)).reason


async def test_what_only_another_source_knows_is_not_passed_on(shop: Told) -> None:
    change = await shop.dispatcher.write(observed("1"))
    known = parked(change, "Order 1 bears the same name as employee 7b1e (gusto).")
    other = "Order 1 bears the same name as something from another source."
    await shop.dispatcher.write(known.model_copy(update={"outside": other}))
    assert await shop.told() == {"trouble": f"{other} Add some."}


async def test_an_intent_that_was_parked_by_evidence_is_told_in_the_words_for_outside(shop: Told) -> None:
    change = await shop.dispatcher.write(observed("1"))
    await shop.dispatcher.write(planned(change, ORDER, "i1"))
    clash = done.IntentParked(
        change=change,
        record_key=ORDER,
        intent_id="i1",
        code="6140",
        reason="The number is that of Invoice 9, which stands for gusto:payroll:1.",
        fix="Renumber.",
        outside="The number is that of something else in QuickBooks.",
    )
    await shop.dispatcher.write(clash)
    assert await shop.told() == {"trouble": "The number is that of something else in QuickBooks. Renumber."}


async def test_nothing_overtakes_a_note_on_its_way(shop: Told) -> None:
    change = await shop.park()
    note = await shop.note()
    assert note is not None
    await shop.dispatcher.write(sent("r", (change, ORDER, note.intent_id)))
    await shop.park("No date.", "other")
    assert await shop.note() is None
    await shop.dispatcher.write(accepted(change, ORDER, note.intent_id))
    assert await shop.told() == {"trouble": "No date. Add some."}


async def test_values_planned_before_the_park_was_known_do_not_count_as_having_told_it(shop: Told) -> None:
    change = await shop.dispatcher.write(observed("1"))
    seen = await shop.dispatcher.write(books("Invoice", "5", {"Id": "5", "SyncToken": "0"}))
    back = planned(seen, ORDER, "back", target="shop", entity="order", operation="write_back")
    await shop.dispatcher.write(parked(change), back)
    assert (await shop.note()) is not None


async def test_a_record_that_is_gone_is_told_nothing(shop: Told) -> None:
    await shop.park()
    await shop.told()
    gone = SourceRemoved(connection="shop", source_kind="order", source_id="1", how="poll", evidence="It says so.")
    change = await shop.dispatcher.write(gone)
    await shop.dispatcher.write(parked(change))
    assert await shop.note() is None
