"""The log in Postgres keeps the contract."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from counterfoil.postgres import Pool
from counterfoil.testing.log_contract import LogContract, LogUnderTest
from support.logs import open_log
from support.postgres import Database


class TestPostgresLog(LogContract):
    @pytest.fixture(autouse=True)
    def place(self, database: Database, pool: Pool) -> None:
        self._names, self._pool = database.names, pool

    @asynccontextmanager
    async def open_log(self) -> AsyncIterator[LogUnderTest]:
        async with open_log(self._pool, self._names) as log:
            yield LogUnderTest(log.writer, log.reader, log.leases, log.keyring)
