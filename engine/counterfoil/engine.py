"""The composition root: everything is put together here, and nowhere else."""

import asyncio
import os
import socket
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider
from pydantic import SecretStr

from counterfoil.anchoring import Anchoring, anchor_of
from counterfoil.clock import SystemClock, SystemEntropy
from counterfoil.connecting import quickbooks_consent
from counterfoil.connections import Connected, Network, connect
from counterfoil.dispatch.sender import not_anchored
from counterfoil.dispatch.steps import no_step
from counterfoil.errors import ConfigurationError
from counterfoil.http.connecting import ConnectRoutes
from counterfoil.http.health import health_of, health_routes
from counterfoil.http.webhooks import Routes, Verifier, webhook_application
from counterfoil.keys import master_key, token_keys
from counterfoil.log import (
    Append,
    Appended,
    EventCodec,
    LogClosedError,
    LogStanding,
    MasterKey,
    PostgresKeyring,
    PostgresLeases,
    PostgresLog,
    PostgresLogReader,
    RecordedEvent,
)
from counterfoil.ports import Clock, Entropy
from counterfoil.postgres import Names, Pool, create_pool, open_postgres
from counterfoil.quickbooks.online.consent import Made, QuickBooksConsent
from counterfoil.quickbooks.online.transport import open_session
from counterfoil.recovery.as_of import OWN_SESSION, StateAt, state_at
from counterfoil.rooms import Shared
from counterfoil.runner import CompanyRunner
from counterfoil.secrets import PostgresRefreshLock, PostgresSourceTokens, open_token_store
from counterfoil.secrets.connections import PostgresConnections
from counterfoil.settings import Settings, reads_of
from counterfoil.state.store import PostgresStateStore
from counterfoil.telemetry.ports import Instruments
from counterfoil.telemetry.providers import Providers, make_providers

DRAIN_SECONDS = 60.0


