"""What a notification says and how it is signed, in both of Intuit's forms.

Sources: Intuit's webhooks page and its announcement of 2025-11-12 on CloudEvents; the operations table.
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal
from uuid import UUID, uuid5

from counterfoil.ports import Entropy
from counterfoil.quickbooks.emulator.books import Change
from counterfoil.quickbooks.emulator.catalog import ENTITIES
from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps

WebhookFormat = Literal["cloudevents", "legacy"]

# Letter in the catalogue, verb of CloudEvents, word of the legacy form.
_VERBS = {
    "create": ("c", "created", "Create"),
    "update": ("u", "updated", "Update"),
    "linked": ("u", "updated", "Update"),
    "released": ("u", "updated", "Update"),
    "delete": ("d", "deleted", "Delete"),
    "void": ("v", "void", "Void"),
    "emailed": ("e", "emailed", "Emailed"),
    "merge": ("m", "merged", "Merge"),
}


@dataclass(frozen=True, slots=True)
class Notification:
    """One change, as it will be told."""

    event_id: str
    entity: str
    id: str
    verb: str
    word: str
    at: datetime
    deleted_id: str = ""


def notification(change: Change, entropy: Entropy) -> Notification | None:
    """The notification of a change; None where Intuit sends none."""
    letter, verb, word = _VERBS[change.operation]
    if letter not in ENTITIES[change.entity].verbs:
        return None
    identity = str(UUID(bytes=entropy.token_bytes(16), version=4))
    return Notification(identity, change.entity, change.id, verb, word, change.at, change.deleted_id)


def coalesced(notifications: Sequence[Notification]) -> list[Notification]:
    """The same change of the same record, told once, by its latest."""
    latest = {(note.entity, note.id, note.verb, note.deleted_id): note for note in notifications}
    return list(latest.values())


def body_of(notifications: Sequence[Notification], realms: Sequence[str], form: WebhookFormat, source: str) -> bytes:
    """The body of one delivery, compact, so that a reader that serialises it anew gets the same bytes.

    Args:
        realms: the company, and others that are told the same.
    """
    if form == "legacy":
        events: list[JsonValue] = [
            {"realmId": realm, "dataChangeEvent": {"entities": [_legacy(note) for note in notifications]}}
            for realm in realms
        ]
        return dumps({"eventNotifications": events})
    own = [_cloud_event(note, realms[0], note.event_id, source) for note in notifications]
    others = [
        # An event about another company is another event.
        _cloud_event(note, realm, str(uuid5(UUID(note.event_id), realm)), source)
        for realm in realms[1:]
        for note in notifications
    ]
    return dumps([*own, *others])


def _legacy(note: Notification) -> JsonValue:
    told: JsonObject = {
        "name": note.entity,
        "id": note.id,
        "operation": note.word,
        "lastUpdated": _milliseconds(note.at),
    }
    return {**told, "deletedId": note.deleted_id} if note.deleted_id else told


def _cloud_event(note: Notification, realm: str, event_id: str, source: str) -> JsonValue:
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": f"intuit.{source}",
        "type": f"qbo.{note.entity.lower()}.{note.verb}.v1",
        "datacontenttype": "application/json",
        "time": _nanoseconds(note.at),
        "intuitentityid": note.id,
        "intuitaccountid": realm,
        "data": {"deletedid": note.deleted_id} if note.deleted_id else {},
    }


def signature(body: bytes, verifier_token: str) -> str:
    """base64 of HMAC-SHA256 over the raw body."""
    return b64encode(hmac.digest(verifier_token.encode(), body, sha256)).decode()


def headers(body: bytes, verifier_token: str, form: WebhookFormat, at: datetime, transaction: str) -> dict[str, str]:
    """The headers of one delivery."""
    return {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "intuit_notification_server/1.0",
        "intuit-signature": signature(body, verifier_token),
        "intuit-created-time": _milliseconds(at),
        "intuit-t-id": transaction,
        "intuit-notification-schema-version": "1.0" if form == "cloudevents" else "0.1",
    }


def _milliseconds(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _nanoseconds(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
