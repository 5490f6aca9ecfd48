"""Time that can be put forward."""

from datetime import UTC, datetime, timedelta

from counterfoil.ports import Clock


class ShiftedClock:
    """The given clock, put forward by what the control port asked for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shift = timedelta()

    def now(self) -> datetime:
        return self._clock.now() + self._shift

    def monotonic(self) -> float:
        return self._clock.monotonic() + self._shift.total_seconds()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self._shift += timedelta(seconds=seconds)

    def set(self, instant: datetime) -> None:
        """Go to an instant."""
        self._shift = instant.astimezone(UTC) - self._clock.now()
