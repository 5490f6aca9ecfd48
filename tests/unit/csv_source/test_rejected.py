"""Rows that cannot be used come back to whoever exports the files, with reason and cure, as long as they are bad."""

import csv
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from counterfoil.errors import ConfigurationError
from counterfoil.sources import Page, SourceError
from counterfoil_adapters.csv.adapter import PAGE_CHANGES_MAX, CsvSource
from support.csv_folders import SHOP_MAPPING, StillClock, context_for

CUSTOMERS = 'id,name,mail\nC1,Ann,a@x.test\nC2,,b@x.test\nC3,"Zoë, Ltd",z@x.test,more\n'
ORDERS = "id,customer,date,freight\nO1,C1,2026-02-30,x\nO2,C1,2026-03-01,0\nO3,C1,2026-03-01,0\n"
LINES = "order,line,qty,price,discount\nO1,1,1,5,0\nO2,1,two,5,0\nO2,2,1,5,0\nO3,1,1,5,0\nO9,1,1,5,0\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "exports"
    made.mkdir()
    write(made, "customers.csv", CUSTOMERS)
    write(made, "orders.csv", ORDERS)
    write(made, "lines.csv", LINES)
    return made


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


async def read_all(folder: Path, **settings: object) -> CsvSource:
    async with CsvSource(context_for(folder, SHOP_MAPPING, {"folder": str(folder), **settings})) as source:
        for kind in source.kinds():
            assert [page async for page in source.changes(kind, None)]
    return source


async def test_each_bad_row_comes_back_with_its_columns_line_reason_and_cure(folder: Path) -> None:
    source = await read_all(folder)
    rejected = folder.parent / "rejected" / "shop"
    assert sorted(path.name for path in rejected.iterdir()) == ["customers.csv", "lines.csv", "orders.csv"]
    header, nameless, wide = rows_of(rejected / "customers.csv")
    assert header == ["rejected line", "reason", "what to do", "id", "name", "mail"]
    assert nameless == ["3", "Column 'name' is empty.", "Fill it: it gives the name.", "C2", "", "b@x.test"]
    assert wide[0] == "4"
    assert "4 cells and the header 3" in wide[1]
    assert wide[3:] == ['C3,"Zoë, Ltd",z@x.test,more']
    _, february, its_line = rows_of(rejected / "orders.csv")
    assert february[0] == "2"
    assert "'2026-02-30' in column 'date'" in february[1]
    assert "'x' in column 'freight' is not a number" in february[1]
    # An order whose line is bad is not used either, and says where to look.
    assert its_line[:2] == ["3", "lines.csv line 3: 'two' in column 'qty' is not a number."]
    assert [row[0] for row in rows_of(rejected / "lines.csv")[1:]] == ["3", "6"]
    assert (rejected / "customers.csv").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["customers.csv", "lines.csv", "orders.csv"]
    assert [one for one in source.notices if str(rejected / "customers.csv") in one] == [
        f"2 rows could not be used; with reasons in {rejected / 'customers.csv'}"
    ]


