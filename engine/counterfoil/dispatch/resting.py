"""What could not be read rests, longer each time, so that it neither holds up the rest nor is asked for without end."""

from collections.abc import Iterable

from counterfoil.ports import Clock

Key = tuple[str, str]
FIRST_SECONDS = 5.0
LONGEST_SECONDS = 3_600.0
KEPT_MAX = 10_000


class Resting:
    """Records by entity and id, and until when each rests.

    Args:
        clock: measures.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._resting: dict[Key, tuple[int, float]] = {}

    def rests(self, key: Key) -> bool:
        """Whether its turn has not come again yet."""
        return self._resting.get(key, (0, 0.0))[1] > self._clock.monotonic()

    def failed(self, keys: Iterable[Key]) -> None:
        """These could not be read."""
        now = self._clock.monotonic()
        for key in keys:
            times = self._resting.pop(key, (0, 0.0))[0]
            self._resting[key] = (times + 1, now + min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(times, 12)))
        for key in list(self._resting)[: max(0, len(self._resting) - KEPT_MAX)]:
            del self._resting[key]

    def recovered(self, keys: Iterable[Key]) -> None:
        """These were read."""
        for key in keys:
            self._resting.pop(key, None)
