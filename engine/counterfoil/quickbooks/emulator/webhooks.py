"""Delivery of notifications: gathered for a moment, signed, sent, tried again on Intuit's schedule.

Source: Intuit's webhook best practices: 200 within 3 s; 10 s, 20 s, 30 s, 5 min, 20 min, 2 h, 4 h, 6 h, then every
6 h; later events are held back until the failed one is acknowledged.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Final

import aiohttp

from counterfoil.ports import Clock, Entropy
from counterfoil.quickbooks.emulator.books import Change
from counterfoil.quickbooks.emulator.injection import FaultBoard, FaultKind, Target
from counterfoil.quickbooks.emulator.notifications import (
    Notification,
    WebhookFormat,
    body_of,
    coalesced,
    headers,
    notification,
)
from counterfoil_schema.exact_json import JsonObject

RETRY_SECONDS: Final = (10, 20, 30, 300, 1200, 7200, 14400, 21600)
ANSWER_SECONDS = 3.0
PENDING_MAX = 200_000
DELIVERIES_MAX = 10_000
EVENTS_PER_DELIVERY_MAX = 500
OK = 200


@dataclass(slots=True)
class WebhookSettings:
    """Where to, in which form, and how long to gather; `other_realm` is told of in the same bodies."""

    url: str = ""
    format: WebhookFormat = "cloudevents"
    gather_seconds: float = 0.05
    coalesce: bool = True
    other_realm: str = ""


class WebhookSender:
    """Tells the subscriber of changes, one delivery at a time."""

    def __init__(
        self,
        clock: Clock,
        entropy: Entropy,
        faults: FaultBoard,
        settings: WebhookSettings,
        *,
        realm_id: str,
        verifier_token: str,
        source: str,
        connector: Callable[[], aiohttp.BaseConnector] | None = None,
    ) -> None:
        self._clock = clock
        self._entropy = entropy
        self._faults = faults
        self._realm_id = realm_id
        self._verifier_token = verifier_token
        self._source = source
        self._connector = connector
        self._pending: deque[Notification] = deque(maxlen=PENDING_MAX)
        self._waiting = asyncio.Event()
        self._subscribed = asyncio.Event()
        self.settings = settings
        self.deliveries: deque[JsonObject] = deque(maxlen=DELIVERIES_MAX)
        self._sequence = 0
        self.delivered = 0
        self.dropped = 0

    @property
    def pending(self) -> int:
        return len(self._pending)

    def notice(self, change: Change) -> None:
        """Queue a change; without a subscriber nothing is kept."""
        if not self.settings.url:
            return
        note = notification(change, self._entropy)
        if note is not None:
            self._pending.append(note)
            self._waiting.set()

    def subscribed(self) -> None:
        """The subscriber was named, again perhaps: what failed before is tried at once."""
        self._subscribed.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        connector = self._connector() if self._connector is not None else None
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            while True:
                await self._waiting.wait()
                await self._clock.sleep(self.settings.gather_seconds)
                batch = self._take()
                if batch:
                    await self._deliver(session, batch)

    def _take(self) -> list[Notification]:
        taken = [self._pending.popleft() for _ in range(min(len(self._pending), EVENTS_PER_DELIVERY_MAX))]
        if not self._pending:
            self._waiting.clear()
        kept = [note for note in taken if not self._hit("drop_webhook", note)]
        self.dropped += len(taken) - len(kept)
        return coalesced(kept) if self.settings.coalesce else kept

    def _hit(self, kind: FaultKind, note: Notification) -> bool:
        target = Target(frozenset({note.entity}), frozenset({note.verb, note.word.lower()}), batch=False, text=note.id)
        return self._faults.hits_webhook(kind, target)

    async def _deliver(self, session: aiohttp.ClientSession, batch: list[Notification]) -> None:
        form = self.settings.format
        body = body_of(batch, self._realms(), form, self._source)
        # The same bytes twice, so that the subscriber's own de-duplication is what is tried.
        doubled = [self._hit("double_webhook", note) for note in batch]
        times = 2 if any(doubled) else 1
        waits = chain(RETRY_SECONDS, repeat(RETRY_SECONDS[-1]))
        for attempt, wait in enumerate(waits, start=1):
            url = self.settings.url
            if not url:
                return
            transaction = self._entropy.token_bytes(16).hex()
            signed = headers(body, self._verifier_token, form, self._clock.now(), transaction)
            statuses = [await self._post(session, url, body, signed) for _ in range(times)]
            self._note(url, attempt, statuses, batch)
            if statuses[-1] == OK:
                self.delivered += len(batch)
                return
            await self._wait(wait)

    def _realms(self) -> list[str]:
        """Whom a body is about: the company, and on request another that the subscriber has nothing to do with."""
        return [self._realm_id, *([self.settings.other_realm] if self.settings.other_realm else [])]

    async def _wait(self, seconds: float) -> None:
        """Until so much time has passed, or somebody subscribes."""
        self._subscribed.clear()
        waiting = [asyncio.create_task(self._clock.sleep(seconds)), asyncio.create_task(self._until_subscribed())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    async def _until_subscribed(self) -> None:
        await self._subscribed.wait()

    async def _post(self, session: aiohttp.ClientSession, url: str, body: bytes, signed: dict[str, str]) -> int:
        try:
            async with session.post(url, data=body, headers=signed) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return 0

    def _note(self, url: str, attempt: int, statuses: list[int], batch: list[Notification]) -> None:
        self._sequence += 1
        self.deliveries.append(
            {
                "sequence": self._sequence,
                "time": self._clock.now().isoformat(),
                "url": url,
                "attempt": attempt,
                "statuses": list(statuses),
                "events": [{"entity": note.entity, "id": note.id, "verb": note.verb} for note in batch],
            }
        )
