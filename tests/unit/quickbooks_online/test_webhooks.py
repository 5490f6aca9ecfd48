"""Signatures and notifications, against vectors that others published."""

import base64
import hashlib
import hmac
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from counterfoil.quickbooks.online.webhooks import (
    Notification,
    NotificationError,
    read_notifications,
    verify_signature,
)
from support.fact_sheets import fact_sheet

# Intuit's own Java SDK: WebhooksServiceTest.java (Apache-2.0).
JAVA_TOKEN = SecretStr("b5771f19b12ddb4bcdb9f08bdc50bc63878a")
JAVA_SIGNATURE = "JC2GUwciPmRBwEO7WvrRmKqu9tGOKL8FFallocTFi8Q="
JAVA_BODY = (
    b'{"eventNotifications":[{"realmId":"1185883450","dataChangeEvent":{"entities":[{"name":"Customer",'
    b'"id":"1","operation":"Create","lastUpdated":"2015-10-05T14:42:19-0700"}]}}]}'
)


def _readable(body: bytes) -> list[Notification]:
    reading = read_notifications(body)
    assert reading.unreadable == []
    return reading.notifications


def test_a_published_signature_holds_and_any_change_breaks_it() -> None:
    assert verify_signature(JAVA_BODY, JAVA_SIGNATURE, JAVA_TOKEN)
    assert not verify_signature(JAVA_BODY + b" ", JAVA_SIGNATURE, JAVA_TOKEN)
    assert not verify_signature(JAVA_BODY, JAVA_SIGNATURE, SecretStr("another"))
    assert not verify_signature(JAVA_BODY, None, JAVA_TOKEN)
    assert not verify_signature(JAVA_BODY, "", JAVA_TOKEN)
    assert not verify_signature(JAVA_BODY, "JC2GUwci", JAVA_TOKEN)
    assert not verify_signature(JAVA_BODY, "nöt base64", JAVA_TOKEN)


def test_an_empty_token_verifies_nothing() -> None:
    signed = base64.b64encode(hmac.new(b"", JAVA_BODY, hashlib.sha256).digest()).decode()
    assert not verify_signature(JAVA_BODY, signed, SecretStr(""))


@given(st.binary(), st.text(min_size=1, alphabet=st.characters(codec="utf-8")), st.text())
def test_random_headers_never_verify_or_crash(body: bytes, token: str, header: str) -> None:
    assert not verify_signature(body, header, SecretStr(token))


def test_all_published_signatures() -> None:
    vectors: dict[str, Any] = json.loads(fact_sheet("quickbooks-webhook-vectors.json"))
    by_name = {vector["name"]: vector for vector in vectors["signed"]}
    for vector in by_name.values():
        token = SecretStr(vector["verifier_token"])
        assert verify_signature(vector["body"].encode(), vector["signature"], token), vector["name"]
        if vector["format"] == "legacy":
            assert _readable(vector["body"].encode())
    for wrong in vectors["must_fail"]:
        vector = {**by_name[wrong["of"]], **wrong}
        token = SecretStr(vector["verifier_token"])
        assert not verify_signature(vector["body"].encode(), vector["signature"], token), wrong["name"]


def test_all_published_events() -> None:
    vectors: dict[str, Any] = json.loads(fact_sheet("quickbooks-webhook-vectors.json"))
    for sample in vectors["cloudevents_unsigned_samples"]:
        # The samples printed as shapes leave out what Intuit's page masks.
        shape = {"specversion": "1.0", "intuitaccountid": "310687", **sample.get("shape", {})}
        body = sample.get("body") or json.dumps([shape])
        (notification,) = _readable(body.encode())
        assert notification.realm_id == "310687"
        assert notification.time is not None
    for name in vectors["facts"]["entities"]:
        event = {"type": f"qbo.{name.lower()}.updated.v1", "id": "e", "intuitentityid": "1", "intuitaccountid": "2"}
        (notification,) = _readable(json.dumps([event]).encode())
        assert name == notification.entity


