"""Copies of one company's projections while they are folded afresh: rows at hand, rows on their way, rows in Postgres.

What a fold changes stays in memory until there is enough of it to be copied in at once, with the position that it
rests on; so most rows are written once, however many events change them. What is at hand is bounded, whatever the
length of the log.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice
from typing import Any, Protocol, get_origin

import asyncpg
import orjson
from msgspec.structs import asdict, astuple, fields

from counterfoil.postgres import AccessError, Connection, Names, Pool, load_query
from counterfoil.recovery.touched import Touched
from counterfoil.state.fold import At
from counterfoil.state.rows import ROW_TYPES, Key, Row
from counterfoil.state.store import FoldOvertakenError, PostgresStateStore
from counterfoil_schema import exact_json

ROWS_AT_HAND_MAX = 20_000
ROWS_PER_SAVE = 5_000
SAVE_SECONDS_MAX = 300.0
_KEY_PARTS_MAX = 3


class Place(Protocol):
    """Where rows are written together with the position that they rest on."""

    async def write(self, rows: Mapping[At, Row], replaced: Collection[At], position: int, link: bytes) -> None:
        """Write rows, those among `replaced` over what may be there; in one transaction with the position."""
        ...


class FreshRows:
    """The rows of a fold that goes through a whole log. See `AtHand`.

    Args:
        place: takes rows.
        whole: whether the fold began with the first event: then a row that was never changed does not exist.
    """

    def __init__(self, company: int, place: Place, *, whole: bool = True) -> None:
        self._company = company
        self._place = place
        self._rows: dict[At, Row] = {}
        self._absent: set[At] = set()
        self._changed: dict[At, Row] = {}
        self._replaced: set[At] = set()
        self._touched = Touched() if whole else None
        self._saving: asyncio.Task[None] | None = None

    def __getitem__(self, at: At, /) -> Row | None:
        """See `AtHand.__getitem__`."""
        row = self._rows.get(at)
        if row is None and (self._touched is None or at in self._touched) and at not in self._absent:
            raise KeyError(at)
        return row

    def _is_new(self, at: At) -> bool:
        """Whether a row that is not at hand is not in Postgres either; from here on it may be."""
        return (self._touched is not None and not self._touched.add(at)) or at in self._absent

    def found(self, rows: Mapping[At, Row | None]) -> None:
        """See `AtHand.found`."""
        for at, row in rows.items():
            if row is None:
                self._absent.add(at)
            elif at not in self._rows:
                self._rows[at] = row

    def put(self, rows: Mapping[At, Row]) -> None:
        """See `AtHand.put`."""
        kept, changed = self._rows, self._changed
        for at, row in rows.items():
            # What is at hand unchanged is in Postgres. Behind all others: what was written last is let go last.
            if at not in changed and (kept.pop(at, None) is not None or not self._is_new(at)):
                self._replaced.add(at)
            changed[at] = kept[at] = row

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
        replaced, self._replaced = self._replaced, set()
        self._absent.clear()
        self._let_go(changed)
        write = self._place.write(changed, replaced, position, link)
        self._saving = asyncio.create_task(write, name=f"fresh rows of company {self._company}")

    def _let_go(self, unwritten: Mapping[At, Row]) -> None:
        """Forget the rows that were not written for longest; never one that is not in Postgres yet."""
        excess = len(self._rows) - ROWS_AT_HAND_MAX
        written = (at for at in self._rows if at not in unwritten)
        for at in [*islice(written, max(0, excess))]:
            del self._rows[at]

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

    async def write(self, rows: Mapping[At, Row], replaced: Collection[At], position: int, link: bytes) -> None:
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
            await _copy(connection, rows.values(), self._names.state_schema, "fresh_")
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

    async def close(self) -> None:
        """Drop them."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(load_query("rebuild_close", self._names), self._company, timeout=SAVE_SECONDS_MAX)


class TemporaryTables:
    """Copies that end with the session of a pool of one connection. See `Place`.

    Args:
        own: the pool; nobody else uses it.
    """

    def __init__(self, own: Pool, names: Names) -> None:
        self._own = own
        self._names = names.temporary()
        self._open = load_query("rebuild_open_temporary", names)

    async def open(self) -> None:
        """Make them.

        Raises:
            AccessError: the login may not make temporary tables in this database.
        """
        try:
            await self._own.execute(self._open)
        except asyncpg.InsufficientPrivilegeError as refused:
            raise AccessError(
                "The login may not make temporary tables, in which the state at a point is folded.",
                remedy="GRANT TEMPORARY ON DATABASE … TO that login's role.",
            ) from refused

    async def write(self, rows: Mapping[At, Row], replaced: Collection[At], position: int, link: bytes) -> None:
        """See `Place.write`; the position is nobody's business but the fold's."""
        del position, link
        over: dict[str, list[dict[str, object]]] = {}
        for at in replaced:
            over.setdefault(at[0], []).append(asdict(rows[at]))
        async with self._own.acquire() as connection, connection.transaction():
            for table, values in over.items():
                text = exact_json.dumps(values).decode()
                await connection.execute(load_query(f"state_upsert_{table}", self._names), text)
            new = (row for at, row in rows.items() if at not in replaced)
            await _copy(connection, new, "pg_temp", "")


async def _copy(connection: Connection, rows: Iterable[Row], schema: str, prefix: str) -> None:
    by_table: dict[str, list[Row]] = {}
    for row in rows:
        by_table.setdefault(row.table, []).append(row)
    for table, of_table in by_table.items():
        columns, values_of = _COPIED[table]
        await connection.copy_records_to_table(
            f"{prefix}{table}",
            schema_name=schema,
            columns=columns,
            records=map(values_of, of_table),
            timeout=SAVE_SECONDS_MAX,
        )


def _copied(row_type: type[Row]) -> tuple[tuple[str, ...], Callable[[Row], tuple[Any, ...]]]:
    columns = row_type.__struct_fields__
    json = [number for number, part in enumerate(fields(row_type)) if get_origin(part.type) is dict]
    if not json:
        return columns, astuple

    def with_json(row: Row) -> tuple[Any, ...]:
        found = [*astuple(row)]
        for number in json:
            found[number] = orjson.dumps(found[number]).decode()
        return tuple(found)

    return columns, with_json


_COPIED: Mapping[str, tuple[tuple[str, ...], Callable[[Row], tuple[Any, ...]]]] = {
    row_type.table: _copied(row_type) for row_type in ROW_TYPES
}
