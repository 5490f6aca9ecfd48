"""Deliveries of Gusto: a signature over the raw body, a thin event, and the handshake of a new subscription."""

import hashlib
import hmac
from datetime import UTC, datetime

from pydantic import SecretStr

from counterfoil.sources import BadSignatureError, Delivery, MalformedDeliveryError, WebhookRequest
from counterfoil.sources.signatures import check_signature, object_of, sign
from counterfoil_schema.events.receipts import Hint
from counterfoil_schema.exact_json import JsonObject, JsonValue

SIGNATURE = "x-gusto-signature"
HANDSHAKE = "verification_token"
KINDS = frozenset({"employee", "contractor", "payroll", "contractor_payment"})
"""Kinds of record; an event's type begins with one."""

DRAFTS = frozenset({"payroll.created", "payroll.calculated", "payroll.submitted"})
"""What happens to a payroll before it is processed; nothing of it concerns the books."""

SECONDS_MAX = 32_503_680_000  # the year 3000: a larger number is no timestamp in seconds


def receive(request: WebhookRequest, token: SecretStr | None, company_uuid: str, *, fixed: bool = True) -> Delivery:
    """Verify a delivery and say what it hints at. `fixed`: a handshake may bring no other token than this one.

    Gusto: `X-Gusto-Signature` is the hex HMAC-SHA256 of the raw body, keyed by the subscription's verification token.
    The handshake bears no signature; it is answered, and hints at nothing. A subscription belongs to the application,
    so events of other companies come to the same address; they hint at nothing here.

    Raises:
        BadSignatureError: the signature is missing or wrong, or no verification token is configured.
        MalformedDeliveryError: the body is not an event.
    """
    signature = request.headers.get(SIGNATURE)
    if signature is None:
        return _handshake(request.body, token if fixed else None)
    if token is None:
        raise BadSignatureError(
            "A delivery from Gusto cannot be verified: its verification token is not known.",
            remedy="Set webhook_url in the connection's settings, or verification_token to the one that Gusto sent.",
        )
    check_signature(signature, sign(token, request.body), "Gusto")
    body = object_of(request.body, "Gusto")
    delivery_id, event_type = body.get("uuid"), body.get("event_type")
    if not isinstance(delivery_id, str) or not delivery_id:
        raise MalformedDeliveryError("A delivery from Gusto has no uuid.")
    hint = hint_of(body) if body.get("resource_uuid") == company_uuid and isinstance(event_type, str) else None
    return Delivery(delivery_id=delivery_id, hints=() if hint is None else (hint,))


def hint_of(event: JsonObject) -> Hint | None:
    """What an event says changed; None where it concerns nothing that is read here."""
    event_type, entity = event.get("event_type"), event.get("entity_uuid")
    if not isinstance(event_type, str) or event_type in DRAFTS or not isinstance(entity, str) or not entity:
        return None
    subject, _, operation = event_type.partition(".")
    if subject not in KINDS:
        return None
    return Hint(kind=subject, source_id=entity, operation=operation, occurred_at=instant_of(event.get("timestamp")))


def instant_of(timestamp: JsonValue) -> datetime | None:
    """An event's instant, from seconds since 1970."""
    if isinstance(timestamp, bool) or not isinstance(timestamp, int) or not 0 <= timestamp < SECONDS_MAX:
        return None
    return datetime.fromtimestamp(timestamp, UTC)


def _handshake(raw: bytes, token: SecretStr | None) -> Delivery:
    try:
        sent = object_of(raw, "Gusto").get(HANDSHAKE)
    except MalformedDeliveryError:
        sent = None
    if not isinstance(sent, str) or not sent:
        raise BadSignatureError("A delivery from Gusto bears no signature.")
    if token is not None and not hmac.compare_digest(token.get_secret_value().encode(), sent.encode(errors="replace")):
        raise BadSignatureError("A handshake from Gusto brings another verification_token than the one configured.")
    digest = hashlib.sha256(sent.encode(errors="replace")).hexdigest()
    return Delivery(delivery_id=f"handshake:{digest[:32]}", hints=(), answer={HANDSHAKE: sent})
