"""Puts together what a company's worker puts to work: the wiring of one company, and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from counterfoil.dispatch.acquaintance import Acquaintance
from counterfoil.dispatch.adopting import Adopter
from counterfoil.dispatch.after_merges import AfterMerges
from counterfoil.dispatch.approval import Approval, needs_approval
from counterfoil.dispatch.books import Books
from counterfoil.dispatch.breaker import Breaker
from counterfoil.dispatch.coverage import Coverage
from counterfoil.dispatch.decide import Decider
from counterfoil.dispatch.early_echoes import EarlyEchoes
from counterfoil.dispatch.erasures import Erasures
from counterfoil.dispatch.folding import Folder
from counterfoil.dispatch.in_flight import InFlight
from counterfoil.dispatch.limiter import ReadBudget
from counterfoil.dispatch.mappings import Mappings
from counterfoil.dispatch.observing import BooksReader
from counterfoil.dispatch.outbox import Outbox
from counterfoil.dispatch.projecting import projections_of
from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.reconciling.repairing import Repairs
from counterfoil.dispatch.reconciling.run import Reconciler
from counterfoil.dispatch.reconciling.schedule import Reconciling
from counterfoil.dispatch.recovered import RecoveredDocuments
from counterfoil.dispatch.recovering import Recovering, Stages
from counterfoil.dispatch.redrive.steps import Steps
from counterfoil.dispatch.redrive.taking import RedriveTaker
from counterfoil.dispatch.replanning import Replanning
from counterfoil.dispatch.requests import RequestTaker
from counterfoil.dispatch.rollback.loading import RollbackLoader
from counterfoil.dispatch.rollback.taking import RollbackTaker
from counterfoil.dispatch.sender import Anchored, Sender, SendingLimits, not_anchored
from counterfoil.dispatch.sending import Sending
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.settle import Settler, SettlingLimits
from counterfoil.dispatch.sources import SourceReader
from counterfoil.dispatch.steps import Step
from counterfoil.dispatch.sweeping import Sweeper
from counterfoil.dispatch.telling import Teller
from counterfoil.dispatch.view import ViewLoader
from counterfoil.dispatch.worker import Pace, Rooms
from counterfoil.dispatch.write_back import SourceWriter
from counterfoil.dispatch.write_back_plans import WriteBackPlans
from counterfoil.log import Keyring, Leases, LogReader, LogWriter
from counterfoil.log.standing import Standing
from counterfoil.planning.breaker import BreakerRule
from counterfoil.ports import Clock, Entropy
from counterfoil.settings import CompanySettings
from counterfoil.sources import SourceAdapter
from counterfoil.state.store import StateStore
from counterfoil.telemetry.ports import Instruments
from counterfoil.token_watch import Connections


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all companies of an engine share; of the pace, how often is read is each company's own."""

    log: LogWriter
    reader: LogReader
    leases: Leases
    standing: Standing
    keyring: Keyring
    store: StateStore
    connections: Connections
    clock: Clock
    entropy: Entropy
    instruments: Instruments
    holder: str
    lease_seconds: float
    step: Step
    anchoring: Callable[[int], Anchored] = lambda _: not_anchored
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    """What most rooms of one company need."""

    company: int
    session: Session
    events: LogEvents
    view: ViewLoader
    mappings: Mappings
    plans: WriteBackPlans
    in_flight: InFlight
    outbox: Outbox
    reader: BooksReader
    approval: Approval