async def test_what_lies_there_is_told_without_reading_anything(folder: Path) -> None:
    settings: dict[str, object] = {"folder": folder}
    assert not CsvSource.rejected(settings, "shop")
    await read_all(folder)
    huge = rows_of(folder.parent / "rejected" / "shop" / "orders.csv")
    with (folder.parent / "rejected" / "shop" / "orders.csv").open("a", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerow(["9", "of two\nlines", "", "x" * 200_000])
    told = {one.path: one.rows for one in CsvSource.rejected(settings, "shop")}
    rejected = folder.parent / "rejected" / "shop"
    assert told == {
        rejected / "customers.csv": 2,
        rejected / "lines.csv": 2,
        rejected / "orders.csv": len(huge),
    }
    assert told == {one.path: one.rows for one in CsvSource.rejected({"file": str(folder / "customers.csv")}, "shop")}
    assert not CsvSource.rejected({**settings, "rejected": False}, "shop")
    assert not CsvSource.rejected(settings, "another")
    assert not CsvSource.rejected({}, "shop")


async def test_a_row_that_was_corrected_is_gone_and_the_last_one_takes_the_file_with_it(folder: Path) -> None:
    await read_all(folder)
    rejected = folder.parent / "rejected" / "shop"
    write(folder, "customers.csv", CUSTOMERS.replace("C2,,", "C2,Bo,"))
    await read_all(folder)
    assert [row[0] for row in rows_of(rejected / "customers.csv")[1:]] == ["4"]
    write(folder, "customers.csv", "id,name,mail\nC1,Ann,\n")
    write(folder, "orders.csv", ORDERS.replace("02-30,x", "02-28,1"))
    write(
        folder,
        "lines.csv",
        LINES.replace("two", "2").replace("O9", "O3").replace("O3,1,1,5,0\nO3,1", "O3,1,1,5,0\nO3,2"),
    )
    assert not (await read_all(folder)).notices
    assert not rejected.exists()


async def test_where_they_go_is_a_setting_and_nowhere_is_one_too(folder: Path, tmp_path: Path) -> None:
    await read_all(folder, rejected=str(tmp_path / "elsewhere"))
    assert (tmp_path / "elsewhere" / "customers.csv").is_file()
    await read_all(folder, rejected=False)
    trial = replace(context_for(folder, SHOP_MAPPING), leaves_no_trace=True)
    async with CsvSource(trial) as source:
        assert [page async for page in source.changes("customer", None)]
    assert not (tmp_path / "rejected").exists()


async def test_what_cannot_be_written_stops_no_reading_and_is_said(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    source = await read_all(folder, rejected=str(tmp_path / "file"))
    assert [one for one in source.notices if "Rejected rows cannot be written" in one]


async def test_a_reading_that_ends_early_leaves_the_list_as_it_was_and_one_that_goes_on_lists_everything(
    folder: Path,
) -> None:
    rejected = folder.parent / "rejected" / "shop"
    many = "".join(f"N{number},Name {number},\n" for number in range(PAGE_CHANGES_MAX + 50))
    write(folder, "customers.csv", CUSTOMERS + many + "C9,,\n")
    async with CsvSource(context_for(folder, SHOP_MAPPING)) as source:
        async with aclosing(cast("AsyncGenerator[Page]", source.changes("customer", None))) as pages:
            cursor = (await anext(pages)).cursor
        assert not rejected.exists() or not list(rejected.iterdir())
        assert [page async for page in source.changes("customer", cursor)]
    assert [row[0] for row in rows_of(rejected / "customers.csv")[1:]] == ["3", "4", str(PAGE_CHANGES_MAX + 55)]


class WaitingClock(StillClock):
    """Now, and how long somebody waited; `then` happens while they do."""

    def __init__(self, now: datetime) -> None:
        self.at = now
        self.waited: list[float] = []
        self.then: list[str] = []
        self.file = Path()

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.at = datetime.fromtimestamp(self.at.timestamp() + seconds, UTC)
        if self.then:
            with self.file.open("a", encoding="utf-8") as stream:
                stream.write(self.then.pop(0))
            touch(self.file, self.at)


def touch(path: Path, at: datetime) -> None:
    os.utime(path, (at.timestamp(), at.timestamp()))


async def test_a_file_that_is_still_being_written_is_read_when_it_has_been_left_alone(folder: Path) -> None:
    begun = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    clock = WaitingClock(begun)
    clock.file = folder / "customers.csv"
    write(folder, "customers.csv", "id,name,mail\nC1,Ann,\nC2,B")
    clock.then = ["o,b@x.test\nC3,C", "y,\n"]
    touch(clock.file, begun)
    context = replace(context_for(folder, SHOP_MAPPING, {"folder": str(folder), "settle_seconds": 3}), clock=clock)
    async with CsvSource(context) as source:
        (page,) = [page async for page in source.changes("customer", None)]
    assert [one.source_id for one in page.changes] == ["C1", "C2", "C3"]
    assert clock.waited == [3, 3, 3]

    clock.then = ["C4,D,\n"] * 100
    touch(clock.file, clock.at)
    async with CsvSource(context) as source:
        with pytest.raises(SourceError, match="still being written") as caught:
            assert [page async for page in source.changes("customer", None)]
    assert caught.value.retry_after


@pytest.mark.parametrize("given", ["soon", -1, 1000, True])
def test_a_wrong_number_of_seconds_is_refused(folder: Path, given: object) -> None:
    with pytest.raises(ConfigurationError, match="settle_seconds cannot be"):
        CsvSource(context_for(folder, SHOP_MAPPING, {"folder": str(folder), "settle_seconds": given}))
