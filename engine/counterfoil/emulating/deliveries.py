"""Webhooks on their way: signed, again and again until somebody takes them, with faults on order."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp

from counterfoil.emulating.faults import FaultPlan
from counterfoil.ports import Clock
from counterfoil_schema.exact_json import JsonObject, dumps

TRIES = 10
PENDING_MAX = 10_000
AT_ONCE = 8
KEPT_MAX = 1000
PAUSE_SECONDS_MAX = 3600.0
TIMEOUT_SECONDS = 10.0
STALE = timedelta(hours=1)
TAKEN = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """What a signature is made from; `forged` asks for one by another secret, `sent_at` may be long ago.

    `about` is what the sender gave with the body: which of several subscriptions it is for.
    """

    url: str
    body: bytes
    sent_at: datetime
    forged: bool
    about: str


class Deliveries:
    """Posts bodies to `url`, or to the one given with them.

    Args:
        sign: the vendor's headers for a delivery.
        pause_seconds: before the first repetition; it doubles each time.
        final: statuses after which the vendor gives up at once.
        given_up: told, with what the body was about, when nobody took it.
        log: shared with others; its own by default.
        again: the body of the n-th try, where the vendor counts them in it.
    """

    def __init__(
        self,
        clock: Clock,
        faults: FaultPlan,
        sign: Callable[[Signing], Mapping[str, str]],
        *,
        tries: int = TRIES,
        pause_seconds: float = 0.2,
        timeout_seconds: float = TIMEOUT_SECONDS,
        final: frozenset[int] = frozenset(),
        given_up: Callable[[str], None] | None = None,
        log: "deque[JsonObject] | None" = None,
        again: Callable[[bytes, int], bytes] | None = None,
    ) -> None:
        self._clock = clock
        self._faults = faults
        self._sign = sign
        self._tries = tries
        self._pause_seconds = pause_seconds
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._final = final
        self._on_given_up = given_up
        self._again = again
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._held: list[tuple[str, bytes, str]] = []
        self.url: str | None = None
        self.delivered = 0
        self.given_up = 0
        self.log: deque[JsonObject] = log if log is not None else deque(maxlen=KEPT_MAX)
        """The last tries: url, body, outcome."""

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(timeout=self._timeout)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    @property
    def waiting(self) -> int:
        """Deliveries under way."""
        return len(self._tasks)

    async def settle(self) -> None:
        """Wait until none is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def send(self, body: object, url: str | None = None, *, about: str = "") -> None:
        """Deliver a body; where nobody subscribed, it is gone."""
        target = url or self.url
        if target is None:
            return
        raw = dumps(body)
        if self._faults.take_webhook("webhook_drop", target):
            self._note(target, raw, "dropped")
            return
        if self._faults.take_webhook("webhook_reorder", target):
            self._held.append((target, raw, about))  # the next one goes first
            return
        copies = 2 if self._faults.take_webhook("webhook_double", target) else 1
        for _ in range(copies):
            self._start(target, raw, about)
        held, self._held = self._held, []
        for later in held:
            self._start(*later)

    def _start(self, url: str, raw: bytes, about: str) -> None:
        if len(self._tasks) >= PENDING_MAX:
            self._note(url, raw, "dropped: too many are pending")
            return
        task = asyncio.create_task(self._deliver(url, raw, about))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, url: str, raw: bytes, about: str) -> None:
        pause = self._pause_seconds
        stale = STALE if self._faults.take_webhook("webhook_stale", url) else timedelta()
        forged = self._faults.take_webhook("webhook_forged", url)
        for number in range(1, self._tries + 1):
            if number > 1 and self._again is not None:
                raw = self._again(raw, number)
            signing = Signing(url=url, body=raw, sent_at=self._clock.now() - stale, forged=forged, about=about)
            async with self._gate:
                status = await self._post(signing)
            self._note(url, raw, f"try {number}: {status}")
            if isinstance(status, int) and status in TAKEN:
                self.delivered += 1
                return
            if status in self._final:
                break
            await self._clock.sleep(pause)
            pause = min(pause * 2, PAUSE_SECONDS_MAX)
        self.given_up += 1
        if self._on_given_up is not None:
            self._on_given_up(about)

    async def _post(self, signing: Signing) -> int | str:
        if self._session is None:
            return "not open"
        headers = {"Content-Type": "application/json", **self._sign(signing)}
        try:
            async with self._session.post(signing.url, data=signing.body, headers=headers) as response:
                return response.status
        except (TimeoutError, aiohttp.ClientError) as error:
            return type(error).__name__

    def _note(self, url: str, raw: bytes, outcome: str) -> None:
        self.log.append({"url": url, "body": raw.decode(errors="replace"), "outcome": outcome})
