"""The state at a point in the past: what the log up to there comes to, row for row; and every wrong question told."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from counterfoil.cli.opening import open_state
from counterfoil.engine import Engine
from counterfoil.errors import ConfigurationError
from counterfoil.state.rows import ROW_TYPES, LinkRow, key_of
from counterfoil.testing.memory_state import fold_afresh
from support.postgres import Server, admin_connection
from support.rebuilt import Books, Synced, copied, drop, synced_shop

OBSERVATIONS = (
    "select count(*) from counterfoil_log.events where company = 1 and position <= {} and event_type in "
    "('source.observed', 'source.unreadable', 'source.removed', 'books.observed')"
)


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory, postgres_server: Server) -> Iterator[Synced]:
    with synced_shop(tmp_path_factory.mktemp("as_of"), postgres_server) as shop:
        yield shop


@pytest.fixture
async def books(synced: Synced) -> AsyncIterator[Books]:
    copy = await copied(synced)
    try:
        yield copy
    finally:
        await drop(copy)


async def first_accepted_invoice(books: Books) -> tuple[int, datetime]:
    """The position at which the shop's one invoice came into the books, and when."""
    async with admin_connection(books.database) as admin:
        row = await admin.fetchrow(
            "select position, recorded_at from counterfoil_log.events where company = 1 "
            "and event_type = 'intent.accepted' and record_key = 'shop:order:501' order by position limit 1"
        )
    assert row is not None
    return row["position"], row["recorded_at"]


async def test_every_row_is_as_it_was_and_nothing_else_is_touched(books: Books) -> None:
    accepted, _ = await first_accepted_invoice(books)
    async with open_state(books.settings) as opened, Engine(books.settings) as engine:
        for position in (1, accepted - 1, accepted):
            expected = (await fold_afresh(opened.reader, 1, until=position)).rows(1)
            async with engine.state_at(1, position) as state:
                found = {(row.table, key_of(row)): row for row_type in ROW_TYPES async for row in state.rows(row_type)}
                outcomes = await state.outcomes()
            assert expected == found
            observed = await books.value(OBSERVATIONS.format(position))
            assert observed == sum(number for codes in outcomes.values() for number in codes.values())
        async with engine.state_at(1, accepted - 1) as before, engine.state_at(1, accepted) as after:
            assert "shop:order:501" not in {row.record_key async for row in before.rows(LinkRow)}
            assert "shop:order:501" in {row.record_key async for row in after.rows(LinkRow)}
    assert (await books.rebuild(check=True)).same


async def test_a_time_means_the_last_position_recorded_by_then(books: Books) -> None:
    accepted, recorded_at = await first_accepted_invoice(books)
    last = await books.value(
        f"select max(position) from counterfoil_log.events where company = 1 and recorded_at <= '{recorded_at}'"
    )
    assert last is not None
    shown = books.shop.run("rebuild", "--as-of", recorded_at.isoformat(), "--company", "1", "--json")
    assert shown.code == 0, shown.said
    state = shown.json()
    assert last == state["position"] >= accepted
    invoices = [link for link in state["links"] if link["entity"] == "Invoice"]
    assert [link["record_key"] for link in invoices] == ["shop:order:501"]
    # 3 at 10.00 and one at 120.50: what the source wants, and what QuickBooks answered.
    (total,) = [one for one in json.loads(shown.out, parse_float=Decimal)["totals"] if one["entity"] == "Invoice"]
    assert (Decimal("150.5"), Decimal("150.5")) == (total["source"], total["log"])


def test_all_rows_go_to_files(synced: Synced, tmp_path: Path) -> None:
    books = asyncio.run(copied(synced))
    try:
        accepted, _ = asyncio.run(first_accepted_invoice(books))
        folder = tmp_path / "then"
        shown = books.shop.run("rebuild", "--as-of", str(accepted), "--company", "1", "--to", str(folder))
        nowhere = books.shop.run("rebuild", "--as-of", "1", "--company", "1", "--to", "/dev/null/there")
    finally:
        asyncio.run(drop(books))
    assert shown.code == 0, shown.said
    assert f"at position {accepted}" in shown.out
    assert {f"{row_type.table}.jsonl" for row_type in ROW_TYPES} | {"state.json"} == {
        path.name for path in folder.iterdir()
    }
    links = [json.loads(line) for line in (folder / "links.jsonl").read_text().splitlines()]
    assert "shop:order:501" in {link["record_key"] for link in links}
    assert len(links) == json.loads((folder / "state.json").read_text())["rows"]["links"]
    assert nowhere.code == 2
    assert "cannot be written to" in nowhere.err


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("yesterday", "'yesterday' is neither a position nor a time"),
        ("2026-03-31", "says no zone"),
        ("2026-03-31T18:00", "says no zone"),
        ("0", "has no event at 0; it goes from 1 to"),
        ("999999", "has no event at 999999; it goes from 1 to"),
        ("1" * 30, "is neither a position nor a time"),
        ("-5", "is neither a position nor a time"),
        ("2020-01-01T00:00:00Z", "was recorded by 2020-01-01T00:00:00+00:00; its log begins at"),
        ("9999-01-01T00:00:00Z", "lies in the future"),
    ],
)
async def test_a_point_that_is_none_is_told(books: Books, asked: str, told: str) -> None:
    from counterfoil.cli.tasks.as_of import show

    with pytest.raises(ConfigurationError) as refused:
        await show(books.settings, asked, to=None, as_json=True)
    assert told in refused.value.message
    assert refused.value.remedy


async def test_a_company_without_a_log_and_an_engine_that_is_not_open_are_told(books: Books) -> None:
    with pytest.raises(ConfigurationError, match="not open yet"):
        async with Engine(books.settings).state_at(1, 1):
            pass
    async with Engine(books.settings) as engine:
        with pytest.raises(ConfigurationError, match="Company 9 has no log"):
            async with engine.state_at(9, datetime.now(UTC) - timedelta(seconds=1)):
                pass
