"""How a connection stands, kept beside its tokens, which may lie in a vault elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from counterfoil.postgres.connect import Pool
from counterfoil.postgres.names import Names, load_query

STATEMENT_SECONDS_MAX = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One company's connection.

    Attributes:
        state: `reconnect` means that a person must consent again; everything queued waits for it.
        since: when that state began.
        warned_window, warned_end: the last warning given, in days, that the connection ends without use, or for good.
    """

    state: Literal["connected", "reconnect", "disconnected"]
    since: datetime
    realm_id: str = ""
    refreshed_at: datetime | None = None
    access_expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    hard_expires_at: datetime | None = None
    warned_window: int | None = None
    warned_end: int | None = None


class PostgresConnections:
    """Keeps them in `counterfoil_state.connections`."""

    def __init__(self, pool: Pool, names: Names) -> None:
        self._pool = pool
        self._names = names

    async def get(self, company: int) -> Connection | None:
        """What was kept last; None before the first connection."""
        row = await self._pool.fetchrow(
            load_query("connections_get", self._names), company, timeout=STATEMENT_SECONDS_MAX
        )
        return Connection(**dict(row)) if row else None

    async def put(self, company: int, connection: Connection) -> None:
        """Keep it."""
        await self._pool.execute(
            load_query("connections_put", self._names),
            company,
            connection.state,
            connection.since,
            connection.realm_id,
            connection.refreshed_at,
            connection.access_expires_at,
            connection.refresh_expires_at,
            connection.hard_expires_at,
            connection.warned_window,
            connection.warned_end,
            timeout=STATEMENT_SECONDS_MAX,
        )
