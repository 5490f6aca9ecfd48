"""Deliveries: the documented signature, the handshake, and what each event hints at."""

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from counterfoil.sources import BadSignatureError, Delivery, MalformedDeliveryError, WebhookRequest
from counterfoil.sources.signatures import sign
from counterfoil_adapters.gusto.webhook import receive
from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps

TOKEN = SecretStr("6590f590-3dba-495e-9bea-c361e1e2efc0")
KNOWN_SIGNATURE = "0fc123384389b8a4595697b3d92475d83ba967200d4e24f7486065d9c50a6b8c"


def delivered(body: bytes, signature: str | None, token: SecretStr | None = TOKEN) -> Delivery:
    headers = {} if signature is None else {"x-gusto-signature": signature}
    request = WebhookRequest(method="POST", url="https://hooks.example.test/gusto", headers=headers, body=body)
    return receive(request, token, "c1")


def event(**changes: JsonValue) -> bytes:
    body: JsonObject = {
        "uuid": "d1",
        "event_type": "payroll.processed",
        "resource_type": "Company",
        "resource_uuid": "c1",
        "entity_type": "Payroll",
        "entity_uuid": "p1",
        "timestamp": 1764000000,
        **changes,
    }
    return dumps(body)


def test_a_signature_worked_out_elsewhere_is_accepted() -> None:
    assert Delivery(delivery_id="e1", hints=()) == delivered(b'{"uuid":"e1"}', KNOWN_SIGNATURE)


@pytest.mark.parametrize(
    "signature",
    [KNOWN_SIGNATURE.replace("0", "1"), KNOWN_SIGNATURE[:-1], "", "ü", "sha256=" + KNOWN_SIGNATURE, None],
)
def test_a_wrong_or_missing_signature_is_refused(signature: str | None) -> None:
    with pytest.raises(BadSignatureError):
        delivered(b'{"uuid":"e1"}', signature)


def test_one_changed_byte_is_refused() -> None:
    with pytest.raises(BadSignatureError):
        delivered(b'{"uuid":"e2"}', KNOWN_SIGNATURE)


def test_without_a_token_nothing_can_be_verified() -> None:
    with pytest.raises(BadSignatureError, match="verification_token"):
        delivered(b'{"uuid":"e1"}', KNOWN_SIGNATURE, None)


def test_an_event_hints_at_its_record() -> None:
    body = event()

    delivery = delivered(body, sign(TOKEN, body))

    (hint,) = delivery.hints
    assert delivery.delivery_id == "d1"
    assert (hint.kind, hint.source_id, hint.operation) == ("payroll", "p1", "processed")
    assert datetime(2025, 11, 24, 16, 0, tzinfo=UTC) == hint.occurred_at


@pytest.mark.parametrize(
    ("event_type", "expected"),
    [
        ("payroll.reversed", [("payroll", "reversed")]),
        ("payroll.partially_reversed", [("payroll", "partially_reversed")]),
        ("payroll.cancelled", [("payroll", "cancelled")]),
        ("payroll.deleted", [("payroll", "deleted")]),
        ("employee.updated", [("employee", "updated")]),
        ("payroll.created", []),
        ("payroll.calculated", []),
        ("company.updated", []),
        ("employee_job_compensation.created", []),
        ("nonsense", []),
    ],
)
def test_events_by_type(event_type: str, expected: list[tuple[str, str]]) -> None:
    body = event(event_type=event_type)

    assert expected == [(hint.kind, hint.operation) for hint in delivered(body, sign(TOKEN, body)).hints]


def test_another_companys_event_hints_at_nothing() -> None:
    body = event(resource_uuid="c2")

    assert delivered(body, sign(TOKEN, body)).hints == ()


@pytest.mark.parametrize("timestamp", [None, "soon", -1, 10**15, True])
def test_a_strange_timestamp_does_no_harm(timestamp: JsonValue) -> None:
    body = event(timestamp=timestamp)

    assert [hint.occurred_at for hint in delivered(body, sign(TOKEN, body)).hints] == [None]


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b'{"event_type":"payroll.processed"}', b'{"uuid":7}'])
def test_a_right_signature_over_nonsense_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedDeliveryError):
        delivered(body, sign(TOKEN, body))


@pytest.mark.parametrize("configured", [TOKEN, None])
def test_the_handshake_is_answered(configured: SecretStr | None) -> None:
    token = TOKEN.get_secret_value()

    delivery = delivered(dumps({"verification_token": token}), None, configured)

    assert ({"verification_token": token}, ()) == (delivery.answer, delivery.hints)
    assert token not in delivery.delivery_id


def test_a_handshake_with_another_token_is_refused() -> None:
    with pytest.raises(BadSignatureError, match="another verification_token"):
        delivered(dumps({"verification_token": "evil"}), None)
