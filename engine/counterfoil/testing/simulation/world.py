"""One run: everything put together, worked for some hours in bad weather, then until nothing is left to do."""

import asyncio
import gc
import hashlib
import logging
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from pydantic import SecretStr

from counterfoil.dispatch.sweeping import SWEEP
from counterfoil.dispatch.watched import BOOKS
from counterfoil.dispatch.worker import Pace
from counterfoil.log import EventCodec, RecordedEvent
from counterfoil.quickbooks.emulator import QuickBooksEmulator
from counterfoil.quickbooks.emulator.options import options_from
from counterfoil.settings import CompanySettings, QuickBooksSettings, SourceSettings
from counterfoil.state.rows import OPEN_INTENTS, ChangeRow, IntentRow
from counterfoil.testing.memory_log import MemoryKeyring, MemoryLog
from counterfoil.testing.memory_state import MemoryStateStore, fold_afresh
from counterfoil.testing.simulation.clock import START, MachineClock
from counterfoil.testing.simulation.desk import MAPPING, NAME, Desk, DeskSource
from counterfoil.testing.simulation.disasters import Disasters
from counterfoil.testing.simulation.durable import Durable, MemoryConnections, RememberingTokenStore, SharedRefreshLock
from counterfoil.testing.simulation.evidence import Absence, Call, Evidence, Item, Moment, OrderTruth
from counterfoil.testing.simulation.loop import SimulationLoop, StuckError, run_simulated
from counterfoil.testing.simulation.matrix import SWITCHES, Case, pairwise
from counterfoil.testing.simulation.network import Network, NetworkConnector
from counterfoil.testing.simulation.node import Node
from counterfoil.testing.simulation.oracle import Broken, judge
from counterfoil.testing.simulation.people import Administrator, Bookkeeper, Salespeople
from counterfoil.testing.simulation.post import HOST, PostOffice
from counterfoil.testing.simulation.tally import Tally
from counterfoil.testing.simulation.weather import HOLD_SECONDS, Climate, FatefulBoard, Weather
from counterfoil.testing.sources.bench import SeededEntropy
from counterfoil_schema.events.decisions import CallItem, CallSent, IntentAbsent, IntentRejected
from counterfoil_schema.events.receipts import WebhookReceived
from counterfoil_schema.exact_json import JsonObject, dumps

COMPANY: Final = 1
MACHINES: Final = ("north.test", "south.test")
LEASE_SECONDS: Final = 30.0
TIMEOUT_SECONDS: Final = 10.0
SERVER_SECONDS: Final = 60.0
POLL_SECONDS: Final = 120.0
SWEEP_SECONDS: Final = 300.0
REST_SECONDS_MAX: Final = 12 * 3600.0
LOOK_SECONDS: Final = 10.0
MOMENT_SECONDS: Final = 30.0
INTENTS_MAX: Final = 1_000_000
CASES: Final = tuple(pairwise(SWITCHES))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made from; the same plan gives the same run.

    Attributes:
        hours: of bad weather, in simulated time.
    """

    seed: int
    hours: float = 2.0

    @property
    def case(self) -> Case:
        """How the emulator's switches are set."""
        return CASES[self.seed % len(CASES)]


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a run.

    Attributes:
        trace: a hash over the whole log, all effects, and everything that was injected.
        broken: the promises that did not hold.
        simulated_seconds, real_seconds: how long it took.
        faults: how often, by fault and phase.
        events, effects, steps: how much happened.
    """

    plan: Plan
    trace: str
    broken: Sequence[Broken]
    simulated_seconds: float
    real_seconds: float
    faults: Mapping[tuple[str, str], int]
    events: int
    effects: int
    steps: int


class _Heard(logging.Handler):
    """What the engine says to its operator."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@dataclass(slots=True)
class _Told:
    """What the log says of calls and deliveries."""

    calls: list[Call] = field(default_factory=list)
    tellings: list[Call] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    absences: list[Absence] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)


