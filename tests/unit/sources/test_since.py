"""Reading what changed since: rows that move while one pages, equal instants, an overlap, a circle."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.sources import SourceError
from counterfoil.sources.since import ChangesSince, Handed, Rows, Since
from counterfoil_schema.exact_json import JsonObject

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
PER = 3


class Table:
    """Rows by (instant, id), paged by keyset; `touch` moves one to the end."""

    def __init__(self, instants: list[int]) -> None:
        self.now = max(instants, default=0)
        self.rows = {str(number): (instant, 0) for number, instant in enumerate(instants)}

    def touch(self, key: str) -> None:
        self.now += 1
        self.rows[key] = (self.now, self.rows[key][1] + 1)

    async def fetch(self, since: datetime | None, after: str | None) -> Rows:
        behind = (-1, "") if after is None else (int(after.split("|")[0]), after.split("|")[1])
        first = -1 if since is None else int((since - BEGIN).total_seconds())
        ordered = sorted((instant, key) for key, (instant, _) in self.rows.items())
        page = [(instant, key) for instant, key in ordered if (instant, key) > behind and instant >= first][:PER]
        more = len(page) == PER
        rows: list[JsonObject] = [{"id": key, "at": instant, "edits": self.rows[key][1]} for instant, key in page]
        return Rows(rows, f"{page[-1][0]}|{page[-1][1]}" if more else None)


def reader(table: Table) -> ChangesSince:
    return ChangesSince(
        table.fetch,
        lambda row: BEGIN + timedelta(seconds=int(str(row["at"]))),
        lambda row: str(row["id"]),
        overlap=timedelta(seconds=2),
    )


@settings(max_examples=200, deadline=None)
@given(
    instants=st.lists(st.integers(0, 4), max_size=12),
    touches=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 11)), max_size=8),
    restarts=st.sets(st.integers(0, 6)),
)
async def test_whatever_moves_and_wherever_one_stops_the_last_word_on_each_row_comes(
    instants: list[int], touches: list[tuple[int, int]], restarts: set[int]
) -> None:
    table = Table(instants)
    seen: dict[str, object] = {}
    cursor: str | None = None
    step = 0
    source = reader(table)
    for reading in range(4):
        stopped = True
        while stopped:
            stopped = False
            async for found in source.pages(cursor):
                seen.update({str(row["id"]): row["edits"] for row in found.rows})
                cursor = found.cursor.text()
                for number, key in touches if reading < 3 else []:  # the last reading finds nothing moving
                    if number == step and str(key) in table.rows:
                        table.touch(str(key))
                step += 1
                if step in restarts:
                    source, stopped = reader(table), True
                    break
    assert {key: edits for key, (_, edits) in table.rows.items()} == seen


async def test_what_was_handed_over_comes_again_only_after_a_restart() -> None:
    table = Table([1, 2, 2, 2])
    source = reader(table)
    first = [found async for found in source.pages(None)]
    again = [row async for found in source.pages(first[-1].cursor.text()) for row in found.rows]
    after_restart = [row async for found in reader(table).pages(first[-1].cursor.text()) for row in found.rows]
    assert [sum(len(found.rows) for found in first), len(again), len(after_restart)] == ([4, 0, 4])


async def test_a_second_edit_within_the_instant_of_the_first_is_handed_over_too() -> None:
    table = Table([1, 2])
    source = reader(table)
    first = [found async for found in source.pages(None)]
    table.rows["1"] = (2, 1)
    again = [row["edits"] async for found in source.pages(first[-1].cursor.text()) for row in found.rows]
    assert again == [1]


async def test_pages_that_turn_in_a_circle_are_told() -> None:
    async def circle(_since: datetime | None, _after: str | None) -> Rows:
        return Rows([], "same")

    source = ChangesSince(circle, lambda _row: BEGIN, lambda _row: "1")
    with pytest.raises(SourceError, match="circle"):
        _ = [found async for found in source.pages(None)]


@pytest.mark.parametrize("text", ["", "[]", '{"since": 4}', '{"since": "2026-03-01T00:00:00"}'])
def test_a_cursor_of_another_kind_asks_for_a_full_reading(text: str) -> None:
    with pytest.raises(SourceError, match="--full"):
        Since.parse(text)


def test_what_is_remembered_is_bounded() -> None:
    handed = Handed(kept_max=2)
    for key in "abc":
        handed.note(key, "1")
    assert [handed.is_news(key, "1") for key in "abc"] == [True, False, False]


async def test_without_a_cursor_everything_is_news_again() -> None:
    source = reader(Table([0, 1, 2, 3]))
    counts = [len([row async for found in source.pages(None) for row in found.rows]) for _ in range(2)]

    assert counts == [4, 4]
