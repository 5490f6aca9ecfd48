"""The log as the dispatcher reads it: single events, decoded."""

from collections.abc import Mapping, Sequence

from counterfoil.gathering import Gatherer
from counterfoil.log import LogReader, RecordedEvent
from counterfoil_schema.events.base import Event


class LogEvents:
    """Events by position; what the planner's view and the settler need of the log."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader
        self._gatherer = Gatherer()

    async def recorded_at(self, company: int, position: int) -> RecordedEvent:
        """The event at a position with its envelope.

        Raises:
            LookupError: the log holds no such position.
        """

        async def read(positions: Sequence[int]) -> Mapping[int, RecordedEvent]:
            return await self.recorded_many(company, positions)

        recorded = await self._gatherer.get(company, position, read)
        if recorded is None:
            raise LookupError(f"company {company} has no event at {position}")
        return recorded

    async def recorded_many(self, company: int, positions: Sequence[int]) -> dict[int, RecordedEvent]:
        """The events at these positions that exist."""
        found = await self._reader.get_many(company, sorted(set(positions)))
        return {recorded.position: recorded for recorded in found}

    async def event_at(self, company: int, position: int) -> Event:
        """The event at a position."""
        recorded = await self.recorded_at(company, position)
        return await recorded.event()
