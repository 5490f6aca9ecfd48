"""Rebuilds one company's projections from its log, beside the live ones, and puts right what differs.

The log is folded into copies of the tables while the engine works on. Then, for as long as the comparison takes,
nobody folds: the copies are brought to where the live tables stand, compared row by row, and what differs goes over in
the same transaction that raises the generation of the checkpoint. Whoever folds or decides on rows read before that
begins anew. See the decision record `0023-rebuild.md`.

Nothing here can reach a source or QuickBooks: there is the log, the tables and a clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from counterfoil.log import LogReader
from counterfoil.ports import Clock
from counterfoil.postgres import Connection, Names, Pool, load_query
from counterfoil.recovery.differences import Difference, Differences, Progress
from counterfoil.recovery.edition import edition
from counterfoil.recovery.folding import FreshFold
from counterfoil.recovery.fresh import FreshRows, FreshTables
from counterfoil.recovery.operators import operators_work
from counterfoil.state.rows import ROW_TYPES
from counterfoil.state.store import read_row

COMPARE_SECONDS_MAX = 3600.0
NEAR_EVENTS = 1_000
"""So few events may be missing when the live tables are held still; the rest is folded meanwhile."""

ROUNDS_MAX = 20
PREFETCH_ROWS = 500
_TYPES = {row_type.table: row_type for row_type in ROW_TYPES}


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildReport:
    """What was folded, compared and put right.

    Attributes:
        position: up to where log and tables were compared.
        events: how many events the fresh rows rest on.
        went_on_from: where an attempt that broke off had come to; 0 for one from the start.
        rows: rows that the fresh fold gave, by table.
        differences: at most `DIFFERENCES_MAX`; `differing` counts all.
        stopped: why the log could not be folded to where the tables stand; empty as a rule.
        damaged: whether that was because the log is not as it was written.
        swapped: whether the tables hold the fresh rows now where they differed.
    """

    company: int
    position: int
    events: int
    went_on_from: int
    rows: Mapping[str, int]
    differences: tuple[Difference, ...]
    differing: int
    stopped: str
    damaged: bool
    swapped: bool

    @property
    def same(self) -> bool:
        """Whether every row was as the log says."""
        return self.differing == 0


class Rebuilding:
    """What a rebuild stands on: the log, the database and a clock. There is no way out to anybody else.

    Args:
        pool: connections that work as the engine's role; a rebuild holds up to four.
        names: the schema names.
        reader: the log.
    """

    def __init__(self, *, pool: Pool, names: Names, reader: LogReader, clock: Clock) -> None:
        self._pool = pool
        self._names = names
        self._reader = reader
        self._clock = clock

    async def rebuild(self, company: int, *, check: bool = False, progress: Progress | None = None) -> RebuildReport:
        """Fold afresh, compare, and put right what differs.

        Args:
            check: compare only; the live tables stay as they are.
            progress: told how many of how many events are folded, after each page.

        Raises:
            WorkUnderWayError: another operator's work on this company has not ended.
            LogCorruptError, KeyringError: an event or a key cannot be read.
        """
        async with operators_work(self._pool, self._names, company, "rebuild"):
            return await self._rebuild(company, check=check, progress=progress)

    async def _rebuild(self, company: int, *, check: bool, progress: Progress | None) -> RebuildReport:
        tables = FreshTables(self._pool, self._names, company, edition())
        begun_at = await self._begin(company, tables)
        rows = FreshRows(company, tables, whole=not begun_at[0])
        fold = FreshFold(company, self._reader, rows, tables.store, progress=progress)
        if begun_at[0]:
            fold.go_on_from(*begun_at)
        try:
            await self._approach(company, fold, check=check)
            await rows.save(fold.position, fold.link)
            report = await self._compare(company, fold, rows, went_on_from=begun_at[0], check=check)
        except BaseException:
            await rows.give_up()
            raise
        await tables.close()
        return report

    async def _begin(self, company: int, tables: FreshTables) -> tuple[int, bytes]:
        """Where to go on; from the start if the log is another one than that of the attempt that broke off."""
        position, link = await tables.open()
        if position:
            event = await self._reader.get(company, position)
            if event is None or event.link != link:
                await tables.close()
                position, link = await tables.open()
        return position, link

    async def _approach(self, company: int, fold: FreshFold, *, check: bool) -> None:
        """Fold to where the live tables stand, while they move on."""
        for _ in range(ROUNDS_MAX):
            aim = await self._aim(company, check=check)
            await fold.up_to(aim)
            if fold.stopped or await self._aim(company, check=check) - fold.position <= NEAR_EVENTS:
                return

    async def _aim(self, company: int, *, check: bool) -> int:
        """Where the live tables stand; the head of the log if they were emptied and are to be filled."""
        query = load_query("state_checkpoint", self._names)
        found = await self._pool.fetchrow(query, company)
        if check or (found is not None and found["position"]):
            return found["position"] if found is not None else 0
        head = (await self._reader.heads([company])).get(company)
        return head.position if head is not None else 0

    async def _compare(
        self, company: int, fold: FreshFold, rows: FreshRows, *, went_on_from: int, check: bool
    ) -> RebuildReport:
        """Everything that needs the live tables to stand still."""
        differences = Differences(company)
        async with self._pool.acquire() as connection, connection.transaction():
            live = await self._hold(connection, company, create=not check and fold.position > 0)
            if live > fold.position and not fold.stopped:
                await fold.up_to(live)
                await rows.save(fold.position, fold.link)
            tables = [row[0] for row in await connection.fetch(load_query("rebuild_projections", self._names))]
            counts = {table: await self._count(connection, table, company) for table in tables}
            differing: list[str] = []
            if fold.stopped:
                differences.stopped(fold.stopped)
            else:
                differing += [one for one in tables if await self._differ(connection, one, company, differences)]
            swaps = not check and not fold.stopped and (bool(differing) or live != fold.position)
            if swaps:
                await self._swap(connection, company, differing, fold.position)
        return RebuildReport(
            company=company,
            position=fold.position,
            events=fold.position,
            went_on_from=went_on_from,
            rows={table: count for table, count in counts.items() if count},
            differences=tuple(differences.named),
            differing=differences.count,
            stopped=fold.stopped,
            damaged=fold.damaged,
            swapped=swaps,
        )

    async def _hold(self, connection: Connection, company: int, *, create: bool) -> int:
        """Hold the live tables still until the transaction ends; up to where they are folded."""
        query = load_query("rebuild_hold", self._names)
        found = await connection.fetchrow(query, company)
        if found is None and create:
            await connection.execute(load_query("rebuild_begin_checkpoint", self._names), company)
            found = await connection.fetchrow(query, company)
        return found["position"] if found is not None else 0

    async def _count(self, connection: Connection, table: str, company: int) -> int:
        query = load_query("rebuild_count", self._names)
        count: int = await connection.fetchval(query, table, company, timeout=COMPARE_SECONDS_MAX)
        return count

    async def _differ(self, connection: Connection, table: str, company: int, differences: Differences) -> bool:
        row_type = _TYPES[table]
        before = differences.count
        cursor = connection.cursor(
            load_query("rebuild_differences", self._names),
            table,
            company,
            prefetch=PREFETCH_ROWS,
            timeout=COMPARE_SECONDS_MAX,
        )
        async for live, fresh in cursor:
            differences.compare(
                read_row(row_type, fresh) if fresh is not None else None,
                read_row(row_type, live) if live is not None else None,
            )
        return differences.count > before

    async def _swap(self, connection: Connection, company: int, tables: list[str], position: int) -> None:
        for table in tables:
            await connection.execute(
                load_query("rebuild_take", self._names), table, company, timeout=COMPARE_SECONDS_MAX
            )
        query = load_query("rebuild_set_checkpoint", self._names)
        await connection.execute(query, company, position, self._clock.now())
