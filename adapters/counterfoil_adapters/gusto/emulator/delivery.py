"""Webhooks as Gusto sends them: handshake, signature, retries; nothing is sent before a subscription is verified."""

import asyncio
import hashlib
import hmac
from collections import deque
from dataclasses import dataclass

import aiohttp

from counterfoil.ports import Clock
from counterfoil_adapters.gusto.emulator.faults import Faults
from counterfoil_adapters.gusto.emulator.store import Ids
from counterfoil_adapters.gusto.emulator.values import not_found
from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps

TRIES_MAX = 16
ANSWER_SECONDS = 10.0
RETRY_SECONDS_MAX = 3600.0
PENDING_MAX = 10_000
AT_ONCE = 8
KEPT_MAX = 1000


@dataclass(slots=True)
class Subscription:
    """A webhook subscription; `token` keys its signatures."""

    uuid: str
    url: str
    types: list[str]
    token: str
    status: str = "pending"

    def shown(self) -> JsonObject:
        types: list[JsonValue] = list(self.types)
        return {"uuid": self.uuid, "url": self.url, "status": self.status, "subscription_types": types}


def signature(token: str, body: bytes) -> str:
    """X-Gusto-Signature: hex HMAC-SHA256 of the raw body, keyed by the verification token."""
    return hmac.new(token.encode(), body, hashlib.sha256).hexdigest()


class Webhooks:
    """Subscriptions and their deliveries; `retry_seconds` is the first of the doubling waits."""

    def __init__(self, ids: Ids, clock: Clock, faults: Faults, *, first_token: str, retry_seconds: float) -> None:
        self._ids = ids
        self._clock = clock
        self._faults = faults
        self._next_token: str | None = first_token
        self._retry_seconds = retry_seconds
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(AT_ONCE)
        self.subscriptions: dict[str, Subscription] = {}
        self.log: deque[JsonObject] = deque(maxlen=KEPT_MAX)

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS))

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def settle(self) -> None:
        """Wait until no delivery is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def create(self, url: str, types: list[str], *, verified: bool = False) -> Subscription:
        """A subscription; unless it is verified from the start, the handshake is sent."""
        token = self._next_token or self._ids.uuid()
        self._next_token = None
        made = Subscription(self._ids.uuid(), url, types, token, "verified" if verified else "pending")
        self.subscriptions[made.uuid] = made
        if not verified:
            self.handshake(made)
        return made

    def subscription(self, subscription_uuid: str) -> Subscription:
        """A subscription, or 404."""
        if subscription_uuid not in self.subscriptions:
            raise not_found()
        return self.subscriptions[subscription_uuid]

    def handshake(self, subscription: Subscription) -> None:
        """Send the verification token to the subscriber."""
        self._start(subscription, {"verification_token": subscription.token}, signed=False)

    def announce(self, event: JsonObject) -> None:
        """Deliver an event to every verified subscription of its type."""
        for subscription in self.subscriptions.values():
            if subscription.status != "verified" or event["entity_type"] not in subscription.types:
                continue
            copies = 1
            if self._faults.strike(("drop_webhook",), subscription.url) is not None:
                self._note(event, "dropped")
                continue
            if self._faults.strike(("double_webhook",), subscription.url) is not None:
                copies = 2
            for _ in range(copies):
                self._start(subscription, event, signed=True)

    def send(self, subscription: Subscription, body: JsonObject) -> None:
        """Deliver any body, signed, as it is."""
        self._start(subscription, body, signed=True)

    def _start(self, subscription: Subscription, body: JsonObject, *, signed: bool) -> None:
        if len(self._tasks) >= PENDING_MAX:
            self._note(body, "dropped: too many are pending")
            return
        task = asyncio.create_task(self._deliver(subscription, body, signed=signed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, subscription: Subscription, body: JsonObject, *, signed: bool) -> None:
        raw = dumps(body)
        headers = {"Content-Type": "application/json"}
        if signed:
            headers["X-Gusto-Signature"] = signature(subscription.token, raw)
        wait = self._retry_seconds
        for number in range(1, TRIES_MAX + 1):
            async with self._gate:
                outcome = await self._post(subscription.url, raw, headers)
            self._note(body, f"try {number}: {outcome}")
            if outcome.startswith("2") or not signed:
                return
            await self._clock.sleep(wait)
            wait = min(wait * 2, RETRY_SECONDS_MAX)
        subscription.status = "unreachable"

    async def _post(self, url: str, raw: bytes, headers: dict[str, str]) -> str:
        if self._session is None:
            return "not open"
        try:
            async with self._session.post(url, data=raw, headers=headers) as response:
                return str(response.status)
        except (TimeoutError, aiohttp.ClientError) as error:
            return type(error).__name__

    def _note(self, body: JsonObject, outcome: str) -> None:
        self.log.append({"uuid": body.get("uuid"), "event_type": body.get("event_type"), "outcome": outcome})
