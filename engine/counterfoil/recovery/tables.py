"""The projections in Postgres as they are at one moment, read through a cursor."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from counterfoil.postgres import Connection, Names, Pool, load_query
from counterfoil.state.projection import Checkpoint
from counterfoil.state.rows import Row
from counterfoil.state.store import read_row

PREFETCH_ROWS = 500


class SnapshotTables:
    """See `check.Tables`: everything is read in one transaction that sees one moment."""

    def __init__(self, connection: Connection, names: Names) -> None:
        self._connection = connection
        self._names = names

    async def checkpoint(self, company: int) -> Checkpoint:
        """How far they are folded."""
        found = await self._connection.fetchrow(load_query("state_checkpoint", self._names), company)
        if found is None:
            return Checkpoint(company=company)
        return Checkpoint(
            company=company,
            position=found["position"],
            state=found["state"],
            error=found["error"],
            moved_at=found["moved_at"],
        )

    async def rows(self, company: int, row_type: type[Row]) -> AsyncIterator[Row]:
        """All rows of one table."""
        query = load_query(f"state_all_{row_type.table}", self._names)
        async for record in self._connection.cursor(query, company, prefetch=PREFETCH_ROWS):
            yield read_row(row_type, record[0])


@asynccontextmanager
async def at_one_moment(pool: Pool, names: Names) -> AsyncGenerator[SnapshotTables]:
    """The tables for the length of a block, unmoved by what others write."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield SnapshotTables(connection, names)
