"""Webhooks as the emulator sends them, received by the adapter; and the id in QuickBooks on its way back."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from counterfoil.emulating import EmulatorOptions
from counterfoil.sources import BadSignatureError, Delivery, MalformedDeliveryError, Seen, WebhookRequest, WriteBack
from counterfoil_adapters.bamboohr.adapter import BambooSource
from counterfoil_adapters.bamboohr.emulator import BambooEmulator
from counterfoil_schema.exact_json import JsonObject, dumps
from counterfoil_schema.records import Employee
from support.bamboohr import Company, bamboohr, person

FIELD = "customQuickBooksId"
WRITES = {"write_back": {"employee_id": FIELD}}


@dataclass
class Receiver:
    """A host's webhook route: what the adapter made of each delivery, and how often to fail first."""

    source: BambooSource | None = None
    got: list[Delivery] = field(default_factory=list)
    refused: int = 0
    tries: int = 0
    failures: int = 0
    status: int = 500
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        assert self.source is not None
        self.tries += 1
        if self.failures:
            self.failures -= 1
            return web.Response(status=self.status)
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            delivery = self.source.receive(
                WebhookRequest(method="POST", url=self.url, headers=headers, body=await request.read())
            )
        except BadSignatureError:
            self.refused += 1
            return web.Response(status=401)
        self.got.append(delivery)
        return web.Response()

    def hints(self) -> list[tuple[str, str, str]]:
        return [(hint.kind, hint.source_id, hint.operation) for delivery in self.got for hint in delivery.hints]


@asynccontextmanager
async def subscribed() -> AsyncIterator[tuple[Company, Receiver]]:
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/bamboohr", receiver.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/bamboohr"
        options = EmulatorOptions(limits=False, webhook_url=receiver.url, webhook_pause_seconds=0.01)
        async with bamboohr(BambooEmulator(options)) as company:
            receiver.source = company.source()
            await company.control("/load", {"employees": [person(0)], "custom_fields": {FIELD: "text"}})
            yield company, receiver
    finally:
        await runner.cleanup()


async def test_who_changed_arrives_signed_and_what_changed_is_read() -> None:
    async with subscribed() as (company, receiver):
        await company.control("/people/100/change", {"lastName": "Married"})
        made = (await company.control("/people", person(1)))["id"]
        await company.control("/people/100/delete")
        await company.control("/webhooks/settle")

        assert sorted(receiver.hints()) == sorted(
            [
                ("employee", "100", "update"),
                ("employee", made, "create"),
                ("employee", made, "update"),
                ("employee", "100", "delete"),
            ]
        )
        assert receiver.refused == 0


async def test_a_row_that_begins_later_is_not_told_before() -> None:
    async with subscribed() as (company, receiver):
        row: JsonObject = {"date": company.day(1), "department": "Legal"}
        await company.control("/people/100/row", {"row": row})
        await company.control("/webhooks/settle")

        assert receiver.hints() == []


async def test_a_failing_receiver_is_tried_again_and_one_that_refuses_is_not() -> None:
    async with subscribed() as (company, receiver):
        receiver.failures = 3
        await company.control("/people/100/change", {"lastName": "Patience"})
        await company.control("/webhooks/settle")
        receiver.failures, receiver.status, before = 1, 404, receiver.tries
        await company.control("/people/100/change", {"lastName": "Refused"})
        await company.control("/webhooks/settle")

        assert (len(receiver.got), receiver.tries - before) == (1, 1)


@pytest.mark.parametrize("kind", ["webhook_forged", "webhook_stale"])
async def test_forged_and_stale_deliveries_are_refused(kind: str) -> None:
    async with subscribed() as (company, receiver):
        await company.control("/faults", {"kind": kind})
        await company.control("/people/100/change", {"lastName": "Nobody"})
        await company.control("/webhooks/settle")

        assert (receiver.got, receiver.refused) == ([], 1)


async def test_events_of_another_company_hint_at_nothing() -> None:
    async with subscribed() as (company, receiver):
        data: JsonObject = {"companyId": "999", "employeeId": "100", "changedFields": ["lastName"]}
        await company.control("/webhooks/send", {"type": "employee.updated", "data": data})
        await company.control("/webhooks/settle")

        assert [delivery.hints for delivery in receiver.got] == [()]


async def test_the_older_form_is_understood() -> None:
    async with subscribed() as (company, receiver):
        entry: JsonObject = {"id": "100", "action": "Updated", "changedFields": ["lastName"], "fields": {}}
        await company.control("/webhooks/send", {"employees": [entry]})
        await company.control("/webhooks/settle")

        assert receiver.hints() == [("employee", "100", "update")]


