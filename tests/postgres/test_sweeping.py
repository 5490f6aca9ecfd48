"""Sweeps of the books, against the emulator: nothing missed, nothing believed unseen, nothing asked twice."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest

from counterfoil.dispatch.books import BooksUnreadableError
from counterfoil.dispatch.sweeping import LEFT_OUT
from counterfoil.dispatch.watched import BOOKS, POLLED_LISTS
from counterfoil.postgres import Pool
from counterfoil_schema.events.decisions import Lane
from counterfoil_schema.events.receipts import CoverageChecked, DirectoryObserved
from counterfoil_schema.exact_json import JsonObject
from support.dispatching import COMPANY
from support.postgres import Database
from support.watching import Watching, watching

LEFT_OUT_OF_CDC = {"JournalCode", "TaxAgency", "TaxCode", "TaxRate", "TimeActivity"}
"""Intuit's page on change data capture."""


@pytest.fixture
async def scene(database: Database, pool: Pool) -> AsyncIterator[Watching]:
    async with watching(pool, database.names) as made:
        await made.sweeper.begin(first=True)
        yield made


async def test_one_call_shows_what_changed_of_every_kind(scene: Watching) -> None:
    customer = scene.customer("Ann")
    scene.write("Vendor", {"DisplayName": "Bo"})
    before = len(scene.calls())
    await scene.sweep()
    ((kind, path),) = [call for call in scene.calls()[before:] if call[0] == "cdc"]
    assert kind == "cdc"
    assert not [name for name in LEFT_OUT_OF_CDC if name in path]
    assert (customer, "live") in await scene.observed("Customer")
    assert await scene.observed("Vendor")


async def test_a_deletion_is_confirmed_once_and_not_asked_for_again(scene: Watching) -> None:
    customer = scene.customer("Ann")
    estimate = _estimate(scene, customer)
    await scene.sweep()
    scene.write("Estimate", {"Id": estimate["Id"], "SyncToken": estimate["SyncToken"]}, "delete")
    before = len(scene.calls())
    await scene.sweep()
    assert [kind for kind, _ in scene.calls()[before:]] == ["cdc", "read"]
    await scene.sweep()
    assert [kind for kind, _ in scene.calls()[before:]] == ["cdc", "read", "cdc"]
    assert await scene.observed("Estimate") == [(str(estimate["Id"]), "live"), (str(estimate["Id"]), "deleted")]


async def test_what_is_falsely_reported_deleted_stays(scene: Watching) -> None:
    estimate = _estimate(scene, scene.customer("Ann"))
    await scene.api.fault(kind="cdc_false_delete", entity="Estimate", id=str(estimate["Id"]), count=None)
    await scene.sweep()
    await scene.sweep()
    assert await scene.observed("Estimate") == [(str(estimate["Id"]), "live")]


async def test_an_answer_without_room_is_narrowed_and_what_was_cut_off_is_found(scene: Watching) -> None:
    customer = scene.customer("Ann")
    kept, gone = _estimate(scene, customer), _estimate(scene, customer)
    await scene.sweep()
    scene.write("Estimate", {"Id": gone["Id"], "SyncToken": gone["SyncToken"]}, "delete")
    vendors = [str(scene.write("Vendor", {"DisplayName": f"Vendor {n}"})["Id"]) for n in range(1_200)]
    before = scene.metered()
    await scene.sweep()
    found = await scene.observed("Vendor")
    assert set(vendors) <= {one for one, _ in found}
    assert len(found) == len(set(found))
    assert (str(gone["Id"]), "deleted") in await scene.observed("Estimate")
    assert (str(kept["Id"]), "deleted") not in await scene.observed("Estimate")
    # One call for all, one for each kind, and the vendors whole: a count, pages.
    assert scene.metered() - before <= 1 + 23 + 4
    assert await scene.swept_until() > datetime.now(UTC) - timedelta(minutes=5)


async def test_what_changed_before_the_cursor_was_lost_is_found(scene: Watching) -> None:
    await scene.dispatcher.store.execute("forget_cursors", COMPANY)
    assert await scene.swept_until() > datetime.now(UTC) - timedelta(minutes=5)
    await scene.api.control("/books", {"entity": "Customer", "body": {"DisplayName": "Ann"}})
    await _lose_cursors(scene)
    # The log here is of another time than the books: its first event is what the sweep goes back to.
    registered = (await scene.dispatcher.log.read(COMPANY, limit=1))[0].recorded_at
    await scene.sweeper.begin(first=False)
    assert registered == await scene.swept_until()
    await scene.sweep()
    assert "live" in [status for _, status in await scene.observed("Customer")]


