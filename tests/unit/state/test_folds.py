"""Folds over histories as an engine could have written them: every change has one outcome, however it is folded."""

import asyncio
import random
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.state.rows import ChangeRow, DocumentRow, IntentRow, LinkRow, Row, SettlementRow
from counterfoil.testing.memory_state import MemoryStateStore
from counterfoil_schema.events import decisions as done
from counterfoil_schema.events import receipts as seen
from counterfoil_schema.events.base import Event, UnknownEventError
from counterfoil_schema.exact_json import JsonObject
from support.stories import Story, Written, accepted, books, observed, payment, planned, sent

COMPANY = 4
NOTHING = Decimal(0)
STATES = {"waiting", "applied", "unchanged", "skipped", "parked"}
chances = st.integers(0, 2**32).map(random.Random)


def told(chance: random.Random, steps: int) -> Story:
    story = Story(chance)
    story.tell(steps)
    return story


async def folded(events: list[Written], sizes: list[int] | None = None) -> MemoryStateStore:
    """The events folded in pages of these sizes, the last one over and over; one page if there are none."""
    store, rest, sizes = MemoryStateStore(), list(events), list(sizes or [max(len(events), 1)])
    while rest:
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        page = await store.fold(COMPANY, rest[:size])
        if page.error:
            break
        rest = rest[size:]
    return store


def changes_in(store: MemoryStateStore) -> dict[int, ChangeRow]:
    return {row.position: row for row in store.rows(COMPANY).values() if isinstance(row, ChangeRow)}


@settings(max_examples=150, deadline=None)
@given(chances, st.integers(1, 70))
def test_at_every_position_each_change_has_its_one_outcome(chance: random.Random, steps: int) -> None:
    story = told(chance, steps)

    async def follow() -> None:
        store = MemoryStateStore()
        for event in story.events:
            page = await store.fold(COMPANY, [event])
            assert page.error == ""
            rows = changes_in(store)
            found = Counter(row.state for row in rows.values())
            assert found.keys() <= STATES
            observations = [one for one in story.changes if one <= event.position]
            assert found.total() == len(observations)
            if event.position in story.tallies:
                assert story.tallies[event.position] == found, event
        final = {position: change.outcome for position, change in story.changes.items()}
        assert final == {position: row.state for position, row in changes_in(store).items()}

    asyncio.run(follow())


