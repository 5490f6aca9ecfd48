"""Tokens in Postgres, encrypted; and one refresher per company across all processes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from counterfoil.ports import Entropy
from counterfoil.postgres.connect import Connection, Pool
from counterfoil.postgres.names import Names, load_query
from counterfoil.secrets.codec import decode, encode
from counterfoil.secrets.envelope import MasterKeys, Sealed, seal, unseal
from counterfoil.secrets.tokens import TokenSet, require_next_generation

STATEMENT_SECONDS_MAX = 10.0
LOCK_SECONDS_MAX = 120.0


class PostgresTokenStore:
    """Keeps tokens in `counterfoil_state.tokens`.

    Args:
        pool: connections that act as the engine's role.
        names: the installation's schemas.
        keys: the master keys.
        entropy: data keys and nonces; must be the system's outside of tests.
    """

    def __init__(self, pool: Pool, names: Names, *, keys: MasterKeys, entropy: Entropy) -> None:
        self._pool = pool
        self._names = names
        self._keys = keys
        self._entropy = entropy

    async def get(self, company: int) -> TokenSet | None:
        """The stored tokens; None if the company is not connected.

        Raises:
            SealError: the row does not open.
        """
        row = await self._pool.fetchrow(load_query("tokens_get", self._names), company, timeout=STATEMENT_SECONDS_MAX)
        if row is None:
            return None
        generation: int = row["generation"]
        sealed = Sealed(row["format_version"], row["master_key"], row["wrapped_key"], row["ciphertext"])
        return decode(unseal(sealed, company=company, generation=generation, keys=self._keys), generation)

    async def compare_and_set(self, company: int, expected_generation: int, tokens: TokenSet) -> bool:
        """Store `tokens` if the stored generation is still the expected one.

        Raises:
            ValueError: the generation does not follow the expected one.
        """
        require_next_generation(expected_generation, tokens)
        sealed = seal(
            encode(tokens),
            company=company,
            generation=tokens.generation,
            keys=self._keys,
            entropy=self._entropy,
        )
        name = "tokens_update" if expected_generation else "tokens_insert"
        stored = await self._pool.fetchval(
            load_query(name, self._names),
            company,
            tokens.generation,
            sealed.format_version,
            sealed.master_key,
            sealed.wrapped_key,
            sealed.ciphertext,
            tokens.access_expires_at,
            tokens.refresh_expires_at,
            timeout=STATEMENT_SECONDS_MAX,
        )
        return stored is not None

    async def delete(self, company: int) -> None:
        """Forget the company's tokens."""
        await self._pool.execute(load_query("tokens_delete", self._names), company, timeout=STATEMENT_SECONDS_MAX)


class PostgresRefreshLock:
    """An advisory lock per company; it ends with its connection, so a dead process leaves none behind.

    Args:
        pool: connections of any role; one is held for as long as the lock is.
        names: installations in one database do not lock each other out.
        purpose: what is locked; locks of different purposes know nothing of each other.
        holders_max: most locks that this process holds or waits for at once. It must be below the size of the
            pool: who holds a lock needs a second connection to store the tokens.
    """

    def __init__(self, pool: Pool, names: Names, *, purpose: str = "tokens", holders_max: int = 2) -> None:
        self._pool = pool
        self._names = names
        self._purpose = purpose
        self._holders = asyncio.Semaphore(holders_max)

    @asynccontextmanager
    async def hold(self, company: int, source: str = "") -> AsyncIterator[None]:
        """Wait for the lock, at most two minutes, and hold it; with a source, that of this one alone.

        Raises:
            TimeoutError: another process held it for all that time.
        """
        key = f"{self._names.state_schema}.{self._purpose}:{company}" + (f":{source}" if source else "")
        async with self._holders, self._pool.acquire(timeout=LOCK_SECONDS_MAX) as connection:
            with _ended_if_unsure(connection):
                await connection.execute(load_query("tokens_lock", self._names), key, timeout=LOCK_SECONDS_MAX)
            try:
                yield
            finally:
                with _ended_if_unsure(connection):
                    await connection.execute(
                        load_query("tokens_unlock", self._names), key, timeout=STATEMENT_SECONDS_MAX
                    )


@contextmanager
def _ended_if_unsure(connection: Connection) -> Iterator[None]:
    """A connection of which nobody knows whether it holds the lock is ended, and the lock with it."""
    try:
        yield
    except BaseException:
        connection.terminate()
        raise
