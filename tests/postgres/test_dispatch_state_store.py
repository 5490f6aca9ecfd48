"""The projections in Postgres keep the contract, and any row comes back as it was."""

import types
import typing
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counterfoil.postgres import Pool
from counterfoil.state.projection import Checkpoint
from counterfoil.state.rows import ROW_TYPES, Row, key_of
from counterfoil.state.store import PostgresStateStore
from counterfoil.testing.state_contract import RowStore, StateStoreContract
from support.postgres import Database

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**17), max_value=10**17)


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a field, by its declared type."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return st.sampled_from(parts)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*(st.none() if part is type(None) else values_of(part) for part in parts))
    if origin is tuple:
        return st.lists(values_of(parts[0]), max_size=4).map(tuple)
    if origin is dict:
        return st.dictionaries(TEXTS, TEXTS, max_size=4)
    plain = {str: TEXTS, int: st.integers(-(2**63), 2**63 - 1), bool: st.booleans(), Decimal: AMOUNTS}
    return plain[hint]


def rows_of(kind: type[Row]) -> st.SearchStrategy[Row]:
    hints = typing.get_type_hints(kind)
    values = {name: values_of(hints[name]) for name in kind.__struct_fields__}
    return st.builds(kind, **values | {"company": st.just(3)})


class TestStateStore(StateStoreContract):
    @pytest.fixture(autouse=True)
    def place(self, database: Database, pool: Pool) -> None:
        self._store = PostgresStateStore(pool, database.names)

    @asynccontextmanager
    async def open_store(self) -> AsyncIterator[RowStore]:
        yield self._store

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(rows=st.lists(st.one_of([rows_of(kind) for kind in ROW_TYPES]), max_size=12))
    async def test_any_row_comes_back_as_it_was(self, rows: list[Row]) -> None:
        wanted = {(row.table, key_of(row)): row for row in rows}
        before = await self._store.checkpoint(3)
        await self._store.save(wanted.values(), before, Checkpoint(company=3, position=before.position + 1))
        found: dict[tuple[str, tuple[str, ...]], Row] = {}
        for table in {table for table, _ in wanted}:
            keys = [key for name, key in wanted if name == table]
            found.update({(table, key): row for key, row in (await self._store.load(3, table, keys)).items()})
        assert wanted == found
