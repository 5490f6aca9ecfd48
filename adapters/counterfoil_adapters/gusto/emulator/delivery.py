"""Webhooks as Gusto sends them: handshake, signature, retries; nothing is sent before a subscription is verified."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from counterfoil.emulating import Deliveries, FaultPlan, Ids, Signing
from counterfoil.ports import Clock
from counterfoil_adapters.gusto.emulator.values import not_found
from counterfoil_schema.exact_json import JsonObject, JsonValue

TRIES_MAX = 16


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
    """Subscriptions, and what is delivered to them; `retry_seconds` is the first of the doubling waits."""

    def __init__(self, ids: Ids, clock: Clock, faults: FaultPlan, *, first_token: str, retry_seconds: float) -> None:
        self._ids = ids
        self._next_token: str | None = first_token
        self._signed = Deliveries(
            clock, faults, self._sign, tries=TRIES_MAX, pause_seconds=retry_seconds, given_up=self._lost
        )
        # A handshake is sent once, unsigned, and no fault is meant for it.
        self._handshakes = Deliveries(clock, FaultPlan(), lambda _signing: {}, tries=1, log=self._signed.log)
        self.subscriptions: dict[str, Subscription] = {}

    @property
    def log(self) -> Iterable[JsonObject]:
        """The last tries."""
        return self._signed.log

    async def open(self) -> None:
        await self._signed.open()
        await self._handshakes.open()

    async def close(self) -> None:
        """Give up what is under way."""
        await self._signed.close()
        await self._handshakes.close()

    async def settle(self) -> None:
        """Wait until no delivery is under way."""
        await self._signed.settle()
        await self._handshakes.settle()

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
        self._handshakes.send({"verification_token": subscription.token}, subscription.url)

    def announce(self, event: JsonObject) -> None:
        """Deliver an event to every verified subscription of its type."""
        for subscription in self.subscriptions.values():
            if subscription.status == "verified" and event["entity_type"] in subscription.types:
                self.send(subscription, event)

    def send(self, subscription: Subscription, body: JsonObject) -> None:
        """Deliver any body, signed, as it is."""
        self._signed.send(body, subscription.url, about=subscription.uuid)

    def _sign(self, signing: Signing) -> Mapping[str, str]:
        token = self.subscriptions[signing.about].token
        return {"X-Gusto-Signature": signature(token[::-1] if signing.forged else token, signing.body)}

    def _lost(self, about: str) -> None:
        self.subscriptions[about].status = "unreachable"
