"""What outlives the processes of a simulation: the database, and the locks in it."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from counterfoil.secrets.connections import Connection
from counterfoil.secrets.envelope import Origin
from counterfoil.secrets.tokens import TokenSet
from counterfoil.testing.memory_log import MemoryKeyring, MemoryLog
from counterfoil.testing.memory_state import MemoryStateStore
from counterfoil.testing.simulation.loop import PROCESS, SimulatedProcess
from counterfoil.testing.tokens import MemoryTokenStore


class MemoryConnections:
    """How connections stand, in memory; see `PostgresConnections`."""

    def __init__(self) -> None:
        self._kept: dict[int, Connection] = {}

    async def get(self, company: int) -> Connection | None:
        """What was kept last; None before the first connection."""
        return self._kept.get(company)

    async def put(self, company: int, connection: Connection) -> None:
        """Keep it."""
        self._kept[company] = connection


class RememberingTokenStore(MemoryTokenStore):
    """Tokens in memory, and every one that was ever stored: none of them may show anywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, None] = {}

    async def compare_and_set(self, company: int, expected_generation: int, tokens: TokenSet) -> bool:
        """See `TokenStore.compare_and_set`."""
        for one in (tokens.access_token, tokens.refresh_token):
            self.known[one.get_secret_value()] = None
        return await super().compare_and_set(company, expected_generation, tokens)


class NoSourceTokens:
    """The desk grants no tokens."""

    async def get(self, company: int, origin: Origin) -> tuple[int, bytes] | None:
        """See `SourceTokenStore.get`."""
        del company, origin
        return None

    async def put(
        self, company: int, origin: Origin, generation: int, secret: bytes, access_expires_at: datetime | None
    ) -> bool:
        """See `SourceTokenStore.put`."""
        del company, origin, generation, secret, access_expires_at
        return False

    async def refuse(self, company: int, origin: Origin, generation: int) -> None:
        """See `SourceTokenStore.refuse`."""
        del company, origin, generation


class SharedRefreshLock:
    """One refresher per company; freed as well when its process dies."""

    def __init__(self) -> None:
        self._holder: SimulatedProcess | None = None

    def hold(self, company: int, source: str = "") -> "_Held":
        """See `RefreshLock.hold`."""
        del company, source
        return _Held(self)

    async def take(self) -> None:
        """Wait for it."""
        while True:
            if self._holder is None or not self._holder.alive:
                self._holder = PROCESS.get()
                return
            await asyncio.sleep(0.25)

    def free(self) -> None:
        """Give it back."""
        self._holder = None


class _Held:
    def __init__(self, lock: SharedRefreshLock) -> None:
        self._lock = lock

    async def __aenter__(self) -> None:
        await self._lock.take()

    async def __aexit__(self, *_: object) -> None:
        self._lock.free()


@dataclass(frozen=True, slots=True, kw_only=True)
class Durable:
    """What outlives a process; `instants` are those at which positions became durable, by the world's time."""

    log: MemoryLog
    keyring: MemoryKeyring
    store: MemoryStateStore
    tokens: RememberingTokenStore
    connections: MemoryConnections
    lock: SharedRefreshLock
    instants: dict[int, float] = field(default_factory=dict)
