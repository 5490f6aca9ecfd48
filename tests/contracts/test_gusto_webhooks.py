"""Webhooks as the emulator sends them, received by the adapter: handshake, signature, retries, doubles."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from counterfoil.sources import BadSignatureError, Delivery, WebhookRequest
from counterfoil_adapters.gusto.adapter import GustoSource
from counterfoil_adapters.gusto.emulator import EmulatorOptions, GustoEmulator
from support.gusto import Company, employees, gusto, payroll, person


@dataclass
class Receiver:
    """A host's webhook route: what the adapter made of each delivery, and how often to fail first."""

    source: GustoSource | None = None
    got: list[Delivery] = field(default_factory=list)
    refused: int = 0
    failures: int = 0
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        assert self.source is not None
        if self.failures:
            self.failures -= 1
            return web.Response(status=500)
        headers = {name.lower(): value for name, value in request.headers.items()}
        received = WebhookRequest(method="POST", url=self.url, headers=headers, body=await request.read())
        try:
            delivery = self.source.receive(received)
        except BadSignatureError:
            self.refused += 1
            return web.Response(status=401)
        self.got.append(delivery)
        return web.json_response(dict(delivery.answer or {}))


@asynccontextmanager
async def listening() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/gusto", receiver.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/gusto"
        yield receiver
    finally:
        await runner.cleanup()


@asynccontextmanager
async def subscribed() -> AsyncIterator[tuple[Company, Receiver]]:
    """An emulator that delivers to a receiver from the start, with one employee and a run that is not processed."""
    async with listening() as receiver:
        options = EmulatorOptions(webhook_url=receiver.url, webhook_pause_seconds=0.01)
        async with gusto(GustoEmulator(options)) as company:
            receiver.source = company.source()
            day = company.clock.now().date().isoformat()
            run = payroll("p1", day, [person("e0", "5000.00")], processed=False)
            await company.control("/load", {"employees": employees(1), "payrolls": [run]})
            yield company, receiver


async def test_the_handshake_is_answered_and_the_subscription_verified() -> None:
    async with listening() as receiver, gusto() as company:
        receiver.source = company.source()
        subscription = await receiver.source.subscribe(receiver.url)
        await company.control("/webhooks/settle")
        await company.control("/people/employees", {"first_name": "Too", "last_name": "Early"})

        (handshake,) = receiver.got
        assert handshake.answer == {"verification_token": company.emulator.verification_token}
        await receiver.source.verify(subscription, handshake.answer["verification_token"])
        made = (await company.control("/people/employees", {"first_name": "In", "last_name": "Time"}))["uuid"]
        await company.control("/webhooks/settle")

        assert [made] == [hint.source_id for delivery in receiver.got[1:] for hint in delivery.hints]


async def test_running_a_payroll_reaches_the_receiver_once_signed() -> None:
    async with subscribed() as (company, receiver):
        await company.control("/people/payrolls/p1/process")
        await company.control("/webhooks/settle")

        hints = [(h.kind, h.source_id, h.operation) for d in receiver.got for h in d.hints]
        assert hints == [("payroll", "p1", "processed")]
        assert receiver.refused == 0


async def test_a_doubled_delivery_bears_one_id_and_a_dropped_one_never_comes() -> None:
    async with subscribed() as (company, receiver):
        await company.control("/faults", {"kind": "double_webhook"})
        await company.control("/people/employees/e0/change", {"last_name": "Once"})
        await company.control("/webhooks/settle")
        await company.control("/faults", {"kind": "drop_webhook"})
        await company.control("/people/employees/e0/change", {"last_name": "Unseen"})
        await company.control("/webhooks/settle")

        assert (len(receiver.got), len({delivery.delivery_id for delivery in receiver.got})) == (2, 1)


async def test_a_failing_receiver_is_tried_again() -> None:
    async with subscribed() as (company, receiver):
        receiver.failures = 3
        await company.control("/people/employees/e0/change", {"last_name": "Patience"})
        await company.control("/webhooks/settle")

        assert len(receiver.got) == 1


async def test_deliveries_signed_with_another_token_are_refused() -> None:
    async with subscribed() as (company, receiver):
        receiver.source = company.source({"verification_token": "another"})
        (hook,) = company.emulator.webhooks.subscriptions.values()
        hook.url = receiver.url
        company.emulator.webhooks.announce(company.emulator.store.record("employee.updated", "Employee", "e0"))
        while not receiver.refused:
            await company.state()

        assert receiver.got == []


@pytest.mark.parametrize("event_type", ["payroll.reversed", "payroll.updated", "employee.terminated"])
async def test_what_is_hinted_at_can_be_read(event_type: str) -> None:
    async with subscribed() as (company, receiver):
        assert receiver.source is not None
        kind, _, _ = event_type.partition(".")
        entity = "p1" if kind == "payroll" else "e0"
        company.emulator.webhooks.announce(company.emulator.store.record(event_type, kind.title(), entity))
        await company.control("/webhooks/settle")

        ((hint,),) = [delivery.hints for delivery in receiver.got]
        (change,) = await receiver.source.read(hint.kind, hint.source_id)
        assert (kind, entity) == (change.kind, change.source_id)
