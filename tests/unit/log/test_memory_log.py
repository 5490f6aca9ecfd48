"""The log in memory keeps the contract."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from counterfoil.clock import SystemClock
from counterfoil.log import EventCodec
from counterfoil.testing.log_contract import LogContract, LogUnderTest, contract_events
from counterfoil.testing.memory_log import MemoryKeyring, MemoryLog
from support.seeded import SeededEntropy


class TestMemoryLog(LogContract):
    @asynccontextmanager
    async def open_log(self) -> AsyncIterator[LogUnderTest]:
        entropy, clock = SeededEntropy(), SystemClock()
        keyring = MemoryKeyring(entropy)
        log = MemoryLog(EventCodec(keyring, clock=clock, entropy=entropy, events=contract_events), clock=clock)
        yield LogUnderTest(log, log, log, keyring)
