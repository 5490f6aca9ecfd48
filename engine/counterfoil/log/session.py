"""One connection that appends: the call itself, and finding out what became of one whose answer was lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import asyncpg

from counterfoil.log.group import Request, Verdict
from counterfoil.log.heads import Believed, Heads
from counterfoil.log.types import Append
from counterfoil.postgres.connect import LOST, Pool
from counterfoil.postgres.names import Names, load_query

if TYPE_CHECKING:
    PoolConnection: TypeAlias = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]

T = TypeVar("T")
TERMINATE_MILLISECONDS: Final = 2_000
ACQUIRE_SECONDS_MAX: Final = 10.0
MICROSECOND: Final = timedelta(microseconds=1)

# The server undid the transaction for reasons that pass.
UNDONE: Final = (
    asyncpg.TransactionRollbackError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.InsufficientResourcesError,
)


@dataclass(frozen=True, slots=True)
class Backend:
    """The server process behind a connection. Its start tells it from a later one with the same number."""

    pid: int
    started: datetime


class AppendSession:
    """A connection taken out of the pool for as long as it works.

    Args:
        heads: shared by all sessions of a writer; no two of them append to one company at a time.
    """

    def __init__(self, pool: Pool, names: Names, heads: Heads, *, answer_seconds_max: float) -> None:
        self._pool = pool
        self._answer_seconds_max = answer_seconds_max
        self._append = load_query("log_append", names)
        self._open = load_query("log_open_companies", names)
        self._session = load_query("log_session", names)
        self._terminate = load_query("log_terminate", names)
        self._connection: PoolConnection | None = None
        self._backend: Backend | None = None
        self._heads = heads

    async def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._pool.release(connection)

    def abandon(self) -> None:
        """Cut the connection: whatever it still had to say is not waited for."""
        connection = self._connection
        if connection is not None and not _is_closed(connection):
            connection.terminate()

    async def append(self, requests: Sequence[Request]) -> list[Verdict]:
        """One transaction for all requests, which must ascend by company.

        Raises:
            one of LOST: whether it happened is not known; call `settle` next.
            one of UNDONE, asyncpg.PostgresError, ValueError: it did not happen.
        """
        connection = await self._ready()
        await self._open_new(connection, requests)
        believed = self._heads.believed(requests)
        arguments = _arguments(requests, believed)
        rows = await connection.fetch(self._append, *arguments, timeout=self._answer_seconds_max)
        return self._heads.confirm(requests, [Verdict(*row) for row in rows], believed)

    async def settle(self, requests: Sequence[Request]) -> None:
        """After a lost answer: end the old backend, so that nothing can commit any more, and mark the requests.

        From then on `append` looks for their events before it records them.

        Raises:
            one of LOST: Postgres cannot be reached, or the old backend will not go; call again.
        """
        for request in requests:
            # None sent yet if the company is unknown: then nothing of it can stand there.
            if request.since is None and request.company in self._heads:
                request.since = self._heads.position(request.company)
        old, lost = self._backend, self._connection
        if lost is not None:
            self.abandon()
            self._connection = None
            await self._pool.release(lost)
        connection = await self._ready()
        if old is None:
            return
        try:
            async with connection.transaction():
                await connection.execute("SET LOCAL ROLE NONE")
                gone = await connection.fetchval(self._terminate, old.pid, old.started, TERMINATE_MILLISECONDS)
        except LOST:
            self._backend = old
            raise
        if not gone:
            self._backend = old
            raise TimeoutError(f"backend {old.pid} does not end")

    async def _ready(self) -> "PoolConnection":
        if self._connection is not None and not _is_closed(self._connection):
            return self._connection
        if self._connection is not None:
            lost, self._connection = self._connection, None
            await self._pool.release(lost)
        connection = await self._pool.acquire(timeout=ACQUIRE_SECONDS_MAX)
        try:
            # The engine's role may neither see the backend's start nor end it; the login may.
            async with connection.transaction():
                await connection.execute("SET LOCAL ROLE NONE")
                row = await connection.fetchrow(self._session)
        except BaseException:
            await self._pool.release(connection)
            raise
        self._backend = None if row is None else Backend(row["pid"], row["backend_start"])
        self._connection = connection
        return connection

    async def _open_new(self, connection: "PoolConnection", requests: Sequence[Request]) -> None:
        new = {request.company for request in requests if request.company not in self._heads}
        if new:
            for row in await connection.fetch(self._open, sorted(new)):
                self._heads.seen(row["company"], row["position"], row["hash"])


def _is_closed(connection: "PoolConnection") -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        # The pool has taken it back already, which it does by itself when a connection breaks.
        return True


def _arguments(requests: Sequence[Request], believed: Believed) -> tuple[object, ...]:
    appends = [request.append for request in requests]
    events = [event for request in requests for event in request.events]
    ids, types, versions, instants, keys, causes, traces, deliveries, bodies, digests = zip(*events, strict=True)
    # The driver looks at every element of an array, at some cost, so each column that can be shorter is.
    places: dict[tuple[str, int], int] = {}
    kinds = [places.setdefault(kind, len(places) + 1) for kind in zip(types, versions, strict=True)]
    first = instants[0]
    return (
        believed.companies,
        believed.ends,
        believed.positions,
        believed.hashes,
        believed.links,
        [len(request.events) for request in requests] if len(events) > len(requests) else None,
        *_conditions(requests, appends),
        _epochs(requests, appends),
        first,
        _microseconds_after(first, instants),
        [event_type for event_type, _ in places],
        [version for _, version in places],
        ids,
        kinds if len(places) > 1 else None,
        _unless_empty(keys),
        _unless_empty(causes),
        _unless_empty(traces),
        _unless_empty(deliveries),
        [*accumulate(map(len, bodies))],
        b"".join(bodies),
        b"".join(digests),
    )


def _conditions(requests: Sequence[Request], appends: Sequence[Append]) -> tuple[object, ...]:
    """Guards and their keys, outside deliveries, and since when a repeated request may stand already."""
    outside = [request.delivery for request in requests]
    guards = [append.guard for append in appends]
    since = _unless_empty([request.since for request in requests])
    if outside.count(None) == len(outside) and guards.count(None) == len(guards):
        return None, None, None, None, None, since
    return (
        _unless_empty([None if guard is None else guard.position for guard in guards]),
        _unless_empty([None if guard is None else len(guard.record_keys) for guard in guards]),
        [key for guard in guards if guard is not None for key in guard.record_keys],
        _unless_empty([None if delivery is None else delivery.source for delivery in outside]),
        _unless_empty([None if delivery is None else delivery.id for delivery in outside]),
        since,
    )


def _epochs(requests: Sequence[Request], appends: Sequence[Append]) -> Sequence[int | None] | None:
    """Of each event, that of its request."""
    epochs = [append.epoch for append in appends]
    if epochs.count(None) == len(epochs):
        return None
    return [epoch for request, epoch in zip(requests, epochs, strict=True) for _ in request.events]


def _microseconds_after(first: datetime, instants: Sequence[datetime]) -> Sequence[int] | None:
    # Those that were encoded together bear one instant.
    if instants.count(first) == len(instants):
        return None
    return [(instant - first) // MICROSECOND for instant in instants]


def _unless_empty(column: Sequence[T]) -> Sequence[T] | None:
    return column if column.count(None) < len(column) else None