def test_both_forms_say_the_same() -> None:
    legacy = (
        b'{"eventNotifications":[{"realmId":"310687","dataChangeEvent":{"entities":[{"name":"Customer","id":"1",'
        b'"operation":"Merge","lastUpdated":"2026-01-08T20:52:31.657Z","deletedId":"27"}]}}]}'
    )
    event = (
        b'[{"specversion":"1.0","id":"88cd","source":"intuit.x=","type":"qbo.customer.merged.v1",'
        b'"time":"2026-01-08T12:52:31.657000999-08:00","intuitentityid":"1","intuitaccountid":"310687",'
        b'"data":{"deletedid":"27"}}]'
    )
    at = datetime(2026, 1, 8, 20, 52, 31, 657000, tzinfo=UTC)
    expected = Notification("310687", "Customer", "1", "merged", at, "", "27")
    assert [expected] == _readable(legacy)
    expected = Notification("310687", "Customer", "1", "merged", at, "88cd", "27")
    assert [expected] == _readable(event)


def test_one_body_may_hold_many_realms_and_both_spellings_of_a_void() -> None:
    events = [
        {"type": f"qbo.{kind}.v1", "id": str(n), "intuitentityid": "7", "intuitaccountid": realm}
        for n, (kind, realm) in enumerate(
            [("invoice.void", "1"), ("invoice.voided", "2"), ("journalentry.deleted", "1"), ("invoice.emailed", "3")]
        )
    ]
    found = _readable(json.dumps(events).encode())
    expected = [
        ("1", "Invoice", "voided"),
        ("2", "Invoice", "voided"),
        ("1", "JournalEntry", "deleted"),
        ("3", "Invoice", "emailed"),
    ]
    assert expected == [(n.realm_id, n.entity, n.operation) for n in found]
    assert all(n.time is None for n in found)


def test_events_without_meaning_for_us_are_left_out() -> None:
    events = [
        {"type": "payments.charge.created.v1", "id": "1", "intuitentityid": "7", "intuitaccountid": "1"},
        {"type": "qbo.invoice.printed.v1", "id": "2", "intuitentityid": "7", "intuitaccountid": "1"},
    ]
    assert _readable(json.dumps(events).encode()) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"7",
        b'"text"',
        b"{}",
        b'{"eventNotifications":{}}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_anything_else_is_a_typed_error(body: bytes) -> None:
    with pytest.raises(NotificationError):
        read_notifications(body)


GOOD = {"type": "qbo.invoice.created.v1", "id": "e", "intuitentityid": "7", "intuitaccountid": "310687"}


@pytest.mark.parametrize(
    ("event", "realm"),
    [
        (7, None),
        (None, None),
        ({"type": "qbo.invoice.created.v1", "id": "1", "intuitentityid": "7"}, None),
        ({**GOOD, "intuitentityid": "7\u0000"}, "310687"),
        ({**GOOD, "intuitentityid": "\ud800"}, "310687"),
        ({**GOOD, "intuitentityid": "7" * 3_000}, "310687"),
        ({**GOOD, "intuitentityid": 10**1_000}, "310687"),
        ({**GOOD, "intuitaccountid": "31\n"}, None),
        ({**GOOD, "type": "qbo.customer.merged.v1", "data": {"deletedid": {"of": "nothing"}}}, "310687"),
    ],
)
def test_an_event_that_cannot_be_read_does_not_spoil_the_others(event: object, realm: str | None) -> None:
    reading = read_notifications(json.dumps([GOOD, event, GOOD]).encode())
    assert [(one.entity, one.entity_id) for one in reading.notifications] == [("Invoice", "7")] * 2
    assert [realm] == [one for one, _ in reading.unreadable]


def test_the_same_of_the_older_form() -> None:
    good = {"name": "Invoice", "id": "7", "operation": "Update", "lastUpdated": "2026-01-08T20:52:31.657Z"}
    realms = [
        {"realmId": "1", "dataChangeEvent": {"entities": [good, {**good, "id": ""}, {**good, "name": "no name"}]}},
        {"realmId": "2"},
        "nothing",
        {"realmId": "3", "dataChangeEvent": {"entities": [good]}},
    ]
    reading = read_notifications(json.dumps({"eventNotifications": realms}).encode())
    assert [one.realm_id for one in reading.notifications] == ["1", "3"]
    assert [realm for realm, _ in reading.unreadable] == ["1", "1", "2", None]


def test_a_body_of_ten_thousand_events_is_taken_and_one_more_refused() -> None:
    assert len(_readable(json.dumps([GOOD] * 10_000).encode())) == 10_000
    with pytest.raises(NotificationError):
        read_notifications(json.dumps([GOOD] * 10_001).encode())


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["eventNotifications", "realmId", "dataChangeEvent", "entities", "type", "id", "name", "time"]
            )
            | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(_json)
def test_fuzzed_bodies_never_crash(value: object) -> None:
    with suppress(NotificationError):
        read_notifications(json.dumps(value).encode())
