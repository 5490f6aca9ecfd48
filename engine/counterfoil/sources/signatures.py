"""What webhooks are let in by: signatures, ages, passwords. Constant in time, and pure."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import SecretStr

from counterfoil.sources.port import BadSignatureError, MalformedDeliveryError, WebhookRequest
from counterfoil_schema.exact_json import JsonObject, JsonValue, loads

AGE_MAX = timedelta(minutes=5)
EVENTS_MAX = 10_000
"""More events than this in one delivery are none that a vendor sends."""


def sign(secret: SecretStr, message: bytes, encoding: Literal["hex", "base64"] = "hex") -> str:
    """HMAC-SHA256 of a message."""
    digest = hmac.new(secret.get_secret_value().encode(), message, hashlib.sha256).digest()
    return digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()


def check_signature(given: str | None, expected: str | Sequence[str], name: str, remedy: str = "") -> None:
    """Let a delivery through whose signature is one of those expected.

    Raises:
        BadSignatureError: it is missing or wrong.
    """
    if not given:
        raise BadSignatureError(f"A delivery from {name} bears no signature.", remedy=remedy)
    sent = given.strip().encode(errors="replace")
    # Every candidate is compared, whatever the earlier ones gave, so that time tells nothing.
    matches = [
        hmac.compare_digest(one.encode(), sent) for one in ([expected] if isinstance(expected, str) else expected)
    ]
    if not any(matches):
        raise BadSignatureError(f"A delivery from {name} bears a wrong signature.", remedy=remedy)


def check_age(sent: datetime | None, now: datetime, name: str, age_max: timedelta = AGE_MAX) -> None:
    """Let a delivery through that was signed within some minutes of now, before or after.

    Raises:
        BadSignatureError: it was not, or does not say when.
    """
    if sent is None:
        raise BadSignatureError(f"A delivery from {name} does not say when it was signed.")
    if abs(now - sent) > age_max:
        minutes = "five" if age_max == AGE_MAX else int(age_max.total_seconds() // 60)
        raise BadSignatureError(
            f"A delivery from {name} is signed for a time more than {minutes} minutes from now.",
            remedy="Check this machine's clock.",
        )


def check_basic(request: WebhookRequest, user: str, password: SecretStr, name: str) -> None:
    """Let a delivery through that bears a user's name and password, where a vendor signs nothing.

    Raises:
        BadSignatureError: they are missing or wrong.
    """
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        given = b""
    wanted = f"{user}:{password.get_secret_value()}".encode()
    if not hmac.compare_digest(wanted, given) or scheme.lower() != "basic":
        raise BadSignatureError(
            f"A delivery from {name} bears a wrong user or password.",
            remedy="Compare the webhook's user and password with the connection's settings.",
        )


def json_of(body: bytes, name: str) -> JsonValue:
    """The body as JSON.

    Raises:
        MalformedDeliveryError: it is none.
    """
    try:
        return loads(body)
    except ValueError as error:
        raise MalformedDeliveryError(f"A delivery from {name} is not JSON: {error}.") from None


def object_of(body: bytes, name: str) -> JsonObject:
    """The body as a JSON object.

    Raises:
        MalformedDeliveryError: it is none.
    """
    value = json_of(body, name)
    if not isinstance(value, dict):
        raise MalformedDeliveryError(f"A delivery from {name} is not a JSON object.")
    return value


def events_of(value: JsonValue, name: str) -> list[JsonObject]:
    """A list of events, all of them objects, and not without end.

    Raises:
        MalformedDeliveryError: something else.
    """
    events = [event for event in value if isinstance(event, dict)] if isinstance(value, list) else None
    if events is None or not isinstance(value, list) or len(events) != len(value) or len(events) > EVENTS_MAX:
        raise MalformedDeliveryError(f"A delivery from {name} is not a list of events.")
    return events


def delivery_id(body: bytes) -> str:
    """For vendors that give deliveries no id: the same body is the same delivery."""
    return hashlib.sha256(body).hexdigest()
