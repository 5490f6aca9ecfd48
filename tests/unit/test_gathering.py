"""Single reads asked for side by side are made as one, and nobody pays for another's cancellation."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from counterfoil.gathering import Gatherer


class Shelf:
    """Knows the letters of the alphabet by number; counts how often it was asked, and may be slow or broken."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.broken = False
        self.slow = False

    async def read(self, keys: Sequence[int]) -> Mapping[int, str]:
        self.asked.append(list(keys))
        await asyncio.sleep(0)
        if self.slow:
            await asyncio.sleep(3600)
        if self.broken:
            raise OSError("the shelf has fallen over")
        return {key: chr(ord("a") + key) for key in keys if 0 <= key < 26}


async def test_what_is_asked_side_by_side_is_read_once() -> None:
    shelf, gatherer = Shelf(), Gatherer()
    found = await asyncio.gather(*(gatherer.get("letters", key, shelf.read) for key in (2, 0, 2, 99)))
    assert found == ["c", "a", "c", None]
    assert shelf.asked == [[2, 0, 99]]
    assert await gatherer.get("letters", 1, shelf.read) == "b"
    assert shelf.asked[1:] == [[1]]  # nothing is kept


async def test_different_things_are_read_apart_and_long_lists_in_parts() -> None:
    shelf, gatherer = Shelf(), Gatherer(most=2)
    asked = [("letters", 0), ("runes", 0), ("letters", 1), ("letters", 2)]
    found = await asyncio.gather(*(gatherer.get(of, key, shelf.read) for of, key in asked))
    assert found == ["a", "a", "b", "c"]
    assert sorted(shelf.asked) == [[0], [0, 1], [2]]


async def test_a_read_that_fails_fails_for_all_who_asked() -> None:
    shelf, gatherer = Shelf(), Gatherer()
    shelf.broken = True
    failed = await asyncio.gather(
        *(gatherer.get("letters", key, shelf.read) for key in range(3)), return_exceptions=True
    )
    assert [str(one) for one in failed] == ["the shelf has fallen over"] * 3
    shelf.broken = False
    assert await gatherer.get("letters", 0, shelf.read) == "a"


@pytest.mark.parametrize("turns", [0, 1, 2])
async def test_when_the_reader_is_cancelled_another_reads(turns: int) -> None:
    shelf, gatherer = Shelf(), Gatherer()
    shelf.slow = True
    first = asyncio.create_task(gatherer.get("letters", 0, shelf.read))
    others = [asyncio.create_task(gatherer.get("letters", key, shelf.read)) for key in (1, 2)]
    for _ in range(turns):
        await asyncio.sleep(0)
    first.cancel()
    shelf.slow = False
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await asyncio.gather(*others) == ["b", "c"]


async def test_who_gives_up_takes_nobody_along() -> None:
    shelf, gatherer = Shelf(), Gatherer()
    tasks = [asyncio.create_task(gatherer.get("letters", key, shelf.read)) for key in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    assert await asyncio.gather(*tasks, return_exceptions=True) != ["a", "b", "c"]
    assert tasks[0].result() == "a"
    assert tasks[2].result() == "c"