class _LogOf:
    """An engine's log, looked up at each append: routes are mounted before the engine is open."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    async def append(self, append: Append) -> Appended:
        """See `LogWriter.append`.

        Raises:
            LogClosedError: the engine is not open.
        """
        return await self._engine.log.append(append)


class Engine:
    """Keeps the configured companies in step for as long as its context lasts.

    Args:
        settings: what to run.
        pool: the host's own pool, working as a member of the engine's role in a migrated database; the engine opens
            Postgres itself if there is none.
        tracer_provider, meter_provider: the host's telemetry; never the global one.
        clock, entropy: time and randomness.
        step: called at every named point between two durable steps; for tests that end the process there.

    Raises:
        ConfigurationError, PostgresError: on entering, with what to do about it.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        pool: Pool | None = None,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
        step: Callable[[str], None] = no_step,
    ) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self._entropy: Entropy = entropy or SystemEntropy()
        self._given_pool = pool
        self._providers: Providers = make_providers(settings.telemetry, tracer_provider, meter_provider)
        self._step = step
        self._stack = AsyncExitStack()
        self._running: asyncio.Task[None] | None = None
        self._anchoring: Anchoring | None = None
        self._connected: dict[int, Connected] = {}
        self.runners: dict[int, CompanyRunner] = {}
        self.warnings: tuple[str, ...] = ()
        self._log: PostgresLog | None = None
        self._dsn: SecretStr | None = settings.dsn
        self._place: tuple[Pool, Names, SecretStr | None] | None = None
        self._webhooks: web.Application | None = None
        self._deliveries: Counter[str] = Counter()
        self._connecting: web.Application | None = None
        self._consent: QuickBooksConsent | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.stop()
        finally:
            await self._stack.aclose()

    async def _open(self) -> None:
        stack, settings = self._stack, self.settings
        stack.push_async_callback(asyncio.to_thread, self._providers.shut_down)
        pool, names = await self._open_pool()
        self._place = (pool, names, self._dsn)
        secret = await asyncio.to_thread(master_key, settings.master_key, settings.home, self._entropy)
        self.keyring = PostgresKeyring(
            pool, names, MasterKey(secret, self._entropy), clock=self.clock, entropy=self._entropy
        )
        codec = EventCodec(self.keyring, clock=self.clock, entropy=self._entropy)
        self.store = PostgresStateStore(pool, names)
        self.reader = PostgresLogReader(pool, names, codec, clock=self.clock)
        self._log = await stack.enter_async_context(PostgresLog(pool, names, codec))
        if settings.anchor is not None:
            self._anchoring = Anchoring(settings.anchor, self.reader, self.clock)
            stack.push_async_callback(self._anchoring.last)
        tracer = self._providers.tracers.get_tracer("counterfoil")
        self._shared = Shared(
            log=self._log,
            reader=self.reader,
            leases=PostgresLeases(pool, names, clock=self.clock),
            standing=LogStanding(pool, names, self.reader, clock=self.clock, anchor=anchor_of(settings)),
            keyring=self.keyring,
            store=self.store,
            connections=PostgresConnections(pool, names),
            clock=self.clock,
            entropy=self._entropy,
            instruments=Instruments(tracer, self._providers.meters.get_meter("counterfoil")),
            holder=f"{socket.gethostname()}:{os.getpid()}:{self._entropy.token_bytes(4).hex()}",
            lease_seconds=settings.lease_seconds,
            step=self._step,
            anchoring=self._anchoring.covering if self._anchoring is not None else lambda _: not_anchored,
        )
        network = Network(
            http=await stack.enter_async_context(open_session()),
            tokens=await stack.enter_async_context(
                open_token_store(settings.tokens, pool, names, keys=token_keys(secret), entropy=self._entropy)
            ),
            lock=PostgresRefreshLock(pool, names),
            source_tokens=PostgresSourceTokens(
                pool, names, keys=token_keys(secret), clock=self.clock, entropy=self._entropy
            ),
            source_lock=PostgresRefreshLock(pool, names, purpose="source_tokens"),
            clock=self.clock,
            entropy=self._entropy,
            tracer=tracer,
            step=self._step,
            public_url=settings.public_url,
            reads_per_month=reads_of(settings.metered_reads_per_month),
        )
        self._consent = quickbooks_consent(
            settings,
            http=network.http,
            pool=pool,
            names=names,
            tokens=network.tokens,
            clock=self.clock,
            entropy=self._entropy,
        )
        for company in settings.companies:
            connected = await connect(company, network, stack)
            self._connected[company.company] = connected
            self.runners[company.company] = CompanyRunner(settings=company, shared=self._shared, connected=connected)

    async def _open_pool(self) -> tuple[Pool, Names]:
        names = Names(self.settings.prefix)
        if self._given_pool is not None:
            return self._given_pool, names
        server = await self._stack.enter_async_context(
            open_postgres(
                dsn=self.settings.dsn,
                admin_dsn=self.settings.admin_dsn,
                home=self.settings.home / "postgres",
                names=names,
            )
        )
        self.warnings = server.warnings
        self._dsn = server.engine_dsn
        pool = await create_pool(server.engine_dsn, server.names, application_name="counterfoil")
        self._stack.push_async_callback(pool.close)
        return pool, server.names

    def start(self) -> None:
        """Begin to work; `stop` (or leaving the context) ends it."""
        if self._running is None:
            self._running = asyncio.create_task(self._run(), name="counterfoil")

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as beside:
            anchoring = beside.create_task(self._anchoring.run(), name="anchors") if self._anchoring else None
            async with asyncio.TaskGroup() as companies:
                for runner in self.runners.values():
                    companies.create_task(runner.run(), name=f"company {runner.company}")
            if anchoring is not None:
                anchoring.cancel()

    async def stop(self) -> None:
        """Begin nothing new, let what is under way end, give the leases back."""
        running, self._running = self._running, None
        if running is None:
            return
        for runner in self.runners.values():
            runner.drain()
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await running
        except TimeoutError:
            running.cancel()

    async def wait(self) -> None:
        """Until the work ends by an error or by `stop`."""
        if self._running is not None:
            await asyncio.shield(self._running)

    @property
    def log(self) -> PostgresLog:
        """The log's writer.

        Raises:
            LogClosedError: the engine is not open.
        """
        if self._log is None:
            raise LogClosedError("The engine is not open yet.", remedy="Enter its context first.")
        return self._log

    @property
    def webhooks(self) -> web.Application:
        """The webhook routes, with health and readiness, for the host to mount: before or after entering."""
        if self._webhooks is None:
            log = _LogOf(self)
            routes = self._routes()
            application = webhook_application(log, routes, self.settings.public_url, self.settings.webhooks)
            health_routes(application, self.health)
            self._webhooks = application
        return self._webhooks

    @property
    def connecting(self) -> web.Application:
        """Routes by which a platform's customers connect their QuickBooks, to mount behind the platform's own login.

        `GET quickbooks/{company}` sends a browser to Intuit's consent page, `GET quickbooks/callback` takes the answer.
        """
        if self._connecting is None:

            def made(connection: Made) -> None:
                if connection.company in self.runners:
                    self.runners[connection.company].wake()

            routes = ConnectRoutes(lambda: self.consent, self.settings.public_url, made)
            self._connecting = routes.application()
        return self._connecting

    @property
    def consent(self) -> QuickBooksConsent:
        """Connects companies to QuickBooks and disconnects them, for hosts with pages of their own.

        Raises:
            ConfigurationError: the engine is not open.
        """
        if self._consent is None:
            raise ConfigurationError("The engine is not open yet.", remedy="Enter its context first.")
        return self._consent

    def _routes(self) -> Routes:
        verifiers = _verifiers(self.settings)
        return Routes(
            verifiers=lambda: verifiers,
            company_of_realm=self._company_of_realm,
            adapter=lambda company, name: (
                self._connected[company].sources.get(name) if company in self._connected else None
            ),
            adapters=lambda name: {
                company: one.sources[name] for company, one in sorted(self._connected.items()) if name in one.sources
            },
            received=lambda company: self.runners[company].wake() if company in self.runners else None,
            ended=self._delivery_ended,
        )

    def _delivery_ended(self, how: str) -> None:
        self._deliveries[how] += 1
        if self._log is not None:
            self._shared.instruments.delivery(how)

    def _company_of_realm(self, realm_id: str) -> int | None:
        found = {one.realm.realm_id: company for company, one in self._connected.items() if one.realm.realm_id}
        named = {one.quickbooks.realm_id: one.company for one in self.settings.companies if one.quickbooks.realm_id}
        return (found | named).get(realm_id)

    def connected(self, company: int) -> Connected:
        """A company's open connections.

        Raises:
            ConfigurationError: no such company is configured.
        """
        try:
            return self._connected[company]
        except KeyError:
            known = ", ".join(str(number) for number in self._connected) or "none"
            raise ConfigurationError(
                f"Company {company} is not configured; configured are: {known}.", remedy="Correct the number."
            ) from None

    def events(self, after: Mapping[int, int] | None = None) -> AsyncIterator[RecordedEvent]:
        """All events of all companies from these positions on, then each new one, for ever.

        In order within a company, in none between companies; keep the last position of each and nothing is missed.
        """
        return self.reader.follow_all(after)

    @asynccontextmanager
    async def state_at(self, company: int, wanted: int | datetime) -> AsyncGenerator[StateAt]:
        """What a company's log came to at a point in the past, for the length of a block; the live tables are not read.

        Args:
            wanted: a position, or an aware instant: then the last position that was recorded by then.

        Raises:
            ConfigurationError: there is no such point; or the engine works on the host's pool, and `settings.dsn`, for
                a session of its own, is not set.
            LogNotFoldableError: an event on the way cannot be folded, or is not as it was written.
        """
        if self._place is None:
            raise ConfigurationError("The engine is not open yet.", remedy="Enter its context first.")
        pool, names, dsn = self._place
        if dsn is None:
            raise ConfigurationError(
                "The state at a point is folded in a session of its own, which the host's pool cannot give.",
                remedy="Set `dsn` in the settings as well.",
            )
        own = await create_pool(dsn, names, application_name="counterfoil state", limits=OWN_SESSION)
        try:
            async with state_at(pool, names, self.reader, self.clock, company, wanted, own=own) as state:
                yield state
        finally:
            await own.close()

    async def health(self) -> dict[str, Any]:
        """What works and what does not, company by company; `ready` only if all do."""
        return await health_of(self.runners.values(), self.store, self._deliveries)


def _verifiers(settings: Settings) -> list[Verifier]:
    """Each verifier token once, with the companies that name it and those that name none."""
    named: dict[str, set[int]] = {}
    free = frozenset(one.company for one in settings.companies if one.quickbooks.verifier_token is None)
    for one in settings.companies:
        if one.quickbooks.verifier_token is not None:
            named.setdefault(one.quickbooks.verifier_token.get_secret_value(), set()).add(one.company)
    return [Verifier(SecretStr(token), free.union(companies)) for token, companies in named.items()]
