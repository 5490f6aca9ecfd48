"""Copies of one company's projections while they are folded afresh: rows at hand, rows on their way, rows in Postgres.

What a fold changes stays in memory until there is enough of it to be copied in at once, with the position that it
rests on; so most rows are written once, however many events change them. What is at hand is bounded, whatever the
length of the log.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any, Protocol

from counterfoil.postgres import Connection, Names, Pool, load_query
from counterfoil.state.rows import ROW_TYPES, Key, Row
from counterfoil.state.store import FoldOvertakenError, PostgresStateStore, StateStore
from counterfoil_schema import exact_json

ROWS_AT_HAND_MAX = 40_000
ROWS_PER_SAVE = 10_000
SAVE_SECONDS_MAX = 300.0
_KEY_PARTS_MAX = 3
At = tuple[str, Key]


class Place(Protocol):
    """Where rows are written together with the position that they rest on."""

    async def write(self, rows: Mapping[At, Row], replaced: Iterable[At], position: int, link: bytes) -> None:
        """Write rows, those among `replaced` over what may be there; in one transaction with the position."""
        ...


class FreshRows:
    """The rows of a fold that goes through a whole log; what `fold_page` loads from.

    Args:
        store: reads rows that are no longer at hand.
        place: takes rows.
    """

    def __init__(self, company: int, store: StateStore, place: Place) -> None:
        self._company = company
        self._store = store
        self._place = place
        self._rows: dict[At, Row] = {}
        self._stored: set[At] = set()
        self._absent: set[At] = set()
        self._changed: dict[At, Row] = {}
        self._saving: asyncio.Task[None] | None = None

    async def load(self, company: int, table: str, keys: Iterable[Key]) -> Mapping[Key, Row]:
        """The rows that exist among these keys; all are of the one company that is folded."""
        found: dict[Key, Row] = {}
        unknown: list[Key] = []
        rows, absent = self._rows, self._absent
        for key in keys:
            at = (table, key)
            row = rows.get(at)
            if row is not None:
                found[key] = row
            elif at not in absent:
                unknown.append(key)
        if unknown:
            read = await self._store.load(company, table, unknown)
            for key in unknown:
                at = (table, key)
                row = read.get(key)
                if row is None:
                    absent.add(at)
                else:
                    rows[at] = found[key] = row
                    self._stored.add(at)
        return found

    def put(self, changed: Mapping[At, Row]) -> None:
        """Keep what a page changed."""
        rows = self._rows
        for at, row in changed.items():
            # Behind all others: what was touched last is let go last.
            rows.pop(at, None)
            rows[at] = row
        self._changed.update(changed)

    async def keep(self, position: int, link: bytes) -> None:
        """The rows rest on this position now: write them if they have become many, while the fold goes on."""
        if len(self._changed) >= ROWS_PER_SAVE:
            await self._begin_save(position, link)

    async def save(self, position: int, link: bytes) -> None:
        """Write all that is not written yet, and wait until it is."""
        await self._begin_save(position, link)
        await self._ended()

    async def give_up(self) -> None:
        """Write nothing more."""
        if self._saving is not None:
            self._saving.cancel()
            await asyncio.gather(self._saving, return_exceptions=True)

    async def _begin_save(self, position: int, link: bytes) -> None:
        await self._ended()
        changed, self._changed = self._changed, {}
        stored, absent = self._stored, self._absent
        # What was looked for in vain is new; of what nobody looked for, nobody knows.
        replaced = [at for at in changed if at in stored or at not in absent]
        stored.update(changed)
        absent.clear()
        self._let_go(changed)
        write = self._place.write(changed, replaced, position, link)
        self._saving = asyncio.create_task(write, name=f"fresh rows of company {self._company}")

    def _let_go(self, unwritten: Mapping[At, Row]) -> None:
        """Forget the rows that were not touched for longest; never one that is not in Postgres yet."""
        excess = len(self._rows) - ROWS_AT_HAND_MAX
        if excess <= 0:
            return
        gone: list[At] = []
        for at in self._rows:
            if len(gone) == excess:
                break
            if at not in unwritten:
                gone.append(at)
        for at in gone:
            del self._rows[at]
            self._stored.discard(at)

    async def _ended(self) -> None:
        saving, self._saving = self._saving, None
        if saving is not None:
            await saving


class FreshTables:
    """The copies in Postgres of one company's projections. See `Place`.

    Args:
        names: of the installation; the copies' own follow from them.
        edition: under which code they are folded; another one begins anew.
    """

    def __init__(self, pool: Pool, names: Names, company: int, edition: str) -> None:
        self._pool = pool
        self._names = names
        self._company = company
        self._edition = edition
        self._position = 0
        self.store = PostgresStateStore(pool, names.fresh())

    async def open(self) -> tuple[int, bytes]:
        """Make the copies, or find those of a rebuild that broke off; position and link from which to go on."""
        query = load_query("rebuild_open", self._names)
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(query, self._company, self._edition, timeout=SAVE_SECONDS_MAX)
        if row is None:
            raise AssertionError("there is always a place among the copies")
        self._position = row["position"]
        return self._position, row["link"]

    async def write(self, rows: Mapping[At, Row], replaced: Iterable[At], position: int, link: bytes) -> None:
        """See `Place.write`.

        Raises:
            FoldOvertakenError: the copies were made anew meanwhile, or somebody else folds into them.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            before = self._position
            moved = await connection.fetchval(
                load_query("rebuild_move", self._names), self._company, before, position, link, self._edition
            )
            if moved is None:
                raise FoldOvertakenError(
                    f"The tables for rebuilding company {self._company} were made anew by another process.",
                    remedy="Run the command again.",
                )
            await self._forget(connection, replaced)
            await self._copy(connection, rows.values())
        self._position = position

    async def _forget(self, connection: Connection, replaced: Iterable[At]) -> None:
        by_table: dict[str, list[Key]] = {}
        for table, key in replaced:
            by_table.setdefault(table, []).append(key)
        query = load_query("rebuild_forget", self._names)
        for table, keys in by_table.items():
            parts: list[list[str]] = [list(part) for part in zip(*keys, strict=True)] or [[""]]
            parts += [[] for _ in range(_KEY_PARTS_MAX - len(parts))]
            await connection.execute(query, table, self._company, *parts, timeout=SAVE_SECONDS_MAX)

    async def _copy(self, connection: Connection, rows: Iterable[Row]) -> None:
        by_table: dict[str, list[Row]] = {}
        for row in rows:
            by_table.setdefault(row.table, []).append(row)
        for table, of_table in by_table.items():
            columns, values_of = _COPIED[table]
            await connection.copy_records_to_table(
                f"fresh_{table}",
                schema_name=self._names.state_schema,
                columns=columns,
                records=map(values_of, of_table),
                timeout=SAVE_SECONDS_MAX,
            )

    async def close(self) -> None:
        """Drop them."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(load_query("rebuild_close", self._names), self._company, timeout=SAVE_SECONDS_MAX)


def _copied(row_type: type[Row]) -> tuple[tuple[str, ...], Callable[[Row], tuple[Any, ...]]]:
    columns = tuple(part.name for part in fields(row_type))
    values = attrgetter(*columns)
    json = [number for number, part in enumerate(fields(row_type)) if part.type == dict[str, str]]
    if not json:
        return columns, values

    def with_json(row: Row) -> tuple[Any, ...]:
        found = [*values(row)]
        for number in json:
            found[number] = exact_json.dumps(found[number]).decode()
        return tuple(found)

    return columns, with_json


_COPIED: Mapping[str, tuple[tuple[str, ...], Callable[[Row], tuple[Any, ...]]]] = {
    row_type.table: _copied(row_type) for row_type in ROW_TYPES
}
