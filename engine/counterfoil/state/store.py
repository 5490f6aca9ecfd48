"""The store of projections: what the engine asks of it, and how it is answered in Postgres."""

import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import UnionType
from typing import Any, Protocol, TypeVar, get_args, get_origin, get_type_hints

import asyncpg
from msgspec.structs import asdict

from counterfoil.errors import CounterfoilError
from counterfoil.gathering import Gatherer
from counterfoil.postgres import Names, load_query
from counterfoil.state.projection import Checkpoint
from counterfoil.state.rows import ROW_TYPES, IntentRow, Key, Row, key_of
from counterfoil_schema import exact_json

R = TypeVar("R", bound=Row)
_TYPES: Mapping[str, type[Row]] = {row_type.table: row_type for row_type in ROW_TYPES}


class FoldOvertakenError(CounterfoilError):
    """Another process folded the same company, or a rebuild put its rows right: whoever folds must begin anew."""


def overtaken(before: Checkpoint) -> FoldOvertakenError:
    """What to raise where the checkpoint no longer stands as it did `before`."""
    return FoldOvertakenError(
        f"The tables of company {before.company} were moved by another process while this one was at {before.position}."
    )


class Found(Protocol):
    """What a named query gives for one row: its columns in order, by place and by name."""

    def __getitem__(self, key: Any, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...

    def keys(self) -> Iterator[str]: ...


class StateStore(Protocol):
    """The projections of all companies, and the operational tables beside them.

    Queries have names: those of the files `schema/counterfoil_schema/queries/state_*.sql`, which say what each gives.
    """

    async def load(self, company: int, table: str, keys: Iterable[Key]) -> Mapping[Key, Row]:
        """The rows that exist among these keys of one table."""
        ...

    async def one(self, row_type: type[R], company: int, *key: str) -> R | None:
        """One row by its key."""
        ...

    async def some(self, row_type: type[R], query: str, *arguments: object) -> list[R]:
        """Rows that a named query gives."""
        ...

    async def intents_of(self, company: int, record_key: str) -> Sequence[IntentRow]:
        """Every intent of a record, oldest first."""
        ...

    async def intents_of_changes(self, company: int, record_key: str) -> Sequence[IntentRow]:
        """The same, and those of further documents that the record's changes called for, under keys of their own."""
        ...

    async def answer(self, query: str, company: int, *question: str) -> str | None:
        """What a named query answers to one of many questions."""
        ...

    async def records(self, query: str, *arguments: object) -> Sequence[Found]:
        """Whatever records a named query gives."""
        ...

    async def value(self, query: str, *arguments: object) -> Any:
        """The single value that a named query gives, or None."""
        ...

    async def execute(self, query: str, *arguments: object) -> None:
        """Run a named statement on an operational table."""
        ...

    async def checkpoint(self, company: int) -> Checkpoint:
        """How far the company is folded."""
        ...

    async def save(
        self, rows: Iterable[Row], before: Checkpoint, after: Checkpoint, moved_at: datetime | None = None
    ) -> None:
        """Write rows and checkpoint in one transaction.

        Raises:
            FoldOvertakenError: the checkpoint no longer stands at `before`.
        """
        ...


class Tables(Protocol):
    """What single reads are made with."""

    async def load(self, company: int, table: str, keys: Iterable[Key]) -> Mapping[Key, Row]: ...

    async def some(self, row_type: type[R], query: str, *arguments: object) -> list[R]: ...

    async def records(self, query: str, *arguments: object) -> Sequence[Found]: ...


class SingleReads:
    """Reads of one thing, made together with all that ask for the same kind of thing in the same turn of the loop."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._gatherer = Gatherer()

    async def one(self, row_type: type[R], company: int, *key: str) -> R | None:
        """See `StateStore.one`."""

        async def read(keys: Sequence[Key]) -> Mapping[Key, Row]:
            return await self._tables.load(company, row_type.table, keys)

        row = await self._gatherer.get((row_type.table, company), key, read)
        return row if isinstance(row, row_type) else None

    async def intents_of(self, company: int, record_key: str) -> Sequence[IntentRow]:
        """See `StateStore.intents_of`."""

        async def read(keys: Sequence[str]) -> Mapping[str, Sequence[IntentRow]]:
            found: dict[str, list[IntentRow]] = {}
            for row in await self._tables.some(IntentRow, "intents_of_records", company, keys):
                found.setdefault(row.record_key, []).append(row)
            return found

        return await self._gatherer.get(("intents", company), record_key, read) or ()

    async def answer(self, query: str, company: int, *question: str) -> str | None:
        """See `StateStore.answer`: the query takes its questions as arrays, one for each part.

        Its answers come as (place of the question, counted from 1, and text).
        """

        async def read(asked: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], str]:
            parts = [list(part) for part in zip(*asked, strict=True)]
            return {asked[place - 1]: answer for place, answer in await self._tables.records(query, company, *parts)}

        return await self._gatherer.get((query, company), question, read)


class PostgresStateStore:
    """Rows in one Postgres schema: loaded by key, written with the checkpoint in one transaction.

    Args:
        pool: connections that work as the engine's role.
        names: the schema names.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", names: Names) -> None:
        self._pool = pool
        self._names = names
        self._single = SingleReads(self)

    async def load(self, company: int, table: str, keys: Iterable[Key]) -> Mapping[Key, Row]:
        """The rows that exist among these keys of one table."""
        row_type = _TYPES[table]
        keys = list(keys)
        if not keys:
            return {}
        query = load_query(f"state_load_{table}", self._names)
        parts = [list(part) for part in zip(*keys, strict=True)] if row_type.key else []
        found = await self._pool.fetch(query, company, *parts)
        rows = [read_row(row_type, record[0]) for record in found]
        return {key_of(row): row for row in rows}

    async def one(self, row_type: type[R], company: int, *key: str) -> R | None:
        """See `StateStore.one`."""
        return await self._single.one(row_type, company, *key)

    async def some(self, row_type: type[R], query: str, *arguments: object) -> list[R]:
        """Rows that a named query gives, one JSON object each."""
        found = await self._pool.fetch(load_query(f"state_{query}", self._names), *arguments)
        return [read_row(row_type, record[0]) for record in found]

    async def intents_of(self, company: int, record_key: str) -> Sequence[IntentRow]:
        """See `StateStore.intents_of`."""
        return await self._single.intents_of(company, record_key)

    async def intents_of_changes(self, company: int, record_key: str) -> Sequence[IntentRow]:
        """The same, and those of further documents that the record's changes called for, under keys of their own."""
        return await self.some(IntentRow, "intents_of_changes", company, record_key)

    async def answer(self, query: str, company: int, *question: str) -> str | None:
        """See `StateStore.answer`."""
        return await self._single.answer(query, company, *question)

    async def records(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Whatever records a named query gives."""
        return await self._pool.fetch(load_query(f"state_{query}", self._names), *arguments)

    async def value(self, query: str, *arguments: object) -> Any:
        """The single value that a named query gives, or None."""
        return await self._pool.fetchval(load_query(f"state_{query}", self._names), *arguments)

    async def execute(self, query: str, *arguments: object) -> None:
        """Run a named statement on an operational table."""
        await self._pool.execute(load_query(f"state_{query}", self._names), *arguments)

    async def checkpoint(self, company: int) -> Checkpoint:
        """How far the company is folded."""
        found = await self._pool.fetchrow(load_query("state_checkpoint", self._names), company)
        if found is None:
            return Checkpoint(company=company)
        return Checkpoint(
            company=company,
            position=found["position"],
            state=found["state"],
            error=found["error"],
            moved_at=found["moved_at"],
            generation=found["generation"],
        )

    async def save(
        self, rows: Iterable[Row], before: Checkpoint, after: Checkpoint, moved_at: datetime | None = None
    ) -> None:
        """Write rows and checkpoint in one transaction.

        Raises:
            FoldOvertakenError: the checkpoint no longer stands at `before`, or the rows are of another generation.
        """
        by_table: dict[str, list[dict[str, object]]] = {}
        for row in rows:
            by_table.setdefault(row.table, []).append(asdict(row))
        async with self._pool.acquire() as connection, connection.transaction():
            moved = await connection.fetchval(
                load_query("state_move_checkpoint", self._names),
                after.company,
                before.position,
                after.position,
                after.state,
                after.error,
                moved_at,
                before.generation,
            )
            if moved is None:
                raise overtaken(before)
            for table, values in sorted(by_table.items()):
                text = exact_json.dumps(values).decode()
                await connection.execute(load_query(f"state_upsert_{table}", self._names), text)


def read_row(row_type: type[R], text: str) -> R:
    """A row from the JSON that Postgres gives of it."""
    values = exact_json.loads_object(text)
    readers = _READERS[row_type.table]
    return row_type(**{name: readers[name](value) for name, value in values.items() if name in readers})


def _reader(hint: Any) -> Callable[[Any], Any]:
    parts = get_args(hint)
    if get_origin(hint) in (UnionType, typing.Union):
        inner = _reader(next(part for part in parts if part is not type(None)))
        return lambda value: None if value is None else inner(value)
    if hint is Decimal:
        return Decimal
    if get_origin(hint) is tuple:
        return tuple
    return lambda value: value


_READERS: Mapping[str, Mapping[str, Callable[[Any], Any]]] = {
    row_type.table: {
        name: _reader(hint) for name, hint in get_type_hints(row_type).items() if name in row_type.__struct_fields__
    }
    for row_type in ROW_TYPES
}
