"""The projections in memory keep the contract."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from counterfoil.testing.memory_state import MemoryStateStore
from counterfoil.testing.state_contract import RowStore, StateStoreContract


class TestMemoryStateStore(StateStoreContract):
    @asynccontextmanager
    async def open_store(self) -> AsyncIterator[RowStore]:
        yield MemoryStateStore()
