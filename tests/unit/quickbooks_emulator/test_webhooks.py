"""Notifications: what they say, how they are signed, when they come again."""

import asyncio
import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from counterfoil.quickbooks.emulator import EmulatorOptions
from counterfoil.quickbooks.emulator.limits import LimitNumbers
from counterfoil.quickbooks.emulator.notifications import Notification, body_of, coalesced, signature
from counterfoil_schema.exact_json import JsonObject
from support.quickbooks_company import Api, running

VECTORS = Path(__file__).resolve().parents[4] / "shared" / "facts" / "quickbooks-webhook-vectors.json"
AT = datetime(2026, 9, 10, 21, 31, 25, 179851, tzinfo=UTC)


@dataclass
class Subscriber:
    """A real receiver; answers with the next of `statuses`, then 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def receive(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.bodies) < count:
                await asyncio.sleep(0.01)

    def told(self) -> list[tuple[str, str]]:
        return [(event["type"], event["intuitentityid"]) for body in self.bodies for event in json.loads(body)]


@asynccontextmanager
async def subscriber() -> AsyncIterator[Subscriber]:
    made = Subscriber()
    app = web.Application()
    app.router.add_post("/hook", made.receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield made
    finally:
        await runner.cleanup()


@asynccontextmanager
async def pair(*, manual_clock: bool = False) -> AsyncIterator[tuple[Api, Subscriber]]:
    chosen = EmulatorOptions(seed=1, limits=LimitNumbers(enabled=False), manual_clock=manual_clock)
    async with subscriber() as heard, running(chosen) as api:
        await api.control("/webhooks", {"url": heard.url})
        yield api, heard


async def test_a_write_is_told_signed_as_cloud_event() -> None:
    async with pair() as (api, heard):
        customer = await api.customer("Ann")
        await heard.wait_for(1)
        event = json.loads(heard.bodies[0])[0]
        assert {
            "specversion": "1.0",
            "type": "qbo.customer.created.v1",
            "datacontenttype": "application/json",
            "intuitentityid": customer,
            "intuitaccountid": api.emulator.realm_id,
            "data": {},
        } == {name: value for name, value in event.items() if name not in {"id", "source", "time"}}
        assert UUID(event["id"]).version == 4
        assert event["source"].startswith("intuit.")
        key = api.emulator.verifier_token.encode()
        expected = b64encode(hmac.new(key, heard.bodies[0], hashlib.sha256).digest()).decode()
        assert expected == heard.headers[0]["intuit-signature"]
        assert heard.headers[0]["content-type"] == "application/json; charset=utf-8"
        assert heard.headers[0]["user-agent"].startswith("intuit_notification_server/")
        assert {"intuit-created-time", "intuit-t-id", "intuit-notification-schema-version"} <= heard.headers[0].keys()
        # Readers that serialise the parsed body anew get the same bytes.
        assert heard.bodies[0] == json.dumps(json.loads(heard.bodies[0]), separators=(",", ":")).encode()


async def test_a_payment_is_told_with_the_invoice_that_it_moves() -> None:
    async with pair() as (api, heard):
        customer = await api.customer("Ann")
        item: JsonObject = {"Name": "Hours", "Type": "Service", "IncomeAccountRef": {"value": "1"}}
        await api.post("item", item)
        line: JsonObject = {
            "Amount": 10,
            "DetailType": "SalesItemLineDetail",
            "SalesItemLineDetail": {"ItemRef": {"value": "1"}},
        }
        await api.post("invoice", {"CustomerRef": {"value": customer}, "Line": [line]})
        await asyncio.sleep(0.2)
        before = len(heard.told())
        link: JsonObject = {"TxnId": "1", "TxnType": "Invoice"}
        body: JsonObject = {
            "CustomerRef": {"value": customer},
            "TotalAmt": 10,
            "Line": [{"Amount": 10, "LinkedTxn": [link]}],
        }
        await api.control("/books/Payment", {"body": body})
        await heard.wait_for(len(heard.bodies) + 1)
        assert heard.told()[before:] == [("qbo.payment.created.v1", "2"), ("qbo.invoice.updated.v1", "1")]
        await api.control("/books/Payment", {"operation": "void", "id": "2"})
        await heard.wait_for(len(heard.bodies) + 1)
        assert heard.told()[before + 2] == ("qbo.payment.void.v1", "2")


async def test_naming_the_subscriber_again_tries_a_failed_delivery_at_once() -> None:
    # Time stands still: the ten seconds of the schedule never pass.
    async with pair(manual_clock=True) as (api, heard):
        heard.statuses = [500]
        await api.control("/webhooks", {"url": heard.url, "gather_seconds": 0})
        await api.customer("Ann")
        await heard.wait_for(1)
        await asyncio.sleep(0.1)
        assert len(heard.bodies) == 1
        await api.control("/webhooks", {"url": heard.url})
        await heard.wait_for(2)
        assert heard.bodies[0] == heard.bodies[1]


async def test_the_legacy_form() -> None:
    async with pair() as (api, heard):
        await api.control("/webhooks", {"format": "legacy"})
        customer = await api.customer("Ann")
        await heard.wait_for(1)
        (told,) = json.loads(heard.bodies[0])["eventNotifications"]
        (entity,) = told["dataChangeEvent"]["entities"]
        assert (api.emulator.realm_id, "Customer", customer, "Create") == (
            told["realmId"],
            entity["name"],
            entity["id"],
            entity["operation"],
        )
        assert {"name", "id", "operation", "lastUpdated"} == entity.keys()


async def test_a_failed_delivery_comes_again_by_the_clock_and_holds_back_later_ones() -> None:
    async with pair(manual_clock=True) as (api, heard):
        heard.statuses += [500, 503]
        await api.customer("Ann")
        await api.control("/clock", {"advance_seconds": Decimal("0.1")})
        await heard.wait_for(1)
        await api.customer("Bo")
        for count, wait in ((2, 10), (3, 20)):
            await delivered(api, count - 1)
            await api.control("/clock", {"advance_seconds": wait})
            await heard.wait_for(count)
        assert [heard.bodies[0]] * 3 == heard.bodies
        await delivered(api, 3)
        await api.control("/clock", {"advance_seconds": 1})
        await heard.wait_for(4)
        assert heard.told()[-1] == ("qbo.customer.created.v1", "2")
        attempts = [entry["attempt"] for entry in api.emulator.webhooks.deliveries]
        assert attempts[:3] == [1, 2, 3]


async def delivered(api: Api, count: int) -> None:
    async with asyncio.timeout(10):
        while len(api.emulator.webhooks.deliveries) < count:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.02)


async def test_a_merge_is_told_of_two_companies_in_one_body() -> None:
    async with pair() as (api, heard):
        kept, gone = await api.customer("Ann"), await api.customer("Anne")
        await heard.wait_for(1)
        await delivered(api, 1)
        await api.control("/webhooks", {"other_realm": "999"})
        await api.control("/books/Customer", {"operation": "merge", "id": gone, "into": kept})
        async with asyncio.timeout(10):
            while not any(b"merged" in body for body in heard.bodies):
                await asyncio.sleep(0.01)
        own, other = (event for event in json.loads(heard.bodies[-1]) if event["type"] == "qbo.customer.merged.v1")
        assert [event["intuitaccountid"] for event in (own, other)] == [api.emulator.realm_id, "999"]
        assert (own["type"], own["intuitentityid"]) == ("qbo.customer.merged.v1", kept)
        assert own["data"] == other["data"] == {"deletedid": gone}
        assert own["id"] != other["id"]
        await api.control("/webhooks", {"format": "legacy"})
        third = await api.customer("Annie")
        await api.control("/books/Customer", {"operation": "merge", "id": third, "into": kept})
        bodies = await legacy_bodies(heard)
        told = [event for body in bodies for event in body["eventNotifications"]]
        merged = [
            (event["realmId"], entity["id"], entity["deletedId"])
            for event in told
            for entity in event["dataChangeEvent"]["entities"]
            if entity["operation"] == "Merge"
        ]
        assert merged == [(api.emulator.realm_id, kept, third), ("999", kept, third)]


async def legacy_bodies(heard: Subscriber) -> list[dict[str, Any]]:
    """Bodies of the older form, once one tells of a merge."""
    async with asyncio.timeout(10):
        while not any(b'"Merge"' in body for body in heard.bodies):
            await asyncio.sleep(0.01)
    return [body for body in map(json.loads, heard.bodies) if isinstance(body, dict)]


async def test_dropped_and_doubled() -> None:
    async with pair() as (api, heard):
        await api.fault(kind="drop_webhook", entity="Customer")
        await api.customer("Ann")
        await api.fault(kind="double_webhook", entity="Vendor")
        await api.post("vendor", {"DisplayName": "V"})
        await heard.wait_for(2)
        assert heard.bodies[0] == heard.bodies[1]
        assert heard.told() == [("qbo.vendor.created.v1", "2")] * 2
        assert api.emulator.webhooks.dropped == 1


def note(entity: str, identifier: str, verb: str = "updated", event: str = "e") -> Notification:
    return Notification(event, entity, identifier, verb, verb.title(), AT)


def test_the_same_change_is_told_once() -> None:
    many = [note("Invoice", "1", event="a"), note("Invoice", "2"), note("Invoice", "1", event="b")]
    assert [(one.id, one.event_id) for one in coalesced(many)] == [("1", "b"), ("2", "e")]


def test_times_have_nine_digits_of_fraction() -> None:
    (event,) = json.loads(body_of([note("Account", "1")], ["310687"], "cloudevents", "x="))
    assert (event["time"], event["source"]) == ("2026-09-10T21:31:25.179851000Z", "intuit.x=")


def test_signatures_of_recorded_deliveries() -> None:
    if not VECTORS.exists():
        pytest.skip("the recorded deliveries are not beside this checkout")
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))["signed"]
    assert len(vectors) >= 4
    for vector in vectors:
        assert vector["signature"] == signature(vector["body"].encode(), vector["verifier_token"])