@dataclass
class World:
    """A company, its source, its books, two machines that want to work for it, and people."""

    plan: Plan
    loop: SimulationLoop
    tally: Tally = field(default_factory=Tally)
    nodes: dict[str, Node] = field(default_factory=dict)
    started: int = 0
    moments: list[Moment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.plan.seed)
        self.weather = Weather(self._dice(), self.tally, self._climate())
        self.network = Network(self.loop, self._dice())
        self.clock = MachineClock()
        entropy = SeededEntropy(self.chance.getrandbits(64))
        keyring = MemoryKeyring(entropy)
        self.log = MemoryLog(EventCodec(keyring, clock=self.clock, entropy=entropy), clock=self.clock)
        self.durable = Durable(
            log=self.log,
            keyring=keyring,
            store=MemoryStateStore(),
            tokens=RememberingTokenStore(),
            connections=MemoryConnections(),
            lock=SharedRefreshLock(),
        )
        self.desk = Desk(self.chance.randbytes(16))

    def _dice(self) -> random.Random:
        return random.Random(self.chance.getrandbits(64))

    def _climate(self) -> Climate:
        share = self.chance.choice((0.1, 0.2, 0.4))
        return Climate(
            request=share, source=share / 2, delivery=0.8, late_seconds=SERVER_SECONDS - HOLD_SECONDS - TIMEOUT_SECONDS
        )

    async def run(self, stack: AsyncExitStack) -> Evidence:
        """Everything, from the first record to the last look."""
        emulator = await stack.enter_async_context(self._emulator())
        self.settings = self._settings(emulator)
        self.emulator = emulator
        post = PostOffice(self.network, self.weather, self.desk, COMPANY, self._addresses)
        sales = Salespeople(self.desk, self._dice(), 6.0)
        keeper = Bookkeeper(emulator, self.desk, self.tally, self._dice(), 12.0)
        administrator = Administrator(emulator, self.durable, COMPANY, self._dice())
        disasters = Disasters(self.nodes, self._start, emulator, self.durable, COMPANY, self.tally, self._dice(), 10.0)
        sales.open()
        group = await stack.enter_async_context(asyncio.TaskGroup())
        works = [group.create_task(one) for one in (post.run(group), administrator.run(), self._look())]
        for name in MACHINES:
            self.nodes[name] = self._start(name)
        troubles = [group.create_task(one.run()) for one in (sales, keeper, disasters)]
        await asyncio.sleep(self.plan.hours * 3600.0)
        self.weather.calm = True
        for task in troubles:
            task.cancel()
        disasters.repair()
        await self._rest(post, administrator)
        for node in self.nodes.values():
            node.process.kill()
        for task in works:
            task.cancel()
        return await self._evidence(keeper, post)

    def _emulator(self) -> QuickBooksEmulator:
        line = [text for name, value in self.plan.case.items() for text in (name, value)]
        options, _ = options_from(
            [
                *line,
                "--seed",
                str(self.plan.seed),
                "--host",
                "quickbooks.test",
                "--webhook-url",
                f"http://{HOST}/quickbooks",
            ]
        )
        statuses = self._dice()
        board = FatefulBoard(self.clock, lambda: statuses.choice((500, 502, 503, 504)))
        return QuickBooksEmulator(
            options, clock=self.clock, board=board, connector=lambda: NetworkConnector(self.network)
        )

    def _settings(self, emulator: QuickBooksEmulator) -> CompanySettings:
        office = emulator.office
        quickbooks = QuickBooksSettings(
            realm_id=emulator.realm_id,
            client_id=SecretStr(office.client_id),
            client_secret=SecretStr(office.client_secret),
            refresh_token=SecretStr(office.refresh_token),
            verifier_token=SecretStr(emulator.verifier_token),
            base_url=emulator.base_url,
            token_url=f"{emulator.base_url}/oauth2/v1/tokens/bearer",
            timeout_seconds=TIMEOUT_SECONDS,
            server_seconds=SERVER_SECONDS,
        )
        return CompanySettings(
            company=COMPANY,
            name="Desk & Daughters",
            zone="America/New_York",
            quickbooks=quickbooks,
            sources={NAME: SourceSettings(adapter=NAME, mapping=MAPPING)},
            poll_seconds=POLL_SECONDS,
            sweep_seconds=SWEEP_SECONDS,
        )

    def _start(self, machine: str) -> Node:
        self.started += 1
        node = Node(
            machine,
            number=self.started,
            loop=self.loop,
            network=self.network,
            durable=self.durable,
            settings=self.settings,
            adapters={NAME: DeskSource(self.desk, self.weather)},
            weather=self.weather,
            chance=self._dice(),
            lease_seconds=LEASE_SECONDS,
            verifier_token=self.emulator.verifier_token,
            pace=Pace(idle_seconds=5.0),
        )
        node.start()
        return node

    def _addresses(self) -> list[str]:
        return [node.address for node in self.nodes.values() if node.process.alive and node.listening]

    async def _rest(self, post: PostOffice, administrator: Administrator) -> None:
        """Until nothing is left to do; what is parked is tried once more, as a person would."""
        ends = self.loop.time() + REST_SECONDS_MAX
        before, still, retried = -1, 0, 0
        moved = self.clock.now()
        while self.loop.time() < ends:
            await asyncio.sleep(LOOK_SECONDS)
            head = (await self.log.heads([COMPANY]))[COMPANY].position
            if head != before:
                before, still, moved = head, 0, self.clock.now()
                continue
            still += 1
            if still < 3 or not post.is_empty or not await self._is_over(moved):
                continue
            parked = [row.record_key for row in await self._changes() if row.state == "parked"]
            if not parked or retried >= 3:
                return
            retried += 1
            await administrator.retry_parked(sorted(set(parked)))
        outcomes = [tuple(one) for one in await self.durable.store.records("outcomes", COMPANY)]
        states = [(node.runner.state, node.runner.error) for node in self.nodes.values() if node.runner is not None]
        raise StuckError(f"seed {self.plan.seed} does not come to rest: {outcomes}, {states}")

    async def _look(self) -> None:
        """Take down now and then how things stand, until cancelled."""
        while True:
            await asyncio.sleep(MOMENT_SECONDS)
            states = {row.position: row.state for row in await self._changes()}
            rows = await self.durable.store.some(IntentRow, "intents_in", COMPANY, sorted(OPEN_INTENTS), INTENTS_MAX)
            self.moments.append(Moment(states, frozenset(row.change for row in rows if row.operation != "note")))

    async def _changes(self) -> list[ChangeRow]:
        return await self.durable.store.some(ChangeRow, "all_changes", COMPANY)

    async def _is_over(self, moved: datetime) -> bool:
        store = self.durable.store
        for kind, entries in self.desk.feed.items():
            if int(await store.value("cursor", COMPANY, NAME, kind) or 0) < len(entries):
                return False
        swept = await store.value("cursor", COMPANY, BOOKS, SWEEP)
        last = max((effect.at for effect in self.emulator.books.journal), default=moved)
        if swept is None or datetime.fromisoformat(swept) <= max(moved, last):
            return False
        if any(row.state == "waiting" for row in await self._changes()):
            return False
        return not await store.some(IntentRow, "intents_in", COMPANY, sorted(OPEN_INTENTS), 1)

    async def _evidence(self, keeper: Bookkeeper, post: PostOffice) -> Evidence:
        emulator, desk = self.emulator, self.desk
        events = await self.log.read(COMPANY, limit=1_000_000)
        said = await self._told_by(events)
        customers, products = (_names(desk, kind) for kind in ("customer", "product"))
        return Evidence(
            company=COMPANY,
            customers=customers,
            products=products,
            orders={number: self._truth(number, keeper) for number in desk.orders},
            shown=desk.shown,
            own=keeper.own,
            effects=[one.as_json() for one in emulator.books.journal],
            books=_documents(emulator),
            requests=[(datetime.fromisoformat(str(one["time"])), str(one["kind"])) for one in _requests(emulator)],
            throttled={name: count for name, count in emulator.stats.throttled_by.items() if name != "injected"},
            rate=self.plan.case["--rate"],
            events=events,
            calls=said.calls,
            tellings=said.tellings,
            refused=said.refused,
            absences=said.absences,
            server_seconds=SERVER_SECONDS,
            told=[(START + timedelta(seconds=at), request_id) for at, request_id in desk.told],
            moments=self.moments,
            received=frozenset(said.received),
            acknowledged=[body for _, body in post.acknowledged],
            kept_rows=self.durable.store.rows(COMPANY),
            folded_rows=(await fold_afresh(self.log, COMPANY)).rows(COMPANY),
            changes=[(row.position, row.state, row.code) for row in await self._changes()],
            secrets=self._secrets(),
            personal=[name for names in customers.values() for name in names],
        )

    async def _told_by(self, events: Sequence[RecordedEvent]) -> _Told:
        """What the log holds of calls and their ends, and of webhooks."""
        told = _Told()
        for recorded in events:
            if recorded.event_type not in {"call.sent", "intent.rejected", "intent.absent", "webhook.received"}:
                continue
            event = await recorded.event()
            at = START + timedelta(seconds=self.durable.instants[recorded.position])
            if isinstance(event, CallSent):
                to = told.calls if event.target == BOOKS else told.tellings
                to.append(Call(recorded.position, at, event.request_id, [_item(one) for one in event.items]))
            elif isinstance(event, IntentRejected):
                told.refused[recorded.position] = event.intent_id
            elif isinstance(event, IntentAbsent):
                told.absences.append(Absence(at, event.intent_id, event.request_id))
            elif isinstance(event, WebhookReceived):
                told.received.append((event.raw or "").encode())
        return told

    def _truth(self, number: str, keeper: Bookkeeper) -> OrderTruth:
        desk, order = self.desk, self.desk.orders[number]
        lines = [(desk.products[product], quantity, price) for product, quantity, price in order.lines]
        paid = keeper.paid.get(number, Decimal(0))
        return OrderTruth(desk.customers[order.customer], lines, order.total, order.states, paid)

    def _secrets(self) -> list[str]:
        office = self.emulator.office
        return [office.client_secret, self.emulator.verifier_token, *self.durable.tokens.known]


