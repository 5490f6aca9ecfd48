"""Folding a log from its first event on, or from where an earlier attempt broke off, and proving its chain on the way.

No more than two pages of the log are held, and none of what was folded. What is sealed stays closed: no key is needed.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from counterfoil.log import LogReader, RecordedEvent, chain
from counterfoil.log.types import READ_ROWS
from counterfoil.state.fold import AtHand
from counterfoil.state.projection import RowLoader, fold_closed

PIECE_EVENTS = 100
"""So many are decoded and folded in one go: few enough to lie in the processor's cache until they are let go."""

Progress = Callable[[int, int], None]


class Kept(AtHand, Protocol):
    """Where the rows of a fresh fold are kept."""

    async def keep(self, position: int, link: bytes) -> None:
        """They rest on this position now."""
        ...


class FreshFold:
    """A fresh fold of one company on its way.

    Attributes:
        position: up to where it has come.
        link: of the event there; that before the first one at the beginning.
        stopped: at which event it could not go on, and why; empty while it can.
        damaged: whether it stopped because the log is not as it was written.
    """

    def __init__(
        self,
        company: int,
        reader: LogReader,
        rows: Kept,
        loader: RowLoader,
        *,
        progress: Progress | None = None,
    ) -> None:
        self._company = company
        self._reader = reader
        self._rows = rows
        self._loader = loader
        self._progress = progress
        self.position = 0
        self.link = chain.genesis(company)
        self.stopped = ""
        self.damaged = False

    def go_on_from(self, position: int, link: bytes) -> None:
        """Begin behind what an earlier attempt has folded."""
        self.position, self.link = position, link

    async def up_to(self, last: int) -> None:
        """Fold on to a position."""
        if self.position >= last or self.stopped:
            return
        coming = self._page(self.position, last)
        try:
            while self.position < last and not self.stopped:
                page = await coming
                if not page:
                    self.stopped = f"it ends at {self.position}, but the tables are folded up to {last}"
                    return
                coming = self._page(page[-1].position, last)
                # The server looks for the next page while this one is worked on, once the question is sent.
                await asyncio.sleep(0)
                await self._fold(page)
                if self._progress is not None:
                    self._progress(self.position, last)
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)

    def _page(self, after: int, last: int) -> asyncio.Task[list[RecordedEvent]]:
        read = self._reader.read(self._company, after, max(1, min(READ_ROWS, last - after)))
        return asyncio.create_task(read, name=f"log page of company {self._company}")

    async def _fold(self, page: Sequence[RecordedEvent]) -> None:
        links, problem = proven(self.position, self.link, page)
        whole, before, error = page[: len(links)], self.position, ""
        links.insert(0, self.link)
        for first in range(0, len(whole), PIECE_EVENTS):
            piece = whole[first : first + PIECE_EVENTS]
            self.position, error = await fold_closed(self._rows, self._loader, self._company, self.position, piece)
            self.link = links[self.position - before]
            if error:
                break
            # Rows on their way to the server, and the next page on its way from it, get their turn.
            await asyncio.sleep(0)
        self.stopped = error or problem
        self.damaged = bool(problem) and not error
        await self._rows.keep(self.position, self.link)


def proven(position: int, link: bytes, page: Sequence[RecordedEvent]) -> tuple[list[bytes], str]:
    """The links of a page's events as far as each fits the one before it; what is wrong with the first that does not.

    Args:
        position: of the event before the page.
        link: of that event.
    """
    links = chain.links(link, position, map(chain.digest_of, page))
    for fitting, recorded in enumerate(page):
        position += 1
        if recorded.position != position:
            problem = f"there is nothing at position {position}, and the next event is at {recorded.position}"
        elif recorded.link != links[fitting]:
            problem = f"the {recorded.event_type} at {position} does not fit its link: it was changed"
        else:
            continue
        return links[:fitting], problem
    return links, ""
