"""Whatever an adapter does wrong concerns its source, and is said; it never stops the company."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from counterfoil.dispatch.adapters import kept_apart, pages
from counterfoil.sources import Page, SourceError
from counterfoil.sources.port import SourceChange
from support.shelf import ShelfSource


class Faulty(ShelfSource):
    """Fails in its own way after a page."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        yield Page(changes=(), cursor=f"{kind}{cursor}")
        raise self.failure

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        assert kind
        assert source_id
        raise self.failure


async def test_a_fault_of_an_adapter_is_trouble_with_its_source() -> None:
    faulty = Faulty(KeyError("Ann Lee"))
    reading = pages("shop", faulty, "order", None)
    assert (await anext(reading)).cursor == "orderNone", "what came before the fault is kept"
    with pytest.raises(SourceError, match=r"adapter of shop failed \(KeyError\)") as caught:
        await anext(reading)
    with pytest.raises(SourceError, match="KeyError"):
        await kept_apart("shop", faulty.read("order", "1"))
    assert "Ann Lee" not in str(caught.value), "a fault's own words may hold a record"


async def test_its_own_trouble_passes_as_it_is() -> None:
    trouble = SourceError("Busy.", retry_after=7.0)
    with pytest.raises(SourceError) as caught:
        await kept_apart("shop", Faulty(trouble).read("order", "1"))
    assert caught.value is trouble


async def test_an_end_to_waiting_is_no_fault() -> None:
    async def for_ever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await kept_apart("shop", for_ever())
