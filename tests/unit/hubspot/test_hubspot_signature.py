"""Signature v3, against a value that was computed elsewhere, and the hints of single events."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.sources.port import BadSignatureError, WebhookRequest
from counterfoil_adapters.hubspot import webhooks
from counterfoil_adapters.hubspot.emulator import webhooks as emulated
from counterfoil_schema.exact_json import JsonObject, dumps

URL = "https://app.example.com/hooks/hubspot"
BODY = b'[{"eventId":1}]'
MILLIS = "1700000000000"
VECTOR = "oaLmZWVN2Yb4UfXj6UYSPzKMgu8+zORnT2+3RcJWI6I="
KINDS_READ = ("company", "product", "deal")
SIGNED_AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def vector_request() -> WebhookRequest:
    headers = {"x-hubspot-signature-v3": VECTOR, "x-hubspot-request-timestamp": MILLIS}
    return WebhookRequest(method="POST", url=URL, headers=headers, body=BODY)


def test_the_vector_holds_on_both_sides() -> None:
    assert webhooks.sign("secret", "POST", URL, BODY, MILLIS) == VECTOR
    assert emulated.sign("secret", "POST", URL, BODY, MILLIS) == VECTOR


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_either_way_are_fresh(seconds: int) -> None:
    webhooks.check_signature(vector_request(), "secret", SIGNED_AT + timedelta(seconds=seconds), None)


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_anything_beyond_is_refused(seconds: int) -> None:
    with pytest.raises(BadSignatureError, match="five minutes"):
        webhooks.check_signature(vector_request(), "secret", SIGNED_AT + timedelta(seconds=seconds), None)


def test_only_the_named_escapes_are_undone_and_the_fragment_goes() -> None:
    sent = "https://a.test/x%2Fy%20z%2c?q=%40%25&u=%C3%A9#part"
    meant = "https://a.test/x/y%20z,?q=@%25&u=%C3%A9"
    assert webhooks.sign("s", "POST", meant, b"", "1") == webhooks.sign("s", "POST", sent, b"", "1")
    assert webhooks.sign("s", "POST", meant, b"", "1") == emulated.sign("s", "POST", sent, b"", "1")


@given(st.binary(max_size=64))
def test_any_body_signs_the_same_on_both_sides(body: bytes) -> None:
    assert emulated.sign("k", "POST", URL, body, MILLIS) == webhooks.sign("k", "POST", URL, body, MILLIS)


def hints(*events: JsonObject) -> list[tuple[str, str, str, str | None]]:
    found = webhooks.read_delivery(dumps(list(events)), app_id="54321", portal_id="62515", kinds=KINDS_READ).hints
    return [(hint.kind, hint.source_id, hint.operation, hint.other_id) for hint in found]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"subscriptionType": "deal.creation", "objectId": 5}, [("deal", "5", "create", None)]),
        (
            {"subscriptionType": "object.propertyChange", "objectTypeId": "0-2", "objectId": 5},
            [("company", "5", "update", None)],
        ),
        (
            {"subscriptionType": "object.deletion", "objectTypeId": "0-7", "objectId": 5},
            [("product", "5", "delete", None)],
        ),
        ({"subscriptionType": "contact.creation", "objectId": 5}, []),
        ({"subscriptionType": "object.creation", "objectTypeId": "0-8", "objectId": 5}, []),
        ({"subscriptionType": "deal.somethingNew", "objectId": 5}, []),
        ({"subscriptionType": "deal.creation"}, []),
        ({}, []),
        (
            {
                "subscriptionType": "company.merge",
                "objectId": 1,
                "primaryObjectId": 1,
                "mergedObjectIds": [2, 3],
                "newObjectId": 9,
            },
            [
                ("company", "1", "merge", "9"),
                ("company", "2", "merge", "9"),
                ("company", "3", "merge", "9"),
                ("company", "9", "update", None),
            ],
        ),
        (
            {
                "subscriptionType": "deal.associationChange",
                "associationType": "DEAL_TO_COMPANY",
                "fromObjectId": 5,
                "toObjectId": 6,
            },
            [("deal", "5", "update", None)],
        ),
        (
            {
                "subscriptionType": "company.associationChange",
                "associationType": "COMPANY_TO_DEAL",
                "fromObjectId": 6,
                "toObjectId": 5,
            },
            [("deal", "5", "update", None)],
        ),
        (
            {
                "subscriptionType": "deal.propertyChange",
                "objectId": 5,
                "changeSource": "INTEGRATION",
                "sourceId": "54321",
            },
            [],
        ),
        (
            {"subscriptionType": "deal.propertyChange", "objectId": 5, "changeSource": "INTEGRATION", "sourceId": "99"},
            [("deal", "5", "update", None)],
        ),
        (
            {
                "subscriptionType": "deal.propertyChange",
                "objectId": 5,
                "changeSource": "CRM_UI",
                "sourceId": "userId:54321",
            },
            [("deal", "5", "update", None)],
        ),
        ({"subscriptionType": "deal.creation", "objectId": 5, "portalId": 1}, []),
    ],
)
def test_what_an_event_hints_at(event: JsonObject, expected: list[tuple[str, str, str, str | None]]) -> None:
    assert expected == hints(event)


def test_several_changes_of_one_record_are_one_hint_with_the_latest_time() -> None:
    events: list[JsonObject] = [
        {"subscriptionType": "deal.propertyChange", "objectId": 5, "propertyName": name, "occurredAt": moment}
        for name, moment in (("amount", 1_700_000_000_000), ("dealname", 1_700_000_060_000), ("x", 1_700_000_030_000))
    ]
    (hint,) = webhooks.read_delivery(dumps(list(events)), app_id=None, portal_id=None, kinds=KINDS_READ).hints
    assert SIGNED_AT + timedelta(seconds=60) == hint.occurred_at


def test_the_id_of_a_delivery_ignores_attempt_and_order() -> None:
    first: JsonObject = {"portalId": 1, "subscriptionType": "deal.creation", "objectId": 5, "occurredAt": 7}
    second: JsonObject = {**first, "objectId": 6}
    again = [{**second, "attemptNumber": 3, "eventId": 9}, {**first, "attemptNumber": 3}]
    assert webhooks.delivery_id([first, second]) == webhooks.delivery_id(again)
    assert webhooks.delivery_id([first]) != webhooks.delivery_id([second])
    assert webhooks.delivery_id([first]) != webhooks.delivery_id([{**first, "occurredAt": 8}])
