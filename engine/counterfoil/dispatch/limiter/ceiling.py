"""The share of Intuit's limits that we allow ourselves: cut on a 429, raised again slowly."""

from counterfoil.dispatch.limiter.settings import LimiterSettings

_CUT_LEAST = 0.8
_CUT_MOST = 0.5
_MINUTE = 60.0


class Ceiling:
    """The present ceiling, as a pure function of when it was last cut.

    Args:
        settings: base, floor and rise.
    """

    __slots__ = ("_low", "_rising_from", "_settings")

    def __init__(self, settings: LimiterSettings) -> None:
        self._settings = settings
        self._low = settings.ceiling
        self._rising_from = 0.0

    def at(self, now: float) -> float:
        """The share allowed at `now` (monotonic seconds), in (0, 1]."""
        risen = max(0.0, now - self._rising_from) / _MINUTE * self._settings.ceiling_rise_per_minute
        return min(self._settings.ceiling, self._low + risen)

    def restore(self, share: float, *, rising_from: float) -> None:
        """Go on from the share that an earlier process had come to."""
        self._low = min(self._settings.ceiling, share)
        self._rising_from = rising_from

    def cut(self, now: float, *, used_share: float, resumes_at: float) -> None:
        """Lower it after a 429.

        What was in use then is the best estimate of what the realm's other apps leave to us, so the new ceiling
        lies a fifth below it, and between one half and four fifths of the old one.

        Args:
            used_share: slots in use at the 429, as a share of the limit.
            resumes_at: when sending resumes; the rise begins there.
        """
        current = self.at(now)
        wanted = min(max(used_share * _CUT_LEAST, current * _CUT_MOST), current * _CUT_LEAST)
        floor = min(self._settings.ceiling_floor, self._settings.ceiling)
        self._low = max(floor, wanted)
        self._rising_from = resumes_at
