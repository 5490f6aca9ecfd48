"""The burst limit of a token and the day's budget of the company."""

from counterfoil.emulating import Window
from counterfoil.ports import Clock

BURST, BURST_SECONDS = 20, 2.0
DAILY = 30_000
FREE = 0


def cost_of(method: str, path: str) -> int:
    """Tokens that a call costs; version 1 costs twice what version 2 does."""
    if path.startswith("/oauth/"):
        return FREE
    first = 1 if path.startswith("/api/v2/") else 2
    last = path.rstrip("/").rpartition("/")[2]
    single = last.isdigit() or last == "me"
    match method:
        case "GET":
            lists = 5 if last in {"stages", "pipelines"} else 10
            return first if single else lists * first
        case "DELETE":
            return 3 * first
        case _:
            return 5 * first


class Limits:
    """Switched off, they only count."""

    def __init__(self, clock: Clock, *, on: bool, burst: int = BURST, daily: int = DAILY) -> None:
        self._clock = clock
        self._on = on
        self._burst = burst
        self._windows: dict[str, Window] = {}
        self.daily = daily
        self.spent = 0
        self.refused = 0
        self._day = clock.now().date()

    def admit(self, token: str, cost: int) -> bool:
        """Whether a call fits into the burst window and the day; it is counted if so."""
        self._turn_day()
        if self._on and (self.spent + cost > self.daily or not self._window(token).admit(self._clock.monotonic())):
            self.refused += 1
            return False
        self.spent += cost
        return True

    def headers(self, token: str) -> dict[str, str]:
        """What each answer says about the limits."""
        if not self._on:
            return {}
        self._turn_day()
        now, window = self._clock.monotonic(), self._window(token)
        return {
            "x-ratelimit-limit": str(self._burst),
            "x-ratelimit-remaining": str(window.remaining(now)),
            "x-ratelimit-reset": str(window.reset_seconds(now)),
            "x-daily-ratelimit-token-limit": str(self.daily),
            "x-daily-ratelimit-token-remaining": str(max(0, self.daily - self.spent)),
        }

    def _window(self, token: str) -> Window:
        return self._windows.setdefault(token, Window(self._burst, BURST_SECONDS))

    def _turn_day(self) -> None:
        today = self._clock.now().date()
        if today != self._day:
            self._day, self.spent = today, 0
