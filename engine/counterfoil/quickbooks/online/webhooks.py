"""QuickBooks' webhooks: the signature over the raw body, and both forms of notification.

Intuit moved from its own form to CloudEvents in 2026; both are read. A notification says what changed, never how.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
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
_TYPE = re.compile(r"qbo\.([a-z0-9]+)\.([a-z]+)\.v\d+", re.IGNORECASE | re.ASCII)


class NotificationError(CounterfoilError):
    """A webhook body that is not a notification."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One change of one record.

    Attributes:
        realm_id: whose books.
        entity: in QuickBooks' spelling ("JournalEntry"); an unknown one as it came.
        entity_id: the record; for a merge, the one that remains.
        operation: what happened; both spellings of a void come out as "voided".
        time: when, in UTC; None where it cannot be read.
        event_id: Intuit's id of a CloudEvent, for dropping duplicates; "" in the legacy form.
        deleted_id: for a merge, the record that went.
    """

    realm_id: str
    entity: str
    entity_id: str
    operation: Change
    time: datetime | None
    event_id: str
    deleted_id: str | None


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


def parse_notifications(raw_body: bytes) -> list[Notification]:
    """All notifications of a body, in its order; CloudEvents or legacy, one realm or many.

    Events of other products and operations without a meaning for us are left out.

    Raises:
        NotificationError: not JSON, of another shape, or too many.
    """
    try:
        value = loads(raw_body)
    except (ValueError, ArithmeticError, RecursionError):
        raise _malformed("it is not JSON") from None
    found: list[Notification] = []
    for notification in _notifications(value):
        if len(found) >= NOTIFICATIONS_MAX:
            raise _malformed(f"it holds more than {NOTIFICATIONS_MAX} events")
        found.append(notification)
    return found


def _notifications(value: JsonValue) -> Iterator[Notification]:
    if isinstance(value, dict) and "eventNotifications" in value:
        yield from _legacy(value["eventNotifications"])
    elif isinstance(value, dict) and "specversion" in value:
        yield from _cloud_event(value)
    elif isinstance(value, list):
        for event in value:
            yield from _cloud_event(_an_object(event))
    else:
        raise _malformed("it is neither a list of events nor Intuit's older form")


def _cloud_event(event: JsonObject) -> Iterator[Notification]:
    kind = _text(event, "type")
    match = _TYPE.fullmatch(kind)
    if match is None or match[2].lower() not in _CHANGES:
        return
    data = event.get("data")
    yield Notification(
        realm_id=_text(event, "intuitaccountid"),
        entity=_ENTITIES.get(match[1].lower(), match[1]),
        entity_id=_text(event, "intuitentityid"),
        operation=_CHANGES[match[2].lower()],
        time=parse_instant(event.get("time")),
        event_id=_text(event, "id"),
        deleted_id=_deleted_id(data) if isinstance(data, dict) else None,
    )


def _legacy(listed: JsonValue) -> Iterator[Notification]:
    for notification in _a_list(listed):
        realm = _an_object(notification)
        realm_id = _text(realm, "realmId")
        changes = _an_object(realm.get("dataChangeEvent"))
        for entry in _a_list(changes.get("entities")):
            entity = _an_object(entry)
            name, operation = _text(entity, "name"), _text(entity, "operation").lower()
            if operation not in _CHANGES:
                continue
            yield Notification(
                realm_id=realm_id,
                entity=_ENTITIES.get(name.lower(), name),
                entity_id=_text(entity, "id"),
                operation=_CHANGES[operation],
                time=parse_instant(entity.get("lastUpdated")),
                event_id="",
                deleted_id=_deleted_id(entity),
            )


def _deleted_id(holder: JsonObject) -> str | None:
    for key, value in holder.items():
        if key.lower() == "deletedid" and isinstance(value, str | int) and not isinstance(value, bool):
            return str(value) or None
    return None


def _text(holder: JsonObject, key: str) -> str:
    """A field that must be there; ids have come as numbers."""
    value = holder.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
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
