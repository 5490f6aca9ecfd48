"""What verifying asks of Postgres beyond reading: signs that no append left."""

from collections.abc import Sequence

from counterfoil.log.types import Delivery
from counterfoil.postgres.connect import Pool
from counterfoil.postgres.names import Names, load_query


class PostgresAudit:
    """See `verify.Audit`."""

    def __init__(self, pool: Pool, names: Names) -> None:
        self._pool = pool
        self._companies = load_query("log_companies", names)
        self._beyond = load_query("log_beyond", names)
        self._stray = load_query("log_stray_deliveries", names)
        self._known = load_query("log_known_deliveries", names)

    async def companies(self) -> list[int]:
        """All companies with a head or with events."""
        return [row["company"] for row in await self._pool.fetch(self._companies)]

    async def beyond(self, company: int) -> int | None:
        """Position of an event past the head."""
        position: int | None = await self._pool.fetchval(self._beyond, company)
        return position

    async def stray_deliveries(self, company: int, limit: int) -> list[tuple[str, int]]:
        """Remembered deliveries without their event."""
        rows = await self._pool.fetch(self._stray, company, limit)
        return [(row["delivery"], row["position"]) for row in rows]

    async def forgotten_deliveries(self, company: int, deliveries: Sequence[str]) -> set[str]:
        """Those of these deliveries, each borne by an event, that are not remembered."""
        parts = [Delivery(*text.split(":", 1)) for text in deliveries]
        rows = await self._pool.fetch(
            self._known, company, [part.source for part in parts], [part.id for part in parts]
        )
        return {*deliveries} - {row[0] for row in rows}
