"""Deliveries of BambooHR: a signature over body and timestamp, and who changed. What changed is read afterwards."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from counterfoil.sources import BadSignatureError, Delivery, WebhookRequest
from counterfoil.sources.signatures import check_age, check_signature, delivery_id, events_of, object_of, sign
from counterfoil_adapters.bamboohr.settings import BambooSettings
from counterfoil_schema.events.receipts import Hint
from counterfoil_schema.exact_json import JsonObject, JsonValue

NAME = "BambooHR"
SIGNATURE, TIMESTAMP = "x-bamboohr-signature", "x-bamboohr-timestamp"
EVENT = "employee."
SECONDS_MAX = 32_503_680_000  # the year 3000
OPERATIONS = {"created": "create", "updated": "update", "deleted": "delete"}


def receive(request: WebhookRequest, settings: BambooSettings, now: datetime) -> Delivery:
    """Verify a delivery and say what it hints at.

    BambooHR: `X-BambooHR-Signature` is the lower-case hex HMAC-SHA256 of the raw body followed by the timestamp of
    `X-BambooHR-Timestamp`, keyed by the webhook's private key. Both forms of body are taken: the event's, and the older
    one with a list of employees. The fields that they carry are no record: they are hints, and nothing else.

    Raises:
        BadSignatureError: the signature is missing or wrong, too old, or no webhook_key is configured.
        MalformedDeliveryError: the body is none of BambooHR's.
    """
    if settings.webhook_key is None:
        raise BadSignatureError(
            "A delivery from BambooHR cannot be verified: no webhook_key is configured.",
            remedy="Set webhook_key to the privateKey that BambooHR showed when the webhook was made.",
        )
    stamp = request.headers.get(TIMESTAMP, "")
    expected = sign(settings.webhook_key, request.body + stamp.encode(errors="replace"))
    check_signature(request.headers.get(SIGNATURE), expected, NAME, "Check webhook_key in the connection's settings.")
    check_age(_seconds(stamp), now, NAME, timedelta(minutes=settings.webhook_minutes))
    hints = tuple(_hints(object_of(request.body, NAME), settings.company_id))
    # The instant belongs to it: two changes of one second may have one body, and a hint too many does no harm.
    return Delivery(delivery_id=delivery_id(request.body + stamp.encode(errors="replace")), hints=hints)


def _hints(body: JsonObject, company_id: str | None) -> Iterator[Hint]:
    if "employees" in body:
        for entry in events_of(body["employees"], NAME):
            operation = OPERATIONS.get(str(entry.get("action", "")).casefold())
            yield from _hint(entry.get("id"), operation, body.get("timestamp") or entry.get("timestamp"))
        return
    kind, data = body.get("type"), body.get("data")
    if not isinstance(kind, str) or not kind.startswith(EVENT) or not isinstance(data, dict):
        return
    company = data.get("companyId")
    if company_id is not None and company is not None and str(company) != company_id:
        return
    yield from _hint(data.get("employeeId"), OPERATIONS.get(kind.removeprefix(EVENT)), body.get("timestamp"))


def _hint(employee_id: JsonValue, operation: str | None, at: JsonValue) -> Iterator[Hint]:
    identity = str(employee_id) if isinstance(employee_id, str | int) and not isinstance(employee_id, bool) else ""
    if identity.isascii() and identity.isdigit() and operation is not None:
        yield Hint(kind="employee", source_id=identity, operation=operation, occurred_at=_instant(at))


def _instant(value: JsonValue) -> datetime | None:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None


def _seconds(stamp: str) -> datetime | None:
    if not stamp.isascii() or not stamp.isdigit() or int(stamp[:12]) > SECONDS_MAX or len(stamp) > len("32503680000"):
        return None
    return datetime.fromtimestamp(int(stamp), UTC)
