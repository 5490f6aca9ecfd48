"""One process of the engine: put together as `counterfoil.engine` does it, over the simulated network and database."""

import asyncio
import random
from contextlib import AsyncExitStack
from contextvars import copy_context
from dataclasses import replace

import aiohttp
from aiohttp import web
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.trace import NoOpTracerProvider
from pydantic import SecretStr

from counterfoil.connections import Network as Ways
from counterfoil.connections import connect
from counterfoil.dispatch.steps import no_step
from counterfoil.dispatch.worker import Pace
from counterfoil.http.webhooks import Routes, Verifier, webhook_application
from counterfoil.log import EventCodec
from counterfoil.log.standing import Unquestioned
from counterfoil.rooms import Shared
from counterfoil.runner import CompanyRunner
from counterfoil.settings import CompanySettings
from counterfoil.sources import SourceAdapter
from counterfoil.telemetry.ports import Instruments
from counterfoil.testing.simulation.clock import MachineClock
from counterfoil.testing.simulation.database import DistantLog, way_of
from counterfoil.testing.simulation.durable import Durable, NoSourceTokens
from counterfoil.testing.simulation.loop import PROCESS, SimulatedProcess, SimulationLoop
from counterfoil.testing.simulation.network import Network, NetworkConnector
from counterfoil.testing.simulation.weather import Weather
from counterfoil.testing.sources.bench import SeededEntropy


class Node:
    """A process of the engine that works for one company, or waits for its lease.

    Args:
        machine: where it runs.
        number: tells apart the processes that ran there.
        durable: the database.
        settings: of the company.
        adapter: its source, as this process opens it.
        lease_seconds: of its leases.
        verifier_token: of the books' webhooks.
    """

    def __init__(
        self,
        machine: str,
        *,
        number: int,
        loop: SimulationLoop,
        network: Network,
        durable: Durable,
        settings: CompanySettings,
        adapters: dict[str, SourceAdapter],
        weather: Weather,
        chance: random.Random,
        lease_seconds: float,
        verifier_token: str,
        pace: Pace,
    ) -> None:
        self.machine = machine
        self.process = SimulatedProcess(f"{number}.{machine}")
        self.clock = MachineClock(up_seconds=chance.uniform(10.0, 1e6))
        self.runner: CompanyRunner | None = None
        self._loop, self._network, self._durable = loop, network, durable
        self._settings, self._adapters, self._weather = settings, adapters, weather
        self._entropy = SeededEntropy(chance.getrandbits(64))
        self._way = way_of(random.Random(chance.getrandbits(64)))
        self._lease_seconds, self._verifier_token, self._pace = lease_seconds, verifier_token, pace
        self.listening = False

    @property
    def address(self) -> str:
        """Where it takes webhooks."""
        return f"http://{self.process.name}:80"

    def start(self) -> asyncio.Task[None]:
        """Begin; the task ends when the process is drained, and never if it is killed."""
        context = copy_context()
        context.run(PROCESS.set, self.process)
        return self._loop.create_task(self._run(), context=context, name=self.process.name)

    def drain(self) -> None:
        """Ask it to end in order."""
        if self.runner is not None:
            self.runner.drain()

    async def _run(self) -> None:
        async with AsyncExitStack() as stack:
            durable = self._durable
            codec = EventCodec(durable.keyring, clock=self.clock, entropy=self._entropy)
            log = DistantLog(durable.log, codec, clock=self.clock, way=self._way, instants=durable.instants)
            connector = NetworkConnector(self._network, self._weather.of_request)
            http = await stack.enter_async_context(
                aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
            )
            tracer = NoOpTracerProvider().get_tracer("simulation")
            ways = Ways(
                http=http,
                tokens=durable.tokens,
                lock=durable.lock,
                source_tokens=NoSourceTokens(),
                source_lock=durable.lock,
                clock=self.clock,
                entropy=self._entropy,
                tracer=tracer,
                step=no_step,
                public_url=None,
                reads_per_month=None,
            )
            bare = self._settings.model_copy(update={"sources": {}})
            connected = replace(await connect(bare, ways, stack), sources=self._adapters)
            shared = Shared(
                log=log,
                reader=log,
                leases=log,
                standing=Unquestioned(),
                keyring=durable.keyring,
                store=durable.store.seen_over(self._way),
                connections=durable.connections,
                clock=self.clock,
                entropy=self._entropy,
                instruments=Instruments(tracer, NoOpMeterProvider().get_meter("simulation")),
                holder=self.process.name,
                lease_seconds=self._lease_seconds,
                step=no_step,
                pace=self._pace,
            )
            runner = self.runner = CompanyRunner(settings=self._settings, shared=shared, connected=connected)
            await self._serve(stack, log, runner)
            await runner.run()

    async def _serve(self, stack: AsyncExitStack, log: DistantLog, runner: CompanyRunner) -> None:
        company, realm = self._settings.company, self._settings.quickbooks.realm_id
        verifier = Verifier(SecretStr(self._verifier_token), frozenset({company}))
        routes = Routes(
            verifiers=lambda: [verifier],
            company_of_realm=lambda asked: company if asked == realm else None,
            adapter=lambda number, name: self._adapters.get(name) if number == company else None,
            received=lambda _company: runner.wake(),
        )
        serving = web.AppRunner(webhook_application(log, routes, None), access_log=None)
        await serving.setup()
        stack.push_async_callback(serving.cleanup)
        await web.TCPSite(serving, self.process.name, 80).start()
        self.listening = True
