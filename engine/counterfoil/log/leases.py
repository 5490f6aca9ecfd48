"""Leases in Postgres: the server's clock says when one has run out, the head's epoch who may decide."""

from counterfoil.log.types import Lease
from counterfoil.ports import Clock
from counterfoil.postgres.connect import Pool
from counterfoil.postgres.names import Names, load_query


class PostgresLeases:
    """See `Leases`."""

    def __init__(self, pool: Pool, names: Names, *, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._acquire = load_query("log_acquire_lease", names)
        self._renew = load_query("log_renew_lease", names)
        self._release = load_query("log_release_lease", names)

    async def acquire(self, company: int, holder: str, seconds: float) -> Lease | None:
        """See `Leases.acquire`. `holder` names one process and is never shared by two that run at once."""
        asked = self._clock.monotonic()
        epoch: int | None = await self._pool.fetchval(self._acquire, company, holder, seconds)
        return None if epoch is None else Lease(company, holder, epoch, asked + seconds)

    async def renew(self, lease: Lease, seconds: float) -> Lease | None:
        """See `Leases.renew`."""
        asked = self._clock.monotonic()
        ours: bool = await self._pool.fetchval(self._renew, lease.company, lease.holder, lease.epoch, seconds)
        return Lease(lease.company, lease.holder, lease.epoch, asked + seconds) if ours else None

    async def release(self, lease: Lease) -> bool:
        """See `Leases.release`."""
        ours: bool = await self._pool.fetchval(self._release, lease.company, lease.holder, lease.epoch)
        return ours
