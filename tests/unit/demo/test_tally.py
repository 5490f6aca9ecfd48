"""Counting the log: what became of lost answers, what people entered, and amounts that are whole cents."""

from decimal import Decimal

import pytest

from counterfoil.demo.actual import read_log
from counterfoil.demo.collect import payroll_of
from counterfoil.demo.generator import make_sample
from counterfoil.demo.loading import gusto_load
from counterfoil.demo.sample import FAST
from counterfoil.demo.tally import Doubt, Tally, cents
from counterfoil.log import Append, EventCodec, NewEvent
from counterfoil.testing.memory_log import MemoryKeyring, MemoryLog
from counterfoil_schema import exact_json
from counterfoil_schema.events import decisions as done
from counterfoil_schema.events.base import Event
from counterfoil_schema.exact_json import JsonObject
from support.dispatching import COMPANY, MovedClock
from support.seeded import SeededEntropy
from support.stories import accepted, books, payment, rejected, sent

ORDER = "shop:order:1"


async def tally_of(*events: Event) -> Tally:
    """The tally of a log with these events."""
    clock, entropy = MovedClock(), SeededEntropy()
    log = MemoryLog(EventCodec(MemoryKeyring(entropy), clock=clock, entropy=entropy), clock=clock)
    lease = await log.acquire(COMPANY, "me", 60)
    assert lease is not None
    for event in events:
        await log.append(Append(COMPANY, [NewEvent(event=event)], epoch=lease.epoch if event.decision else None))
    tally = Tally(COMPANY)
    assert await tally.catch_up(log)
    assert not await tally.catch_up(log)
    return tally


def uncertain(intent_id: str) -> done.IntentUncertain:
    return done.IntentUncertain(change=1, record_key=ORDER, intent_id=intent_id, request_id="r", reason="Lost.")


def absent(intent_id: str) -> done.IntentAbsent:
    return done.IntentAbsent(change=1, record_key=ORDER, intent_id=intent_id, request_id="r", evidence="Not there.")


def invoice(lines: dict[str, Decimal], customer: str = "7") -> JsonObject:
    return {
        "Id": "12",
        "SyncToken": "0",
        "DocNumber": "101",
        "TxnDate": "2026-03-31",
        "CustomerRef": {"value": customer},
        "TotalAmt": sum(lines.values(), Decimal(0)),
        "Balance": Decimal(0),
        "Line": [
            {
                "Amount": amount,
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": {"ItemRef": {"value": item}},
            }
            for item, amount in lines.items()
        ],
    }


async def test_a_lost_answer_ends_found_or_sent_again_or_stays_open() -> None:
    found = accepted(1, ORDER, "found").model_copy(update={"how": "found"})
    tally = await tally_of(
        sent("r", *((1, ORDER, name) for name in ("found", "late", "absent", "open", "plain"))),
        *(uncertain(name) for name in ("found", "late", "absent", "open")),
        found,
        absent("absent"),
        accepted(1, ORDER, "absent"),
        accepted(1, ORDER, "late"),
        accepted(1, ORDER, "plain"),
    )
    assert tally.doubts == {
        "found": Doubt("Invoice", "found"),
        "late": Doubt("Invoice", "repeated"),
        "absent": Doubt("Invoice", "sent again"),
        "open": Doubt("Invoice", "open"),
    }


async def test_refusals_are_counted_by_code_and_consequence() -> None:
    refused = [rejected(1, ORDER, name, "refetch") for name in ("a", "b")]
    assert (await tally_of(*refused)).refusals == {("6000", "refetch"): 2}


async def test_a_deleted_payment_leaves_nothing_behind() -> None:
    kept, gone = payment("1", {"12": Decimal("5.25")}), payment("2", {"12": Decimal(1)})
    tally = await tally_of(kept, gone, payment("2", {}, status="deleted"))
    assert read_log(tally, {}).accounts == {"Undeposited Funds": 525, "Accounts Receivable (A/R)": -525}


async def test_a_line_of_an_item_that_is_not_ours_is_freight() -> None:
    item = accepted(1, "shop:product:1", "item", document={"Id": "5"}).model_copy(update={"entity": "Item"})
    ours = accepted(2, ORDER, "i", document=invoice({"5": Decimal("10.10")}))
    theirs = books("Invoice", "12", invoice({"5": Decimal("10.10"), "6": Decimal("0.90")}))
    logged = read_log(await tally_of(item, ours, theirs), {})
    assert logged.accounts == {
        "Sales of Product Income": -1010,
        "Freight Income": -90,
        "Accounts Receivable (A/R)": 1100,
    }
    assert [(one.number, one.day, one.cents) for one in logged.invoices] == [("101", "2026-03-31", 1100)]


async def test_a_document_that_nobody_accepted_is_no_document_of_ours() -> None:
    tally = await tally_of(books("Invoice", "12", invoice({"5": Decimal(1)})))
    assert tally.documents == {}


@pytest.mark.parametrize(
    ("amount", "whole"), [(3, 300), (Decimal("3.10"), 310), ("-0.01", -1), (Decimal("1E+2"), 10_000)]
)
def test_amounts_are_whole_cents(amount: object, whole: int) -> None:
    assert cents(amount) == whole


@pytest.mark.parametrize("amount", [Decimal("0.001"), None, True, 1.5])
def test_what_is_no_amount_in_cents_is_refused(amount: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        cents(amount)


def test_gustos_own_figures_balance_and_leave_out_what_is_not_approved() -> None:
    sample = make_sample(2, FAST)
    load = exact_json.loads_object(exact_json.dumps(gusto_load(sample)))
    first, second = (run.uuid for run in sample.pay_runs)
    accounts, runs = payroll_of(load, {first})
    assert sum(accounts.values()) == 0
    assert set(runs) == {first}
    assert runs[first] == sum(amount for amount in accounts.values() if amount > 0)
    assert set(payroll_of(load, {first, second})[1]) == {first, second}
