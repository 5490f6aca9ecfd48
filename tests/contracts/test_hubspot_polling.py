"""Polling: nothing is missed when rows change under paging, share an instant, or fill HubSpot's window."""

from collections.abc import AsyncIterator

import pytest

from counterfoil.sources.http import UnansweredError
from counterfoil.sources.port import Seen, SourceError
from support.hubspot import Account, account, company, deal, flat, line_item, link, pages

OLD = "2026-10-01T00:00:00.000Z"
TOGETHER = "2026-10-02T00:00:00.000Z"


@pytest.fixture
async def held() -> AsyncIterator[Account]:
    async with account() as fresh:
        yield fresh


async def test_a_backfill_pages_through_everything_once(held: Account) -> None:
    await held.load(companies=[company(number) for number in range(1, 351)])
    read = await pages(held.source(), "company")
    assert [str(number) for number in range(1, 351)] == [change.source_id for change in flat(read)]
    assert [len(page.changes) for page in read] == [100, 100, 100, 50]


async def test_rows_that_change_during_the_listing_come_with_the_next_reading(held: Account) -> None:
    await held.load(companies=[company(number, updatedAt=OLD) for number in range(1, 251)])
    source = held.source()
    reading = source.changes("company", None)
    first = await anext(reading)
    await held.control("PATCH", "/people/companies/5", {"properties": {"name": "Changed behind the reader"}})
    await held.control("DELETE", "/people/companies/6")
    rest = [page async for page in reading]
    assert [*(str(number) for number in range(1, 251)), "6"] == [change.source_id for change in flat([first, *rest])]
    assert type(flat(rest)[-1]).__name__ == "Removed"
    again = flat(await pages(source, "company", rest[-1].cursor))
    assert [(type(change).__name__, change.source_id) for change in again] == [("Seen", "5")]


async def test_rows_that_change_during_a_search_push_no_other_past_the_edge(held: Account) -> None:
    await held.load(companies=[company(1, updatedAt=OLD)])
    source = held.source()
    cursor = (await pages(source, "company"))[-1].cursor
    rows = [company(number, updatedAt=f"2026-10-02T00:{number // 60:02}:{number % 60:02}Z") for number in range(2, 602)]
    await held.load(companies=rows)
    reading = source.changes("company", cursor)
    seen = [(await anext(reading))]
    # Each of these leaves the first page and goes to the end of the result.
    for number in range(2, 102):
        await held.control("PATCH", f"/people/companies/{number}", {"properties": {"phone": "1"}})
    seen += [page async for page in reading]
    assert {str(number) for number in range(2, 602)} <= {change.source_id for change in flat(seen)}


@pytest.mark.parametrize("count", [199, 200, 201, 401])
async def test_any_number_of_rows_may_share_one_instant(held: Account, count: int) -> None:
    await held.load(companies=[company(1, updatedAt=OLD)])
    source = held.source()
    cursor = (await pages(source, "company"))[-1].cursor
    tied = [company(number, updatedAt=TOGETHER) for number in range(2, count + 2)]
    await held.load(companies=[*tied, company(5000, updatedAt="2026-10-03T00:00:00.000Z")])
    read = flat(await pages(source, "company", cursor))
    assert [str(number) for number in [*range(2, count + 2), 5000]] == sorted(
        {change.source_id for change in read} - {"1"}, key=int
    )


async def test_more_rows_than_hubspot_s_window_share_one_instant(held: Account) -> None:
    await held.load(companies=[company(1, updatedAt=OLD)])
    source = held.source()
    cursor = (await pages(source, "company"))[-1].cursor
    await held.load(companies=[company(number, updatedAt=TOGETHER) for number in range(2, 10_303)])
    read = flat(await pages(source, "company", cursor))
    assert {str(number) for number in range(2, 10_303)} <= {change.source_id for change in read}


async def test_a_poll_resumes_after_each_page_in_a_new_adapter(held: Account) -> None:
    await held.load(companies=[company(1, updatedAt=OLD)])
    cursor = (await pages(held.source(), "company"))[-1].cursor
    await held.load(companies=[company(number, updatedAt=TOGETHER) for number in range(2, 452)])
    seen: set[str] = set()
    for _ in range(10):
        page = await anext(held.source().changes("company", cursor))
        seen |= {change.source_id for change in page.changes}
        cursor = page.cursor
        if page.done:
            break
    assert page.done
    assert {str(number) for number in range(2, 452)} <= seen


