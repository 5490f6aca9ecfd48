"""QuickBooks' webhooks: the signature over the raw body, and both forms of notification.

Intuit moved from its own form to CloudEvents in 2026; both are read. A notification says what changed, never how.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from pydantic import SecretStr

from counterfoil.errors import CounterfoilError
from counterfoil.quickbooks.online.instants import parse_instant
from counterfoil_schema.exact_json import JsonObject, JsonValue, loads

SIGNATURE_HEADER: Final = "intuit-signature"
NOTIFICATIONS_MAX: Final = 10_000
Change = Literal["created", "updated", "deleted", "merged", "voided", "emailed"]

_CHANGES: Final[dict[str, Change]] = {
    "create": "created",
    "created": "created",
    "update": "updated",
    "updated": "updated",
    "delete": "deleted",
    "deleted": "deleted",
    "merge": "merged",
    "merged": "merged",
    "void": "voided",
    "voided": "voided",
    "email": "emailed",
    "emailed": "emailed",
}
# Intuit's page "Webhooks" lists these; CloudEvents write them in lower case.
_NAMES: Final = (
    "Account",
    "Attachable",
    "Bill",
    "BillPayment",
    "Budget",
    "Class",
    "CompanyCurrency",
    "CompanyInfo",
    "CreditMemo",
    "Currency",
    "Customer",
    "Department",
    "Deposit",
    "Employee",
    "Estimate",
    "Invoice",
    "Item",
    "JournalCode",
    "JournalEntry",
    "Payment",
    "PaymentMethod",
    "Preferences",
    "Purchase",
    "PurchaseOrder",
    "RefundReceipt",
    "SalesReceipt",
    "TaxAgency",
    "TaxCode",
    "TaxRate",
    "Term",
    "TimeActivity",
    "Transfer",
    "Vendor",
    "VendorCredit",
)
_ENTITIES: Final = {name.lower(): name for name in _NAMES}
_TYPE = re.compile(r"qbo\.([a-z0-9]{1,50})\.([a-z]{1,50})\.v\d{1,9}", re.IGNORECASE | re.ASCII)
# What ends up in keys of tables: no control characters, no lone surrogates, no more than an index takes.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,49}", re.ASCII)
_ID = re.compile(r"[!-~]{1,100}", re.ASCII)
_NUMBER_MAX: Final = 10**100


class NotificationError(CounterfoilError):
    """A webhook body, or one event of it, that is not a notification."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One change of one record.

    Attributes:
        realm_id: whose books.
        entity: in QuickBooks' spelling ("JournalEntry"); an unknown one as it came.
        entity_id: the record; for a merge, the one that remains.
        operation: what happened; both spellings of a void come out as "voided".
        time: when, in UTC; None where it cannot be read.
        event_id: Intuit's id of a CloudEvent, for dropping duplicates; "" in the legacy form, and where it is missing.
        deleted_id: for a merge, the record that went.
    """

    realm_id: str
    entity: str
    entity_id: str
    operation: Change
    time: datetime | None
    event_id: str
    deleted_id: str | None


@dataclass(slots=True)
class Reading:
    """What a body says.

    Attributes:
        notifications: in its order.
        unreadable: why some of its events say nothing, each with the realm if that much can be read.
    """

    notifications: list[Notification] = field(default_factory=list)
    unreadable: list[tuple[str | None, str]] = field(default_factory=list)


def verify_signature(raw_body: bytes, header: str | None, verifier_token: SecretStr) -> bool:
    """Whether Intuit signed these bytes: base64 of their HMAC-SHA256 under the verifier token, in constant time."""
    if not header or not verifier_token.get_secret_value():
        return False
    try:
        given = base64.b64decode(header.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    expected = hmac.new(verifier_token.get_secret_value().encode(), raw_body, hashlib.sha256).digest()
    return hmac.compare_digest(expected, given)


def read_notifications(raw_body: bytes) -> Reading:
    """All notifications of a body; CloudEvents or legacy, one realm or many.

    Events of other products and operations without a meaning for us are left out. An event that cannot be read does
    not spoil the others: Intuit holds later events back until a delivery is acknowledged.

    Raises:
        NotificationError: not JSON, of another shape as a whole, or too many.
    """
    try:
        value = loads(raw_body)
    except (ValueError, ArithmeticError, RecursionError):
        raise _malformed("it is not JSON") from None
    reading = Reading()
    for realm, event in _events(value):
        if len(reading.notifications) + len(reading.unreadable) >= NOTIFICATIONS_MAX:
            raise _malformed(f"it holds more than {NOTIFICATIONS_MAX} events")
        try:
            notification = _cloud_event(event) if realm is None else _legacy(realm, event)
        except NotificationError as bad:
            reading.unreadable.append((_realm_of(realm, event), bad.message))
        else:
            if notification is not None:
                reading.notifications.append(notification)
    return reading


def _events(value: JsonValue) -> Iterator[tuple[JsonObject | None, JsonValue]]:
    """Each event; in the legacy form with the object that names its realm."""
    if isinstance(value, dict) and "eventNotifications" in value:
        for realm in _a_list(value["eventNotifications"]):
            holder = realm if isinstance(realm, dict) else {}
            changes = holder.get("dataChangeEvent")
            entities = changes.get("entities") if isinstance(changes, dict) else None
            for entity in entities if isinstance(entities, list) else [None]:
                yield holder, entity
    elif isinstance(value, dict) and "specversion" in value:
        yield None, value
    elif isinstance(value, list):
        for event in value:
            yield None, event
    else:
        raise _malformed("it is neither a list of events nor Intuit's older form")


def _realm_of(realm: JsonObject | None, event: JsonValue) -> str | None:
    try:
        return _id(_an_object(event), "intuitaccountid") if realm is None else _id(realm, "realmId")
    except NotificationError:
        return None


def _cloud_event(value: JsonValue) -> Notification | None:
    event = _an_object(value)
    match = _TYPE.fullmatch(_text(event, "type"))
    if match is None or match[2].lower() not in _CHANGES:
        return None
    data, event_id = event.get("data"), event.get("id")
    return Notification(
        realm_id=_id(event, "intuitaccountid"),
        entity=_ENTITIES.get(match[1].lower(), match[1]),
        entity_id=_id(event, "intuitentityid"),
        operation=_CHANGES[match[2].lower()],
        time=parse_instant(event.get("time")),
        event_id=event_id if isinstance(event_id, str) and _ID.fullmatch(event_id) else "",
        deleted_id=_deleted_id(data) if isinstance(data, dict) else None,
    )


def _legacy(realm: JsonObject, value: JsonValue) -> Notification | None:
    entity = _an_object(value)
    name, operation = _text(entity, "name"), _text(entity, "operation").lower()
    if operation not in _CHANGES:
        return None
    if not _NAME.fullmatch(name):
        raise _malformed("the name of an event's entity is none")
    return Notification(
        realm_id=_id(realm, "realmId"),
        entity=_ENTITIES.get(name.lower(), name),
        entity_id=_id(entity, "id"),
        operation=_CHANGES[operation],
        time=parse_instant(entity.get("lastUpdated")),
        event_id="",
        deleted_id=_deleted_id(entity),
    )


def _deleted_id(holder: JsonObject) -> str | None:
    for key, value in holder.items():
        if key.lower() == "deletedid" and value not in (None, ""):
            return _id(holder, key)
    return None


def _id(holder: JsonObject, key: str) -> str:
    """An id that can be looked for."""
    text = _text(holder, key)
    if not _ID.fullmatch(text):
        raise _malformed(f"the {key} of an event is no id")
    return text


def _text(holder: JsonObject, key: str) -> str:
    """A field that must be there; ids have come as numbers."""
    value = holder.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _NUMBER_MAX:
        return str(value)
    if not isinstance(value, str) or not value:
        raise _malformed(f"an event lacks {key}")
    return value


def _an_object(value: JsonValue) -> JsonObject:
    if not isinstance(value, dict):
        raise _malformed("an event is not an object")
    return value


def _a_list(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        raise _malformed("a list of events is missing")
    return value


def _malformed(why: str) -> NotificationError:
    return NotificationError(
        f"A webhook body from QuickBooks cannot be read: {why}.",
        remedy="Nothing is lost: the next sweep finds what changed.",
    )