def make_rooms(
    settings: CompanySettings,
    shared: Shared,
    books: Books,
    adapters: Mapping[str, SourceAdapter],
    session: Session,
    budget: ReadBudget,
) -> Rooms:
    """Put together what a company's worker puts to work."""
    base = _make_base(settings, shared, books, session)
    erasures = Erasures(company=base.company, store=shared.store, events=base.events, keyring=shared.keyring)
    settler = _make_settler(settings, shared, books, base)
    sweeper = _make_sweeper(shared, books, base, budget)
    folder = _make_folder(shared, base, erasures)
    acquaintance = Acquaintance(
        session=session, store=shared.store, reader=base.reader, sweeper=sweeper, settings=settings, books=books
    )
    decider = _make_decider(shared, adapters, base)
    sources = _make_sources(settings, shared, adapters, base)
    return Rooms(
        store=shared.store,
        events=base.events,
        view=base.view,
        mappings=base.mappings,
        folder=folder,
        erasures=erasures,
        decider=decider,
        breaker=_make_breaker(settings, shared, base),
        teller=_make_teller(shared, adapters, base),
        sending=_make_sending(settings, shared, books, adapters, base, settler),
        settler=settler,
        sources=sources,
        books=base.reader,
        sweeper=sweeper,
        coverage=Coverage(
            session=session,
            store=shared.store,
            books=books,
            reader=base.reader,
            sweeper=sweeper,
            clock=shared.clock,
        ),
        reconciling=_make_reconciling(settings, shared, books, adapters, base, sources, budget),
        replanning=Replanning(session=session, store=shared.store, approval=base.approval, connections=tuple(adapters)),
        repairs=Repairs(
            session=session,
            store=shared.store,
            books=books,
            reader=base.reader,
            sources=sources,
            adapters=adapters,
            clock=shared.clock,
        ),
        requests=_make_requests(shared, books, base),
        rollbacks=_make_rollbacks(shared, base),
        redrives=_make_redrives(shared, base, decider),
        after_merges=_make_after_merges(shared, base),
        acquaintance=acquaintance,
        recovering=_make_recovering(
            shared, books, base, Stages(sweeper, folder, acquaintance, sources, tuple(adapters))
        ),
        connections=tuple(adapters),
        in_flight=base.in_flight,
        budget=budget,
    )


def _make_recovering(shared: Shared, books: Books, base: _Base, stages: Stages) -> Recovering:
    return Recovering(
        session=base.session,
        store=shared.store,
        events=base.events,
        view=base.view,
        books=books,
        reader=base.reader,
        mappings=base.mappings,
        stages=stages,
        clock=shared.clock,
        entropy=shared.entropy,
        step=shared.step,
    )


def _make_decider(shared: Shared, adapters: Mapping[str, SourceAdapter], base: _Base) -> Decider:
    return Decider(
        company=base.company,
        store=shared.store,
        events=base.events,
        view=base.view,
        mappings=base.mappings,
        plans=base.plans,
        in_flight=base.in_flight,
        projections=projections_of(adapters),
    )


def _make_redrives(shared: Shared, base: _Base, decider: Decider) -> RedriveTaker:
    return RedriveTaker(
        session=base.session,
        store=shared.store,
        events=base.events,
        decider=decider,
        steps=Steps(company=base.company, store=shared.store, view=base.view),
    )


def _make_base(settings: CompanySettings, shared: Shared, books: Books, session: Session) -> _Base:
    company = settings.company
    events = LogEvents(shared.reader)
    view = ViewLoader(company=company, store=shared.store, events=events, hashes=shared.keyring)
    mappings = Mappings(company=company, store=shared.store, events=events)
    in_flight = InFlight()
    return _Base(
        company=company,
        session=session,
        events=events,
        view=view,
        mappings=mappings,
        plans=WriteBackPlans(
            company=company, store=shared.store, events=events, view=view, mappings=mappings, in_flight=in_flight
        ),
        in_flight=in_flight,
        approval=Approval(needed=needs_approval(settings), view=view),
        outbox=Outbox(
            company=company,
            store=shared.store,
            events=events,
            view=view,
            books=books,
            mappings=mappings,
            known=RecoveredDocuments(company=company, store=shared.store, events=events, view=view),
        ),
        reader=BooksReader(
            session=session,
            store=shared.store,
            events=events,
            hashes=shared.keyring,
            books=books,
            echoes=EarlyEchoes(company=company, store=shared.store, events=events, view=view, in_flight=in_flight),
            clock=shared.clock,
            instruments=shared.instruments,
            step=shared.step,
        ),
    )


def _make_folder(shared: Shared, base: _Base, erasures: Erasures) -> Folder:
    return Folder(
        company=base.company,
        reader=shared.reader,
        store=shared.store,
        clock=shared.clock,
        instruments=shared.instruments,
        erasures=erasures,
        step=shared.step,
    )


def _make_sources(
    settings: CompanySettings, shared: Shared, adapters: Mapping[str, SourceAdapter], base: _Base
) -> SourceReader:
    return SourceReader(
        session=base.session,
        store=shared.store,
        events=base.events,
        hashes=shared.keyring,
        adapters=adapters,
        clock=shared.clock,
        instruments=shared.instruments,
        erased_people=settings.erased_people,
        step=shared.step,
    )