async def test_a_full_reading_that_shows_less_than_is_counted_is_no_reading(
    scene: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = datetime.now(UTC) - timedelta(days=40)
    for name in ("Ann", "Bo", "Cy"):
        scene.customer(name)
    await scene.set_swept_until(since)
    real = scene.books.count

    async def count(
        entity: str,
        lane: Lane,
        *,
        changed_since: datetime | None = None,
        created: tuple[datetime, datetime] | None = None,
        dated: tuple[date, date] | None = None,
    ) -> int:
        return await real(entity, lane, changed_since=changed_since, created=created, dated=dated) + (
            entity == "Customer"
        )

    with monkeypatch.context() as patched:
        patched.setattr(scene.books, "count", count)
        with pytest.raises(BooksUnreadableError, match="records of Customer"):
            await scene.sweep()
    await scene.dispatcher.folder.to_head()
    assert since == await scene.swept_until()
    await scene.sweep()
    assert await scene.swept_until() > datetime.now(UTC) - timedelta(minutes=5)
    customers = scene.api.emulator.books.tables.table("Customer").rows
    assert sorted(customers) == sorted(one for one, _ in await scene.observed("Customer"))


async def test_what_change_data_capture_leaves_out_is_asked_for(scene: Watching) -> None:
    await scene.sweeper.poll_left_out()
    asked = [path for kind, path in scene.calls() if kind == "query"]
    assert sorted(POLLED_LISTS) == sorted(next(one for one in LEFT_OUT_OF_CDC if one in path) for path in asked)
    names = [one for one in await scene.dispatcher.events() if isinstance(one, DirectoryObserved)]
    assert {"TAX", "NON"} <= {entry.document_id for one in names if one.entity == "TaxCode" for entry in one.entries}
    # Within a day they are not asked for again; time is, from when some is known.
    before = len(scene.calls())
    await scene.sweeper.poll_left_out()
    assert len(scene.calls()) == before
    activity = _time(scene)
    await scene.reader.record(await scene.books.read("TimeActivity", [str(activity["Id"])], "live"), "look-up")
    await scene.dispatcher.folder.to_head()
    scene.write("TimeActivity", {**activity, "Hours": 7, "sparse": True}, "update")
    await scene.sweeper.poll_left_out()
    assert [status for _, status in await scene.observed("TimeActivity")] == ["live", "live"]


async def test_one_list_that_an_edition_lacks_says_nothing_about_the_others(scene: Watching) -> None:
    await scene.api.fault(kind="server_error", entity="TaxCode", status=400, count=None)
    await scene.sweeper.poll_left_out()
    names = {one.entity for one in await scene.dispatcher.events() if isinstance(one, DirectoryObserved)}
    assert "TaxCode" not in names
    assert await scene.dispatcher.store.value("cursor", COMPANY, BOOKS, LEFT_OUT)


async def test_a_list_that_changed_is_learned_by_its_names(scene: Watching) -> None:
    account = scene.write("Account", {"Name": "Fees", "AccountType": "Income"})
    await scene.sweep()
    row = await scene.row("Account", str(account["Id"]))
    assert row is not None
    assert row.name == "Fees"
    assert await scene.observed("Account") == []


async def test_every_week_counts_are_compared_and_what_is_missing_is_read(scene: Watching) -> None:
    customer = scene.customer("Ann")
    scene.clock.shift = timedelta(minutes=-10)
    assert await scene.coverage.check() == []  # from when on it counts
    scene.clock.shift = timedelta()
    seen = _estimate(scene, customer)
    await scene.sweep()
    missed = _estimate(scene, customer)
    # A change that nobody told of, and that the sweep passed over.
    await scene.set_swept_until(datetime.now(UTC) + timedelta(minutes=5))
    assert await scene.coverage.check() == []
    scene.clock.shift = timedelta(days=7)
    checked = {one.entity: one for one in await scene.coverage.check()}
    assert (checked["Estimate"].counted, checked["Estimate"].known, checked["Estimate"].found) == (2, 1, 1)
    assert checked["Customer"].counted == checked["Customer"].known
    assert await scene.observed("Estimate") == [(str(seen["Id"]), "live"), (str(missed["Id"]), "live")]
    # What differed is counted again the next day; what agreed after a week.
    assert await scene.coverage.check() == []
    scene.clock.shift = timedelta(days=8)
    await scene.dispatcher.folder.to_head()
    again = {one.entity: (one.counted, one.known, one.found) for one in await scene.coverage.check()}
    assert again["Estimate"] == (2, 2, 0)
    recorded = [one for one in await scene.dispatcher.events() if isinstance(one, CoverageChecked)]
    assert [(one.counted, one.known) for one in recorded if one.entity == "Estimate"] == [(2, 1), (2, 2)]


async def test_a_deletion_that_nobody_told_of_is_found_by_the_count(scene: Watching) -> None:
    scene.clock.shift = timedelta(minutes=-10)
    await scene.coverage.check()
    scene.clock.shift = timedelta()
    estimate = _estimate(scene, scene.customer("Ann"))
    await scene.sweep()
    scene.write("Estimate", {"Id": estimate["Id"], "SyncToken": estimate["SyncToken"]}, "delete")
    await scene.set_swept_until(datetime.now(UTC) + timedelta(minutes=5))
    scene.clock.shift = timedelta(days=7)
    checked = {one.entity: one for one in await scene.coverage.check()}
    assert (checked["Estimate"].counted, checked["Estimate"].known, checked["Estimate"].found) == (0, 1, 1)
    assert await scene.observed("Estimate") == [(str(estimate["Id"]), "live"), (str(estimate["Id"]), "deleted")]


async def test_an_item_that_nobody_told_of_is_found_with_its_list(scene: Watching) -> None:
    scene.clock.shift = timedelta(minutes=-10)
    await scene.coverage.check()
    scene.clock.shift = timedelta()
    await scene.reader.learn_names("Item")
    income = next(iter(scene.api.emulator.books.tables.table("Account").rows))
    item = scene.write("Item", {"Name": "Weeding", "Type": "Service", "IncomeAccountRef": {"value": income}})
    await scene.set_swept_until(datetime.now(UTC) + timedelta(minutes=5))
    await scene.dispatcher.folder.to_head()
    assert await scene.row("Item", str(item["Id"])) is None
    scene.clock.shift = timedelta(days=7)
    checked = await scene.coverage.check()
    await scene.dispatcher.folder.to_head()
    found = await scene.row("Item", str(item["Id"]))
    assert found is not None
    assert found.name == "Weeding"
    assert "Item" not in {one.entity for one in checked}


def _estimate(scene: Watching, customer: str) -> JsonObject:
    item = next(iter(scene.api.emulator.books.tables.table("Item").rows))
    line: JsonObject = {
        "Amount": 10,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": item}},
    }
    return scene.write("Estimate", {"CustomerRef": {"value": customer}, "Line": [line]})


def _time(scene: Watching) -> JsonObject:
    employee = next(iter(scene.api.emulator.books.tables.table("Employee").rows))
    body: JsonObject = {
        "NameOf": "Employee",
        "EmployeeRef": {"value": employee},
        "TxnDate": "2026-11-15",
        "Hours": 8,
        "Minutes": 0,
    }
    return scene.write("TimeActivity", body)


async def _lose_cursors(scene: Watching) -> None:
    await scene.pool.execute("delete from counterfoil_state.cursors")


async def test_sweeps_stop_before_webhooks_and_what_a_write_needs_never(scene: Watching) -> None:
    ann = scene.customer("Ann")
    await scene.sweep()
    budget = scene.budget
    used, begins = budget.used(), scene.metered()
    budget.own = 1_000
    budget.count(990 - used)
    with pytest.raises(BooksUnreadableError, match="budget of metered reads leaves none for sweeps"):
        await scene.sweep()
    with pytest.raises(BooksUnreadableError, match="sweeps"):
        await scene.sweeper.find_everything([])
    assert scene.metered() == begins
    (shown,) = await scene.books.read("Customer", [ann], "live")
    assert shown.status == "live"
    budget.count(1_000)
    with pytest.raises(BooksUnreadableError, match="reads that webhooks ask for"):
        await scene.books.read("Customer", [ann], "live")
    # Nothing can be written before the books are known, and nothing lost is settled without evidence.
    assert (await scene.books.facts()).home_currency == "USD"
    assert (await scene.books.read("Customer", [ann], "retry"))[0].status == "live"
    assert await scene.reader.learn_names("Account") is False


async def test_whoever_takes_a_company_over_again_and_again_sweeps_no_more_often(scene: Watching) -> None:
    await scene.sweep()
    assert await scene.sweeper.first_in(300.0) == 0.0
    budget = scene.budget
    budget.own = 10_000
    budget.count(9_900)
    spacing = scene.sweeper.spacing(300.0)
    assert spacing > 300.0
    waits = await scene.sweeper.first_in(300.0)
    assert spacing - 60 < waits <= spacing
    await scene.set_swept_until(datetime.now(UTC) - timedelta(seconds=spacing + 1))
    assert await scene.sweeper.first_in(300.0) == 0.0
