"""Deliveries: the v3 signature, and what the events hint at. Pure."""

import base64
import hashlib
import hmac
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

from counterfoil.sources import signatures
from counterfoil.sources.port import BadSignatureError, Delivery, WebhookRequest
from counterfoil_adapters.hubspot.kinds import KINDS, OF_PAYMENTS, SALES
from counterfoil_schema.events.receipts import Hint
from counterfoil_schema.exact_json import JsonObject, JsonValue

SIGNATURE = "x-hubspot-signature-v3"
TIMESTAMP = "x-hubspot-request-timestamp"

# HubSpot: request validation. Only these escapes are undone before signing; all others stay as sent.
_UNDONE = re.compile(r"%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)
_TYPE_IDS = {kind.type_id: name for name, kind in KINDS.items() if name == "payment" or name not in OF_PAYMENTS}
_LINKED = frozenset({*SALES, "payment"})
"""Kinds of which a link that comes or goes is news."""

_CLASSIC = {"commerce_payment": "payment"}
_OPERATIONS = {
    "creation": "create",
    "propertyChange": "update",
    "associationChange": "update",
    "deletion": "delete",
    "restore": "restore",
    "merge": "merge",
    "privacyDeletion": "erased",
}


def check_signature(request: WebhookRequest, secret: str, now: datetime, public_url: str | None) -> None:
    """Let a delivery through only if HubSpot signed it, for us, within five minutes of now.

    Args:
        public_url: where the world reaches us, if a proxy stands before us: scheme and host, with or without path.

    Raises:
        BadSignatureError: it did not.
    """
    signature = request.headers.get(SIGNATURE, "")
    timestamp = request.headers.get(TIMESTAMP, "")
    if not signature or not re.fullmatch(r"[0-9]{1,16}", timestamp):
        raise BadSignatureError("A HubSpot delivery came without a signature or timestamp.")
    signatures.check_age(_instant(int(timestamp)), now, "HubSpot")
    signatures.check_signature(
        signature,
        [sign(secret, request.method, url, request.body, timestamp) for url in _urls(request.url, public_url)],
        "HubSpot",
        remedy="Check the app's client secret, and the public URL that HubSpot sends to.",
    )


def sign(secret: str, method: str, url: str, body: bytes, timestamp: str) -> str:
    """Signature v3: base64 of HMAC-SHA256 over method, URI, raw body and timestamp in milliseconds."""
    whole = urlsplit(url)._replace(fragment="")
    uri = _UNDONE.sub(lambda escape: chr(int(escape[1], 16)), urlunsplit(whole))
    message = b"".join((method.upper().encode(), uri.encode(errors="replace"), body, timestamp.encode()))
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def _urls(url: str, public_url: str | None) -> Sequence[str]:
    if public_url is None:
        return [url]
    seen, public = urlsplit(url), urlsplit(public_url)
    paths = dict.fromkeys((seen.path, public.path.rstrip("/") + seen.path, public.path or "/", public.path))
    return [urlunsplit((public.scheme, public.netloc, path, seen.query, "")) for path in paths]


def read_delivery(body: bytes, *, app_id: str | None, portal_id: str | None, kinds: Collection[str]) -> Delivery:
    """Hints out of a verified body.

    Args:
        kinds: those that are read; events of others are passed over.
        app_id: our own app, whose writes come back as events and are passed over.
        portal_id: our own account; one app serves many, and the others' events are passed over.

    Raises:
        MalformedDeliveryError: not a list of events.
    """
    events = signatures.events_of(signatures.json_of(body, "HubSpot"), "HubSpot")
    hints: dict[tuple[str, str, str, str | None], Hint] = {}
    for event in events:
        if (portal_id and _text(event, "portalId") not in {portal_id, None}) or _is_own(event, app_id):
            continue
        for hint in (one for one in _hints(event) if one.kind in kinds):
            key = (hint.kind, hint.source_id, hint.operation, hint.other_id)
            hints[key] = _later(hints.get(key), hint)
    return Delivery(delivery_id=delivery_id(events), hints=tuple(hints.values()))


def delivery_id(events: Sequence[JsonObject]) -> str:
    """The same for a repeated delivery: HubSpot's event ids are not unique, and the attempt number counts up."""
    names = ("portalId", "subscriptionType", "objectTypeId", "objectId", "propertyName", "occurredAt")
    more = ("fromObjectId", "toObjectId", "primaryObjectId")
    told = sorted([_text(event, name) or "" for name in (*names, *more)] for event in events)
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _hints(event: JsonObject) -> Iterator[Hint]:
    subject, _, happening = (_text(event, "subscriptionType") or "").partition(".")
    operation = _OPERATIONS.get(happening)
    kind = _TYPE_IDS.get(_text(event, "objectTypeId") or "") if subject == "object" else subject
    occurred_at = _instant(event.get("occurredAt"))
    if operation is None:
        return
    if happening == "associationChange":
        yield from _ends(event, occurred_at)
        return
    source_id = _text(event, "objectId")
    if kind is None or kind not in KINDS or source_id is None:
        return
    if operation != "merge":
        yield Hint(kind=kind, source_id=source_id, operation=operation, occurred_at=occurred_at)
        return
    winner = _text(event, "newObjectId") or _text(event, "primaryObjectId") or source_id
    losers = event.get("mergedObjectIds")
    ids = [_text(event, "primaryObjectId"), *(map(str, losers) if isinstance(losers, list) else ())]
    for loser in dict.fromkeys(ids):
        if loser is not None and loser != winner:
            yield Hint(kind=kind, source_id=loser, operation="merge", occurred_at=occurred_at, other_id=winner)
    yield Hint(kind=kind, source_id=winner, operation="update", occurred_at=occurred_at)


def _ends(event: JsonObject, occurred_at: datetime | None) -> Iterator[Hint]:
    """A link that came or went concerns the sale or payment at whichever end it is."""
    left, _, right = (_text(event, "associationType") or "").partition("_TO_")
    ends = (
        (left, _text(event, "fromObjectTypeId"), _text(event, "fromObjectId")),
        (right, _text(event, "toObjectTypeId"), _text(event, "toObjectId")),
    )
    for name, type_id, source_id in ends:
        told = _TYPE_IDS.get(type_id or "", _CLASSIC.get(name.lower(), name.lower()))
        if source_id is not None and told in _LINKED:
            yield Hint(kind=told, source_id=source_id, operation="update", occurred_at=occurred_at)


def _is_own(event: JsonObject, app_id: str | None) -> bool:
    """Whether our own write caused the event; HubSpot names the app in `sourceId`, alone or behind a prefix."""
    if app_id is None or _text(event, "changeSource") not in {"INTEGRATION", "API"}:
        return False
    return (_text(event, "sourceId") or "").rpartition(":")[2] == app_id


def _later(known: Hint | None, hint: Hint) -> Hint:
    if known is None or known.occurred_at is None:
        return hint
    return hint if hint.occurred_at is not None and hint.occurred_at > known.occurred_at else known


def _text(event: Mapping[str, JsonValue], name: str) -> str | None:
    value = event.get(name)
    return None if value is None or isinstance(value, dict | list) else str(value)


def _instant(value: JsonValue) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