@settings(max_examples=60, deadline=None)
@given(chances, st.integers(1, 70), st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_pages_make_no_difference(chance: random.Random, steps: int, sizes: list[int]) -> None:
    story = told(chance, steps)
    whole, paged = asyncio.run(folded(story.events)), asyncio.run(folded(story.events, sizes))
    assert whole.rows(COMPANY) == paged.rows(COMPANY)
    assert asyncio.run(whole.checkpoint(COMPANY)) == asyncio.run(paged.checkpoint(COMPANY))


@settings(max_examples=60, deadline=None)
@given(chances, st.integers(1, 70))
def test_intents_and_their_change_tell_the_same(chance: random.Random, steps: int) -> None:
    store = asyncio.run(folded(told(chance, steps).events))
    intents = {row.intent_id: row.state for row in store.rows(COMPANY).values() if isinstance(row, IntentRow)}
    for change in changes_in(store).values():
        assert {intent_id: intents[intent_id] for intent_id in change.intents} == change.intents


@settings(max_examples=80, deadline=None)
@given(chances, st.integers(1, 60))
def test_settlements_add_up(chance: random.Random, steps: int) -> None:
    story = told(chance, steps)
    store = asyncio.run(folded(story.events))
    expected: Counter[str] = Counter()
    for applied in story.paid.values():
        for invoice_id, amount in applied.items():
            expected[invoice_id] += int(amount * 100)
    found: Counter[str] = Counter()
    for row in store.rows(COMPANY).values():
        if isinstance(row, SettlementRow):
            assert (row.credited, row.unapplied) == (NOTHING, NOTHING)
            found[row.invoice_id] += int(row.cash * 100)
    assert +expected == +found


class Unheard(Event):
    """An event type that no release knows."""

    event_type = "moon.landed"
    when = "Never."


class Undecodable(Written):
    async def event(self) -> Event:
        raise UnknownEventError("event type moon.landed is not known to this release")


POISONS: dict[str, Event] = {
    "never planned": accepted(1, "shop:order:a", "no such intent"),
    "never observed": done.ChangeSkipped(change=9_999, record_key="x:y:z", code="c", reason="r"),
    "no fold": Unheard(),
}


@settings(max_examples=60, deadline=None)
@given(chances, st.integers(0, 40), st.sampled_from(sorted(POISONS)), st.integers(1, 50))
def test_a_poisoned_event_stops_there_and_keeps_what_went_before(
    chance: random.Random, steps: int, poison: str, size: int
) -> None:
    story = told(chance, steps)
    place = len(story.events) + 1
    poisoned = [*story.events, Written(place, POISONS[poison]), Written(place + 1, observed("z"))]
    store = asyncio.run(folded(poisoned, [size]))
    stands = asyncio.run(store.checkpoint(COMPANY))
    assert (place - 1, "stopped") == (stands.position, stands.state)
    assert stands.error.startswith(f"{POISONS[poison].event_type} at {place}: ")
    assert asyncio.run(folded(story.events)).rows(COMPANY) == store.rows(COMPANY)


async def test_an_event_that_cannot_be_read_stops_there() -> None:
    store = MemoryStateStore()
    page = await store.fold(COMPANY, [Written(1, observed("a")), Undecodable(2, Unheard()), Written(3, observed("b"))])
    assert (page.position, page.stopped_at) == (1, 2)
    assert "not known to this release" in page.error
    assert list(changes_in(store)) == [1]


async def test_a_fold_that_stops_half_way_leaves_nothing_half_done() -> None:
    """The first item of the call is fine, the second was never planned: neither counts as sent."""
    store = MemoryStateStore()
    before = [Written(1, observed("a")), Written(2, planned(1, "shop:order:a", "i1"))]
    await store.fold(COMPANY, before)
    kept: dict[tuple[str, tuple[str, ...]], Row] = dict(store.rows(COMPANY))
    call = sent("r", (1, "shop:order:a", "i1"), (1, "shop:order:a", "no such intent"))
    page = await store.fold(COMPANY, [Written(3, call)])
    assert page.stopped_at == 3
    assert kept == store.rows(COMPANY)


async def test_what_may_have_had_an_effect_cannot_be_withdrawn() -> None:
    story = [
        observed("a"),
        planned(1, "shop:order:a", "i1"),
        sent("r", (1, "shop:order:a", "i1")),
        done.IntentWithdrawn(change=1, record_key="shop:order:a", intent_id="i1", code="c", reason="r"),
    ]
    store = MemoryStateStore()
    page = await store.fold(COMPANY, [Written(number, event) for number, event in enumerate(story, start=1)])
    assert page.stopped_at == 4
    assert "sent and cannot be withdrawn" in page.error


async def settled(*events: seen.BooksObserved) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
    """Cash, credited and unapplied per invoice and payment, after these readings."""
    store = await folded([Written(number, event) for number, event in enumerate(events, start=1)])
    return {
        f"{row.invoice_id} by {row.payment_id}": (row.cash, row.credited, row.unapplied)
        for row in store.rows(COMPANY).values()
        if isinstance(row, SettlementRow)
    }


def cash(amount: str) -> tuple[Decimal, Decimal, Decimal]:
    return Decimal(amount), NOTHING, NOTHING


async def test_one_payment_on_three_invoices_then_fewer_then_gone() -> None:
    three = payment("9", {"1": Decimal("10.00"), "2": Decimal("20.50"), "3": Decimal("0.01")})
    two = payment("9", {"1": Decimal("30.00"), "3": Decimal("0.51")})
    gone = payment("9", {}, status="deleted")
    zero = (NOTHING, NOTHING, NOTHING)
    first = {"1 by 9": cash("10.00"), "2 by 9": cash("20.50"), "3 by 9": cash("0.01")}
    assert first == await settled(three)
    assert {"1 by 9": cash("30.00"), "2 by 9": zero, "3 by 9": cash("0.51")} == await settled(three, two)
    assert dict.fromkeys(first, zero) == await settled(three, two, gone)


async def test_too_much_money_is_unapplied() -> None:
    paid = payment("9", {"1": Decimal("100.00")}, total=Decimal("130.00"))
    assert {"1 by 9": (Decimal("100.00"), NOTHING, Decimal("30.00"))} == await settled(paid)


async def test_a_credit_memo_is_no_money() -> None:
    tied = books(
        "Payment",
        "9",
        {
            "Id": "9",
            "SyncToken": "0",
            "TotalAmt": Decimal(0),
            "Line": [
                {"Amount": Decimal("40.00"), "LinkedTxn": [{"TxnId": "1", "TxnType": "Invoice"}]},
                {"Amount": Decimal("40.00"), "LinkedTxn": [{"TxnId": "77", "TxnType": "CreditMemo"}]},
            ],
        },
    )
    assert {"1 by 9": (NOTHING, Decimal("40.00"), NOTHING)} == await settled(tied)


async def test_an_older_reading_changes_nothing() -> None:
    """Readings overtake one another; SyncToken says which shows the document as it is."""
    paid, half = payment("p1", {"i1": Decimal(90)}, token=4), payment("p1", {"i1": Decimal(45)}, token=3)
    store = await folded([Written(1, paid), Written(2, half)])
    cash = [row.cash for row in store.rows(COMPANY).values() if isinstance(row, SettlementRow)]
    assert cash == [Decimal(90)]
    assert [row.state for row in changes_in(store).values()] == ["waiting", "skipped"]


async def test_what_was_deleted_does_not_come_back() -> None:
    gone, late = payment("p1", {}, status="deleted", token=4), payment("p1", {"i1": Decimal(45)}, token=4)
    store = await folded([Written(1, gone), Written(2, late)])
    assert not [row for row in store.rows(COMPANY).values() if isinstance(row, SettlementRow) and row.cash]


@pytest.mark.parametrize(("seen_token", "latest"), [("2", 4), ("1", 5), ("10", 4)])
async def test_a_newer_reading_counts_though_our_answer_is_recorded_after_it(seen_token: str, latest: int) -> None:
    """A payment moved the invoice on before our own answer was recorded: the next update builds on that reading."""
    answered: JsonObject = {"Id": "5", "SyncToken": "1", "DocNumber": "1001"}
    story = [
        observed("a"),
        planned(1, "shop:order:a", "i1"),
        sent("r", (1, "shop:order:a", "i1")),
        books("Invoice", "5", {**answered, "SyncToken": seen_token, "Balance": Decimal(3)}),
        accepted(1, "shop:order:a", "i1", "r", answered),
    ]
    store = await folded([Written(number, event) for number, event in enumerate(story, start=1)])
    (link,) = (row for row in store.rows(COMPANY).values() if isinstance(row, LinkRow))
    assert (link.image, link.latest) == (5, latest)
    assert link.sync_token == max(seen_token, "1", key=int)
    (document,) = (row for row in store.rows(COMPANY).values() if isinstance(row, DocumentRow))
    assert (document.position, document.sync_token, document.record_key) == (latest, link.sync_token, "shop:order:a")