async def test_an_idle_poll_hands_over_nothing_and_is_cheap(held: Account) -> None:
    await held.load(
        deals=[deal(number) for number in range(1, 151)],
        line_items=[line_item(number, "5") for number in range(1001, 1151)],
        associations=[link("deals", number, "line_items", number + 1000) for number in range(1, 151)],
    )
    source = held.source(overlap_seconds=60)
    cursor = (await pages(source, "deal"))[-1].cursor
    first = await pages(source, "deal", cursor)
    before = await held.api_calls()
    second = await pages(source, "deal", first[-1].cursor)
    assert (flat(first), flat(second)) == ([], [])
    # One search each for deals and line items, one look at what was deleted.
    assert await held.api_calls() - before == 3


async def test_a_cursor_of_another_adapter_is_refused_with_a_remedy(held: Account) -> None:
    with pytest.raises(SourceError, match=r"cannot be read.*Start a full reading"):
        await pages(held.source(), "company", "2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("fault", "waited"),
    [
        ({"kind": "status", "status": 429, "retry_after": 3}, [3.0, 4.0]),
        ({"kind": "status", "status": 429}, [0.25, 0.5]),
        ({"kind": "status", "status": 502}, [0.25, 0.5]),
        ({"kind": "truncated"}, [0.25, 0.5]),
    ],
)
async def test_a_passing_fault_is_waited_out(held: Account, fault: dict[str, object], waited: list[float]) -> None:
    await held.load(companies=[company(number) for number in range(1, 151)])
    await held.control("POST", "/faults", {**fault, "skip": 1})
    assert len(flat(await pages(held.source(), "company"))) == 150
    (wait,) = held.clock.waits
    assert waited[0] <= wait <= waited[1]


async def test_a_line_cut_off_is_read_again(held: Account) -> None:
    await held.load(companies=[company(number) for number in range(1, 151)])
    await held.control("POST", "/faults", {"kind": "lost_answer", "skip": 1, "times": 3})
    assert len(flat(await pages(held.source(), "company"))) == 150


async def test_a_lasting_fault_ends_the_reading_and_loses_nothing(held: Account) -> None:
    await held.load(companies=[company(number) for number in range(1, 151)])
    source = held.source()
    reading = source.changes("company", None)
    first = await anext(reading)
    await held.control("POST", "/faults", {"kind": "status", "status": 503, "times": 100})
    with pytest.raises(SourceError, match="503") as caught:
        await anext(reading)
    assert caught.value.retry_after is not None
    await held.control("DELETE", "/faults")
    rest = await pages(source, "company", first.cursor)
    assert [str(number) for number in range(1, 151)] == [change.source_id for change in flat([first, *rest])]


async def test_a_token_that_ends_between_two_pages_is_said(held: Account) -> None:
    await held.load(companies=[company(number) for number in range(1, 151)])
    await held.control("POST", "/faults", {"kind": "status", "status": 401, "skip": 2, "times": 5})
    with pytest.raises(SourceError, match="401: The token has expired"):
        await pages(held.source(), "company")


async def test_a_slow_answer_is_not_waited_for_without_end(held: Account) -> None:
    await held.load(companies=[company(1)])
    await held.control("POST", "/faults", {"kind": "slow", "seconds": 1, "times": 10})
    with pytest.raises(UnansweredError, match="did not answer GET"):
        await pages(held.source(timeout_seconds=1), "company")


async def test_under_hubspot_s_real_limits_no_call_is_refused() -> None:
    async with account(limits=True) as held:
        await held.load(deals=[deal(number, updatedAt=OLD) for number in range(1, 301)])
        source = held.source(calls_per_10_seconds=100, searches_per_second=5)
        assert len([c for c in flat(await pages(source, "deal")) if isinstance(c, Seen)]) == 300
        assert held.emulator.limits.refused == 0
