"""Rate limits in sliding windows: 100 calls in 10 s per app, 5 searches a second per account."""

from counterfoil.emulating import Window
from counterfoil.ports import Clock

CALLS_MAX = 100
CALLS_SECONDS = 10.0
SEARCHES_MAX = 5
SEARCHES_SECONDS = 1.0
DAILY_MAX = 250_000


class RateLimits:
    """HubSpot's limits on one app in one account. Switched off, they only count."""

    def __init__(self, clock: Clock, *, enforced: bool) -> None:
        self._clock = clock
        self._enforced = enforced
        self._calls = Window(CALLS_MAX, CALLS_SECONDS)
        self._searches = Window(SEARCHES_MAX, SEARCHES_SECONDS)
        self._today = 0
        self.refused = 0

    def admit(self, *, search: bool) -> str | None:
        """None where the call may go on, else the name of the policy that refuses it."""
        if not self._enforced:
            return None
        now = self._clock.monotonic()
        policy = None
        if not self._calls.admit(now):
            policy = "TEN_SECONDLY_ROLLING"
        elif search and not self._searches.admit(now):
            policy = "SECONDLY"
        elif self._today >= DAILY_MAX:
            policy = "DAILY"
        if policy is None:
            self._today += 1
        else:
            self.refused += 1
        return policy

    def headers(self) -> dict[str, str]:
        """What each answer says about the limits."""
        if not self._enforced:
            return {}
        return {
            "X-HubSpot-RateLimit-Max": str(CALLS_MAX),
            "X-HubSpot-RateLimit-Remaining": str(self._calls.remaining(self._clock.monotonic())),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(CALLS_SECONDS * 1000)),
            "X-HubSpot-RateLimit-Daily": str(DAILY_MAX),
            "X-HubSpot-RateLimit-Daily-Remaining": str(DAILY_MAX - self._today),
        }
