"""The state at a point in the past: what the log up to there comes to, in tables of this session's own.

The live tables are neither read nor written, and nothing is left behind.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from counterfoil.errors import ConfigurationError, CounterfoilError
from counterfoil.log import LogReader
from counterfoil.ports import Clock
from counterfoil.postgres import Names, Pool, PoolLimits, load_query
from counterfoil.recovery.folding import FreshFold, Progress
from counterfoil.recovery.fresh import FreshRows, TemporaryTables
from counterfoil.state.rows import ROW_TYPES, R
from counterfoil.state.store import PostgresStateStore, StateStore, read_row

PREFETCH_ROWS = 500
POSITION_DIGITS_MAX = 18


class LogNotFoldableError(CounterfoilError):
    """The log cannot be folded up to the point that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A place in a company's log, and when what stands there was recorded."""

    company: int
    position: int
    recorded_at: datetime


def parse_point(text: str) -> int | datetime:
    """A position, or an instant in ISO form with its zone.

    Raises:
        ConfigurationError: neither.
    """
    if text.isascii() and text.isdigit() and len(text) <= POSITION_DIGITS_MAX:
        return int(text)
    try:
        instant = datetime.fromisoformat(text if "-" in text else "")
    except ValueError:
        raise ConfigurationError(
            f"{text!r} is neither a position nor a time.",
            remedy="Give a number, such as 145, or a time with its zone: 2026-03-31T18:00:00Z.",
        ) from None
    if instant.tzinfo is None:
        raise ConfigurationError(
            f"The time {text!r} says no zone, and names no point in time.",
            remedy=f"Add Z for UTC, or an offset: {text}{'' if 'T' in text or ' ' in text else 'T00:00:00'}Z.",
        )
    return instant


async def find_point(
    pool: Pool, names: Names, reader: LogReader, clock: Clock, company: int, wanted: int | datetime
) -> Point:
    """The position that was meant: itself, or the last one that was recorded by then.

    Raises:
        ConfigurationError: the log does not reach so far, a time lies ahead, or nothing was recorded by then.
    """
    head = (await reader.heads([company])).get(company)
    if head is None or not head.position:
        raise ConfigurationError(
            f"Company {company} has no log, so it had no state at any time.", remedy="Correct the company."
        )
    if isinstance(wanted, datetime):
        if wanted > clock.now():
            raise ConfigurationError(f"{wanted.isoformat()} lies in the future.", remedy="Give a time that has passed.")
        found = await pool.fetchval(load_query("log_recorded_by", names), company, wanted)
        if found is None:
            first = await reader.get(company, 1)
            begun = f"; its log begins at {first.recorded_at:%Y-%m-%d %H:%M:%S}Z" if first is not None else ""
            raise ConfigurationError(
                f"Nothing of company {company} was recorded by {wanted.isoformat()}{begun}.",
                remedy="Give a later time.",
            )
        wanted = int(found)
    event = await reader.get(company, wanted) if wanted else None
    if event is None:
        raise ConfigurationError(
            f"The log of company {company} has no event at {wanted}; it goes from 1 to {head.position}.",
            remedy="Correct the position.",
        )
    return Point(company=company, position=wanted, recorded_at=event.recorded_at)


class StateAt:
    """The projections of one company as they were at a point; for as long as its block lasts.

    Attributes:
        point: where in the log.
        store: answers what the engine's own store answers, of that point.
    """

    def __init__(self, point: Point, store: StateStore, pool: Pool, names: Names) -> None:
        self.point = point
        self.store = store
        self._pool = pool
        self._names = names

    async def outcomes(self) -> dict[str, dict[str, int]]:
        """How many changes were in which state, and by which code; together all that had been observed."""
        found: dict[str, dict[str, int]] = {}
        for row in await self.store.records("outcomes", self.point.company):
            found.setdefault(row["state"], {})[row["code"]] = row["changes"]
        return found

    async def rows(self, row_type: type[R]) -> AsyncIterator[R]:
        """All rows of one projection, through a cursor that holds the session: ask nothing else before its end."""
        query = load_query(f"state_all_{row_type.table}", self._names)
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            async for record in connection.cursor(query, self.point.company, prefetch=PREFETCH_ROWS):
                yield read_row(row_type, record[0])

    async def counts(self) -> dict[str, int]:
        """How many rows each projection held, those without any left out."""
        found: dict[str, int] = {}
        for row_type in ROW_TYPES:
            number = 0
            async for _ in self.rows(row_type):
                number += 1
            if number:
                found[row_type.table] = number
        return found


OWN_SESSION = PoolLimits(connections_min=1, connections_max=1, idle_seconds_max=0.0)
"""Limits of the pool in whose one session the tables of `state_at` are."""


@asynccontextmanager
async def state_at(
    pool: Pool,
    names: Names,
    reader: LogReader,
    clock: Clock,
    company: int,
    wanted: int | datetime,
    *,
    own: Pool,
    progress: Progress | None = None,
) -> AsyncGenerator[StateAt]:
    """Fold a company's log up to a point, and have the state there for the length of a block.

    Args:
        wanted: a position, or an aware instant: then the last position that was recorded by then.
        own: a pool of one connection, in whose session the tables are.

    Raises:
        ConfigurationError: there is no such point.
        LogNotFoldableError: an event on the way cannot be folded, or is not as it was written.
    """
    point = await find_point(pool, names, reader, clock, company, wanted)
    there = names.temporary()
    tables = TemporaryTables(own, names)
    await tables.open()
    rows = FreshRows(company, tables)
    fold = FreshFold(company, reader, rows, PostgresStateStore(own, there), progress=progress)
    try:
        await fold.up_to(point.position)
        await rows.save(fold.position, fold.link)
    except BaseException:
        await rows.give_up()
        raise
    if fold.stopped:
        raise LogNotFoldableError(
            f"The log of company {company} cannot be folded beyond {fold.position}: {fold.stopped}.",
            remedy=f"Ask for a point up to {fold.position}, or run `counterfoil log verify --company {company}`.",
        )
    yield StateAt(point, PostgresStateStore(own, there), own, there)
