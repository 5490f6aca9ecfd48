"""Webhooks v2: who subscribed to what, and how a change is told."""

import base64
from dataclasses import dataclass

from counterfoil.emulating import Deliveries, Ids
from counterfoil.ports import Clock
from counterfoil_adapters.pipedrive.emulator.company import Event
from counterfoil_adapters.pipedrive.emulator.errors import refusal
from counterfoil_adapters.pipedrive.emulator.rows import USER_ID, text_of
from counterfoil_schema.exact_json import JsonObject, dumps, loads_object

ACTIONS = ("create", "change", "delete", "*")
OBJECTS = ("activity", "deal", "lead", "note", "organization", "person", "pipeline", "product", "stage", "user", "*")
MORE_OBJECTS = ("deal_product", "deal_installment", "board", "phase", "project", "task")
WEBHOOKS_MAX = 40
STANDING_ID = 1
"""The webhook that is there from the start, or that the control port sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One subscription."""

    webhook_id: int
    url: str
    action: str
    entity: str
    user: str | None
    password: str | None
    name: str

    def wants(self, event: Event) -> bool:
        return self.action in {"*", event.action} and self.entity in {"*", event.entity}

    def authorization(self, *, forged: bool) -> dict[str, str]:
        """HTTP Basic, if it was made with it: there is no signature."""
        if self.user is None and self.password is None:
            return {}
        password = (self.password or "")[::-1] if forged else (self.password or "")
        whole = base64.b64encode(f"{self.user or ''}:{password}".encode()).decode()
        return {"Authorization": f"Basic {whole}"}


class Subscriptions:
    """All webhooks of one user, and the telling of events to them."""

    def __init__(self, ids: Ids, clock: Clock, company_id: int, host: str, standing: Webhook) -> None:
        self._ids = ids
        self._clock = clock
        self._company_id = company_id
        self._host = host
        self._standing = standing
        self.made: dict[int, Webhook] = {}
        self._last_id = STANDING_ID

    def add(self, body: JsonObject) -> Webhook:
        """A new subscription.

        Raises:
            BadRequestError: something is missing or unknown, or there are forty.
        """
        url, action, entity = body.get("subscription_url"), body.get("event_action"), body.get("event_object")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise refusal("subscription_url: must be a valid URL")
        if action not in ACTIONS or entity not in OBJECTS + MORE_OBJECTS:
            raise refusal("event_action and event_object: unknown event")
        if str(body.get("version", "2.0")) != "2.0":
            raise refusal("version: this emulator has webhooks v2 only")
        if len(self.made) >= WEBHOOKS_MAX:
            raise refusal("The maximum number of webhooks has been reached.", 403)
        self._last_id += 1
        made = Webhook(
            webhook_id=self._last_id,
            url=url,
            action=str(action),
            entity=str(entity),
            user=_text(body.get("http_auth_user")),
            password=_text(body.get("http_auth_password")),
            name=str(body.get("name", "")),
        )
        self.made[made.webhook_id] = made
        return made

    def of(self, about: str) -> Webhook:
        """The subscription that a delivery is for."""
        return next((one for one in self.made.values() if str(one.webhook_id) == about), self._standing)

    def tell(self, event: Event, deliveries: Deliveries) -> None:
        """Send an event to whoever wants it."""
        correlation, event_id = self._ids.uuid(), self._ids.uuid()
        standing = [self._standing] if deliveries.url is not None else []
        for webhook in [*standing, *self.made.values()]:
            if webhook.wants(event):
                url = webhook.url or deliveries.url
                body = self._body(event, webhook, correlation, event_id)
                deliveries.send(body, url, about=str(webhook.webhook_id))

    def _body(self, event: Event, webhook: Webhook, correlation: str, event_id: str) -> JsonObject:
        meta: JsonObject = {
            "action": event.action,
            "entity": event.entity,
            "entity_id": str(event.entity_id),
            "company_id": str(self._company_id),
            "correlation_id": correlation,
            "id": event_id,
            "is_bulk_edit": False,
            "timestamp": text_of(self._clock.now()),
            "type": "general",
            "user_id": str(USER_ID),
            "version": "2.0",
            "webhook_id": str(webhook.webhook_id),
            "webhook_owner_id": str(USER_ID),
            "change_source": event.source,
            "attempt": 1,
            "host": self._host,
            "permitted_user_ids": [str(USER_ID)],
            **event.more,
        }
        return {"meta": meta, "data": event.data, "previous": event.previous}


def attempted(body: bytes, number: int) -> bytes:
    """The body of a repetition: `attempt` counts up."""
    told = loads_object(body)
    meta = told.get("meta")
    return dumps({**told, "meta": {**meta, "attempt": number}}) if isinstance(meta, dict) else body


def _text(value: object) -> str | None:
    return str(value) if value is not None else None
