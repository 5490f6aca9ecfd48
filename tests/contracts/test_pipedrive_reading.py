"""Reading Pipedrive on: what changed since, what was deleted, what a lost webhook hid, and through faults."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from counterfoil.sources.port import Removed, Seen, SourceError
from counterfoil_schema.records import Customer, Invoice
from support.pipedrive import Account, account, deal, flat, line, organization, pages, person, product


@pytest.fixture
async def held() -> AsyncIterator[Account]:
    async with account() as fresh:
        yield fresh


def ids(changes: Any) -> list[str]:
    """Ids of what was seen."""
    return [change.source_id for change in changes if isinstance(change, Seen)]


async def test_equal_instants_over_many_pages_are_read_once_each(held: Account) -> None:
    same = "2026-11-01T09:00:00Z"
    await held.load(organizations=[organization(number, update_time=same) for number in range(1, 24)])
    source = held.source(page_rows=5, overlap_seconds=30)
    found = await pages(source, "organization")
    assert sorted(ids(flat(found)), key=int) == [str(number) for number in range(1, 24)]
    # One more of that very instant, which the last page did not show.
    await held.load(organizations=[organization(99, update_time=same)])
    assert ids(flat(await pages(source, "organization", found[-1].cursor))) == ["99"]


async def test_rows_that_change_under_the_paging_are_not_lost(held: Account) -> None:
    await held.load(organizations=[organization(n, update_time=f"2026-11-01T09:00:{n:02d}Z") for n in range(1, 21)])
    source = held.source(page_rows=5)
    seen: dict[str, str] = {}
    async for page in source.changes("organization", None):
        for change in page.changes:
            assert isinstance(change, Seen)
            assert isinstance(change.record, Customer)
            seen[change.source_id] = change.record.name
        if len(seen) == 5:
            for number in (1, 7, 20):
                await held.control("PATCH", f"/people/organizations/{number}", {"name": f"New {number}"})
    assert sorted(seen, key=int) == [str(number) for number in range(1, 21)]
    assert (seen["1"], seen["7"], seen["20"]) == ("New 1", "New 7", "New 20")


async def test_a_mark_that_pipedrive_knows_no_longer_starts_the_page_anew(held: Account) -> None:
    await held.load(organizations=[organization(number) for number in range(1, 12)])
    (first, *_) = await pages(held.source(page_rows=5), "organization")
    cursor = first.cursor.replace('\\"after\\":\\"', '\\"after\\":\\"x')
    assert cursor != first.cursor
    found = ids(flat(await pages(held.source(page_rows=5), "organization", cursor)))
    assert set(found) >= {str(number) for number in range(6, 12)}


async def test_a_lost_webhook_is_caught_by_the_next_poll(held: Account) -> None:
    await held.load(deals=[deal(1, status="open", products=[line(9, 10)])])
    source = held.source()
    cursor = (await pages(source, "deal"))[-1].cursor
    held.emulator.clock.advance(60)
    await held.control("PATCH", "/people/deals/1", {"status": "won"})
    (seen,) = flat(await pages(source, "deal", cursor))
    assert isinstance(seen, Seen)
    assert isinstance(seen.record, Invoice)
    assert (seen.record.won, len(seen.record.lines)) == (True, 1)


async def test_deleted_deals_are_told_once_and_restored_ones_come_back(held: Account) -> None:
    await held.load(deals=[deal(1), deal(2)])
    source = held.source()
    cursor = (await pages(source, "deal"))[-1].cursor
    held.emulator.clock.advance(60)
    await held.control("DELETE", "/people/deals/1")
    found = await pages(source, "deal", cursor)
    (gone,) = flat(found)
    assert isinstance(gone, Removed)
    assert (gone.source_id, gone.merged_into) == ("1", None)
    assert flat(await pages(source, "deal", found[-1].cursor)) == []
    held.emulator.clock.advance(60)
    await held.control("POST", "/people/deals/1/restore")
    assert ids(flat(await pages(source, "deal", found[-1].cursor))) == ["1"]


async def test_without_polls_of_deletions_only_what_is_read_alone_is_told(held: Account) -> None:
    await held.load(deals=[deal(1)], organizations=[organization(4)])
    source = held.source(poll_deletions=False)
    cursor = (await pages(source, "deal"))[-1].cursor
    held.emulator.clock.advance(60)
    await held.control("DELETE", "/people/deals/1")
    await held.control("DELETE", "/people/organizations/4")
    assert flat(await pages(source, "deal", cursor)) == []
    for kind, source_id in (("deal", "1"), ("organization", "4")):
        (gone,) = await source.read(kind, source_id)
        assert isinstance(gone, Removed)
        assert "shows" in gone.evidence


async def test_archived_deals_are_not_deleted_ones(held: Account) -> None:
    await held.load(deals=[deal(1)])
    source = held.source()
    cursor = (await pages(source, "deal"))[-1].cursor
    held.emulator.clock.advance(60)
    await held.control("PATCH", "/people/deals/1", {"is_archived": True})
    assert flat(await pages(source, "deal", cursor)) == []
    (seen,) = await source.read("deal", "1")
    assert isinstance(seen, Seen)


async def test_a_deal_read_alone_brings_whom_and_what_it_names(held: Account) -> None:
    await held.load(
        organizations=[organization(4)],
        persons=[person(5)],
        products=[product(number, 1) for number in range(31, 45)],
        deals=[
            deal(1, org_id=4, products=[line(9, 10, product_id=31)]),
            deal(2, person_id=5, products=[line(100 + n, 1, product_id=n) for n in range(31, 45)]),
        ],
    )
    source = held.source()
    first = await source.read("deal", "1")
    assert [(one.kind, one.source_id) for one in first] == [("organization", "4"), ("product", "31"), ("deal", "1")]
    second = await source.read("deal", "2")
    assert [one.kind for one in second] == ["person", *(["product"] * 14), "deal"]


async def test_what_is_not_there_yet_is_asked_for_soon_and_then_at_leisure(held: Account) -> None:
    source = held.source()
    waits = []
    for _ in range(5):
        with pytest.raises(SourceError) as told:
            await source.read("deal", "77")
        waits.append(told.value.retry_after)
    assert waits == [5.0, 5.0, 5.0, None, None]
    await held.load(deals=[deal(77)])
    assert ids(await source.read("deal", "77")) == ["77"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 429, "retry_after": "2"},
        {"kind": "status", "status": 502},
        {"kind": "truncated"},
        {"kind": "lost_answer"},
        {"kind": "slow", "seconds": 3},
    ],
)
async def test_faults_that_pass_by_themselves_hide_nothing(held: Account, fault: dict[str, Any]) -> None:
    await held.load(organizations=[organization(number) for number in range(1, 12)])
    await held.control("POST", "/faults", {**fault, "path": "/organizations", "skip": 1, "times": 1})
    found = flat(await pages(held.source(page_rows=5, timeout_seconds=1), "organization"))
    assert len(ids(found)) == 11
    assert held.emulator.faults.used == 1
    if fault.get("retry_after"):
        assert 2 <= held.clock.waits[0] < 3.01


async def test_a_token_that_is_withdrawn_in_the_middle_is_told(held: Account) -> None:
    await held.load(organizations=[organization(number) for number in range(1, 12)])
    await held.control("POST", "/faults", {"kind": "status", "status": 401, "path": "/organizations", "skip": 1})
    with pytest.raises(SourceError) as told:
        await pages(held.source(page_rows=5), "organization")
    assert "401" in told.value.message
    assert "token" in told.value.remedy


async def test_who_is_shut_out_by_the_edge_waits(held: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def page(status: int, message: str) -> web.Response:
        return web.Response(text=f"<html>{message}</html>", status=status, content_type="text/html")

    monkeypatch.setattr(held.emulator, "refuse", page)
    await held.control("POST", "/faults", {"kind": "status", "status": 403, "path": "/organizations"})
    with pytest.raises(SourceError) as told:
        await pages(held.source(), "organization")
    assert told.value.retry_after == 600


async def test_a_kind_of_answer_that_is_none_is_told(held: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    await held.load(organizations=[organization(1)])
    del held.emulator.company.rows["organizations"][1]["update_time"]
    del held.emulator.company.rows["organizations"][1]["add_time"]
    monkeypatch.setattr("counterfoil_adapters.pipedrive.emulator.api.since_filter", lambda _: lambda _: True)
    with pytest.raises(SourceError) as told:
        await pages(held.source(), "organization")
    assert "does not say when it changed" in told.value.message


async def test_a_cursor_of_somebody_else_s_is_told(held: Account) -> None:
    for cursor in ("{}x", "7", '{"main": 3}'):
        with pytest.raises(SourceError) as told:
            await pages(held.source(), "deal", cursor)
        assert "cursor" in told.value.message


async def test_a_company_of_thousands_is_read_whole_in_few_tokens() -> None:
    async with account(volume=1_500) as held:
        source = held.source()
        counts = {kind: len(ids(flat(await pages(source, kind)))) for kind in source.kinds()}
        spent = source.budget().spent_here
    assert counts == {"organization": 150, "person": 150, "product": 50, "deal": 1500, "installment": 0}
    # 4 pages of deals twice over, their products and instalments by hundreds, and the small lists.
    assert spent <= 10 * (3 + 2 * 3 + 1 + 2 * 15 + 1)


async def test_all_statuses_that_a_deal_can_have_are_told(held: Account) -> None:
    assert set((await held.source().describe()).statuses or ()) == {"open", "won", "lost"}
    stages = (await held.source(status="stage").describe()).statuses
    assert set(stages or ()) == set(held.emulator.company.stages.values())
