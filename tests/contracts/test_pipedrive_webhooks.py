"""Pipedrive's webhooks v2: let in by HTTP Basic alone, hints of what to read, repeated until somebody takes them."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from counterfoil.sources.port import (
    BadSignatureError,
    Delivery,
    MalformedDeliveryError,
    Removed,
    WebhookRequest,
    WriteBack,
)
from counterfoil_schema.exact_json import dumps, loads_object
from support.pipedrive import Account, account, deal, line, organization, receiver


@pytest.fixture
async def held() -> AsyncIterator[Account]:
    async with account() as fresh:
        yield fresh


def delivery(held: Account, meta: dict[str, Any], **more: Any) -> WebhookRequest:
    """A delivery with the right user and password."""
    usual = {
        "action": "change",
        "entity": "deal",
        "entity_id": "7",
        "version": "2.0",
        "timestamp": "2026-11-01T09:00:00Z",
    }
    return signed(held, dumps({"meta": {**usual, **meta}, "data": None, "previous": None, **more}))


def signed(held: Account, body: bytes, password: str | None = None) -> WebhookRequest:
    """A body with a user and a password."""
    whole = f"{held.emulator.standing.user}:{password or held.emulator.standing.password}"
    headers = {"authorization": f"Basic {base64.b64encode(whole.encode()).decode()}"}
    return WebhookRequest(method="POST", url="https://a.test/h", headers=headers, body=body)


def hints(found: Delivery) -> list[tuple[str, str, str, str | None]]:
    """The hints, without their times."""
    return [(one.kind, one.source_id, one.operation, one.other_id) for one in found.hints]


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


async def test_changes_are_told_with_who_may_tell_them(held: Account) -> None:
    await held.load(organizations=[organization(4)], deals=[deal(1, status="open", won_time=None)])
    async with receiver() as (url, received):
        await held.control("POST", "/webhooks", {"url": url})
        held.emulator.clock.advance(60)
        await held.control("PATCH", "/people/deals/1", {"status": "won"})
        await held.control("POST", "/people/organizations", {"name": "New"})
        await held.control("DELETE", "/people/organizations/4")
        await until(lambda: len(received) == 3)
    source = held.source()
    told = sorted(hints(source.receive(one))[0] for one in received)
    assert told == [
        ("deal", "1", "update", None),
        ("organization", "4", "delete", None),
        ("organization", "5", "create", None),
    ]
    change: Any = next(loads_object(one.body) for one in received if b'"change"' in one.body)
    meta, previous = change["meta"], change["previous"]
    assert previous.pop("update_time") < meta["timestamp"]
    assert previous == {"status": "open", "won_time": None, "close_time": None}
    assert (meta["version"], meta["attempt"], meta["change_source"]) == ("2.0", 1, "app")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Basic"},
        {"authorization": "Basic !!!"},
        {"authorization": "Bearer cGlwZWRyaXZlOng="},
        {"authorization": "Basic cGlwZWRyaXZlOng="},
        {"authorization": "Basic " + "A" * 100_000},
    ],
)
async def test_who_does_not_know_the_password_is_refused(held: Account, headers: dict[str, str]) -> None:
    right = delivery(held, {})
    with pytest.raises(BadSignatureError):
        held.source().receive(WebhookRequest(method="POST", url=right.url, headers=headers, body=right.body))


async def test_a_connection_without_a_password_lets_nobody_in(held: Account) -> None:
    with pytest.raises(BadSignatureError) as told:
        held.source(webhook_user=None, webhook_password=None).receive(delivery(held, {}))
    assert "webhook_user" in told.value.message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"meta": 7}',
        b'{"v": 1, "meta": {"v": 1, "action": "updated", "object": "deal"}}',
        b'{"meta": {"version": "1.0"}}',
        b"\xff\xfe",
        b'{"meta": {"version": "2.0"}, "data": "' + b"x" * (4 * 1024 * 1024) + b'"}',
    ],
)
async def test_what_is_not_of_webhooks_v2_is_malformed(held: Account, body: bytes) -> None:
    with pytest.raises(MalformedDeliveryError):
        held.source().receive(signed(held, body))


@pytest.mark.parametrize(
    ("meta", "more", "expected"),
    [
        ({"action": "create"}, {}, [("deal", "7", "create", None)]),
        ({"action": "delete", "entity": "person"}, {}, [("person", "7", "delete", None)]),
        (
            {"action": "delete", "entity": "organization", "merged_to_id": "2"},
            {},
            [("organization", "7", "merge", "2"), ("organization", "2", "update", None)],
        ),
        ({"entity": "deal_product"}, {"data": {"deal_id": 5}}, [("deal", "5", "update", None)]),
        ({"action": "delete", "entity": "deal_product"}, {"previous": {"deal_id": 5}}, [("deal", "5", "update", None)]),
        (
            {"action": "delete", "entity": "deal_installment"},
            {"previous": {"deal_id": 5}},
            [("deal", "5", "update", None), ("installment", "5-7", "delete", None)],
        ),
        ({"entity": "deal_installment"}, {"data": {}}, []),
        ({"entity": "activity"}, {}, []),
        ({"action": "explode"}, {}, []),
        ({"entity_id": None}, {}, []),
        ({"entity_id": {"a": 1}, "timestamp": {}}, {}, []),
        ({"timestamp": 1764000000}, {}, [("deal", "7", "update", None)]),
    ],
)
async def test_hints_of_all_kinds(
    held: Account, meta: dict[str, Any], more: dict[str, Any], expected: list[tuple[str, str, str, str | None]]
) -> None:
    assert hints(held.source().receive(delivery(held, meta, **more))) == expected


async def test_installments_are_none_where_they_are_ignored(held: Account) -> None:
    source = held.source(installments="ignore")
    told = source.receive(delivery(held, {"entity": "deal_installment"}, data={"deal_id": 5}))
    assert hints(told) == [("deal", "5", "update", None)]


async def test_another_company_s_events_are_passed_over(held: Account) -> None:
    request = delivery(held, {"company_id": "99", "host": "other.pipedrive.com"})
    assert hints(held.source(company_id="1").receive(request)) == []
    assert hints(held.source(company_domain="acme").receive(request)) == []
    assert hints(held.source(company_id="99", company_domain="other").receive(request)) != []


async def test_a_repetition_is_the_same_delivery_and_another_change_is_not(held: Account) -> None:
    source = held.source()
    told = {"id": "1", "company_id": "9", "webhook_id": "5", "correlation_id": "c-1"}
    first = source.receive(delivery(held, {**told, "attempt": 1})).delivery_id
    assert source.receive(delivery(held, {**told, "attempt": 3})).delivery_id == first
    # Some deliveries bear the record's id in `id`: it alone would hide the later change.
    later = {**told, "timestamp": "2026-11-01T09:00:01Z"}
    assert source.receive(delivery(held, later)).delivery_id != first


async def test_refused_deliveries_come_again_and_count_their_tries(held: Account) -> None:
    await held.load(organizations=[organization(4)])
    async with receiver([500, 302]) as (url, received):
        await held.control("POST", "/webhooks", {"url": url})
        await held.control("PATCH", "/people/organizations/4", {"name": "New"})
        await until(lambda: len(received) == 3)
    source = held.source()
    tries: list[Any] = [loads_object(one.body)["meta"] for one in received]
    assert [meta["attempt"] for meta in tries] == [1, 2, 3]
    assert len({source.receive(one).delivery_id for one in received}) == 1


async def test_four_tries_are_all(held: Account) -> None:
    await held.load(organizations=[organization(4)])
    async with receiver([500] * 10) as (url, received):
        await held.control("POST", "/webhooks", {"url": url})
        await held.control("PATCH", "/people/organizations/4", {"name": "New"})
        await held.control("POST", "/webhooks/settle")
        assert (len(received), held.emulator.webhooks.given_up) == (4, 1)


async def test_dropped_doubled_and_forged_deliveries(held: Account) -> None:
    await held.load(organizations=[organization(4)])
    source = held.source()
    async with receiver() as (url, received):
        await held.control("POST", "/webhooks", {"url": url})
        for kind, count in (("webhook_drop", 0), ("webhook_double", 2), ("webhook_forged", 3)):
            await held.control("POST", "/faults", {"kind": kind})
            await held.control("PATCH", "/people/organizations/4", {"name": kind})
            await held.control("POST", "/webhooks/settle")
            assert len(received) == count
    assert len({source.receive(one).delivery_id for one in received[:2]}) == 1
    with pytest.raises(BadSignatureError):
        source.receive(received[2])


async def test_webhooks_made_by_the_api_tell_what_they_were_made_for(held: Account) -> None:
    await held.load(organizations=[organization(4)], deals=[deal(1)])
    async with receiver() as (url, received):
        body = {"subscription_url": url, "event_action": "delete", "event_object": "organization", "name": "ours"}
        status, made = await held.api(
            "POST", "/v1/webhooks", {**body, "version": "2.0", "http_auth_user": "u", "http_auth_password": "p"}
        )
        assert status == 201
        await held.control("PATCH", "/people/organizations/4", {"name": "New"})
        await held.control("DELETE", "/people/deals/1")
        await held.control("DELETE", "/people/organizations/4")
        await held.control("POST", "/webhooks/settle")
        (only,) = received
        source = held.source(webhook_user="u", webhook_password="p")
        assert hints(source.receive(only)) == [("organization", "4", "delete", None)]
        assert (await held.api("DELETE", f"/v1/webhooks/{made['data']['id']}"))[0] == 200


async def test_our_own_write_back_is_no_news_and_somebody_s_edit_is(held: Account) -> None:
    await held.load(
        deals=[deal(1, custom_fields={})], fields={"deal": [{"field_name": "Our number", "field_type": "varchar"}]}
    )
    source = held.source(number_field="Our number")
    async with receiver() as (url, received):
        await held.control("POST", "/webhooks", {"url": url})
        for values in ({"qbo_status": "paid"}, {"qbo_status": "open", "Our number": "8"}):
            request = WriteBack(kind="deal", source_id="1", values=values, request_id="r")
            assert (await source.write_back(request)).outcome == "accepted"
        await held.control("PATCH", "/people/deals/1", {"custom_fields": {"qbo_status": "mine"}})
        await held.control("POST", "/webhooks/settle")
    # Ours; ours too, but of a field that invoices are made from; somebody's.
    assert sorted(len(hints(source.receive(one))) for one in received) == [0, 1, 1]


async def test_a_merge_tells_both_sides_and_moves_the_deals(held: Account) -> None:
    await held.load(organizations=[organization(4), organization(5)], deals=[deal(1, org_id=5, products=[line(9, 10)])])
    source = held.source()
    async with receiver() as (url, received):
        await held.control("POST", "/webhooks", {"url": url})
        await held.control("POST", "/people/organizations/merge", {"primary": 4, "merged": 5})
        await held.control("POST", "/webhooks/settle")
    told = [hint for one in received for hint in hints(source.receive(one))]
    assert ("organization", "5", "merge", "4") in told
    assert ("deal", "1", "update", None) in told
    (gone,) = await source.read("organization", "5")
    assert isinstance(gone, Removed)
    customer, moved = await source.read("deal", "1")
    assert (customer.source_id, moved.source_id) == ("4", "1")
