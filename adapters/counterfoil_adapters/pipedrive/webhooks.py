"""Deliveries of webhooks v2: HTTP Basic is all that proves their origin, so they are only hints of what to read. Pure.

Pipedrive counts every answer that is no 2xx, and after ten bans the webhook for half an hour (Pipedrive: guide for
webhooks v2). So what is none of our business is taken and passed over.
"""

import hashlib
from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from counterfoil.sources.port import BadSignatureError, Delivery, MalformedDeliveryError, WebhookRequest
from counterfoil.sources.signatures import check_basic, object_of
from counterfoil_adapters.pipedrive.normalise import INSTALLMENT, LISTS
from counterfoil_adapters.pipedrive.settings import PipedriveSettings
from counterfoil_adapters.pipedrive.values import instant, plain
from counterfoil_schema import exact_json
from counterfoil_schema.events.receipts import Hint
from counterfoil_schema.exact_json import JsonObject, JsonValue

BODY_BYTES_MAX = 4 * 1024 * 1024
VERSION = "2.0"
_OPERATIONS = {"create": "create", "change": "update", "delete": "delete"}
_OF_DEALS = {"deal_product": None, "deal_installment": INSTALLMENT}


def check_credentials(request: WebhookRequest, connection: str, settings: PipedriveSettings) -> None:
    """Let a delivery through only if it bears the user and the password that the webhook was made with.

    Raises:
        BadSignatureError: it does not, or the connection has none to compare with.
    """
    user, password = settings.webhook_user, settings.webhook_password
    if user is None or password is None:
        raise BadSignatureError(
            f"The Pipedrive connection {connection} has no webhook_user and webhook_password to know webhooks by.",
            remedy="Give the ones that the webhook was made with, or let the connection poll.",
        )
    check_basic(request, user, password, "Pipedrive")


def read_delivery(request: WebhookRequest, settings: PipedriveSettings, own_fields: Collection[str]) -> Delivery:
    """Hints out of a delivery whose credentials were right.

    Args:
        own_fields: keys of custom fields that only we write: a change of nothing else is our own echo.

    Raises:
        MalformedDeliveryError: not a delivery of webhooks v2.
    """
    if len(request.body) > BODY_BYTES_MAX:
        raise MalformedDeliveryError(f"A delivery from Pipedrive has more than {BODY_BYTES_MAX} bytes.")
    value = object_of(request.body, "Pipedrive")
    meta = value.get("meta")
    if not isinstance(meta, dict) or plain(meta.get("version")) != VERSION:
        raise MalformedDeliveryError(
            "A Pipedrive delivery is not of webhooks v2.", remedy='Make the webhook with version "2.0".'
        )
    is_ours = _is_of_company(meta, settings) and not _is_echo(meta, value, own_fields)
    return Delivery(delivery_id=_delivery_id(meta), hints=tuple(_hints(meta, value, settings)) if is_ours else ())


def _is_of_company(meta: JsonObject, settings: PipedriveSettings) -> bool:
    company, host = plain(meta.get("company_id")), plain(meta.get("host"))
    if settings.company_id is not None and company is not None and company != settings.company_id:
        return False
    domain = settings.company_domain
    return domain is None or host is None or not host.endswith(".pipedrive.com") or host == f"{domain}.pipedrive.com"


def _is_echo(meta: JsonObject, value: JsonObject, own_fields: Collection[str]) -> bool:
    previous = value.get("previous")
    if meta.get("entity") != "deal" or meta.get("action") != "change" or meta.get("change_source") != "api":
        return False
    if not own_fields or not isinstance(previous, dict):
        return False
    fields = previous.get("custom_fields")
    others = previous.keys() - {"custom_fields", "update_time"}
    return not others and isinstance(fields, dict) and bool(fields) and fields.keys() <= set(own_fields)


def _delivery_id(meta: JsonObject) -> str:
    """The same for a repetition, whose `attempt` counts up. Not by `id` alone: some deliveries hold the record's."""
    names = ("company_id", "webhook_id", "id", "correlation_id", "entity", "entity_id", "action", "timestamp")
    return hashlib.sha256(exact_json.canonical([plain(meta.get(name)) for name in names])).hexdigest()


def _hints(meta: JsonObject, value: JsonObject, settings: PipedriveSettings) -> Iterator[Hint]:
    entity, source_id = plain(meta.get("entity")), plain(meta.get("entity_id"))
    operation = _OPERATIONS.get(plain(meta.get("action")) or "")
    if entity is None or source_id is None or operation is None:
        return
    when = _instant(meta.get("timestamp"))
    if entity in _OF_DEALS:
        deal_id = _deal_of(value)
        own = _OF_DEALS[entity]
        if deal_id is None:
            return
        # The deal comes first: with its first instalment it ceases to be an invoice itself.
        yield Hint(kind="deal", source_id=deal_id, operation="update", occurred_at=when)
        if own is not None and settings.installments == "invoices":
            yield Hint(kind=own, source_id=f"{deal_id}-{source_id}", operation=operation, occurred_at=when)
        return
    if entity not in LISTS:
        return
    winner = plain(meta.get("merged_to_id"))
    if operation == "delete" and winner is not None and winner != source_id:
        yield Hint(kind=entity, source_id=source_id, operation="merge", occurred_at=when, other_id=winner)
        yield Hint(kind=entity, source_id=winner, operation="update", occurred_at=when)
        return
    yield Hint(kind=entity, source_id=source_id, operation=operation, occurred_at=when)


def _deal_of(value: JsonObject) -> str | None:
    for part in (value.get("data"), value.get("previous")):
        found = plain(part.get("deal_id")) if isinstance(part, dict) else None
        if found is not None:
            return found
    return None


def _instant(value: JsonValue) -> datetime | None:
    text = plain(value)
    try:
        if text is not None and text.isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        return instant(text) if text is not None else None
    except (ValueError, OverflowError, OSError):
        return None
