"""What lets a delivery in, and what keeps it out."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from counterfoil.sources import BadSignatureError, MalformedDeliveryError, WebhookRequest, signatures
from counterfoil_schema.exact_json import JsonValue

# Vectors of RFC 4231, test case 2.
KEY, MESSAGE = SecretStr("Jefe"), b"what do ya want for nothing?"
HEX = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_signatures_are_those_of_the_standard() -> None:
    assert signatures.sign(KEY, MESSAGE) == HEX
    assert signatures.sign(KEY, MESSAGE, "base64") == base64.b64encode(bytes.fromhex(HEX)).decode()


@pytest.mark.parametrize("given", [None, "", HEX[:-1], HEX.upper(), "ü", HEX + "\udc80"])
def test_another_signature_is_refused(given: str | None) -> None:
    with pytest.raises(BadSignatureError):
        signatures.check_signature(given, ["other", HEX], "Acme")


def test_any_of_those_expected_will_do() -> None:
    signatures.check_signature(f" {HEX} ", ["other", HEX], "Acme")


@pytest.mark.parametrize("seconds", [-301, 301])
def test_too_old_and_too_new_are_refused(seconds: int) -> None:
    signatures.check_age(NOW + timedelta(seconds=seconds), NOW, "Acme", timedelta(minutes=6))
    with pytest.raises(BadSignatureError, match="five minutes"):
        signatures.check_age(NOW + timedelta(seconds=seconds), NOW, "Acme")
    with pytest.raises(BadSignatureError, match="when"):
        signatures.check_age(None, NOW, "Acme")


@pytest.mark.parametrize(
    ("header", "lets_in"),
    [
        ("Basic " + base64.b64encode(b"us\xc3\xa4r:p:w").decode(), True),
        ("basic " + base64.b64encode(b"us\xc3\xa4r:p:w").decode(), True),
        ("Bearer " + base64.b64encode(b"us\xc3\xa4r:p:w").decode(), False),
        ("Basic " + base64.b64encode(b"us\xc3\xa4r:p").decode(), False),
        ("Basic !!", False),
        ("", False),
    ],
)
def test_a_user_and_a_password(header: str, lets_in: bool) -> None:
    request = WebhookRequest(method="POST", url="https://a.test", headers={"authorization": header}, body=b"")
    if lets_in:
        signatures.check_basic(request, "usär", SecretStr("p:w"), "Acme")
    else:
        with pytest.raises(BadSignatureError, match="user or password"):
            signatures.check_basic(request, "usär", SecretStr("p:w"), "Acme")


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"\xff", b"[]", b"7"])
def test_a_body_that_is_no_object_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedDeliveryError):
        signatures.object_of(body, "Acme")


def test_events_are_objects_and_bounded() -> None:
    assert signatures.events_of([{"a": 1}], "Acme") == [{"a": 1}]
    endless: list[JsonValue] = [{} for _ in range(signatures.EVENTS_MAX + 1)]
    others: list[JsonValue] = [endless, [{}, 1], {}]
    for value in others:
        with pytest.raises(MalformedDeliveryError, match="list of events"):
            signatures.events_of(value, "Acme")
