"""Webhooks as the emulator sends them, received by the adapter: handshake, signature, retries, doubles."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from pydantic import SecretStr

from counterfoil.sources import BadSignatureError, Delivery, TokenKeeper, WebhookRequest, sign
from counterfoil.testing import MemoryKeeper
from counterfoil_adapters.gusto.adapter import GustoSource
from counterfoil_adapters.gusto.emulator import EmulatorOptions, GustoEmulator
from counterfoil_schema.exact_json import dumps
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


async def poll(company: Company, source: GustoSource) -> None:
    """One reading of the first kind, and whatever Gusto sends because of it."""
    async for _ in source.changes("employee", None):
        pass
    await company.control("/webhooks/settle")


def automatic(company: Company, receiver: Receiver, keeper: TokenKeeper | None = None) -> GustoSource:
    """A connection that says where deliveries shall go, and nothing else."""
    return company.source({"verification_token": None, "webhook_url": receiver.url}, keeper)


async def hired(company: Company, receiver: Receiver, name: str) -> bool:
    """Whether a delivery of somebody's hiring arrives, rightly signed."""
    made = (await company.control("/people/employees", {"first_name": name, "last_name": "Doe"}))["uuid"]
    await company.control("/webhooks/settle")
    return made in [hint.source_id for delivery in receiver.got for hint in delivery.hints]


async def test_a_subscription_is_made_and_proven_by_itself_and_outlives_a_restart() -> None:
    async with listening() as receiver, gusto() as company:
        keeper = MemoryKeeper()
        receiver.source = automatic(company, receiver, keeper)
        (need,) = await receiver.source.prepare(write=False)
        assert (need.state, need.name) == ("missing", receiver.url)

        await poll(company, receiver.source)
        (handshake,) = receiver.got
        assert handshake.answer == {"verification_token": company.emulator.verification_token}
        assert not await hired(company, receiver, "Early")
        await poll(company, receiver.source)

        assert await hired(company, receiver, "Ann")
        assert [one.state for one in await receiver.source.prepare(write=False)] == ["there"]
        receiver.source = automatic(company, receiver, keeper)
        await poll(company, receiver.source)
        assert await hired(company, receiver, "Bob")
        (hook,) = (await company.state())["subscriptions"]
        assert hook["status"] == "verified"


async def test_a_token_that_nobody_kept_is_asked_for_anew() -> None:
    async with listening() as receiver, gusto() as company:
        for name in ("Ann", "Bob"):
            receiver.source = automatic(company, receiver)
            await poll(company, receiver.source)
            await poll(company, receiver.source)
            assert await hired(company, receiver, name)
        (hook,) = (await company.state())["subscriptions"]
        assert (hook["status"], receiver.refused) == ("verified", 0)


async def test_a_strangers_handshake_opens_nothing() -> None:
    async with listening() as receiver, gusto() as company:
        receiver.source = automatic(company, receiver)
        for number in range(9):
            await company.session.post(receiver.url, data=dumps({"verification_token": f"evil-{number}"}))
        await poll(company, receiver.source)
        await company.session.post(receiver.url, data=dumps({"verification_token": "evil"}))
        await poll(company, receiver.source)
        assert await hired(company, receiver, "Ann")
        # A handshake that comes later changes nothing either.
        await company.session.post(receiver.url, data=dumps({"verification_token": "evil"}))
        await poll(company, receiver.source)
        body = dumps({"uuid": "d1", "event_type": "employee.deleted", "entity_uuid": "e1"})
        forged = {"X-Gusto-Signature": sign(SecretStr("evil"), body)}
        async with company.session.post(receiver.url, data=body, headers=forged) as answer:
            assert answer.status == 401
        assert await hired(company, receiver, "Bob")


async def test_a_handshake_that_was_lost_is_sent_again() -> None:
    async with listening() as receiver, gusto() as company:
        receiver.source, receiver.failures = automatic(company, receiver), 1
        await poll(company, receiver.source)
        await company.control("/clock", {"advance_seconds": 61})
        await poll(company, receiver.source)
        assert [delivery.answer is not None for delivery in receiver.got] == [True]
        await poll(company, receiver.source)
        assert await hired(company, receiver, "Ann")


async def test_what_keeps_a_subscription_from_being_made_is_told_and_holds_up_no_reading() -> None:
    async with listening() as receiver, gusto() as company:
        await company.control("/load", {"employees": employees(1)})
        receiver.source = automatic(company, receiver)
        await company.control("/faults", {"kind": "status", "status": 500, "times": 5, "path": "webhook_subscriptions"})
        pages = [page async for page in receiver.source.changes("employee", None)]
        assert [len(page.changes) for page in pages] == [1]
        (need,) = await receiver.source.prepare(write=False)
        assert (need.state, "500" in need.problem) == ("missing", True)


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