def _make_reconciling(
    settings: CompanySettings,
    shared: Shared,
    books: Books,
    adapters: Mapping[str, SourceAdapter],
    base: _Base,
    sources: SourceReader,
    budget: ReadBudget,
) -> Reconciling:
    reconciler = Reconciler(
        session=base.session,
        store=shared.store,
        events=base.events,
        hashes=shared.keyring,
        view=base.view,
        mappings=base.mappings,
        books=books,
        reader=base.reader,
        sources=sources,
        adapters=adapters,
        budget=budget,
        clock=shared.clock,
    )
    return Reconciling(
        reconciler=reconciler,
        session=base.session,
        store=shared.store,
        clock=shared.clock,
        every_days=settings.reconcile_days,
    )


def _make_breaker(settings: CompanySettings, shared: Shared, base: _Base) -> Breaker:
    given = settings.breaker
    return Breaker(
        company=base.company,
        store=shared.store,
        events=base.events,
        view=base.view,
        clock=shared.clock,
        rule=BreakerRule(share=given.share, documents=given.documents),
        hours=given.hours,
    )


def _make_requests(shared: Shared, books: Books, base: _Base) -> RequestTaker:
    adopter = Adopter(company=base.company, store=shared.store, view=base.view, books=books)
    return RequestTaker(
        session=base.session, store=shared.store, events=base.events, in_flight=base.in_flight, adopter=adopter
    )


def _make_rollbacks(shared: Shared, base: _Base) -> RollbackTaker:
    return RollbackTaker(
        session=base.session,
        store=shared.store,
        events=base.events,
        view=base.view,
        loader=RollbackLoader(company=base.company, store=shared.store, reader=shared.reader),
    )


def _make_after_merges(shared: Shared, base: _Base) -> AfterMerges:
    return AfterMerges(
        session=base.session,
        store=shared.store,
        events=base.events,
        books=base.reader,
        survivors=base.view.survivors,
    )


def _make_teller(shared: Shared, adapters: Mapping[str, SourceAdapter], base: _Base) -> Teller:
    return Teller(
        session=base.session,
        store=shared.store,
        events=base.events,
        mappings=base.mappings,
        plans=base.plans,
        connections=tuple(adapters),
        in_flight=base.in_flight,
    )


def _make_sweeper(shared: Shared, books: Books, base: _Base, budget: ReadBudget) -> Sweeper:
    return Sweeper(
        session=base.session,
        store=shared.store,
        events=base.events,
        books=books,
        reader=base.reader,
        clock=shared.clock,
        budget=budget,
    )


def _make_settler(settings: CompanySettings, shared: Shared, books: Books, base: _Base) -> Settler:
    return Settler(
        session=base.session,
        store=shared.store,
        events=base.events,
        view=base.view,
        outbox=base.outbox,
        books=books,
        clock=shared.clock,
        limits=SettlingLimits(server_seconds=settings.quickbooks.server_seconds),
        mappings=base.mappings,
    )


def _make_sending(
    settings: CompanySettings,
    shared: Shared,
    books: Books,
    adapters: Mapping[str, SourceAdapter],
    base: _Base,
    settler: Settler,
) -> Sending:
    limits = SendingLimits(timeout_seconds=settings.quickbooks.timeout_seconds)
    sender = Sender(
        session=base.session,
        books=books,
        limits=limits,
        instruments=shared.instruments,
        step=shared.step,
        anchored=shared.anchoring(base.session.company),
    )
    writer = SourceWriter(
        session=base.session,
        outbox=base.outbox,
        adapters=adapters,
        limits=limits,
        clock=shared.clock,
        instruments=shared.instruments,
        step=shared.step,
    )
    return Sending(
        session=base.session,
        store=shared.store,
        events=base.events,
        outbox=base.outbox,
        sender=sender,
        settler=settler,
        writer=writer,
        books=books,
        reader=base.reader,
        view=base.view,
        clock=shared.clock,
        entropy=shared.entropy,
        instruments=shared.instruments,
        in_flight=base.in_flight,
        approval=base.approval,
    )
