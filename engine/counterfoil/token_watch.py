"""Watches how long a QuickBooks connection still lasts: warns in time, shows it, keeps an idle one alive.

A refresh token dies 100 days after its last use, and five years after consent however much it is used (Intuit: its
FAQ on refresh tokens, and its notice of 2025 on the five years).
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from counterfoil.errors import CounterfoilError
from counterfoil.ports import Clock
from counterfoil.secrets.connections import Connection
from counterfoil.secrets.tokens import TokenSet
from counterfoil.telemetry.ports import Instruments

logger = logging.getLogger("counterfoil")

LOOK_SECONDS: Final = 60.0
KEEP_ALIVE_SECONDS: Final = 3600.0
KEEP_ALIVE_DAYS: Final = 50.0
"""An idle connection is refreshed halfway through its 100 days: that leaves weeks for whatever goes wrong."""
WARN_DAYS: Final = (30, 14, 7, 1)


class Access(Protocol):
    """What is needed of `AccessTokens`."""

    @property
    def current(self) -> TokenSet | None: ...

    @property
    def reconnect_needed(self) -> bool: ...

    async def keep_alive(self, days: float) -> None: ...


class Connections(Protocol):
    """What is needed of `PostgresConnections`."""

    async def get(self, company: int) -> Connection | None: ...

    async def put(self, company: int, connection: Connection) -> None: ...


def due_warning(left: timedelta, warned: int | None) -> tuple[int | None, bool]:
    """The last warning that counts now, in days, and whether it is to be given: each once, the nearest first.

    Args:
        left: until the end.
        warned: the last one given; a connection that lasts longer again forgets it.
    """
    reached = [days for days in WARN_DAYS if left <= timedelta(days=days)]
    if not reached:
        return None, False
    nearest = min(reached)
    return nearest, warned is None or nearest < warned


class ConnectionWatch:
    """Watches one company's connection while its lease is held."""

    def __init__(
        self, company: int, *, access: Access, connections: Connections, clock: Clock, instruments: Instruments
    ) -> None:
        self._company = company
        self._access = access
        self._connections = connections
        self._clock = clock
        self._instruments = instruments
        self._looked_at = float("-inf")
        self._kept_alive_at = float("-inf")

    async def look(self) -> None:
        """Look now and then, however often this is called; nothing that goes wrong here stops anything else."""
        now = self._clock.monotonic()
        if now - self._kept_alive_at >= KEEP_ALIVE_SECONDS:
            self._kept_alive_at = now
            await self._quietly(lambda: self._access.keep_alive(KEEP_ALIVE_DAYS))
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            await self._record()

    async def _quietly(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except CounterfoilError as trouble:
            logger.warning("company %d: the connection was not kept alive: %s", self._company, trouble.message)

    async def _record(self) -> None:
        kept = await self._connections.get(self._company)
        tokens, state = self._access.current, self._state(kept)
        if state is None:
            return
        now = self._clock.now()
        changed = kept is None or kept.state != state
        found = replace(kept, state=state) if kept else Connection(state=state, since=now)
        found = replace(found, since=now) if changed else found
        if changed and state == "reconnect":
            logger.warning(
                "company %d: QuickBooks wants to be connected again; everything queued is kept", self._company
            )
        elif changed and kept is not None:
            logger.info("company %d: QuickBooks is connected again", self._company)
        if tokens is not None and state == "connected":
            found = self._warned(self._with(found, tokens), now)
        self._instruments.connection(self._company, connected=state == "connected")
        if found != kept:
            await self._connections.put(self._company, found)

    def _state(self, kept: Connection | None) -> Literal["connected", "reconnect"] | None:
        if self._access.reconnect_needed:
            # Whom a person has disconnected nobody needs to be told of.
            return None if kept is not None and kept.state == "disconnected" else "reconnect"
        return "connected" if self._access.current is not None else None

    def _with(self, found: Connection, tokens: TokenSet) -> Connection:
        ends = (tokens.access_expires_at, tokens.refresh_expires_at, tokens.hard_expires_at)
        if ends == (found.access_expires_at, found.refresh_expires_at, found.hard_expires_at):
            return found
        return replace(
            found,
            realm_id=tokens.realm_id,
            refreshed_at=self._clock.now(),
            access_expires_at=tokens.access_expires_at,
            refresh_expires_at=tokens.refresh_expires_at,
            hard_expires_at=tokens.hard_expires_at,
        )

    def _warned(self, found: Connection, now: datetime) -> Connection:
        window = end = None
        if found.refresh_expires_at is not None:
            left = found.refresh_expires_at - now
            self._instruments.token(self._company, left.total_seconds())
            window = self._warn(left, found.warned_window, "unless it is used before")
        if found.hard_expires_at is not None:
            left = found.hard_expires_at - now
            self._instruments.connection_end(self._company, left.total_seconds())
            end = self._warn(
                left, found.warned_end, "for good: connect it again before, `counterfoil connect quickbooks`"
            )
        return replace(found, warned_window=window, warned_end=end)

    def _warn(self, left: timedelta, warned: int | None, how: str) -> int | None:
        days, now = due_warning(left, warned)
        if now:
            logger.warning(
                "company %d: the QuickBooks connection ends in %d days or less, %s", self._company, days, how
            )
        return days
