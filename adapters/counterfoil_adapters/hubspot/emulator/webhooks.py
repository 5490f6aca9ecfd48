"""Webhooks: events of one app, sent as signed arrays, again and again until somebody takes them."""

import asyncio
import base64
import hashlib
import hmac
import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urldefrag

import aiohttp

from counterfoil.emulating import FaultPlan
from counterfoil.ports import Clock
from counterfoil_adapters.hubspot.emulator.catalogue import OBJECT_TYPES
from counterfoil_schema import exact_json

EVENTS_PER_DELIVERY_MAX = 100
EVENTS_QUEUED_MAX = 100_000
TRIES = 10
TIMEOUT_SECONDS = 5.0
GATHER_SECONDS = 0.02
STALE_MILLIS = 6 * 60 * 1000
HANDLED_MAX = 300

# These are final; everything else that is not a success is tried again.
FINAL = frozenset({400, 401, 403, 404, 405})
_KINDS = {kind.plural: kind for kind in OBJECT_TYPES}
# The older form of subscription exists for these only.
_CLASSIC = frozenset({"contacts", "companies", "deals", "products"})
_DECODED = re.compile(r"%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)

Event = dict[str, object]


def sign(secret: str, method: str, url: str, body: bytes, timestamp: str) -> str:
    """X-HubSpot-Signature-v3: base64 of HMAC-SHA256 over method, partly decoded URL, body and milliseconds."""
    uri = _DECODED.sub(lambda found: chr(int(found.group()[1:], 16)), urldefrag(url).url)
    mac = hmac.new(secret.encode(), method.encode() + uri.encode() + body + timestamp.encode(), hashlib.sha256)
    return base64.b64encode(mac.digest()).decode()


@dataclass(frozen=True, slots=True)
class App:
    """The app that subscribes."""

    app_id: int
    portal_id: int
    client_secret: str


class WebhookSender:
    """Sends what the account emits, in order, in arrays of at most 100 events.

    Args:
        classic: use the older names (`deal.creation`) for the types that have them.
        pause_seconds: before the first repetition; the pauses grow with each.
    """

    def __init__(self, app: App, clock: Clock, faults: FaultPlan, *, classic: bool, pause_seconds: float) -> None:
        self._app = app
        self._clock = clock
        self._faults = faults
        self._classic = classic
        self._pause = pause_seconds
        self._pending: deque[Event] = deque(maxlen=EVENTS_QUEUED_MAX)
        self._wake = asyncio.Event()
        self._event_id = 0
        self.url: str | None = None
        self.delivered = 0
        self.given_up = 0
        self.tries = 0
        self.busy = False

    def emit(self, event: Event) -> None:
        """Queue an event of the account; without a URL nobody subscribed, and it is gone."""
        if self.url is None:
            return
        self._event_id += 1
        self._pending.append(self._envelope(event, self._event_id))
        self._wake.set()

    @property
    def waiting(self) -> int:
        """Events not yet taken by the receiver, those under way included."""
        return len(self._pending) + int(self.busy)

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Deliver until cancelled."""
        while True:
            await self._wake.wait()
            await self._clock.sleep(GATHER_SECONDS)
            self._wake.clear()
            while self._pending:
                count = min(len(self._pending), EVENTS_PER_DELIVERY_MAX)
                self.busy = True
                try:
                    await self._deliver(session, [self._pending.popleft() for _ in range(count)])
                finally:
                    self.busy = False

    async def _deliver(self, session: aiohttp.ClientSession, events: Sequence[Event]) -> None:
        if self._faults.take_webhook("webhook_drop"):
            return
        if self._faults.take_webhook("webhook_reorder"):
            events = list(reversed(events))
        copies = 2 if self._faults.take_webhook("webhook_double") else 1
        for _ in range(copies):
            await self._until_taken(session, events)

    async def _until_taken(self, session: aiohttp.ClientSession, events: Sequence[Event]) -> None:
        for attempt in range(TRIES):
            status = await self._post(session, [{**event, "attemptNumber": attempt} for event in events])
            if status is not None and status < HANDLED_MAX:
                self.delivered += len(events)
                return
            if status in FINAL:
                break
            await self._clock.sleep(self._pause * 2**attempt)
        self.given_up += len(events)

    async def _post(self, session: aiohttp.ClientSession, events: Sequence[Mapping[str, object]]) -> int | None:
        url = self.url
        if url is None:
            return None
        self.tries += 1
        body = exact_json.dumps(events)
        millis = int(self._clock.now().timestamp() * 1000)
        if self._faults.take_webhook("webhook_stale"):
            millis -= STALE_MILLIS
        secret = self._app.client_secret
        if self._faults.take_webhook("webhook_forged"):
            secret = secret[::-1]
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "HubSpot Connect 2.0 (http://dev.hubspot.com/) (namespace: webhooks-nio-http-client)",
            "X-HubSpot-Signature": hashlib.sha256(secret.encode() + body).hexdigest(),
            "X-HubSpot-Signature-Version": "v1",
            "X-HubSpot-Request-Timestamp": str(millis),
            "X-HubSpot-Signature-v3": sign(secret, "POST", url, body, str(millis)),
        }
        try:
            async with session.post(
                url, data=body, headers=headers, timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
            ) as response:
                return response.status
        except (TimeoutError, aiohttp.ClientError):
            return None

    def _envelope(self, event: Event, event_id: int) -> Event:
        kind = _KINDS[str(event["object_type"])]
        # HubSpot has the erasure of a contact in the older form alone (new subscription types for webhooks).
        classic = (self._classic or event["happening"] == "privacyDeletion") and kind.plural in _CLASSIC
        subject = kind.singular if classic else "object"
        rest = {name: value for name, value in event.items() if name not in {"happening", "object_type"}}
        return {
            "eventId": event_id,
            "subscriptionId": 1,
            "portalId": self._app.portal_id,
            "appId": self._app.app_id,
            "subscriptionType": f"{subject}.{event['happening']}",
            **({} if classic else {"objectTypeId": kind.type_id}),
            **rest,
        }
