"""Webhooks: who is told of what, and the signature of BambooHR."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from counterfoil.emulating import BadRequestError, Deliveries, Ids, ShiftedClock, Signing
from counterfoil_schema.exact_json import JsonObject, JsonValue

EVENTS = (
    "employee_with_fields.updated",
    "employee_with_fields.created",
    "employee_with_fields.deleted",
    "employee.created",
    "employee.updated",
    "employee.deleted",
)


@dataclass(slots=True)
class Hook:
    """A webhook; `monitors` are the fields whose change is told, none of them: all."""

    identity: str
    name: str
    url: str
    key: str
    created: str
    events: list[str]
    monitors: list[str] = field(default_factory=list)
    last_sent: str | None = None

    def summary(self) -> JsonObject:
        """As the list of webhooks shows it."""
        told: dict[str, JsonValue] = {"id": self.identity, "name": self.name, "created": self.created}
        return {**told, "lastSent": self.last_sent, "url": self.url}

    def shown(self) -> JsonObject:
        """Whole, without its key."""
        return {
            **self.summary(),
            "monitorFields": [*self.monitors] if self.monitors else None,
            "postFields": {},
            "format": "json",
            "includeCompanyDomain": False,
            "events": [*self.events],
        }


class Hooks:
    """All webhooks of the company."""

    def __init__(self, ids: Ids, clock: ShiftedClock, deliveries: Callable[[], Deliveries], company_id: str) -> None:
        self._ids = ids
        self._clock = clock
        self._deliveries = deliveries
        self._company_id = company_id
        self._last = 0
        self.all: dict[str, Hook] = {}

    def add(self, body: JsonObject, *, key: str | None = None, secure: bool = True) -> Hook:
        """A webhook, with a key of its own."""
        url, events = str(body.get("url") or ""), body.get("events")
        wanted = [str(one) for one in events] if isinstance(events, list) else [*EVENTS[:3]]
        monitors = body.get("monitorFields")
        fields = [str(one) for one in monitors] if isinstance(monitors, list) else []
        problems = [
            told
            for told, wrong in (
                ("The webhook needs a name.", not body.get("name")),
                ("The URL must begin with https://.", secure and not url.startswith("https://")),
                ("The format must be json or form-encoded.", body.get("format") not in {"json", "form-encoded"}),
                ("There are unknown events.", any(event not in EVENTS for event in wanted)),
                ("Events of the two kinds cannot be mixed.", len({event.partition(".")[0] for event in wanted}) > 1),
                ("monitorFields are needed.", any(e.endswith(".updated") for e in wanted) and not fields),
            )
            if wrong
        ]
        if problems:
            raise BadRequestError(problems[0], body={"errors": [{"error": "Invalid request body", "issues": problems}]})
        self._last += 1
        stamp = f"{self._clock.now():%Y-%m-%d %H:%M:%S}"
        name = str(body.get("name"))
        made = Hook(str(self._last), name, url, key or self._ids.secret(), stamp, wanted, fields)
        self.all[made.identity] = made
        return made

    def hook(self, identity: str) -> Hook:
        """A webhook, or 404."""
        if identity not in self.all:
            told = f"No webhook was found with ID: {identity}."
            raise BadRequestError(told, status=404, body={"errors": [{"error": told}]})
        return self.all[identity]

    def announce(self, operation: str, employee_id: str, fields: list[str]) -> None:
        """Tell those who want to know; the fields are names, never values."""
        at = self._clock.now()
        for hook in self.all.values():
            modern, old = f"employee.{operation}", f"employee_with_fields.{operation}"
            if operation == "updated" and hook.monitors and not set(fields) & set(hook.monitors):
                continue
            stamp = f"{at:%Y-%m-%dT%H:%M:%S}+0000"
            if modern in hook.events:
                data: JsonObject = {"companyId": self._company_id, "employeeId": employee_id}
                more: JsonObject = {"changedFields": [*fields]} if operation == "updated" else {}
                self._send(hook, {"type": modern, "timestamp": stamp, "data": {**data, **more}})
            elif old in hook.events:
                entry: JsonObject = {"id": employee_id, "action": operation.capitalize(), "timestamp": stamp}
                self._send(hook, {"employees": [{**entry, "changedFields": [*fields], "fields": {}}]})

    def sign(self, signing: Signing) -> dict[str, str]:
        """Timestamp, and the hex HMAC-SHA256 over body and timestamp by the key of the webhook that is delivered to."""
        stamp = str(int(signing.sent_at.timestamp()))
        key = next((hook.key for hook in self.all.values() if hook.url == signing.url), "")
        key = "somebody else's" if signing.forged else key
        digest = hmac.new(key.encode(), signing.body + stamp.encode(), hashlib.sha256).hexdigest()
        return {"X-BambooHR-Timestamp": stamp, "X-BambooHR-Signature": digest}

    def _send(self, hook: Hook, body: JsonObject) -> None:
        hook.last_sent = f"{self._clock.now():%Y-%m-%d %H:%M:%S}"
        self._deliveries().send(body, hook.url)
