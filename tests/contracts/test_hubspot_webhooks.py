"""Webhooks: what HubSpot signed gets in, nothing else; what came twice bears one id."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from counterfoil.sources.port import BadSignatureError, MalformedDeliveryError, WebhookRequest
from counterfoil_adapters.hubspot.emulator.webhooks import sign
from support.hubspot import Account, Inbox, account, company, deal, inbox, product


@pytest.fixture
async def held() -> AsyncIterator[Account]:
    async with account(webhook_pause_seconds=0.01) as fresh:
        yield fresh


@pytest.fixture
async def box(held: Account) -> AsyncIterator[Inbox]:
    async with inbox() as receiver:
        await held.control("POST", "/webhooks", {"url": receiver.url})
        yield receiver


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.005)


def signed(held: Account, body: bytes, url: str = "https://app.example.com/hooks/hubspot") -> WebhookRequest:
    timestamp = str(int(held.clock.now().timestamp() * 1000))
    signature = sign(held.emulator.credentials.client_secret, "POST", url, body, timestamp)
    headers = {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": timestamp}
    return WebhookRequest(method="POST", url=url, headers=headers, body=body)


async def test_a_person_s_edit_arrives_as_one_hint(held: Account, box: Inbox) -> None:
    await held.load(deals=[deal(512, dealstage="contractsent")])
    edit = {"properties": {"dealstage": "closedwon", "amount": "1200.00"}}
    await held.control("PATCH", "/people/deals/512", edit)
    await until(lambda: len(box.requests) == 1)
    delivery = held.source().receive(box.requests[0])
    (hint,) = delivery.hints
    assert (hint.kind, hint.source_id, hint.operation) == ("deal", "512", "update")
    assert hint.occurred_at is not None


@pytest.mark.parametrize("classic", [False, True])
async def test_each_happening_says_what_to_read(classic: bool) -> None:
    async with account(classic_webhooks=classic) as held, inbox() as box:
        await held.load(companies=[company(1), company(2)], deals=[deal(51)], products=[product(11, "5")])
        await held.control("POST", "/webhooks", {"url": box.url})
        await held.control("DELETE", "/people/products/11")
        await held.control("POST", "/people/products/11/restore")
        await held.control("POST", "/people/companies/merge", {"primary": "1", "merged": "2"})
        await held.control("PATCH", "/people/deals/51", {"associations": {"companies": ["1"]}})
        source = held.source()
        await until(lambda: held.emulator.webhooks.waiting == 0 and held.emulator.webhooks.delivered == 4)
        hints = [hint for request in box.requests for hint in source.receive(request).hints]
        assert [(hint.kind, hint.source_id, hint.operation, hint.other_id) for hint in hints] == [
            ("product", "11", "delete", None),
            ("product", "11", "restore", None),
            ("company", "2", "merge", "1"),
            ("company", "1", "update", None),
            ("deal", "51", "update", None),
        ]


async def test_our_own_write_back_hints_at_nothing(held: Account, box: Inbox) -> None:
    from counterfoil.sources.port import WriteBack

    await held.load(deals=[deal(512, qbo_status="open")])
    source = held.source()
    request = WriteBack(kind="deal", source_id="512", values={"qbo_status": "paid"}, request_id="r1")
    assert (await source.write_back(request)).outcome == "accepted"
    await until(lambda: len(box.requests) == 1)
    assert source.receive(box.requests[0]).hints == ()


async def test_a_delivery_that_comes_again_bears_the_same_id(held: Account, box: Inbox) -> None:
    await held.load(deals=[deal(512)])
    box.answers = [500, 200]
    await held.control("PATCH", "/people/deals/512", {"properties": {"amount": "5"}})
    await until(lambda: len(box.requests) == 2)
    first, second = (held.source().receive(request) for request in box.requests)
    assert box.requests[0].body != box.requests[1].body  # the attempt number
    assert first.delivery_id == second.delivery_id


async def test_another_change_bears_another_id(held: Account, box: Inbox) -> None:
    await held.load(deals=[deal(512)])
    for count, amount in ((1, "5"), (2, "6")):
        await held.control("POST", "/clock", {"advance_seconds": 1})
        await held.control("PATCH", "/people/deals/512", {"properties": {"amount": amount}})
        while len(box.requests) < count:
            await asyncio.sleep(0.005)
    first, second = (held.source().receive(request).delivery_id for request in box.requests)
    assert first != second


async def test_a_refused_delivery_is_tried_again_unless_the_refusal_is_final(held: Account, box: Inbox) -> None:
    await held.load(deals=[deal(512)])
    box.answers = [401]
    await held.control("PATCH", "/people/deals/512", {"properties": {"amount": "5"}})
    await until(lambda: held.emulator.webhooks.given_up == 1)
    assert len(box.requests) == 1


@pytest.mark.parametrize("kind", ["webhook_stale", "webhook_forged"])
async def test_old_and_forged_deliveries_are_refused(held: Account, box: Inbox, kind: str) -> None:
    await held.load(deals=[deal(512)])
    await held.control("POST", "/faults", {"kind": kind})
    await held.control("PATCH", "/people/deals/512", {"properties": {"amount": "5"}})
    await until(lambda: len(box.requests) == 1)
    with pytest.raises(BadSignatureError):
        held.source().receive(box.requests[0])


async def test_dropped_doubled_and_reordered_deliveries(held: Account, box: Inbox) -> None:
    await held.load(deals=[deal(512)])
    for kind, expected in (("webhook_drop", 0), ("webhook_double", 2), ("webhook_reorder", 3)):
        await held.control("POST", "/faults", {"kind": kind})
        edit = {"properties": {"amount": str(expected), "dealname": kind}}
        await held.control("PATCH", "/people/deals/512", edit)
        await until(lambda: held.emulator.webhooks.waiting == 0 and not held.emulator.faults.rules)
        assert expected == len(box.requests)
    assert box.requests[-1].body.index(b"dealname") < box.requests[-1].body.index(b'"amount"')


async def test_any_change_to_a_signed_delivery_is_noticed(held: Account) -> None:
    source = held.source()
    good = signed(held, b'[{"eventId":1}]')
    assert source.receive(good).hints == ()
    bad = [
        replace(good, body=good.body + b" "),
        replace(good, method="PUT"),
        replace(good, url=good.url + "?x=1"),
        replace(good, headers={**good.headers, "x-hubspot-signature-v3": "é"}),
        replace(good, headers={**good.headers, "x-hubspot-request-timestamp": "soon"}),
        replace(good, headers={}),
    ]
    for request in bad:
        with pytest.raises(BadSignatureError):
            source.receive(request)


@pytest.mark.parametrize("public_url", ["https://app.example.com", "https://app.example.com/hooks/hubspot"])
async def test_behind_a_proxy_the_public_url_counts(held: Account, public_url: str) -> None:
    request = replace(signed(held, b"[]"), url="http://10.0.0.7:8080/hooks/hubspot")
    assert held.source(public_url=public_url).receive(request).hints == ()
    # What a proxy, or whoever poses as one, says of the address is not believed.
    told = {"x-forwarded-host": "app.example.com", "x-forwarded-proto": "https"}
    for headers in (request.headers, {**request.headers, **told}):
        with pytest.raises(BadSignatureError):
            held.source().receive(replace(request, headers=headers))


@pytest.mark.parametrize("body", [b"{}", b'["x"]', b"[{]", b"\xff"])
async def test_a_signed_body_that_is_no_list_of_events_is_malformed(held: Account, body: bytes) -> None:
    with pytest.raises(MalformedDeliveryError):
        held.source().receive(signed(held, body))


async def test_events_of_another_account_are_passed_over(held: Account) -> None:
    body = b'[{"portalId":1,"subscriptionType":"deal.creation","objectId":5}]'
    assert held.source().receive(signed(held, body)).hints == ()
    (hint,) = held.source(portal_id="1").receive(signed(held, body)).hints
    assert hint.source_id == "5"


async def test_without_a_client_secret_nothing_is_taken(held: Account) -> None:
    with pytest.raises(BadSignatureError, match="client_secret"):
        held.source(client_secret=None).receive(signed(held, b"[]"))