def _item(item: CallItem) -> Item:
    body = dumps(item.body.fields())
    return Item(item.intent_id, body, item.batch_id, item.record_key, item.change, item.entity, item.operation)


def _names(desk: Desk, kind: str) -> dict[str, list[str]]:
    """Every name that each record of a kind has had."""
    names: dict[str, list[str]] = {}
    for source_id, record in desk.feed[kind]:
        names.setdefault(source_id, []).append(str(record["name"]))
    return names


def _requests(emulator: QuickBooksEmulator) -> list[JsonObject]:
    """What came in over the network; what a late effect does at last is no request."""
    return [one for one in emulator.stats.calls(0, 1_000_000) if one["method"]]


def _documents(emulator: QuickBooksEmulator) -> dict[str, list[dict[str, object]]]:
    books = emulator.books
    return {
        entity: [dict(books.show(entity, row)) for row in books.tables.table(entity).rows.values()]
        for entity in ("Customer", "Item", "Invoice", "Payment")
    }


def witness(plan: Plan) -> tuple[Evidence, World]:
    """Live through a run; what it left behind, and the world as it was at the end.

    Raises:
        StuckError: it does not come to rest.
    """
    heard = _Heard()
    logger = logging.getLogger("counterfoil")
    level = logger.level
    logger.addHandler(heard)
    logger.setLevel(logging.DEBUG)
    # What is collected when is nothing that a seed decides.
    gc.collect()
    gc.disable()

    async def live(loop: SimulationLoop) -> tuple[Evidence, World]:
        world = World(plan, loop)
        async with AsyncExitStack() as stack:
            evidence = await world.run(stack)
        return evidence, world

    try:
        evidence, world = run_simulated(live)
    finally:
        logger.removeHandler(heard)
        logger.setLevel(level)
        gc.enable()
    evidence.said = tuple(heard.lines)
    return evidence, world


def run_plan(plan: Plan) -> Run:
    """One run, judged.

    Raises:
        StuckError: it does not come to rest.
    """
    began = time.perf_counter()
    evidence, world = witness(plan)
    return Run(
        plan=plan,
        trace=_trace(evidence, world),
        broken=judge(evidence),
        simulated_seconds=world.loop.time(),
        real_seconds=time.perf_counter() - began,
        faults=dict(world.tally.counts),
        events=len(evidence.events),
        effects=len(evidence.effects),
        steps=world.loop.steps,
    )


def _trace(evidence: Evidence, world: World) -> str:
    digest = hashlib.sha256()
    for event in evidence.events:
        digest.update(event.link or b"")
    digest.update(dumps(evidence.effects))
    for cell, count in sorted(world.tally.counts.items()):
        digest.update(f"{cell}{count}".encode())
    return digest.hexdigest()
