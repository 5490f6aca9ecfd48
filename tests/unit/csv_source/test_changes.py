"""Cursors: nothing is read twice without need, nothing is missed, and a file in the middle of being written waits."""

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from counterfoil.sources import Page, Seen, SourceChange, SourceError
from counterfoil_adapters.csv import adapter
from counterfoil_adapters.csv.adapter import CsvSource
from counterfoil_adapters.csv.walk import Walk
from support.csv_folders import context_for, read_changes, read_pages

MAPPING = """
[csv.customer]
file = "customers.csv"
record = "customer"
id = "id"
columns = { name = "name" }
"""


def write(folder: Path, *names: str, mtime_ns: int = 10**18) -> Path:
    path = folder / "customers.csv"
    path.write_text("id,name\n" + "".join(f"{number},{name}\n" for number, name in enumerate(names)), encoding="utf-8")
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return path


def ids(pages: list[Page]) -> list[str]:
    return [change.source_id for page in pages for change in page.changes]


async def test_pages_are_bounded_by_number(tmp_path: Path) -> None:
    write(tmp_path, *["x"] * 1001)
    pages = await read_pages(tmp_path, MAPPING, "customer")
    assert [(len(page.changes), page.done) for page in pages] == [(500, False), (500, False), (1, True)]


async def test_pages_are_bounded_by_size(tmp_path: Path) -> None:
    write(tmp_path, *["x" * 1_000_000] * 7)
    pages = await read_pages(tmp_path, MAPPING, "customer")
    assert [len(page.changes) for page in pages] == [5, 2]


async def test_an_untouched_file_is_not_even_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a")
    cursor = (await read_pages(tmp_path, MAPPING, "customer"))[-1].cursor
    monkeypatch.setattr(adapter, "inspect", None)
    (page,) = await read_pages(tmp_path, MAPPING, "customer", cursor)
    assert ([], True, cursor) == (list(page.changes), page.done, page.cursor)


async def test_a_touched_file_with_the_same_content_brings_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a")
    cursor = (await read_pages(tmp_path, MAPPING, "customer"))[-1].cursor
    write(tmp_path, "a", mtime_ns=2 * 10**18)
    (page,) = await read_pages(tmp_path, MAPPING, "customer", cursor)
    assert (list(page.changes), page.done) == ([], True)
    monkeypatch.setattr(adapter, "inspect", None)
    assert ids(await read_pages(tmp_path, MAPPING, "customer", page.cursor)) == []


async def test_a_change_of_the_same_size_just_after_reading_is_seen(tmp_path: Path) -> None:
    soon = 2**62  # later than the test's clock: not settled
    write(tmp_path, "a", mtime_ns=soon)
    cursor = (await read_pages(tmp_path, MAPPING, "customer"))[-1].cursor
    write(tmp_path, "b", mtime_ns=soon)
    assert ids(await read_pages(tmp_path, MAPPING, "customer", cursor)) == ["0"]


async def test_a_vanished_row_is_no_deletion_and_others_keep_their_version(tmp_path: Path) -> None:
    write(tmp_path, "a", "b")
    before = await read_pages(tmp_path, MAPPING, "customer")
    write(tmp_path, "a")
    after = await read_pages(tmp_path, MAPPING, "customer", before[-1].cursor)
    assert list(before[0].changes)[:1] == [change for page in after for change in page.changes]


async def test_a_mapping_that_changed_reads_everything_again(tmp_path: Path) -> None:
    write(tmp_path, "a", "b")
    cursor = (await read_pages(tmp_path, MAPPING, "customer"))[-1].cursor
    changed = MAPPING.replace('"name" }', '"{id} {name}" }')
    assert ids(await read_pages(tmp_path, changed, "customer", cursor)) == ["0", "1"]


@pytest.mark.parametrize("cursor", ["", "null", "{}", "nonsense", '{"mapping":1}'])
async def test_a_cursor_of_another_release_reads_everything_again(tmp_path: Path, cursor: str) -> None:
    write(tmp_path, "a")
    assert ids(await read_pages(tmp_path, MAPPING, "customer", cursor)) == ["0"]


async def test_a_file_that_grows_while_it_is_read_is_read_again_later(tmp_path: Path) -> None:
    path = write(tmp_path, *["x"] * 600)
    async with CsvSource(context_for(tmp_path, MAPPING)) as source:
        reading = source.changes("customer", None)
        first = await anext(reading)
        with path.open("a", encoding="utf-8") as stream:
            stream.write("600,y")
        with pytest.raises(SourceError, match=r"customers\.csv changed while it was read") as caught:
            await anext(reading)
    assert caught.value.retry_after == 5.0
    again = await read_pages(tmp_path, MAPPING, "customer", first.cursor)
    assert len(ids(again)) == 601


async def test_the_folder_is_left_as_it_was(tmp_path: Path) -> None:
    path = write(tmp_path, "a")
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    tmp_path.chmod(0o500)
    try:
        assert len(await read_changes(tmp_path, MAPPING, "customer")) == 1
    finally:
        tmp_path.chmod(0o700)
    assert before == (path.read_bytes(), path.stat().st_mtime_ns)
    assert [path] == list(tmp_path.iterdir())


async def test_a_cancelled_reading_waits_for_its_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a")
    started, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(walk: object) -> Iterator[SourceChange]:
        del walk
        started.set()
        go_on.wait(30)
        ended.set()
        yield from ()

    monkeypatch.setattr(Walk, "changes", slow)
    reading = asyncio.create_task(read_pages(tmp_path, MAPPING, "customer"))
    await asyncio.to_thread(started.wait, 30)
    reading.cancel()
    await asyncio.sleep(0)
    assert not reading.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert ended.is_set()


async def test_an_unknown_kind_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no \[csv\.deal\] table"):
        await read_pages(tmp_path, MAPPING, "deal")


async def test_versions_follow_the_row(tmp_path: Path) -> None:
    versions: set[str] = set()
    for name in ("a", "b", "a"):
        write(tmp_path, name)
        (change,) = await read_changes(tmp_path, MAPPING, "customer")
        assert isinstance(change, Seen)
        versions.add(change.version)
    assert len(versions) == 2
