"""Following a log by polling: quick while there is news, slower and slower while there is none."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from counterfoil.log.types import READ_ROWS, Head, RecordedEvent
from counterfoil.ports import Clock


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks: the first after news, then each time twice as long, up to the longest."""

    seconds_min: float = 0.01
    seconds_max: float = 0.5


DEFAULT_PACE = Pace()


class Pages(Protocol):
    """What following needs of a reader."""

    async def read(self, company: int, after: int = 0, limit: int = READ_ROWS) -> list[RecordedEvent]:
        """The next page of a company."""
        ...

    async def heads(self) -> dict[int, Head]:
        """Where all companies stand."""
        ...


async def follow(pages: Pages, clock: Clock, pace: Pace, company: int, after: int) -> AsyncIterator[RecordedEvent]:
    """All events of a company after a position, for ever."""
    pause = pace.seconds_min
    while True:
        page = await pages.read(company, after)
        if not page:
            await clock.sleep(pause)
            pause = min(pause * 2, pace.seconds_max)
            continue
        pause = pace.seconds_min
        after = page[-1].position
        for recorded in page:
            yield recorded


async def follow_all(pages: Pages, clock: Clock, pace: Pace, after: Mapping[int, int]) -> AsyncIterator[RecordedEvent]:
    """All events of all companies after these positions, for ever; one page of each company in turn."""
    seen = dict(after)
    pause = pace.seconds_min
    while True:
        behind = [head.company for head in (await pages.heads()).values() if head.position > seen.get(head.company, 0)]
        if not behind:
            await clock.sleep(pause)
            pause = min(pause * 2, pace.seconds_max)
            continue
        pause = pace.seconds_min
        for company in behind:
            page = await pages.read(company, seen.get(company, 0))
            for recorded in page:
                seen[company] = recorded.position
                yield recorded