def signed(company: Company, body: bytes, stamp: str | None = None, key: str | None = None) -> WebhookRequest:
    at = stamp if stamp is not None else str(int(company.clock.now().timestamp()))
    secret = key or str(company.emulator.ready()["webhook_key"])
    digest = hmac.new(secret.encode(), body + at.encode(), hashlib.sha256).hexdigest()
    headers = {"x-bamboohr-signature": digest, "x-bamboohr-timestamp": at}
    return WebhookRequest(method="POST", url="https://example.test", headers=headers, body=body)


async def test_the_signature_is_that_of_the_fact_sheet() -> None:
    async with bamboohr() as company:
        await company.control("/clock", {"now": "2023-11-14T22:13:20+00:00"})
        body = b'{"type":"employee.updated"}'
        headers = {
            "x-bamboohr-signature": "cf06bcd67b55fc3d72f9fdba51b2444f46570e200372a5d7e8f034073ea2ae70",
            "x-bamboohr-timestamp": "1700000000",
        }
        request = WebhookRequest(method="POST", url="https://example.test", headers=headers, body=body)

        assert company.source({"webhook_key": "key"}).receive(request).hints == ()


@pytest.mark.parametrize("stamp", ["", "soon", "-5", "1" * 4000, "99999999999999999999", "١٢٣"])
async def test_a_timestamp_that_is_none_is_refused(stamp: str) -> None:
    async with bamboohr() as company:
        with pytest.raises(BadSignatureError):
            company.source().receive(signed(company, b"{}", stamp))


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"employees": 5}', b'{"employees": [7]}'])
async def test_a_body_that_is_none_is_told(body: bytes) -> None:
    async with bamboohr() as company:
        with pytest.raises(MalformedDeliveryError):
            company.source().receive(signed(company, body))


@pytest.mark.parametrize("identity", [None, True, "", "1/../2", "x", "1.5", {}, "٣"])
async def test_an_id_that_is_none_hints_at_nothing(identity: object) -> None:
    async with bamboohr() as company:
        body = dumps({"type": "employee.updated", "data": {"employeeId": identity}})

        assert company.source().receive(signed(company, body)).hints == ()


async def test_without_a_key_nothing_is_let_in() -> None:
    async with bamboohr() as company:
        with pytest.raises(BadSignatureError, match="no webhook_key"):
            company.source({"webhook_key": None}).receive(signed(company, b"{}"))


async def test_a_webhook_is_made_and_its_key_shown_once() -> None:
    async with bamboohr() as company:
        identity, key = await company.source().subscribe("https://books.example/webhooks/sources/1/bamboohr")

        hook = company.emulator.hooks.all[identity]
        assert (hook.key, hook.events) == (key, ["employee.created", "employee.updated", "employee.deleted"])


async def test_the_id_is_written_and_seen_and_told_from_an_edit() -> None:
    async with subscribed() as (company, _):
        source = company.source(mapping=WRITES)
        request = WriteBack(kind="employee", source_id="100", values={FIELD: "55"}, request_id="r1")

        first = await source.write_back(request)
        again = await source.write_back(request)
        (change,) = await source.read("employee", "100")

        assert (first.outcome, again.outcome) == ("accepted", "accepted")
        assert isinstance(change, Seen)
        assert isinstance(change.record, Employee)
        assert change.record.books_id == "55"
        assert source.same_values("employee", {FIELD: "55"}, change.raw)
        assert not source.same_values("employee", {FIELD: "56"}, change.raw)


async def test_what_bamboohr_does_not_hold_is_a_refusal_with_its_reason() -> None:
    async with subscribed() as (company, _):
        hidden = (await company.control("/keys", {"hides": [FIELD]}))["api_key"]
        frozen = (await company.control("/keys", {"edits": False}))["api_key"]

        async def told(values: dict[str, str], **settings: str) -> str:
            source = company.source(settings, mapping=WRITES)
            request = WriteBack(kind="employee", source_id="100", values=values, request_id="r1")
            result = await source.write_back(request)
            assert result.outcome == "rejected", result
            return f"{result.reason} {result.fix}"

        assert "there is no such field" in await told({"customNowhere": "5"})
        assert "there is no such field" in await told({FIELD: "5"}, api_key=hidden)
        assert "may not edit" in await told({FIELD: "5"}, api_key=frozen)
        assert "would be emptied" in await told({FIELD: ""})


async def test_a_lost_answer_is_uncertain_and_the_repetition_harmless() -> None:
    async with subscribed() as (company, _):
        lost_answers: JsonObject = {"kind": "lost_answer", "method": "POST", "path": "/employees/100", "times": 5}
        await company.control("/faults", lost_answers)
        source = company.source(mapping=WRITES)
        request = WriteBack(kind="employee", source_id="100", values={FIELD: "55"}, request_id="r1")

        lost = await source.write_back(request)
        found = await source.write_back(request)

        assert (lost.outcome, found.outcome) == ("uncertain", "accepted")
